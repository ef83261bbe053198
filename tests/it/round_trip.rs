//! The round trip: ten thousand users, sign-in identities and keys given in every way, onto a host that differs in all it can.

use crate::support::archive::Archive;
use crate::support::client::Request;
use crate::support::server::{Host, PASSWORD, S3};
use crate::support::signer::Signer;
use serde_json::{Value, json};

const OTHER: &str = "another-host-password-2";
const USERS: usize = 10_000;
const GROUPS: usize = 20;
const IDENTITIES: usize = 2_000;

/// Where the source's files are, and how its keys are given: by a variable and by a file. The stored one comes with the people.
const CONFIG: &str = "\
storage:
  backends:
    - name: main
      type: filesystem
      path: ./data/main
      encryption:
        keys: {by-env: {env: KEY_BY_ENV}, by-file: {file: secrets/key}}
    - {name: spare, type: filesystem, path: '${env:SPARE_DIR}'}
  default_backend: main
advanced: {secret_roots: [./secrets], clock_skew_seconds: 800}
";

fn digits(digit: &str) -> String {
    digit.repeat(64)
}

/// A host that people work on.
fn source() -> (Host, S3) {
    let host = Host::prepare().config(CONFIG).env("KEY_BY_ENV", &digits("1")).env("SPARE_DIR", "./data/spare");
    std::fs::create_dir(host.path("secrets")).unwrap();
    std::fs::write(host.path("secrets/key"), digits("2") + "\n").unwrap();
    let mut host = host;
    host.up();
    let ann = host.admin_user("ann");
    ann.make_bucket("builds");
    ann.put("builds", "app/1.jar", "the bytes of a build").expect(200);
    let mut archive = host.exported();
    people(&mut archive);
    host.restore(&archive.reseal().zip()).expect(200);
    (host, ann)
}

/// Puts ten thousand people, their groups and their sign-in into an archive, and a key into its store.
fn people(archive: &mut Archive) {
    let at = "2026-01-01T00:00:00Z";
    let id = |number: usize| format!("user-{number:05}");
    let mut users = Vec::new();
    let mut members: Vec<Vec<String>> = vec![Vec::new(); GROUPS];
    for number in 0..USERS {
        let key = format!("AKIAPERSON{number:06}");
        members[number % GROUPS].push(id(number));
        users.push(json!({
            "id": id(number), "name": format!("person-{number:05}"), "access_key_id": key,
            "keys": [{"access_key_id": key, "active": true, "created_at": at, "expires_at": null}],
            "enabled": number % 7 != 0, "created_at": at, "auth_source": "local", "credential_version": 1,
            "permissions": [], "group_ids": [format!("group-{:02}", number % GROUPS)],
        }));
    }
    let read =
        json!([{"id": "1", "effect": "Allow", "actions": ["read", "list"], "resources": ["builds", "builds/*"]}]);
    archive.edit("iam.json", |iam| {
        let list = |iam: &mut Value, name: &str, more: Vec<Value>| {
            iam[name].as_array_mut().expect("a list").extend(more);
        };
        list(iam, "users", users);
        let groups = members.iter().enumerate().map(|(number, members)| {
            json!({"id": format!("group-{number:02}"), "name": format!("group {number}"), "created_at": at,
                   "permissions": read, "member_ids": members})
        });
        list(iam, "groups", groups.collect());
        list(iam, "auth_providers", vec![json!({
            "id": "corp", "name": "corp", "provider_type": "oidc", "enabled": true, "priority": 1, "display_name": "Corp",
            "client_id": "client", "issuer_url": "https://id.example.com", "scopes": "openid email", "extra_config": null,
            "created_at": at, "updated_at": at,
        })]);
        list(iam, "mapping_rules", vec![json!({
            "id": "rule", "provider_id": "corp", "priority": 1, "match_type": "email_domain", "match_field": "email",
            "match_value": "example.com", "group_id": "group-00", "created_at": at, "enabled": true,
        })]);
        let identities = (0..IDENTITIES).map(|number| {
            json!({"id": format!("identity-{number:05}"), "user_id": id(number), "provider_id": "corp",
                   "external_sub": format!("sub-{number}"), "email": format!("p{number}@example.com"), "display_name": null,
                   "raw_claims": null, "email_verified": true, "created_at": at})
        });
        list(iam, "external_identities", identities.collect());
    });
    archive.edit("secrets.json", |secrets| {
        for number in 0..USERS {
            secrets["user_secrets"][format!("AKIAPERSON{number:06}")] = format!("secret-of-person-{number:06}").into();
        }
        secrets["oauth_client_secrets"]["corp"] = "client-secret".into();
        secrets["resolved"]["stored:kept-key"] = digits("3").into();
    });
    archive.edit("manifest.json", |manifest| {
        let more = [
            ("users", USERS),
            ("groups", GROUPS),
            ("auth_providers", 1),
            ("mapping_rules", 1),
            ("external_identities", IDENTITIES),
        ];
        for (list, count) in more {
            let before = manifest["counts"][list].as_u64().unwrap_or_default();
            manifest["counts"][list] = (before + count as u64).into();
        }
    });
    let config = String::from_utf8(archive.entry("config.yaml").to_vec()).unwrap();
    let (before, after) = config.split_once("        keys:\n").unwrap_or_else(|| panic!("no keys in {config}"));
    archive.set(
        "config.yaml",
        format!("{before}        keys:\n          by-store:\n            stored: kept-key\n{after}"),
    );
}

