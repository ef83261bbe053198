//! What `system` may ask of the owner of IAM.

use crate::Result;
use crate::domain::change::{Asked, Changed};
use crate::domain::state::State;
use actix::Message;
use std::sync::Arc;

/// Makes these changes, in order, as one durable batch. A change that breaks a rule fails alone.
#[derive(Debug, Message)]
#[rtype(result = "Result<Applied>")]
pub struct Apply(pub Vec<Asked>);

/// What a batch did.
#[derive(Debug)]
pub struct Applied {
    /// One answer a change, in order.
    pub answers: Vec<Result<Changed>>,
    /// The state that is durable now.
    pub state: Arc<State>,
}

/// The durable state as the owner knows it.
#[derive(Debug, Message)]
#[rtype(result = "Result<Arc<State>>")]
pub struct Current;

/// Takes the state that a swap has put in place.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct Replace(pub Arc<State>);
