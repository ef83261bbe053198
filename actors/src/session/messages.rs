//! What one may ask of the owner of sessions.

use crate::Result;
use crate::domain::session::Session;
use crate::session::pending::PendingLogin;
use actix::Message;
use std::time::Duration;

/// Adds a session; it is stored when answered.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub(super) struct Open(pub(super) Box<Session>);

/// Finds a session by its token's hash, and notes that it was used.
#[derive(Debug, Message)]
#[rtype(result = "Result<Option<Session>>")]
pub(super) struct Find {
    /// SHA-256 of the token.
    pub(super) sha256: String,
    /// How long a session may go unused.
    pub(super) idle: Duration,
}

/// All sessions, the latest first.
#[derive(Debug, Message)]
#[rtype(result = "Result<Vec<Session>>")]
pub(super) struct List;

/// Ends one session; answers whether there was one.
#[derive(Debug, Message)]
#[rtype(result = "Result<bool>")]
pub(super) struct Revoke(pub(super) String);

/// Ends these sessions, named by their token's hash; answers how many of them were there.
#[derive(Debug, Message)]
#[rtype(result = "Result<usize>")]
pub(super) struct RevokeAll(pub(super) Vec<String>);

/// Remembers a sign-in that goes to a provider.
#[derive(Debug, Message)]
#[rtype(result = "Result<()>")]
pub(super) struct BeginLogin(pub(super) Box<PendingLogin>);

/// Takes out the sign-in of this state, by the state's SHA-256.
#[derive(Debug, Message)]
#[rtype(result = "Result<Option<PendingLogin>>")]
pub(super) struct TakeLogin(pub(super) String);
