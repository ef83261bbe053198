//! What the owner of backups knows: whether a restore runs, and the outcomes that a repeat may ask for. Pure.

use crate::{Error, ErrorKind, Result};
use serde_json::Value;
use std::collections::VecDeque;

/// Outcomes that are kept for repeats.
const REMEMBERED: usize = 64;

/// The state of the owner of backups.
#[derive(Debug, Default)]
pub(super) struct BackupState {
    running: Option<String>,
    outcomes: VecDeque<(String, Value)>,
}

impl BackupState {
    /// Admits one restore at a time.
    pub(super) fn begin(&mut self, restore_id: &str) -> Result<()> {
        if let Some(running) = &self.running {
            return Err(Error::new(
                ErrorKind::RestoreInProgress,
                "restore",
                "another restore is in progress; nothing was changed",
            )
            .with_code("restore_in_progress")
            .with_hint(format!("try again when restore {running} has ended")));
        }
        self.running = Some(restore_id.to_owned());
        Ok(())
    }

    /// The restore has ended; a success is kept under its idempotency key.
    pub(super) fn end(&mut self, key: Option<String>, outcome: Option<&Value>) {
        self.running = None;
        if let (Some(key), Some(outcome)) = (key, outcome) {
            self.outcomes.push_back((key, outcome.clone()));
            if self.outcomes.len() > REMEMBERED {
                self.outcomes.pop_front();
            }
        }
    }

    /// The first outcome under this key.
    pub(super) fn remembered(&self, key: Option<&str>) -> Option<Value> {
        let key = key?;
        self.outcomes.iter().find(|(k, _)| k == key).map(|(_, outcome)| outcome.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_restore_at_a_time_and_a_repeat_gets_the_first_outcome() {
        let mut state = BackupState::default();
        state.begin("r1").unwrap();
        assert_eq!(state.begin("r2").unwrap_err().code(), Some("restore_in_progress"));
        state.end(Some("key".into()), Some(&Value::from(1)));
        assert_eq!(state.remembered(Some("key")), Some(Value::from(1)));
        assert_eq!(state.remembered(Some("other")), None);
        state.begin("r2").unwrap();
    }
}
