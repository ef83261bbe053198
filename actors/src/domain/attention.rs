//! The attention list: what an operator should look at, each with a code, how grave it is, and what to do. Pure.

use crate::domain::clock::Timestamp;
use crate::domain::config::model::{Authentication, Config};
use crate::domain::names::{BackendName, BucketName};
use crate::domain::state::{ExportRecord, State};
use crate::domain::stored::{Standing, is_stale};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// A backup of a state that has changed since is old after this long.
const STALE: Duration = Duration::from_secs(7 * 24 * 3600);
/// A key pair that ends within this time is named.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// What is known of the system. The caller asks the owners; here it is only judged.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The state in force.
    pub state: &'a State,
    /// The config in force.
    pub config: &'a Config,
    /// The last Full Backup that was made here.
    pub last_export: Option<&'a ExportRecord>,
    /// How the stored backups stand.
    pub stored: &'a Standing,
    /// Why the system is locked.
    pub locked: Option<&'a str>,
    /// The bootstrap hash opens a copied database only by itself, not by its password.
    pub foreign_hash: bool,
    /// The backends that are down: name, reason.
    pub down: &'a [(String, String)],
    /// The names of buckets that are on two backends, each with the backends.
    pub doubles: &'a BTreeMap<BucketName, Vec<BackendName>>,
    /// What is the matter with the audit log.
    pub audit: &'a [AuditTrouble],
    /// References of the config whose values are those of a restored backup.
    pub from_backup: &'a [String],
    /// What the start and the listener found, in words.
    pub notices: &'a [String],
    /// Now.
    pub now: Timestamp,
}

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attention {
    /// Which: part of the interface, never changed.
    pub code: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// What is the matter, in a sentence.
    pub title: String,
    /// What to do about it.
    pub hint: String,
}

/// What is the matter with the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditTrouble {
    /// It is not what its checkpoint says; in which way.
    Broken(String),
    /// A sink does not take rows; which, and why.
    Sink(String),
}

/// How grave something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Data or access is at stake now.
    Critical,
    /// It will hurt one day.
    Warning,
    /// Good to know.
    Info,
}

/// The list, the gravest first.
pub fn attention(facts: &Facts<'_>) -> Vec<Attention> {
    let mut list: Vec<Attention> =
        [locked(facts), open(facts), password(facts), hash(facts), backup(facts), clone(facts), unpushed(facts)]
            .into_iter()
            .flatten()
            .collect();
    list.extend(facts.down.iter().map(|(name, reason)| {
        item(
            "backend_down",
            Severity::Critical,
            format!("backend `{name}` is down: {reason}"),
            "bring it back; the others serve",
        )
    }));
    list.extend(facts.doubles.iter().map(|(bucket, backends)| double(bucket, backends)));
    list.extend(facts.audit.iter().map(audit));
    list.extend(stored_backups(facts));
    list.extend(ending_keys(facts));
    list.extend(from_backup(facts));
    list.extend(facts.notices.iter().map(|notice| item("notice", Severity::Warning, notice.clone(), "")));
    list.sort_by_key(|item| item.severity);
    list
}

fn item(code: &'static str, severity: Severity, title: impl Into<String>, hint: impl Into<String>) -> Attention {
    Attention { code, severity, title: title.into(), hint: hint.into() }
}

fn locked(facts: &Facts<'_>) -> Option<Attention> {
    let reason = facts.locked?;
    Some(item(
        "locked",
        Severity::Critical,
        reason,
        "restore a Full Backup, or restart with the hash that opens the database",
    ))
}

fn open(facts: &Facts<'_>) -> Option<Attention> {
    (facts.config.access.authentication == Authentication::None).then(|| {
        item(
            "authentication_off",
            Severity::Critical,
            "authentication is switched off: everybody may read and write everything",
            "set `access.authentication: required`",
        )
    })
}

fn password(facts: &Facts<'_>) -> Option<Attention> {
    (facts.locked.is_none() && facts.state.meta.password_logged).then(|| {
        item(
            "password_logged",
            Severity::Warning,
            "the bootstrap password went through a log",
            "change it: whoever reads the log may sign in with it",
        )
    })
}

fn hash(facts: &Facts<'_>) -> Option<Attention> {
    facts.foreign_hash.then(|| {
        item(
            "foreign_hash",
            Severity::Warning,
            "the bootstrap password alone does not open a copy of the database, only its hash does",
            "keep the hash, or make a new one with `deltaglider_proxy hash-password`",
        )
    })
}

