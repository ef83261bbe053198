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
    outcomes: VecDeque<(String, String, Value)>,
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

    /// The restore has ended; a success is kept under its idempotency key, together with what was asked.
    pub(super) fn end(&mut self, key: Option<(String, String)>, outcome: Option<&Value>) {
        self.running = None;
        if let (Some((key, asked)), Some(outcome)) = (key, outcome) {
            self.outcomes.push_back((key, asked, outcome.clone()));
            if self.outcomes.len() > REMEMBERED {
                self.outcomes.pop_front();
            }
        }
    }

    /// The first outcome under this key. A key that was used for something else is refused.
    pub(super) fn remembered(&self, key: Option<&(String, String)>) -> Result<Option<Value>> {
        let Some((key, asked)) = key else { return Ok(None) };
        match self.outcomes.iter().find(|(known, ..)| known == key) {
            Some((_, first, outcome)) if first == asked => Ok(Some(outcome.clone())),
            Some(_) => Err(Error::new(
                ErrorKind::Conflict,
                "restore",
                "this Idempotency-Key was used for another request; nothing was changed",
            )
            .with_code("idempotency_key_reused")
            .with_hint("send another key")),
            None => Ok(None),
        }
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
        let asked = |key: &str, what: &str| Some((key.to_owned(), what.to_owned()));
        state.end(asked("key", "this"), Some(&Value::from(1)));
        assert_eq!(state.remembered(asked("key", "this").as_ref()).unwrap(), Some(Value::from(1)));
        assert_eq!(state.remembered(asked("other", "this").as_ref()).unwrap(), None);
        let reused = state.remembered(asked("key", "that").as_ref()).unwrap_err();
        assert_eq!(reused.code(), Some("idempotency_key_reused"));
        state.begin("r2").unwrap();
    }
}
