//! The owner of admin sessions: who is signed in to the console, since when, from where.

mod actor;
pub mod handle;
mod messages;
mod state;

pub use handle::{Opening, SessionHandle};
pub use state::{Session, token_sha256};
