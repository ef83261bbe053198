//! A host that dies in its swaps, and the model of its state that each new start is held against.

use crate::support::archive::Archive;
use crate::support::client::Request;
use crate::support::server::{Host, PASSWORD};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

const OTHER: &str = "another-password-2";
const PASSWORDS: [&str; 2] = [PASSWORD, OTHER];

/// What swaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of the first or second archive: mode, strategy.
    Restore(usize, &'static str, &'static str),
    Undo,
    Password,
    /// The pinned hash is changed between two starts.
    Rekey,
    /// The config file takes IAM over, or gives it back.
    Declare,
}

/// What tells one state from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Model {
    users: BTreeSet<String>,
    idle: String,
    skew: bool,
    buckets: BTreeSet<String>,
    /// Which of the two passwords is in force.
    password: usize,
    /// The config file owns IAM.
    pub(super) declarative: bool,
}

/// A host, its two archives, and what is known of its state.
pub(super) struct World {
    host: Host,
    archives: [(Vec<u8>, Model); 2],
    pub(super) now: Model,
    epoch: u64,
    /// What the last restore replaced.
    pub(super) before: Option<Model>,
    /// All parts of the archive of each state that was ever seen: the same state is the same in every byte.
    seen: BTreeMap<Model, String>,
}

impl World {
    pub(super) fn new() -> Self {
        let mut host = Host::prepare().config("access: {session_idle: 2h}\n");
        host.up();
        host.user("ann", json!([]));
        let first = host.backup();
        let s3 = host.admin_user("bob");
        s3.make_bucket("second");
        let set = "?mode=config-only&set=access.session_idle=3h&set=advanced.clock_skew_seconds=800";
        let set = Request::new("POST", &format!("/_/api/admin/backup{set}")).body(host.backup());
        host.admin(set).expect(200);
        let change = json!({"current_password": PASSWORD, "new_password": OTHER});
        host.admin(Request::new("PUT", "/_/api/admin/password").json(&change)).expect(200);
        host.set_password(OTHER);
        let second = host.backup();
        let (one, _, _) = read(&Archive::read(&first), 0);
        let (two, epoch, _) = read(&Archive::read(&second), 1);
        assert_ne!(one, two);
        let archives = [(first, one), (second, two.clone())];
        Self { host, archives, now: two, epoch, before: None, seen: BTreeMap::new() }
    }

    /// What a swap of this kind would make of the state.
    fn next(&self, kind: Kind) -> Model {
        match kind {
            Kind::Undo => self.before.clone().unwrap_or_else(|| self.now.clone()),
            Kind::Password | Kind::Rekey => Model { password: 1 - self.now.password, ..self.now.clone() },
            Kind::Declare => Model { declarative: !self.now.declarative, ..self.now.clone() },
            Kind::Restore(which, mode, strategy) => {
                let (mut next, there) = (self.now.clone(), &self.archives[which].1);
                let (iam, config) = (mode != "config-only", mode != "iam-only");
                match strategy {
                    "merge" => {
                        if iam {
                            next.users.extend(there.users.clone());
                        }
                        if config {
                            next.buckets.extend(there.buckets.clone());
                            next.skew |= there.skew;
                        }
                    }
                    _ => {
                        if iam {
                            next.users = there.users.clone();
                        }
                        if config {
                            (next.idle, next.skew) = (there.idle.clone(), there.skew);
                            next.buckets = there.buckets.clone();
                            next.declarative = there.declarative;
                        }
                        if mode == "full" {
                            next.password = there.password;
                        }
                    }
                }
                next
            }
        }
    }

    fn request(&self, kind: Kind) -> Request {
        match kind {
            Kind::Undo => Request::new("POST", "/_/api/admin/backup/undo?discard_later_changes=true"),
            Kind::Password | Kind::Rekey => {
                let [old, new] = [self.now.password, 1 - self.now.password].map(|which| PASSWORDS[which]);
                let body = json!({"current_password": old, "new_password": new});
                Request::new("PUT", "/_/api/admin/password").json(&body)
            }
            Kind::Declare => {
                let export = Request::new("GET", "/_/api/admin/config/declarative-iam-export");
                let yaml = match self.now.declarative {
                    true => "access: {iam_mode: gui}\n".to_owned(),
                    false => self.host.admin(export).expect(200).text(),
                };
                let apply = Request::new("POST", "/_/api/admin/config/declarative-iam-apply");
                apply.json(&json!({ "yaml": yaml }))
            }
            Kind::Restore(which, mode, strategy) => {
                let target = format!("/_/api/admin/backup?mode={mode}&strategy={strategy}");
                Request::new("POST", &target).body(self.archives[which].0.clone())
            }
        }
    }

