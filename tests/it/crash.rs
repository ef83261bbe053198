//! A real `kill -9` at every fault point that the sources name: what was acknowledged is there afterwards, what was under way
//! is there as a whole or not at all, and the host goes on.

mod backends;
mod buckets;
mod deaths;
pub(crate) mod points;
mod stored;
mod uploads;

use crate::support::client::Request;
use crate::support::server::{Host, PASSWORD, S3, login_request, restore_request, target};
use points::points;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// What may be true after the crash: for each thing the values it may have.
#[derive(Default)]
struct Ledger {
    objects: BTreeMap<String, Vec<Option<String>>>,
    users: Vec<BTreeSet<String>>,
    buckets: BTreeMap<String, Vec<bool>>,
    uploads: Vec<uploads::Upload>,
    /// Whether the added backend may be there.
    backend: Vec<bool>,
    /// The places that the bucket of the admin API may have, if it is there.
    place: Vec<Option<String>>,
    /// Stored backups that were acknowledged.
    stored: Vec<String>,
}

/// The server died under a request.
struct Died;

/// A host under test, what it acknowledged, and who talks to it.
struct Story<'a> {
    host: &'a Host,
    s3: S3,
    ledger: Ledger,
}

impl Story<'_> {
    fn object(&mut self, method: &str, key: &str, value: Option<&str>) -> Result<(), Died> {
        let request = Request::new(method, &target("crash", key)).body(value.unwrap_or_default());
        let before = self.ledger.objects.get(key).and_then(|v| v.last().cloned()).flatten();
        let after = value.map(str::to_owned);
        self.ledger.objects.insert(key.to_owned(), vec![before, after.clone()]);
        let reply = self.s3.try_send(request).map_err(|_| Died)?;
        assert!(matches!(reply.status, 200 | 204), "{method} {key}: {} {}", reply.status, reply.text());
        self.ledger.objects.insert(key.to_owned(), vec![after]);
        Ok(())
    }

    /// An object whose metadata does not fit into an attribute.
    fn large_metadata(&mut self, key: &str) -> Result<(), Died> {
        self.ledger.objects.insert(key.to_owned(), vec![None, Some("large".to_owned())]);
        let mut request = Request::new("PUT", &target("crash", key)).body("large");
        for (name, length) in [("x-amz-meta-note", 1900), ("Content-Disposition", 1500), ("Cache-Control", 1500)] {
            request = request.header(name, &"m".repeat(length));
        }
        let reply = self.s3.try_send(request).map_err(|_| Died)?;
        assert_eq!(reply.status, 200, "{}", reply.text());
        self.ledger.objects.insert(key.to_owned(), vec![Some("large".to_owned())]);
        Ok(())
    }

    /// Other tags for an object that keeps what it holds.
    fn tags(&self, key: &str) -> Result<(), Died> {
        let tags = "<Tagging><TagSet><Tag><Key>state</Key><Value>new</Value></Tag></TagSet></Tagging>";
        let request = Request::new("PUT", &format!("{}?tagging", target("crash", key))).body(tags);
        let reply = self.s3.try_send(request).map_err(|_| Died)?;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let reply = self.s3.try_send(Request::new("GET", &format!("{}?tagging", target("crash", key))));
        let reply = reply.map_err(|_| Died)?;
        assert!(reply.text().contains("<Value>new</Value>"), "{}", reply.text());
        Ok(())
    }

    fn bucket(&mut self, method: &str, name: &str) -> Result<(), Died> {
        let there = method == "PUT";
        self.ledger.buckets.insert(name.to_owned(), vec![!there, there]);
        let reply = self.s3.try_send(Request::new(method, &format!("/{name}"))).map_err(|_| Died)?;
        assert!(matches!(reply.status, 200 | 204), "{method} /{name}: {} {}", reply.status, reply.text());
        self.ledger.buckets.insert(name.to_owned(), vec![there]);
        Ok(())
    }

    fn user(&mut self, name: &str) -> Result<String, Died> {
        let before = self.ledger.users.last().cloned().unwrap_or_default();
        let mut after = before.clone();
        after.insert(name.to_owned());
        self.ledger.users = vec![before, after.clone()];
        let body = json!({ "name": name, "permissions": [] });
        let reply = self.host.try_admin(Request::new("POST", "/_/api/admin/users").json(&body)).map_err(|_| Died)?;
        assert_eq!(reply.status, 201, "{}", reply.text());
        self.ledger.users = vec![after];
        Ok(reply.json()["id"].as_str().expect("ids are texts").to_owned())
    }

    /// Removes a user; its sessions end with it.
    fn remove(&mut self, name: &str, id: &str) -> Result<(), Died> {
        let before = self.ledger.users.last().cloned().unwrap_or_default();
        let mut after = before.clone();
        after.remove(name);
        self.ledger.users = vec![before, after.clone()];
        let request = Request::new("DELETE", &format!("/_/api/admin/users/{id}"));
        let reply = self.host.try_admin(request).map_err(|_| Died)?;
        assert_eq!(reply.status, 204, "{}", reply.text());
        self.ledger.users = vec![after];
        Ok(())
    }

    /// Other sessions: opened, listed, ended one by one and all at once.
    fn session(&self) -> Result<(), Died> {
        let reply = login_request(PASSWORD).try_send(self.host.addr()).map_err(|_| Died)?.expect(200);
        let cookie =
            reply.header("set-cookie").and_then(|c| c.split(';').next()).expect("a login sets a cookie").to_owned();
        self.host.try_admin(Request::new("GET", "/_/api/admin/sessions")).map_err(|_| Died)?.expect(200);
        let logout = Request::new("POST", "/_/api/admin/logout").header("Cookie", &cookie);
        let status = logout.try_send(self.host.addr()).map_err(|_| Died)?.status;
        assert!(matches!(status, 200 | 204), "logout answers {status}");
        login_request(PASSWORD).try_send(self.host.addr()).map_err(|_| Died)?.expect(200);
        self.host.try_admin(Request::new("DELETE", "/_/api/admin/me/sessions")).map_err(|_| Died)?.expect(200);
        Ok(())
    }

    /// A user more, by a document that says all the others, too.
    fn declare(&mut self, name: &str) -> Result<(), Died> {
        let before = self.ledger.users.last().cloned().unwrap_or_default();
        let mut after = before.clone();
        after.insert(name.to_owned());
        let export = Request::new("GET", "/_/api/admin/config/declarative-iam-export");
        let yaml = self.host.try_admin(export).map_err(|_| Died)?.expect(200).text();
        let entry =
            format!("  iam_users:\n    - {{name: {name}, access_key_id: AKDECLARED, secret_access_key: declared-1}}\n");
        let yaml = yaml.replace("  iam_users:\n", &entry).replace("iam_mode: declarative", "iam_mode: gui");
        self.ledger.users = vec![before, after.clone()];
        let apply = Request::new("POST", "/_/api/admin/config/declarative-iam-apply").json(&json!({ "yaml": yaml }));
        let reply = self.host.try_admin(apply).map_err(|_| Died)?;
        assert_eq!(reply.status, 200, "{}", reply.text());
        self.ledger.users = vec![after];
        Ok(())
    }

    /// Takes the restore back, which brings this user back.
    fn undo(&mut self, name: &str) -> Result<(), Died> {
        let before = self.ledger.users.last().cloned().unwrap_or_default();
        let mut after = before.clone();
        after.insert(name.to_owned());
        self.ledger.users = vec![before, after.clone()];
        let reply = self.host.try_admin(Request::new("POST", "/_/api/admin/backup/undo")).map_err(|_| Died)?;
        assert_eq!(reply.status, 200, "{}", reply.text());
        self.ledger.users = vec![after];
        Ok(())
    }

    /// Another bootstrap password, and the usual one again; `deaths` kills where either may be in force.
    fn password(&self) -> Result<(), Died> {
        for (old, new) in [(PASSWORD, "a-password-of-passage"), ("a-password-of-passage", PASSWORD)] {
            let body = json!({"current_password": old, "new_password": new});
            let reply = self.host.try_admin(Request::new("PUT", "/_/api/admin/password").json(&body));
            reply.map_err(|_| Died)?.expect(200);
        }
        Ok(())
    }

    /// Everything that changes state, once.
    fn tell(&mut self) -> Result<(), Died> {
        self.bucket("PUT", "crash")?;
        self.object("PUT", "a", Some("first"))?;
        self.object("PUT", "a", Some("second"))?;
        self.object("PUT", "a/b/c", Some("below an object"))?;
        self.large_metadata("noted")?;
        self.tags("noted")?;
        self.uploads()?;
        self.host.try_admin(Request::new("GET", "/_/ready")).map_err(|_| Died)?.expect(200);
        self.object("PUT", "gone", Some("x"))?;
        self.object("DELETE", "gone", None)?;
        self.bucket("PUT", "other")?;
        self.bucket("DELETE", "other")?;
        self.user("early")?;
        let captured = self.ledger.users.last().cloned().unwrap_or_default();
        let archive =
            self.host.try_admin(Request::new("GET", "/_/api/admin/backup")).map_err(|_| Died)?.expect(200).body;
        let verify = Request::new("POST", "/_/api/admin/backup/verify").body(archive.clone());
        self.host.try_admin(verify).map_err(|_| Died)?.expect(200);
        self.user("late")?;
        self.ledger.users.push(captured.clone());
        let reply = self.host.try_admin(restore_request(&archive)).map_err(|_| Died)?;
        assert_eq!(reply.status, 200, "{}", reply.text());
        self.ledger.users = vec![captured];
        self.host.try_admin(Request::new("GET", "/_/api/admin/backup/restores")).map_err(|_| Died)?.expect(200);
        self.undo("late")?;
        self.password()?;
        self.declare("declared")?;
        self.backends()?;
        self.buckets()?;
        self.session()?;
        self.stored()?;
        self.object("PUT", "after", Some("the restore"))?;
        let id = self.user("fleeting")?;
        self.remove("fleeting", &id)?;
        self.user("last").map(drop)
    }

    /// Checks a restarted host against the ledger, and that it goes on.
    fn check(&self, host: &Host, point: &str) {
        let s3 = S3 { addr: host.addr(), ..self.s3.clone() };
        let users: BTreeSet<String> = host.user_names().into_iter().collect();
        assert!(self.ledger.users.contains(&users), "{point}: users are {users:?}, may be {:?}", self.ledger.users);
        for (bucket, may) in &self.ledger.buckets {
            let status = s3.send(Request::new("HEAD", &format!("/{bucket}"))).status;
            assert!(may.contains(&(status == 200)), "{point}: bucket {bucket} answers {status}");
        }
        if self.ledger.buckets.get("crash") != Some(&vec![true]) {
            return;
        }
        for (key, may) in &self.ledger.objects {
            let reply = s3.get("crash", key);
            let content = (reply.status == 200).then(|| reply.text());
            assert!(
                content.is_some() || reply.status == 404,
                "{point}: {key} answers {}: {}",
                reply.status,
                reply.text()
            );
            assert!(may.contains(&content), "{point}: {key} is {content:?}, may be {may:?}");
        }
        uploads::check(&self.ledger.uploads, &s3, point);
        stored::check(&self.ledger.stored, host, point);
        backends::check(&self.ledger.backend, host, point);
        buckets::check(&self.ledger.place, host, &s3, point);
        s3.put("crash", "a", "goes on").expect(200);
        assert_eq!(s3.get("crash", "a").expect(200).text(), "goes on");
        host.user("goes-on", json!([]));
        let left = std::fs::read_dir(host.path("data/crash")).expect("the bucket is a directory");
        let left: Vec<String> = left.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        assert!(!left.iter().any(|n| n.starts_with(".dg")), "{point}: leftovers in the bucket: {left:?}");
    }
}