/// Everything of IAM, the registry's entry of the bucket, and the ids and fingerprints of the keys of objects.
fn essence(archive: &Archive) -> (Value, String, Vec<Value>) {
    let config = String::from_utf8(archive.entry("config.yaml").to_vec()).unwrap();
    let entry = config.lines().skip_while(|line| line.trim() != "builds:").skip(1);
    let entry: Vec<&str> = entry.take_while(|line| line.starts_with("      ")).collect();
    assert!(!entry.is_empty(), "the bucket is not in {config}");
    let keys = archive.json("manifest.json")["encryption_keys"].as_array().unwrap().clone();
    let keys = keys.into_iter().filter(|key| key["purpose"] == "object_data").collect();
    (archive.json("iam.json"), entry.join("\n"), keys)
}

#[test]
fn ten_thousand_people_move_to_a_host_that_differs_in_everything() {
    let (host, ann) = source();
    let archive = host.backup();
    let parts = Archive::read(&archive);
    assert_eq!(parts.json("manifest.json")["counts"]["users"], USERS + 1);
    let ids: Vec<String> = parts.json("manifest.json")["encryption_keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["purpose"] == "object_data")
        .map(|key| key["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, ["by-env", "by-file", "by-store"]);
    let keys = parts.json("secrets.json")["encryption_keys"].clone();
    assert_eq!((&keys["by-env"], &keys["by-store"]), (&json!(digits("1")), &json!(digits("3"))));

    // Another password, another place, settings of its own, none of the variables and files, and where the spare backend is to be lies
    // another one already: it cannot be reached.
    let own = "advanced: {log_level: 'info,actix_server=warn'}\nstorage: {filesystem: ./data/spare}\n";
    let mut target = Host::prepare().password(OTHER).config(own);
    target.up();
    let before = target.admin_user("before");
    before.make_bucket("occupied");
    before.put("occupied", "k", "of another backend").expect(200);
    let set = "set=storage.backends.main.path=./data/elsewhere&prune_buckets=true";
    let target_of = |query: &str| format!("/_/api/admin/backup?{query}");
    let reply = target.admin(Request::new("POST", &target_of(set)).body(archive.clone()));
    let outcome = reply.expect(200).json();
    assert_eq!(outcome["users_created"], USERS + 1);
    let warnings = outcome["warnings"].to_string();
    for named in [
        "env:KEY_BY_ENV",
        "file:secrets/key",
        "SPARE_DIR",
        "it becomes backend `spare` of the archive; if it does, that backend is unavailable",
    ] {
        assert!(warnings.contains(named), "{named} in {warnings}");
    }
    let health = Request::new("GET", "/_/health").send(target.addr()).text();
    assert!(health.contains("backend `spare` is unavailable"), "{health}");
    // The objects are copied as any directory is.
    target.stop();
    let copied = std::process::Command::new("cp")
        .args(["-a", "--preserve=all"])
        .args([host.path("data/main/builds"), target.path("data/elsewhere/")])
        .status();
    assert!(copied.expect("cp can be run").success());
    target.set_password(PASSWORD);
    target.up();
    target.login(OTHER).expect(401);
    let ((iam, registry, keys), (iam_then, registry_then, keys_then)) = (essence(&target.exported()), essence(&parts));
    assert!(iam == iam_then, "users, groups, sign-in, tokens and revocations are equal");
    assert_eq!((registry, keys), (registry_then, keys_then));
    let ann = S3 { addr: target.addr(), ..ann };
    assert_eq!(ann.get("builds", "app/1.jar").expect(200).text(), "the bytes of a build");
    ann.put("builds", "app/2.jar", "more").expect(200);
    let person = |number: usize| S3 {
        addr: target.addr(),
        signer: Signer::new(&format!("AKIAPERSON{number:06}"), &format!("secret-of-person-{number:06}")),
    };
    person(9_999).get("builds", "app/1.jar").expect(200);
    person(7).get("builds", "app/1.jar").expect(403);
    let file = std::fs::read_to_string(target.path("config.yaml")).unwrap();
    assert!(file.contains("actix_server=warn") && file.contains("./data/elsewhere"), "{file}");
    // And back again: nothing multiplies, and no key is lost.
    let home = target.backup();
    let back =
        host.admin(Request::new("POST", &target_of("mode=iam-only&strategy=merge")).body(home)).expect(200).json();
    assert_eq!((&back["users_created"], &back["users_skipped"]), (&json!(0), &json!(USERS + 1)));
    assert!(host.exported().json("iam.json") == parts.json("iam.json"), "a merge of the same changes nothing");
}

#[test]
fn a_source_that_is_configured_by_variables_alone_moves_to_a_host_that_has_none_of_them() {
    let mut source = Host::prepare()
        .env("DGP_DATA_DIR", "./elsewhere")
        .env("DGP_ACCESS_KEY_ID", "AKOFVARIABLES")
        .env("DGP_SECRET_ACCESS_KEY", "secret-of-variables")
        .env("DGP_ADVANCED__CLOCK_SKEW_SECONDS", "777");
    source.up();
    let config_key = |addr| S3 { addr, signer: Signer::new("AKOFVARIABLES", "secret-of-variables") };
    config_key(source.addr()).make_bucket("builds");
    let ann = source.admin_user("ann");
    let archive = source.backup();
    source.stop();
    let mut target = Host::prepare().password(OTHER);
    target.up();
    target.restore(&archive).expect(200);
    for started in ["now", "after a restart"] {
        config_key(target.addr()).put("builds", "k", "by the config's key").expect(200);
        let ann = S3 { addr: target.addr(), ..ann.clone() };
        assert_eq!(ann.get("builds", "k").expect(200).text(), "by the config's key", "{started}");
        target.set_password(PASSWORD);
        let file = std::fs::read_to_string(target.path("config.yaml")).unwrap();
        assert!(file.contains("777") && file.contains("./elsewhere"), "{started}: {file}");
        assert!(!file.contains("secret-of-variables"), "{started}: {file}");
        target.restart();
    }
    // What this host sets itself goes over it, and is named.
    let mut other = Host::prepare().env("DGP_ADVANCED__CLOCK_SKEW_SECONDS", "111");
    other.up();
    let outcome = other.restore(&archive).expect(200).json();
    assert!(outcome["shadowed_by_environment"].to_string().contains("DGP_ADVANCED__CLOCK_SKEW_SECONDS"), "{outcome}");
}
