//! What one may ask of the owner of the audit log.

use crate::Result;
use crate::audit::state::Event;
use actix::Message;

/// Appends an event; it is durable when answered.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub(super) struct Record(pub(super) Box<Event>);
