//! Encrypted archives, against an independent implementation: Debian's `age` opens ours, and we open its.

use crate::support::archive::Archive;
use crate::support::client::Request;
use crate::support::server::{Host, restore_request};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const BACKUP: &str = "/_/api/admin/backup";
const PASSPHRASE: &str = "correct horse battery";

/// Somebody with a pair of age keys.
struct Reader {
    folder: tempfile::TempDir,
    identity: String,
    recipient: String,
}

impl Reader {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let output = Command::new("age-keygen").output().expect("age is installed (Debian package `age`)");
        let text = String::from_utf8(output.stdout).expect("keys are text");
        std::fs::write(folder.path().join("key"), &text).expect("the scratch folder takes it");
        let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start)).expect("a key").to_owned();
        let identity = format!("AGE-SECRET-KEY-1{}", line("AGE-SECRET-KEY-1"));
        Self { folder, identity, recipient: line("# public key: ") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `age` with these arguments on a file with these bytes.
    fn age(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        std::fs::write(self.path("in"), input).expect("the scratch folder takes it");
        let done =
            Command::new("age").current_dir(self.folder.path()).args(arguments).args(["-o", "out", "in"]).status();
        assert!(done.expect("age is installed").success(), "age {arguments:?}");
        std::fs::read(self.path("out")).expect("age has written it")
    }

    /// The same where `age` asks for a passphrase, which it does on a terminal only.
    fn age_on_a_terminal(&self, arguments: &str, typed: &str, input: &[u8]) -> Vec<u8> {
        std::fs::write(self.path("in"), input).expect("the scratch folder takes it");
        let _ = std::fs::remove_file(self.path("out"));
        let command = format!("age {arguments} -o out in");
        let mut script = Command::new("script")
            .args(["-q", "-e", "-c", &command, "/dev/null"])
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("script is installed (Debian package `bsdutils`)");
        script.stdin.as_mut().expect("it is piped").write_all(typed.as_bytes()).expect("it reads");
        assert!(script.wait().expect("it ends").success(), "age {arguments}");
        std::fs::read(self.path("out")).expect("age has written it")
    }
}

fn export(query: &str) -> Request {
    Request::new("GET", &format!("{BACKUP}{query}"))
}

fn code(body: &Value) -> &str {
    body["code"].as_str().unwrap_or_default()
}

#[test]
fn the_age_cli_opens_what_was_encrypted_to_recipients_and_unzip_what_is_inside() {
    let (host, reader, other) = (Host::start(), Reader::new(), Reader::new());
    host.admin_user("ci-uploader");
    let query = format!("?recipient={}&recipient={}", other.recipient, reader.recipient);
    let reply = host.admin(export(&query)).expect(200);
    assert!(reply.header("content-disposition").is_some_and(|name| name.ends_with(".zip.age\"")));
    assert_eq!(reply.header("content-length"), Some(reply.body.len().to_string().as_str()));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    for one in [&reader, &other] {
        let zip = one.age(&["-d", "-i", "key"], &reply.body);
        assert_eq!(Archive::read(&zip).state(), host.exported().state());
        std::fs::write(one.path("a.zip"), &zip).unwrap();
        unzip(&one.path("a.zip"));
    }
    host.admin(export("?recipient=age1nobody")).expect(400);
    host.admin(export(&query).header("X-DGP-Backup-Passphrase", PASSPHRASE)).expect(400);
}

#[test]
fn an_encrypted_archive_shows_no_name_and_no_endpoint() {
    let reader = Reader::new();
    let mut host = Host::prepare()
        .config("advanced: {audit: {webhook: {url: 'http://127.0.0.1:9/hidden-hook', headers: [{name: X-Hidden, value: hidden-token}]}}}\n");
    host.up();
    host.admin_user("hidden-ann").make_bucket("hidden-bucket");
    let sealed = |request: Request| host.admin(request).expect(200).body;
    let instance = host.admin(Request::new("GET", "/_/api/admin/status")).expect(200).json()["instance_id"].clone();
    let instance = instance.as_str().expect("a text").as_bytes();
    let plain = host.exported();
    let names: [&[u8]; 6] = [b"hidden-", b"127.0.0.1", b"json", b"yaml", b"PK\x03\x04", instance];
    for name in &names[..2] {
        let there = plain.entries.iter().any(|(_, content)| content.windows(name.len()).any(|window| window == *name));
        assert!(there, "the plain archive has {}", String::from_utf8_lossy(name));
    }
    for bytes in [
        sealed(export(&format!("?recipient={}", reader.recipient))),
        sealed(export("").header("X-DGP-Backup-Passphrase", PASSPHRASE)),
    ] {
        for name in names {
            let at = bytes.windows(name.len()).position(|window| window == name);
            assert_eq!(at, None, "{} is in it", String::from_utf8_lossy(name));
        }
    }
}

