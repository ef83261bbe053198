//! A system with a secret in every place that takes one: none of them comes out anywhere but in `secrets.json`.

use crate::support::archive::Archive;
use crate::support::client::Request;
use crate::support::server::{Host, PASSWORD};
use actors::domain::config::table::{self, Kind};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

const OPENAPI: &str = include_str!("../../web/openapi.json");
/// Where the test puts a secret of its own into each key of the config that takes one. A key that is not here fails the test: give it a
/// line, and a place in [`CONFIG`].
const PLACES: [(&str, &str); 7] = [
    ("access.secret_access_key", "«config-pair»"),
    ("access.iam_users[].secret_access_key", "«first-pair»"),
    ("access.iam_users[].access_keys[].secret_access_key", "«second-pair»"),
    ("access.auth_providers[].client_secret", "«client»"),
    ("advanced.bootstrap_password_hash", "«hash»"),
    ("advanced.audit.webhook.headers[].value", "«header»"),
    ("storage.backends[].secret_access_key", "«account»"),
];
const CONFIG: &str = "\
access:
  access_key_id: AKCONFIGPAIR
  secret_access_key: «config-pair»
  iam_mode: declarative
  iam_users:
    - name: hidden-ann
      access_key_id: AKFIRSTPAIR
      secret_access_key: «first-pair»
      access_keys: [{access_key_id: AKSECONDPAIR, secret_access_key: «second-pair»}]
    - {name: hidden-bob, access_key_id: AKBYREFERENCE, secret_access_key: {env: BOB_SECRET}}
  auth_providers:
    - {name: corp, client_id: gateway, client_secret: «client», issuer_url: 'https://hidden-idp.invalid'}
storage:
  backends:
    - {name: near, type: filesystem, path: ./data}
    - {name: far, type: s3, endpoint: 'http://127.0.0.1:9', access_key_id: AKFAR, secret_access_key: «account»}
advanced:
  bootstrap_password_hash: «hash»
  audit: {webhook: {url: 'http://127.0.0.1:9/hidden-hook', headers: [{name: X-Token, value: «header»}]}}
";

/// A text that nothing else has.
fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn hash_of(password: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deltaglider_proxy"));
    let mut child = command.arg("hash-password").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    child.stdin.take().expect("piped").write_all(password.as_bytes()).expect("it reads");
    let text = String::from_utf8(child.wait_with_output().expect("it ends").stdout).expect("a hash is text");
    text.lines().find(|line| line.starts_with("$argon2id$")).expect("it prints a hash").to_owned()
}

/// Every text in a document, with its path.
fn leaves(value: &Value, path: String, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((path, text.clone())),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, format!("{path}[]"), found)),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| leaves(field, format!("{path}.{name}"), found)),
        _ => {}
    }
}

/// What may be nowhere: by what it is.
struct Hidden(Vec<(String, String)>);

impl Hidden {
    fn absent(&self, from: &str, what: &str) {
        for (name, secret) in &self.0 {
            assert!(!what.contains(secret.as_str()), "{name} is in {from}: {what}");
        }
    }
}

/// Every address that answers to GET, with every id that there is in the place of each parameter.
fn addresses(ids: &[String]) -> Vec<String> {
    let document: Value = serde_json::from_str(OPENAPI).expect("the document is JSON");
    let paths = document["paths"].as_object().expect("it has paths");
    let mut found = Vec::new();
    for path in paths.iter().filter(|(_, verbs)| verbs.get("get").is_some()).map(|(path, _)| path) {
        // The archives are the keystore.
        if path == "/_/api/admin/backup" || path == "/_/api/admin/backups/{id}" {
            continue;
        }
        match path.split_once('{') {
            None => found.push(path.clone()),
            Some((before, rest)) => {
                let after = rest.split_once('}').expect("a parameter ends").1;
                found.extend(ids.iter().map(|id| format!("{before}{id}{after}")));
            }
        }
    }
    found
}