/// Kills the very first start, then one in full work, at a point; gives how often it died.
fn kill_at(point: &str) -> usize {
    let mut died = 0;
    let mut host = Host::prepare().config(stored::CONFIG).env("DGP_FAULT", &format!("{point}=kill"));
    if let Err(ended) = host.try_up() {
        assert!(ended.killed(), "{point}: the first start ended with {}: {}", ended.status, ended.log);
        died += 1;
    } else {
        host.kill();
    }
    host.set_env("DGP_FAULT", "");
    host.up();
    let s3 = host.admin_user("teller");
    // A start visits some points too: the first visit that comes after it is the one that is wanted here.
    let mut visit = 1;
    loop {
        host.stop();
        host.set_env("DGP_FAULT", &format!("{point}=kill@{visit}"));
        match host.try_up() {
            Ok(()) => break,
            Err(ended) => assert!(ended.killed(), "{point}: a start ended with {}: {}", ended.status, ended.log),
        }
        died += 1;
        visit += 1;
        host.set_env("DGP_FAULT", "");
        host.up();
    }
    let ledger = Ledger { users: vec![BTreeSet::from(["teller".to_owned()])], ..Ledger::default() };
    let mut story = Story { host: &host, s3: S3 { addr: host.addr(), ..s3 }, ledger };
    let outcome = story.tell();
    let Story { ledger, s3, .. } = story;
    match outcome {
        Err(Died) => {
            let ended = host.ended();
            assert!(ended.killed(), "{point}: ended with {}: {}", ended.status, ended.log);
            died += 1;
        }
        Ok(()) => host.kill(),
    }
    host.set_env("DGP_FAULT", "");
    host.up();
    Story { host: &host, s3, ledger }.check(&host, point);
    died
}