    /// One death: gives what it came to, in a word.
    pub(super) fn die(&mut self, kind: Kind, death: Death) -> &'static str {
        let (old, new) = (self.now.clone(), self.next(kind));
        if let Some(point) = death.point() {
            self.host.stop();
            self.host.set_env("DGP_FAULT", &format!("{point}=kill"));
        }
        let acknowledged = match kind {
            Kind::Rekey => self.rekey(&new, death),
            _ => {
                if death.point().is_some() {
                    self.host.up();
                }
                self.swap(kind, death)
            }
        };
        if let Death::InRecovery(point) = death {
            self.host.set_env("DGP_FAULT", &format!("{point}=kill"));
            match self.host.try_up() {
                Ok(()) => self.host.kill(),
                Err(ended) => assert!(ended.killed(), "{death:?}: {}: {}", ended.status, ended.log),
            }
        }
        self.host.set_env("DGP_FAULT", "");
        self.host.up();
        self.check(kind, death, &old, &new, acknowledged)
    }

    /// Sends the request to a server that dies under it, or is killed after it.
    fn swap(&mut self, kind: Kind, death: Death) -> bool {
        let request = self.request(kind);
        let reply = match death {
            Death::At(_) | Death::InRecovery(_) => self.host.try_admin(request),
            Death::After(delay) => {
                // The session is there before the clock runs.
                self.host.user_names();
                let pid = self.host.pid().to_string();
                std::thread::scope(|scope| {
                    scope.spawn(move || {
                        std::thread::sleep(delay);
                        let _ = std::process::Command::new("kill").args(["-KILL", &pid]).status();
                    });
                    self.host.try_admin(request)
                })
            }
        };
        let acknowledged = match reply {
            Ok(reply) => {
                assert_eq!(reply.status, 200, "{kind:?} {death:?}: {}", reply.text());
                true
            }
            Err(_) => false,
        };
        match (acknowledged, death) {
            (true, Death::At(_) | Death::InRecovery(_)) => self.host.kill(),
            _ => assert!(self.host.ended().killed(), "{kind:?} {death:?}: it ended by itself"),
        }
        acknowledged
    }

    /// Starts with another hash pinned; the start itself is what dies. The pin goes again afterwards.
    fn rekey(&mut self, new: &Model, death: Death) -> bool {
        if matches!(death, Death::After(_)) {
            self.host.kill();
        }
        let hash = hash_of(new.password);
        self.host.set_env("DGP_BOOTSTRAP_PASSWORD_HASH", &hash);
        let acknowledged = match self.host.try_up() {
            Ok(()) => {
                self.host.kill();
                true
            }
            Err(ended) => {
                assert!(ended.killed(), "{death:?}: {}: {}", ended.status, ended.log);
                false
            }
        };
        self.host.set_env("DGP_BOOTSTRAP_PASSWORD_HASH", "");
        acknowledged
    }

    /// Looks at the restarted host: old or new, in every byte, and as the log says.
    fn check(&mut self, kind: Kind, death: Death, old: &Model, new: &Model, acknowledged: bool) -> &'static str {
        let file =
            std::fs::read_to_string(self.host.path(".deltaglider_bootstrap_hash")).expect("there is a hash file");
        let password =
            (0..2).find(|which| verifies(&file, PASSWORDS[*which])).expect("one of the passwords is in force");
        self.host.set_password(PASSWORDS[password]);
        let (found, epoch, digest) = read(&self.host.exported(), password);
        let begins = matches!(kind, Kind::Restore(..) | Kind::Undo);
        let is_new = found == *new && epoch == self.epoch + u64::from(begins);
        let is_old = found == *old && epoch == self.epoch;
        let what =
            format!("{kind:?} {death:?}, acknowledged {acknowledged}: {found:?} at {epoch}, from {old:?} to {new:?}");
        assert!(is_new || (is_old && !acknowledged), "{what}");
        let log = self.host.log();
        if old != new {
            assert!(!log.contains(NEW) || is_new, "{what}: {log}");
            assert!(!log.contains(OLD) || is_old, "{what}: {log}");
        }
        if let (false, Death::At(point)) = (acknowledged, death) {
            let said = says(point).is_none_or(|says| log.contains(says));
            assert!(said, "{what}: the log does not say which: {log}");
        }
        let known = self.seen.entry(found.clone()).or_insert_with(|| digest.clone());
        assert_eq!(*known, digest, "{what}: the same state, other bytes");
        let left = std::fs::read_dir(self.host.path("swap")).into_iter().flatten().count();
        assert_eq!((left, self.host.path("restore.journal").exists()), (0, false), "{what}: something is left");
        if is_new && begins {
            self.before = Some(old.clone());
        }
        (self.now, self.epoch) = (found, epoch);
        if is_new { "new" } else { "old" }
    }
}

