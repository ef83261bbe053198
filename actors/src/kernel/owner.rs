//! A reference to an owner: permit, deadline, and an address that the guardian may replace under its users' feet.

use crate::kernel::guardian::Alarm;
use crate::kernel::permits::Permits;
use crate::{Error, ErrorKind, Result};
use actix::dev::ToEnvelope;
use actix::{Actor, Addr, Handler, MailboxError, Message};
use arc_swap::ArcSwapOption;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long an ask may take before its answer is no longer waited for.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// What a lost answer means to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Nothing was to change: `Unavailable`.
    Read,
    /// Something may have changed: `OutcomeUnknown`.
    Change,
}

/// A reference to one owner. Cheap to clone; all clones see the address that the guardian put in last.
pub struct OwnerRef<A: Actor> {
    inner: Arc<Inner<A>>,
}

struct Inner<A: Actor> {
    name: &'static str,
    address: ArcSwapOption<Addr<A>>,
    permits: Permits,
    alarm: Alarm,
}

impl<A: Actor> OwnerRef<A> {
    /// A reference that has no address yet; the guardian gives it one.
    pub fn new(name: &'static str, permits: usize, alarm: Alarm) -> Self {
        Self {
            inner: Arc::new(Inner {
                name,
                address: ArcSwapOption::empty(),
                permits: Permits::new(name, permits),
                alarm,
            }),
        }
    }

    /// The owner's name.
    pub fn name(&self) -> &'static str {
        self.inner.name
    }

    /// Puts a new address in; only the guardian and wiring do.
    pub fn set(&self, address: Addr<A>) {
        self.inner.address.store(Some(Arc::new(address)));
    }

    /// Whether the actor behind the address lives.
    pub fn connected(&self) -> bool {
        self.inner.address.load().as_ref().is_some_and(|a| a.connected())
    }

    /// How many references to this owner there are.
    pub(super) fn references(&self) -> usize {
        Arc::strong_count(&self.inner)
    }

    /// How many asks are under way, and how many may be.
    pub fn load(&self) -> (usize, usize) {
        (self.inner.permits.in_use(), self.inner.permits.size())
    }

    /// Asks and waits for the answer, within [`DEADLINE`].
    pub async fn ask<M, T>(&self, intent: Intent, message: M) -> Result<T>
    where
        A: Handler<M>,
        A::Context: ToEnvelope<A, M>,
        M: Message<Result = Result<T>> + Send + 'static,
        T: Send + 'static,
    {
        self.ask_within(DEADLINE, intent, message).await
    }

    /// Asks for something that may take longer than most: a restore, say.
    pub async fn ask_within<M, T>(&self, deadline: Duration, intent: Intent, message: M) -> Result<T>
    where
        A: Handler<M>,
        A::Context: ToEnvelope<A, M>,
        M: Message<Result = Result<T>> + Send + 'static,
        T: Send + 'static,
    {
        let _permit = self.inner.permits.take()?;
        let address = self.inner.address.load_full().ok_or_else(|| self.gone(Intent::Read))?;
        match tokio::time::timeout(deadline, address.send(message)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(MailboxError::Closed | MailboxError::Timeout)) => {
                self.inner.alarm.ring();
                Err(self.gone(intent))
            }
            Err(_) => Err(match intent {
                Intent::Read => Error::new(ErrorKind::Timeout, self.name(), "no answer in time; try again"),
                Intent::Change => self.gone(Intent::Change),
            }),
        }
    }

    fn gone(&self, intent: Intent) -> Error {
        match intent {
            Intent::Read => {
                Error::new(ErrorKind::Unavailable, self.name(), "a part of the server is restarting; try again")
            }
            Intent::Change => Error::new(
                ErrorKind::OutcomeUnknown,
                self.name(),
                "a part of the server restarted while it made this change; read the state before you try again",
            ),
        }
    }
}

impl<A: Actor> Clone for OwnerRef<A> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<A: Actor> fmt::Debug for OwnerRef<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnerRef({})", self.inner.name)
    }
}
