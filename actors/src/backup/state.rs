//! What the owner of backups knows: whether a swap of the state runs. Pure.

use crate::{Error, ErrorKind, Result};

/// The state of the owner of backups.
#[derive(Debug, Default)]
pub(super) struct BackupState {
    running: Option<String>,
}

impl BackupState {
    /// Admits one restore, undo or change of password at a time.
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

    /// It has ended, in whatever way.
    pub(super) fn end(&mut self) {
        self.running = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_restore_at_a_time() {
        let mut state = BackupState::default();
        state.begin("r1").unwrap();
        assert_eq!(state.begin("r2").unwrap_err().code(), Some("restore_in_progress"));
        state.end();
        state.begin("r2").unwrap();
    }
}