/// The prefixes that have a test below; none is left out.
const GROUPS: [&str; 12] =
    ["fs.", "s3.", "db.", "swap.", "store.", "iam", "config.", "system.", "backup.", "state_db.", "session.", "audit."];

/// Points that only a second crash reaches, with the point of the first.
const IN_RECOVERY: [(&str, &str); 1] = [("swap.recover.before_finish", "swap.after_journal")];

/// Points that this story does not come to: `recover.rs` kills where a locked start recovers; at those of sign-ins nothing is durable,
/// as who has gone to a provider is remembered in memory alone, and `guardian.rs` panics there.
const NOT_REACHED: [&str; 4] = ["backup.recover", "backup.recover.staged", "session.begin_login", "session.take_login"];

#[track_caller]
fn kill_at_each(prefix: &str) {
    for point in points(prefix) {
        if IN_RECOVERY.iter().any(|(p, _)| *p == point) {
            continue;
        }
        let died = kill_at(&point);
        assert!(died > 0 || NOT_REACHED.contains(&point.as_str()), "{point} was never reached");
    }
}

#[test]
fn every_point_has_its_group() {
    let all = points("");
    assert!(all.len() > 20, "the points were not found: {all:?}");
    let homeless: Vec<&String> = all.iter().filter(|p| !GROUPS.iter().any(|g| p.starts_with(g))).collect();
    assert!(homeless.is_empty(), "no test kills at {homeless:?}");
}