#[test]
fn no_secret_of_a_loaded_system_comes_out_anywhere() {
    // The one backend of the short form is the same one as in the list, and a file has one of the two.
    let taking = table::keys().filter(|key| key.path != "storage.backend.secret_access_key");
    let taking: Vec<&str> = taking.filter(|key| matches!(key.kind, Kind::Secret(_))).map(|key| key.path).collect();
    let mut placed: Vec<&str> = PLACES.iter().map(|(path, _)| *path).collect();
    placed.sort_unstable();
    let mut sorted = taking.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, placed, "every key that takes a secret has a place in this test, and nothing else has");

    let (hash, bob) = (hash_of(PASSWORD), random());
    let mut planted: BTreeMap<&str, String> = PLACES.iter().map(|(_, mark)| (*mark, random())).collect();
    planted.insert("«hash»", hash.clone());
    let yaml = planted.iter().fold(CONFIG.to_owned(), |text, (mark, secret)| text.replace(mark, secret));
    assert!(PLACES.iter().all(|(_, mark)| CONFIG.contains(mark)));
    let mut host = Host::prepare()
        .env("DGP_BOOTSTRAP_PASSWORD", "")
        .env("BOB_SECRET", &bob)
        .env("DGP_LOG_LEVEL", "trace")
        .config(&yaml);
    host.up();
    let token = json!({"name": "ci", "role": "viewer", "expires_in": "1h"});
    let viewer = host.admin(Request::new("POST", "/_/api/admin/tokens").json(&token)).expect(201).json();
    let viewer = viewer["token"].as_str().expect("it is shown once").to_owned();
    let wrong = format!("wrong-{}", random());
    host.login(&wrong).expect(401);

    // Everything that `secrets.json` holds is a secret, whatever it is called; the public half beside one is not.
    let archive = host.exported();
    let mut hidden = Vec::new();
    leaves(&archive.json("secrets.json"), "secrets.json".into(), &mut hidden);
    hidden.retain(|(name, _)| !name.ends_with(".access.access_key_id"));
    for (mark, secret) in &planted {
        assert!(hidden.iter().any(|(_, text)| text == secret), "secrets.json lacks {mark}");
    }
    assert!(hidden.iter().any(|(name, _)| name.contains(".encryption_keys.")), "{hidden:?}");
    hidden.push(("the reference's value".into(), bob));
    hidden.push(("the password".into(), PASSWORD.into()));
    hidden.push(("a wrong password".into(), wrong));
    hidden.push(("the token".into(), viewer.clone()));
    let hidden = Hidden(hidden);
    for part in ["manifest.json", "config.yaml", "iam.json"] {
        hidden.absent(part, &String::from_utf8_lossy(archive.entry(part)));
    }

    let mut ids: Vec<String> = ["corp", "AKFIRSTPAIR"].map(str::to_owned).to_vec();
    host.restore(&archive.zip()).expect(200);
    for list in ["users", "groups", "tokens", "ext-auth/providers", "backup/restores"] {
        let list = host.admin(Request::new("GET", &format!("/_/api/admin/{list}"))).expect(200).json();
        let items = list.as_array().cloned().unwrap_or_default();
        ids.extend(items.iter().filter_map(|one| Some(one["id"].as_str().or(one["restore_id"].as_str())?.to_owned())));
    }
    let viewer = |request: Request| request.header("Authorization", &format!("Bearer {viewer}"));
    for address in addresses(&ids) {
        let get = || Request::new("GET", &address);
        for reply in [host.admin(get()), viewer(get()).send(host.addr()), get().send(host.addr())] {
            let heads: Vec<String> = reply.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            hidden.absent(&address, &(heads.join("\n") + &reply.text()));
        }
    }
    // A plan, a refusal and a panic say no more.
    let plan = host.admin(Request::new("POST", "/_/api/admin/backup?dry_run=true").body(archive.zip())).expect(200);
    hidden.absent("a plan", &plan.text());
    let mut spoilt: Archive = archive.clone();
    spoilt.edit("secrets.json", |secrets| secrets["user_secrets"]["AKNOBODY"] = random().into());
    hidden.absent("a refusal", &host.restore(&spoilt.sign().zip()).expect(400).text());
    hidden.absent("the log at trace", &host.log());

    host.stop();
    host.set_env("DGP_FAULT", "backup.planned=panic");
    host.up();
    assert_ne!(host.restore(&archive.zip()).status, 200);
    host.logged("panicked");
    hidden.absent("the log of a panic", &host.log());
}

#[test]
fn no_core_is_dumped() {
    let host = Host::start();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", host.pid())).expect("it runs");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("Linux says so");
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
}
