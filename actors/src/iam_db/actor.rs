//! The worker thread: each message under `catch_unwind`; after a panic the work copy is dropped and made anew.

use crate::domain::state::State;
use crate::fault;
use crate::iam_db::messages::{Close, Load, Take, Write};
use crate::iam_db::state::WorkCopy;
use crate::kernel::guardian::Alarm;
use crate::{Error, ErrorKind, Result};
use actix::{Actor, ActorContext, Handler, SyncContext};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// The one writer of the config DB.
pub(super) struct IamDbActor {
    work: Arc<Mutex<WorkCopy>>,
    alarm: Alarm,
}

impl IamDbActor {
    pub(super) fn new(work: Arc<Mutex<WorkCopy>>, alarm: Alarm) -> Self {
        Self { work, alarm }
    }

    /// Runs one message; a panic becomes an error, drops the work copy and makes a new worker.
    fn guarded<T>(
        &mut self,
        context: &mut SyncContext<Self>,
        work: impl FnOnce(&mut WorkCopy) -> Result<T>,
    ) -> Result<T> {
        let shared = self.work.clone();
        let outcome =
            catch_unwind(AssertUnwindSafe(|| work(&mut shared.lock().unwrap_or_else(PoisonError::into_inner))));
        outcome.unwrap_or_else(|_| {
            self.work.lock().unwrap_or_else(PoisonError::into_inner).discard();
            self.alarm.caught_panic("iam_db");
            context.stop();
            Err(Error::new(
                ErrorKind::OutcomeUnknown,
                "iam_db",
                "the database writer restarted while it made this change; read the state before you try again",
            ))
        })
    }
}

impl Actor for IamDbActor {
    type Context = SyncContext<Self>;

    /// The connection ends with this thread, not with the last who holds `work`: see [`crate::db::database`].
    fn stopped(&mut self, _: &mut Self::Context) {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).discard();
    }
}

impl Handler<Write> for IamDbActor {
    type Result = Result<()>;

    fn handle(&mut self, message: Write, context: &mut Self::Context) -> Self::Result {
        self.guarded(context, |work| {
            fault::point("iam_db.write");
            work.write(&message.old, &message.new)
        })
    }
}

impl Handler<Load> for IamDbActor {
    type Result = Result<Arc<State>>;

    fn handle(&mut self, _: Load, context: &mut Self::Context) -> Self::Result {
        self.guarded(context, |work| {
            fault::point("iam_db.load");
            work.load().map(Arc::new)
        })
    }
}

impl Handler<Close> for IamDbActor {
    type Result = Result<()>;

    fn handle(&mut self, _: Close, context: &mut Self::Context) -> Self::Result {
        self.guarded(context, |work| {
            fault::point("iam_db.close");
            work.close()
        })
    }
}

impl Handler<Take> for IamDbActor {
    type Result = Result<()>;

    fn handle(&mut self, message: Take, context: &mut Self::Context) -> Self::Result {
        self.guarded(context, |work| {
            fault::point("iam_db.take");
            work.take(message.hash)
        })
    }
}