#[test]
fn killed_in_the_file_system_store() {
    kill_at_each("fs.");
}

#[test]
fn killed_while_the_database_is_published() {
    kill_at_each("db.");
}

#[test]
fn killed_while_files_are_swapped() {
    kill_at_each("swap.");
}

#[test]
fn killed_in_the_owner_of_a_backend() {
    kill_at_each("store.");
}

#[test]
fn killed_in_the_owner_of_identities() {
    kill_at_each("iam");
}

#[test]
fn killed_in_the_owner_of_the_config() {
    kill_at_each("config.");
}

#[test]
fn killed_in_the_owner_of_the_view() {
    kill_at_each("system.");
}

#[test]
fn killed_in_the_owner_of_backups() {
    kill_at_each("backup.");
}

#[test]
fn killed_in_the_writer_of_sessions() {
    kill_at_each("state_db.");
}

#[test]
fn killed_in_the_owner_of_sessions() {
    kill_at_each("session.");
}

#[test]
fn killed_in_the_owner_of_the_audit_log() {
    kill_at_each("audit.");
}

#[test]
fn killed_again_while_a_start_finishes_a_swap() {
    for (second, first) in IN_RECOVERY {
        let mut host = Host::start();
        host.user("captured", json!([]));
        let archive = host.backup();
        host.user("later", json!([]));
        host.stop();
        host.set_env("DGP_FAULT", &format!("{first}=kill"));
        host.up();
        assert!(host.try_admin(restore_request(&archive)).is_err(), "{first} was not reached");
        assert!(host.ended().killed());
        host.set_env("DGP_FAULT", &format!("{second}=kill"));
        assert!(host.try_up().expect_err("the start is killed").killed(), "{second}");
        host.set_env("DGP_FAULT", "");
        host.up();
        assert_eq!(host.user_names(), ["captured"], "after {first} the restore is finished");
        assert!(!host.path("restore.journal").exists());
    }
}
