//! The owner of admin sessions: who is signed in to the console, since when, from where.

mod actor;
pub mod handle;
mod messages;
mod pending;
mod state;

pub use crate::domain::session::{Proof, Session, token_sha256};
pub use handle::{Opening, SessionHandle};
pub use pending::{PATIENCE, PendingLogin};
