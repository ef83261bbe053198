//! What one may ask of the writer of the config DB.

use crate::Result;
use crate::db::password::PasswordHash;
use crate::domain::state::State;
use actix::Message;
use std::sync::Arc;

/// Writes the difference of two states and publishes the file: durable when answered.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct Write {
    /// What the file holds now.
    pub old: Arc<State>,
    /// What it shall hold.
    pub new: Arc<State>,
}

/// Reads the published file anew.
#[derive(Debug, Message)]
#[rtype(result = "Result<Arc<State>>")]
pub struct Load;

/// Lets go of the file, so that a swap may replace it; refuses if a side file lies beside it.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct Close;

/// Takes the file that a swap has put in place, under this hash.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub struct Take {
    /// The hash that opens it.
    pub hash: PasswordHash,
}
