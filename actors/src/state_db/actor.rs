//! The worker thread of the state DB: runs one job after another on its connection, each under `catch_unwind`.

use crate::db::database::Database;
use crate::kernel::guardian::Alarm;
use crate::{Error, ErrorKind, Result, fault};
use actix::{Actor, ActorContext, Handler, Message, SyncContext};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A piece of work on the connection; its handle gives it a name and a type.
pub(super) type Work<T> = Box<dyn FnOnce(&mut Connection) -> Result<T> + Send>;

/// Runs one piece of work.
#[derive(Message)]
#[rtype(result = "Result<T>")]
pub(super) struct Run<T: Send + 'static>(pub(super) Work<T>);

/// Closes the connection: nothing is run any more.
#[derive(Message)]
#[rtype(result = "Result<()>")]
pub(super) struct Close;

/// How a worker opens its connection.
pub(super) type Opener = Arc<dyn Fn() -> Result<Database> + Send + Sync>;

/// The one writer of the state DB.
pub(super) struct StateDbActor {
    /// `None` once it was closed.
    connection: Option<Result<Database>>,
    alarm: Alarm,
}

impl StateDbActor {
    pub(super) fn new(open: &Opener, alarm: Alarm) -> Self {
        Self { connection: Some(open()), alarm }
    }
}

impl Actor for StateDbActor {
    type Context = SyncContext<Self>;
}

impl<T: Send + 'static> Handler<Run<T>> for StateDbActor {
    type Result = Result<T>;

    fn handle(&mut self, message: Run<T>, context: &mut Self::Context) -> Self::Result {
        let connection = match &mut self.connection {
            Some(Ok(connection)) => connection,
            None => return Err(Error::new(ErrorKind::Unavailable, "state_db", "the server is stopping")),
            Some(Err(error)) => {
                let error = Error::new(ErrorKind::Unavailable, "state_db", "the state database cannot be opened")
                    .with_source(error.to_string());
                context.stop();
                return Err(error);
            }
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            fault::point("state_db.run");
            (message.0)(connection)
        }));
        outcome.unwrap_or_else(|_| {
            self.alarm.caught_panic("state_db");
            context.stop();
            Err(Error::new(ErrorKind::Unavailable, "state_db", "the state database's writer restarted; try again"))
        })
    }
}

impl Handler<Close> for StateDbActor {
    type Result = Result<()>;

    fn handle(&mut self, _: Close, _: &mut Self::Context) -> Self::Result {
        self.connection = None;
        Ok(())
    }
}
