//! Stored backups: how their files are called, when one is due, which ones are kept, and what is known of them. Pure.

pub mod agenda;
pub mod cron;
pub mod retention;

use crate::domain::clock::Timestamp;
use cron::Cron;
use std::time::Duration;

/// What every stored backup's name begins with.
const HEAD: &str = "dgp-backup-v";
/// What several runs of one second make is told apart by `_2` to `_9`, which sort after the plain name.
const MOST_ALIKE: u8 = 9;

/// Why a backup was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Its time had come, or had passed while nobody was there.
    Schedule,
    /// The state had changed, and then rested.
    Change,
    /// Somebody asked for it.
    Request,
}

impl Trigger {
    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Change => "on_change",
            Self::Request => "request",
        }
    }

    /// Reads what [`Trigger::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Schedule, Self::Change, Self::Request].into_iter().find(|trigger| trigger.as_str() == text)
    }
}

/// The name of a stored backup, which is also its id: `dgp-backup-v<version>-<UTC stamp>[_<n>].zip[.age]`. No path can be one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredName {
    text: String,
    at: Timestamp,
}

impl StoredName {
    /// Reads a name; `None` for a file that is none of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(HEAD)?;
        let rest = rest.strip_suffix(".age").unwrap_or(rest).strip_suffix(".zip")?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_');
        if text.len() > 200 || !rest.chars().all(plain) {
            return None;
        }
        let (version, stamp) = rest.rsplit_once('-')?;
        let stamp = match stamp.split_once('_') {
            Some((stamp, number)) => (2..=MOST_ALIKE).any(|n| number == n.to_string()).then_some(stamp)?,
            None => stamp,
        };
        let at = Timestamp::parse_compact(stamp)?;
        (!version.is_empty()).then(|| Self { text: text.to_owned(), at })
    }

    /// The names to try for an archive, the plain one first: `file.zip`, `file_2.zip`, ….
    pub fn candidates(filename: &str, encrypted: bool) -> impl Iterator<Item = Self> {
        let stem = filename.strip_suffix(".zip").unwrap_or(filename).to_owned();
        let end = if encrypted { ".zip.age" } else { ".zip" };
        (1..=MOST_ALIKE).filter_map(move |number| {
            let text = if number == 1 { format!("{stem}{end}") } else { format!("{stem}_{number}{end}") };
            Self::parse(&text)
        })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// When what is in it was captured, as the name says.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Whether it is encrypted, as the name says.
    pub fn is_encrypted(&self) -> bool {
        self.text.ends_with(".age")
    }
}

/// What is on record of a stored backup that this instance made or checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its name.
    pub id: String,
    /// This instance made it.
    pub own: bool,
    /// Why; `None` where another instance made it.
    pub trigger: Option<String>,
    /// Who asked for it.
    pub actor: Option<String>,
    /// SHA-256 of the file, in lower-case hex.
    pub sha256: String,
    /// `epoch.generation` of what is in it, where that was seen.
    pub version: Option<String>,
    /// When it was last read back and found whole.
    pub verified_at: Option<Timestamp>,
    /// Why the last check failed.
    pub verify_error: Option<String>,
}

/// A run that ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Success {
    /// When it ended.
    pub at: Timestamp,
    /// The name of what it stored.
    pub id: String,
    /// How large that is.
    pub bytes: u64,
    /// How long it took.
    pub took: Duration,
    /// `epoch.generation` of what is in it.
    pub version: String,
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When it ended.
    pub at: Timestamp,
    /// The stable code of the error.
    pub code: String,
    /// What happened.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How the backups of this instance are doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The last run that ended well.
    pub last_success: Option<Success>,
    /// The last run that failed.
    pub last_failure: Option<Failure>,
    /// How many failed since the last success.
    pub failures: u64,
    /// How many failed since this process began.
    pub failed_total: u64,
    /// One runs now.
    pub running: bool,
}

/// Whether the schedule has come twice since the last success: once may be a run that is under way.
pub fn is_stale(cron: Option<&Cron>, standing: &Standing, now: Timestamp) -> bool {
    let since = match (&standing.last_success, &standing.last_failure) {
        (Some(success), _) => success.at,
        // Nothing was ever stored: what failed is what there is to go by.
        (None, Some(failure)) => failure.at,
        (None, None) => return false,
    };
    let twice = |cron: &Cron| cron.next_after(cron.next_after(since)?);
    cron.and_then(twice).is_some_and(|time| time <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_nothing_else_is_one() {
        let name = StoredName::parse("dgp-backup-v0.1.0-20261122T090000Z.zip").unwrap();
        assert_eq!((name.at().rfc3339().as_str(), name.is_encrypted()), ("2026-11-22T09:00:00Z", false));
        let names: Vec<_> = StoredName::candidates("dgp-backup-v0.1.0-20261122T090000Z.zip", true).take(2).collect();
        let texts: Vec<&str> = names.iter().map(StoredName::as_str).collect();
        assert_eq!(
            texts,
            ["dgp-backup-v0.1.0-20261122T090000Z.zip.age", "dgp-backup-v0.1.0-20261122T090000Z_2.zip.age"]
        );
        assert!(names[1].is_encrypted() && names[1].at() == name.at());
        for other in [
            "",
            "dgp-backup-v.zip",
            "dgp-backup-v-20261122T090000Z.zip",
            "dgp-backup-v1-20261122T090000Z.tar",
            "dgp-backup-v1-20261122T090000Z_1.zip",
            "dgp-backup-v1-20261122T090000Z_02.zip",
            "dgp-backup-v1-20261322T090000Z.zip",
            "dgp-backup-v../../etc/passwd-20261122T090000Z.zip",
            "x/dgp-backup-v1-20261122T090000Z.zip",
            ".dgp-backup-v1-20261122T090000Z.zip.1.tmp",
        ] {
            assert_eq!(StoredName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_schedule_that_came_twice_without_a_success_is_stale() {
        let cron = Cron::parse("0 2 * * *").unwrap();
        let at = |hours: i64| Timestamp::from_secs(hours * 3600);
        let success = Success { at: at(2), id: String::new(), bytes: 1, took: Duration::ZERO, version: String::new() };
        let standing = Standing { last_success: Some(success), ..Standing::default() };
        assert!(!is_stale(Some(&cron), &standing, at(49)));
        assert!(is_stale(Some(&cron), &standing, at(50)));
        assert!(!is_stale(None, &standing, at(500)));
        assert!(!is_stale(Some(&cron), &Standing::default(), at(500)));
    }

    #[test]
    fn a_trigger_is_read_back() {
        for trigger in [Trigger::Schedule, Trigger::Change, Trigger::Request] {
            assert_eq!(Trigger::parse(trigger.as_str()), Some(trigger));
        }
        assert_eq!(Trigger::parse("whim"), None);
    }
}