fn backup(facts: &Facts<'_>) -> Option<Attention> {
    let (state, hint) = (facts.state, "export a Full Backup: it holds users, keys and settings");
    let Some(last) = facts.last_export else {
        let anything = !(state.users.is_empty() && state.buckets.is_empty() && state.groups.is_empty());
        return anything
            .then(|| item("no_backup", Severity::Warning, "no backup of this state was ever made here", hint));
    };
    let age = facts.now.since(last.at);
    (age > STALE && last.version != state.meta.version()).then(|| {
        let days = age.as_secs() / 86_400;
        let title = format!("the last backup is {days} days old, and the state has changed since");
        item("stale_backup", Severity::Warning, title, hint)
    })
}

/// The job that stores backups fails, or has not come to an end for too long.
fn stored_backups(facts: &Facts<'_>) -> Option<Attention> {
    let (schedule, standing) = (facts.config.backup.schedule.as_ref(), facts.stored);
    facts.config.backup.to.as_ref()?;
    if let (1.., Some(failure)) = (standing.failures, &standing.last_failure) {
        let times = if standing.failures == 1 {
            "the last backup".to_owned()
        } else {
            format!("the last {} backups", standing.failures)
        };
        let title = format!("{times} could not be stored: {}", failure.detail);
        let hint =
            failure.hint.as_deref().unwrap_or("see the log for the cause, and store one by hand when it is mended");
        return Some(item("backup_failing", Severity::Critical, title, hint));
    }
    is_stale(schedule, standing, facts.now).then(|| {
        let title = "the schedule has come twice since the last backup was stored";
        item("scheduled_backup_stale", Severity::Warning, title, "store one by hand, and see why none was stored")
    })
}

fn clone(facts: &Facts<'_>) -> Option<Attention> {
    let from = facts.state.meta.quarantined_from.as_ref()?;
    let title = format!("this is a clone of the instance {from}: what acts on other systems is paused");
    Some(item("quarantined", Severity::Warning, title, "let it go live where the original is gone"))
}

fn unpushed(facts: &Facts<'_>) -> Option<Attention> {
    let title = "this state was restored and has not reached the instances that share it";
    facts.state.meta.unpushed.then(|| item("unpushed", Severity::Warning, title, "see why the push fails"))
}

fn from_backup(facts: &Facts<'_>) -> Option<Attention> {
    let names: Vec<String> = facts.from_backup.iter().map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| {
        item(
            "from_backup",
            Severity::Info,
            format!("this host gives no value for {}: those from backup are in force", names.join(", ")),
            "set the variable or put the file in place to have this host's own value",
        )
    })
}

fn audit(trouble: &AuditTrouble) -> Attention {
    match trouble {
        AuditTrouble::Broken(how) => item(
            "audit_broken",
            Severity::Critical,
            format!("the audit log is not what its checkpoint says: {how}"),
            "`deltaglider_proxy audit verify` names the first row; the checkpoint is kept until somebody removes its file",
        ),
        AuditTrouble::Sink(which) => item(
            "audit_sink_failing",
            Severity::Warning,
            format!("the audit log does not reach {which}"),
            "the rows are kept and go there once it takes them",
        ),
    }
}

/// Nobody can say which of them is meant, so none is taken in.
fn double(bucket: &BucketName, backends: &[BackendName]) -> Attention {
    let on: Vec<String> = backends.iter().map(|backend| format!("`{backend}`")).collect();
    item(
        "bucket_on_two_backends",
        Severity::Warning,
        format!("a bucket `{bucket}` lies on {} and nobody knows all of them", on.join(" and ")),
        "give one of them another name on its backend, or make a bucket with an `alias` for it",
    )
}

