//! A change of when and where backups are stored, as a rule on values: what it makes of a configuration.

use super::Loaded;
use super::model::{Backup, BackupTarget};
use crate::domain::stored::cron::Cron;
use crate::domain::stored::retention::Keep;
use serde_json::{Value, json};
use std::time::Duration;

/// When, where and how long; the rest of `backup` stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleEdit {
    /// By the clock.
    pub schedule: Option<Cron>,
    /// After changes that have rested for this long.
    pub on_change: Option<Duration>,
    /// Nowhere, where it is `None`.
    pub to: Option<BackupTarget>,
    /// Which of them stay.
    pub keep: Keep,
    /// Each is read back and checked.
    pub verify: bool,
}

impl ScheduleEdit {
    /// Makes the change in a configuration as it was loaded, of which the next file is written.
    pub fn apply(self, loaded: &mut Loaded) {
        let Self { schedule, on_change, to, keep, verify } = self;
        let before = loaded.config.backup.clone();
        loaded.config.backup = Backup { schedule, on_change, to, keep, verify, ..before.clone() };
        // What stood in the file with a variable in it stands for the old value.
        for change in changes(&before, &loaded.config.backup) {
            let path = change["path"].as_str().unwrap_or_default();
            loaded.written.remove(path);
        }
    }
}

/// The changed fields, as the API shows them.
pub fn changes(before: &Backup, after: &Backup) -> Vec<Value> {
    let shown = |backup: &Backup| {
        let (directory, bucket) = match &backup.to {
            None => (None, None),
            Some(BackupTarget::Directory(path)) => (Some(path.as_str()), None),
            Some(BackupTarget::Bucket { bucket, prefix }) => (None, Some((bucket.as_str(), prefix.as_str()))),
        };
        [
            ("backup.schedule", json!(backup.schedule.as_ref().map(Cron::as_str))),
            ("backup.on_change", json!(backup.on_change.map(|rest| format!("{}s", rest.as_secs())))),
            ("backup.to.directory", json!(directory)),
            ("backup.to.bucket", json!(bucket.map(|(bucket, _)| bucket))),
            ("backup.to.prefix", json!(bucket.map(|(_, prefix)| prefix))),
            ("backup.keep.last", json!(backup.keep.last)),
            ("backup.keep.days", json!(backup.keep.days)),
            ("backup.verify", json!(backup.verify)),
        ]
    };
    let pairs = shown(before).into_iter().zip(shown(after));
    let changed = pairs.filter(|((_, was), (_, is))| was != is);
    changed.map(|((path, was), (_, is))| json!({"path": path, "from": was, "to": is, "reload": "live"})).collect()
}
