//! The shell around [`Sessions`]: what ends or begins is written down before it is answered, what was merely used a little later.

use crate::Result;
use crate::db::runtime;
use crate::domain::clock::Clock;
use crate::domain::session::Session;
use crate::fault;
use crate::session::messages::{BeginLogin, Find, List, Open, Revoke, RevokeAll, TakeLogin};
use crate::session::pending::{PendingLogin, PendingLogins};
use crate::session::state::Sessions;
use crate::state_db::handle::StateDbHandle;
use actix::fut::{ActorFutureExt, wrap_future};
use actix::{Actor, ActorFuture, AsyncContext, Context, Handler, ResponseActFuture};
use std::time::Duration;

/// Expired sessions are swept this often.
const SWEEP: Duration = Duration::from_secs(300);

/// The owner of sessions.
pub(super) struct SessionActor {
    sessions: Sessions,
    /// In memory alone: who comes back after a restart begins again.
    pending: PendingLogins,
    db: StateDbHandle,
    clock: Clock,
}

impl SessionActor {
    pub(super) fn new(stored: Vec<Session>, db: StateDbHandle, clock: Clock) -> Self {
        Self { sessions: Sessions::load(stored), pending: PendingLogins::default(), db, clock }
    }

    /// What the state DB holds.
    pub(super) async fn stored(db: &StateDbHandle) -> Result<Vec<Session>> {
        db.run(|connection| runtime::load_sessions(connection)).await
    }

    /// Deletes these from the state DB, and then here; a failed delete leaves both as they were.
    fn end(&self, hashes: Vec<String>) -> impl ActorFuture<Self, Output = Result<()>> + 'static {
        let (db, gone) = (self.db.clone(), hashes.clone());
        wrap_future(async move { db.run(move |connection| runtime::delete_sessions(connection, &gone)).await }).map(
            move |outcome: Result<()>, actor: &mut Self, _| {
                outcome?;
                actor.sessions.remove(&hashes);
                Ok(())
            },
        )
    }

    fn sweep(&mut self, context: &mut Context<Self>) {
        self.pending.sweep(self.clock.now());
        let expired = self.sessions.expired(self.clock.now());
        if !expired.is_empty() {
            context.spawn(self.end(expired).map(|outcome, _, _| note("sweeping expired sessions", outcome)));
        }
    }
}

impl Actor for SessionActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(SWEEP, Self::sweep);
    }
}

impl Handler<Open> for SessionActor {
    type Result = ResponseActFuture<Self, Result<()>>;

    fn handle(&mut self, message: Open, _: &mut Self::Context) -> Self::Result {
        fault::point("session.open");
        let (db, session) = (self.db.clone(), *message.0);
        let stored = {
            let session = session.clone();
            async move { db.run(move |connection| runtime::put_session(connection, &session)).await }
        };
        Box::pin(wrap_future(stored).map(|outcome, actor: &mut Self, context: &mut Context<Self>| {
            outcome?;
            let made_room = actor.sessions.insert(session);
            if !made_room.is_empty() {
                context.spawn(actor.end(made_room).map(|outcome, _, _| note("making room for a session", outcome)));
            }
            Ok(())
        }))
    }
}

impl Handler<Find> for SessionActor {
    type Result = Result<Option<Session>>;

    fn handle(&mut self, message: Find, context: &mut Self::Context) -> Self::Result {
        fault::point("session.find");
        let Some(found) = self.sessions.touch(&message.sha256, message.idle, self.clock.now()) else { return Ok(None) };
        if found.write_seen {
            let (db, sha256, seen) = (self.db.clone(), found.session.sha256.clone(), found.session.last_seen);
            let write =
                async move { db.run(move |connection| runtime::touch_session(connection, &sha256, seen)).await };
            context.spawn(wrap_future(write).map(|outcome, _, _| note("noting the use of a session", outcome)));
        }
        Ok(Some(found.session))
    }
}

impl Handler<List> for SessionActor {
    type Result = Result<Vec<Session>>;

    fn handle(&mut self, _: List, _: &mut Self::Context) -> Self::Result {
        fault::point("session.list");
        Ok(self.sessions.list())
    }
}

impl Handler<Revoke> for SessionActor {
    type Result = ResponseActFuture<Self, Result<bool>>;

    fn handle(&mut self, message: Revoke, _: &mut Self::Context) -> Self::Result {
        fault::point("session.revoke");
        let Some(sha256) = self.sessions.named(&message.0) else {
            return Box::pin(wrap_future(async { Ok(false) }));
        };
        Box::pin(self.end(vec![sha256]).map(|outcome, _, _| outcome.map(|()| true)))
    }
}

impl Handler<RevokeAll> for SessionActor {
    type Result = ResponseActFuture<Self, Result<usize>>;

    fn handle(&mut self, message: RevokeAll, _: &mut Self::Context) -> Self::Result {
        fault::point("session.revoke_all");
        let hashes = self.sessions.known(message.0);
        let count = hashes.len();
        Box::pin(self.end(hashes).map(move |outcome, _, _| outcome.map(|()| count)))
    }
}

impl Handler<BeginLogin> for SessionActor {
    type Result = Result<()>;

    fn handle(&mut self, message: BeginLogin, _: &mut Self::Context) -> Self::Result {
        fault::point("session.begin_login");
        self.pending.begin(*message.0);
        Ok(())
    }
}

impl Handler<TakeLogin> for SessionActor {
    type Result = Result<Option<PendingLogin>>;

    fn handle(&mut self, message: TakeLogin, _: &mut Self::Context) -> Self::Result {
        fault::point("session.take_login");
        Ok(self.pending.take(&message.0, self.clock.now()))
    }
}

/// What nobody waits for is noted in the log where it fails.
fn note(what: &str, outcome: Result<()>) {
    if let Err(error) = outcome {
        log::warn!("{what} failed: {error:?}");
    }
}