/// One line for all pairs that end soon.
fn ending_keys(facts: &Facts<'_>) -> Option<Attention> {
    let soon = |at: &Timestamp| *at > facts.now && at.since(facts.now) <= SOON;
    let users = facts.state.users.values().filter(|user| user.enabled);
    let owners: Vec<&str> = users
        .filter(|user| user.keys.iter().any(|key| key.active && key.expires_at.as_ref().is_some_and(soon)))
        .map(|user| user.name.as_str())
        .collect();
    let (first, rest) = owners.split_first()?;
    let title = match rest.len() {
        0 => format!("an access key of {first} ends within 14 days"),
        more => format!("access keys of {first} and {more} more end within 14 days"),
    };
    Some(item("keys_end_soon", Severity::Info, title, "make a new key, change the clients over, delete the old one"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::config::load;
    use crate::domain::config::model::{BackupTarget, WrittenPath};
    use crate::domain::config::scalar::Environment;
    use crate::domain::iam::model::{AccessKey, User};
    use crate::domain::secret::Secret;
    use crate::domain::stored::Failure;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    const NOW: Timestamp = Timestamp::from_secs(100 * 86_400);

    fn codes(state: &State, last_export: Option<&ExportRecord>) -> Vec<&'static str> {
        let config = load::load("", &Environment::new()).unwrap().config;
        let facts = Facts {
            state,
            config: &config,
            last_export,
            stored: &Standing::default(),
            locked: None,
            foreign_hash: false,
            down: &[],
            doubles: &BTreeMap::new(),
            audit: &[],
            from_backup: &[],
            notices: &[],
            now: NOW,
        };
        attention(&facts).iter().map(|item| item.code).collect()
    }

    fn with_user(expires_in: i64) -> State {
        let key = AccessKey {
            access_key_id: "AK".into(),
            secret: Secret::new("s"),
            active: true,
            created_at: NOW,
            expires_at: Some(Timestamp::from_secs(NOW.secs() + expires_in)),
        };
        let user = User {
            id: "u1".into(),
            name: "ann".into(),
            enabled: true,
            created_at: NOW,
            auth_source: "local".into(),
            credential_version: 1,
            permissions: Vec::new(),
            group_ids: BTreeSet::new(),
            keys: vec![key],
        };
        let mut state = State::default();
        state.users.insert("u1".into(), Arc::new(user));
        state
    }

    fn exported(days_ago: i64, version: &str) -> ExportRecord {
        ExportRecord {
            at: Timestamp::from_secs(NOW.secs() - days_ago * 86_400),
            actor: "$bootstrap".into(),
            filename: "b.zip".into(),
            bytes: 1,
            sha256: "ab".into(),
            version: version.into(),
        }
    }

    #[test]
    fn a_backup_is_missed_where_there_is_something_to_lose() {
        assert!(codes(&State::default(), None).is_empty(), "a new instance has nothing to lose");
        let state = with_user(99 * 86_400);
        assert_eq!(codes(&state, None), ["no_backup"]);
        assert!(codes(&state, Some(&exported(90, "0.0"))).is_empty(), "nothing has changed since");
        assert_eq!(codes(&state, Some(&exported(8, "0.1"))), ["stale_backup"]);
        assert!(codes(&state, Some(&exported(6, "0.1"))).is_empty());
    }

    #[test]
    fn what_is_graver_comes_first() {
        let mut state = with_user(86_400);
        state.meta.password_logged = true;
        let mut config = load::load("", &Environment::new()).unwrap().config;
        config.access.authentication = Authentication::None;
        config.backup.to = Some(BackupTarget::Directory(WrittenPath::new("/b")));
        let failure = Failure { at: NOW, code: "disk_full".into(), detail: "no room".into(), hint: None };
        let failing = Standing { last_failure: Some(failure), failures: 2, ..Standing::default() };
        let on = ["a", "b"].map(|name| BackendName::new(name).unwrap()).to_vec();
        let doubles = BTreeMap::from([(BucketName::new("photos").unwrap(), on)]);
        let facts = Facts {
            state: &state,
            config: &config,
            last_export: None,
            stored: &failing,
            locked: None,
            foreign_hash: true,
            down: &[("main".into(), "no such directory".into())],
            doubles: &doubles,
            audit: &[AuditTrouble::Sink("the webhook".into()), AuditTrouble::Broken("row 3 is gone".into())],
            from_backup: &["env:A".into(), "file:/b".into()],
            notices: &["the certificate ends".into()],
            now: NOW,
        };
        let list = attention(&facts);
        assert!(list.is_sorted_by_key(|item| item.severity));
        let codes: Vec<_> = list.iter().map(|item| item.code).collect();
        assert_eq!(
            codes,
            [
                "authentication_off",
                "backend_down",
                "audit_broken",
                "backup_failing",
                "password_logged",
                "foreign_hash",
                "no_backup",
                "bucket_on_two_backends",
                "audit_sink_failing",
                "notice",
                "keys_end_soon",
                "from_backup"
            ]
        );
        assert_eq!(list[3].title, "the last 2 backups could not be stored: no room");
        assert_eq!(list[10].title, "an access key of ann ends within 14 days");
        assert_eq!(list[11].title, "this host gives no value for `env:A`, `file:/b`: those from backup are in force");
    }

    #[test]
    fn a_key_that_has_ended_or_ends_much_later_is_no_news() {
        let last = exported(0, "0.0");
        for (expires_in, news) in [(-1, false), (1, true), (14 * 86_400, true), (15 * 86_400, false)] {
            assert_eq!(codes(&with_user(expires_in), Some(&last)).contains(&"keys_end_soon"), news, "{expires_in}");
        }
    }
}