fn unzip(archive: &Path) {
    let listed = Command::new("unzip").args(["-tq"]).arg(archive).output().expect("unzip is installed");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stdout));
}

#[test]
fn what_the_age_cli_encrypts_is_restored() {
    let (host, reader) = (Host::start(), Reader::new());
    host.admin_user("ci-uploader");
    let zip = host.backup();
    let binary = reader.age(&["-r", &reader.recipient], &zip);
    let armoured = reader.age(&["-a", "-r", &reader.recipient], &zip);
    let other = Host::start();
    for sealed in [&binary, &armoured] {
        let dry = |request: Request| Request { target: format!("{BACKUP}?dry_run=true"), ..request };
        let plan = dry(restore_request(sealed)).header("X-DGP-Backup-Identity", &reader.identity);
        assert_eq!(other.admin(plan).expect(200).json()["users_created"], 1);
        assert_eq!(code(&other.admin(dry(restore_request(sealed))).expect(400).json()), "archive_encrypted");
        let wrong = dry(restore_request(sealed)).header("X-DGP-Backup-Identity", &Reader::new().identity);
        assert_eq!(code(&other.admin(wrong).expect(400).json()), "envelope_key");
        let kind = dry(restore_request(sealed)).header("X-DGP-Backup-Passphrase", PASSPHRASE);
        assert_eq!(code(&other.admin(kind).expect(400).json()), "envelope_key");
        let none = dry(restore_request(sealed)).header("X-DGP-Backup-Identity", "AGE-SECRET-KEY-1");
        assert_eq!(code(&other.admin(none).expect(400).json()), "bad_parameter");
    }
    other.admin(restore_request(&binary).header("X-DGP-Backup-Identity", &reader.identity)).expect(200);
}

#[test]
fn a_passphrase_opens_in_both_directions() {
    let (host, reader) = (Host::start(), Reader::new());
    host.admin_user("ci-uploader");
    let with = |request: Request| request.header("X-DGP-Backup-Passphrase", PASSPHRASE);
    let sealed = host.admin(with(export(""))).expect(200).body;
    let zip = reader.age_on_a_terminal("-d", &format!("{PASSPHRASE}\n"), &sealed);
    assert_eq!(Archive::read(&zip).state(), host.exported().state());
    let theirs = reader.age_on_a_terminal("-p", &format!("{PASSPHRASE}\n{PASSPHRASE}\n"), &zip);
    for sealed in [sealed, theirs] {
        let verify = Request::new("POST", &format!("{BACKUP}/verify")).body(sealed);
        assert_eq!(host.admin(with(verify)).expect(200).json()["valid"], true);
    }
    host.admin(export("").header("X-DGP-Backup-Passphrase", "short")).expect(400);
    host.admin(export("").header("X-DGP-Backup-Passphrase", "")).expect(400);
}

#[test]
fn whoever_may_only_export_gets_an_archive_for_the_configured_recipients() {
    let reader = Reader::new();
    let config = format!("backup:\n  recipients: [{}]\n", reader.recipient);
    let mut host = Host::prepare().config(&config);
    host.up();
    host.admin_user("ci-uploader");
    let role = json!({"name": "nightly", "role": "backup", "expires_in": "1h"});
    let made = host.admin(Request::new("POST", "/_/api/admin/tokens").json(&role)).expect(201).json();
    let bearer = format!("Bearer {}", made["token"].as_str().expect("a token"));
    let call = |query: &str| export(query).header("Authorization", &bearer);
    let sealed = call("").send(host.addr()).expect(200).body;
    let zip = reader.age(&["-d", "-i", "key"], &sealed);
    assert_eq!(Archive::read(&zip).json("iam.json")["users"][0]["name"], "ci-uploader");
    for text in ["ci-uploader", "127.0.0.1", "manifest.json", "users"] {
        assert!(!sealed.windows(text.len()).any(|part| part == text.as_bytes()), "{text} can be read");
    }
    let own = format!("?recipient={}", reader.recipient);
    call(&own).send(host.addr()).expect(403);
    call("?format=json").send(host.addr()).expect(403);
    call("").header("X-DGP-Backup-Passphrase", PASSPHRASE).send(host.addr()).expect(403);
}
