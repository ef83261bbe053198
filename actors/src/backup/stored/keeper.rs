//! What outlives the owner of backups: how they stand, when the next one is due, and whether one runs.

use super::{SCHEDULE, run};
use crate::backup::handle::Tools;
use crate::db::runtime::{backup_standing, note_armed, note_failure, note_success};
use crate::domain::config::model::Backup;
use crate::domain::stored::agenda::{Agenda, Wanted};
use crate::domain::stored::{Failure, Standing, Success, Trigger};
use crate::state_db::StateDbHandle;
use crate::{Error, ErrorKind, Result};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How the backups stand.
#[derive(Debug, Default)]
pub(in crate::backup) struct Keeper {
    standing: Mutex<Standing>,
    agenda: Mutex<Agenda>,
}

/// One run, for as long as this lives: dropped, whatever ended it, the next may begin.
pub(super) struct Running<'a>(&'a Keeper);

impl Keeper {
    /// As the last process left it.
    pub(in crate::backup) async fn resume(state_db: &StateDbHandle) -> Result<Self> {
        let (standing, agenda) = state_db.run(|connection| backup_standing(connection)).await?;
        Ok(Self { standing: Mutex::new(standing), agenda: Mutex::new(agenda) })
    }

    /// How they stand now.
    pub(in crate::backup) fn standing(&self) -> Standing {
        lock(&self.standing).clone()
    }

    /// Begins a run; one at a time.
    pub(super) fn begin(&self) -> Result<Running<'_>> {
        let mut standing = lock(&self.standing);
        if standing.running {
            return Err(Error::new(ErrorKind::Conflict, "store backup", "a backup is being stored already")
                .with_code("backup_in_progress")
                .with_hint("try again when it has ended"));
        }
        standing.running = true;
        Ok(Running(self))
    }

    /// Notes how a run ended.
    pub(super) async fn ended(&self, tools: &Tools, trigger: Trigger, outcome: Result<&Success, &Error>) {
        let schedule = tools.system.view().config.backup.schedule.as_ref().map(|cron| cron.as_str().to_owned());
        let now = tools.clock.now();
        let noted = match outcome {
            Ok(success) => {
                let success = success.clone();
                lock(&self.agenda).succeeded(trigger, &success.version, now);
                {
                    let mut standing = lock(&self.standing);
                    (standing.last_success, standing.failures) = (Some(success.clone()), 0);
                }
                tools.state_db.run(move |db| note_success(db, trigger, schedule.as_deref(), &success)).await
            }
            Err(error) => {
                let failure = Failure {
                    at: now,
                    code: error.code().unwrap_or("internal_error").to_owned(),
                    detail: error.message().to_owned(),
                    hint: error.hint().map(str::to_owned),
                };
                lock(&self.agenda).failed(trigger, now);
                {
                    let mut standing = lock(&self.standing);
                    standing.last_failure = Some(failure.clone());
                    (standing.failures, standing.failed_total) = (standing.failures + 1, standing.failed_total + 1);
                }
                tools.state_db.run(move |db| note_failure(db, trigger, schedule.as_deref(), &failure)).await
            }
        };
        if let Err(error) = noted {
            log::warn!("a run of the backup job is not on record: {error:?}");
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        lock(&self.0.standing).running = false;
    }
}

/// Looks at the clock once: stores a backup if one is due, and answers when that has ended.
pub(in crate::backup) async fn tick(tools: &Tools, keeper: &Keeper) -> Result<()> {
    let view = tools.system.view();
    if view.locked.is_some() {
        return Ok(());
    }
    let (backup, now) = (&view.config.backup, tools.clock.now());
    let wanted = wanted(backup);
    let armed = lock(&keeper.agenda).arm(&wanted, now);
    if let (true, Some(cron)) = (armed, &backup.schedule) {
        let schedule = cron.as_str().to_owned();
        tools.state_db.run(move |connection| note_armed(connection, &schedule, now)).await?;
    }
    let due = lock(&keeper.agenda).due(&wanted, &view.version(), now);
    let Some(trigger) = due.filter(|_| backup.to.is_some() && !lock(&keeper.standing).running) else { return Ok(()) };
    // What went wrong is on record, in the log and in the attention list; the next look tries again when it is time.
    let _ = run::store(tools, keeper, SCHEDULE.to_owned(), trigger).await;
    Ok(())
}

fn wanted(backup: &Backup) -> Wanted<'_> {
    Wanted { cron: backup.schedule.as_ref(), on_change: backup.on_change }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