/// How the process dies.
#[derive(Clone, Copy, Debug)]
pub(super) enum Death {
    /// By itself, at a point.
    At(&'static str),
    /// From outside, this long after the request was sent.
    After(Duration),
    /// Right after the commit point, and again in the start that finishes it.
    InRecovery(&'static str),
}

impl Death {
    /// The point that the first of its deaths is at.
    fn point(self) -> Option<&'static str> {
        match self {
            Self::At(point) => Some(point),
            Self::InRecovery(_) => Some("swap.after_journal"),
            Self::After(_) => None,
        }
    }
}

const OLD: &str = "the state is the old one";
const NEW: &str = "the state is the new one";

/// What the log of the next start says after a death at a point: nothing was staged, it was swept, or it was finished.
fn says(point: &str) -> Option<&'static str> {
    match point {
        "backup.verified" | "backup.planned" | "backup.undo.planned" | "backup.declare.planned" => None,
        "swap.after_journal" | "system.swap.moved" | "swap.before_finish" | "swap.after_finish" => Some(NEW),
        point if point.starts_with("swap.after_move.") => Some(NEW),
        _ => Some(OLD),
    }
}

/// What an archive says of the state it was taken of, its epoch, and a sum over all of it but the hash.
fn read(archive: &Archive, password: usize) -> (Model, u64, String) {
    let iam = archive.json("iam.json");
    let names = |list: &serde_json::Value| -> BTreeSet<String> {
        list.as_array().into_iter().flatten().filter_map(|item| item["name"].as_str().map(str::to_owned)).collect()
    };
    let config = String::from_utf8(archive.entry("config.yaml").to_vec()).expect("YAML is text");
    let idle = config.lines().find(|line| line.contains("session_idle")).unwrap_or_default().trim().to_owned();
    let mut secrets = archive.json("secrets.json");
    secrets["bootstrap_password_hash"] = serde_json::Value::Null;
    let mut sum = Sha256::new();
    for part in [iam.to_string(), config.clone(), secrets.to_string()] {
        sum.update(part);
    }
    let model = Model {
        users: names(&iam["users"]),
        idle,
        skew: config.contains("clock_skew_seconds"),
        buckets: config.contains("second:").then(|| "second".to_owned()).into_iter().collect(),
        password,
        declarative: config.contains("iam_mode: declarative"),
    };
    let epoch = archive.json("manifest.json")["epoch"].as_u64().expect("an epoch is a number");
    (model, epoch, hex::encode(sum.finalize()))
}

fn hash_of(password: usize) -> String {
    let made = actors::db::password::PasswordHash::make(PASSWORDS[password]).expect("a hash can be made");
    made.expose().to_owned()
}

fn verifies(hash: &str, password: &str) -> bool {
    actors::db::password::PasswordHash::parse(hash.trim()).is_ok_and(|hash| hash.verify(password))
}

/// A start that migrates a database of an older schema, and dies at a point: the old file is kept, and the next start has the new one.
pub(super) fn migration(point: &str) -> &'static str {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/db/host-v1-argon2id.db");
    let golden = std::fs::read(golden).expect("the fixture is there");
    let mut host = Host::prepare().password("correct horse battery").env("DGP_FAULT", &format!("{point}=kill"));
    std::fs::write(host.path("deltaglider_config.db"), &golden).expect("it can be written");
    let died = match host.try_up() {
        Ok(()) => {
            host.kill();
            false
        }
        Err(ended) => {
            assert!(ended.killed(), "{point}: {}: {}", ended.status, ended.log);
            true
        }
    };
    let found = std::fs::read(host.path("deltaglider_config.db")).expect("there is a database");
    let old = found == golden;
    host.set_env("DGP_FAULT", "");
    host.up();
    assert_eq!(host.user_names(), ["ann"], "{point}");
    let log = host.log();
    if died {
        assert!(says(point).is_none_or(|says| log.contains(says)), "{point}: the log does not say which: {log}");
    }
    let entries = std::fs::read_dir(host.path("")).expect("it is there").flatten().map(|entry| entry.path());
    let kept: Vec<_> = entries.filter(|path| path.to_string_lossy().contains(".db.schema-1-")).collect();
    assert!(!kept.is_empty(), "{point}: the old file is not kept");
    for path in kept {
        assert!(std::fs::read(&path).is_ok_and(|bytes| bytes == golden), "{point}: {}", path.display());
    }
    let left = std::fs::read_dir(host.path("swap")).into_iter().flatten().count();
    assert_eq!((left, host.path("restore.journal").exists()), (0, false), "{point}: something is left");
    if old { "old" } else { "new" }
}
