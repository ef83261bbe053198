//! The owner of the append-only audit log: who did what, from where, and how it ended.

mod actor;
pub mod handle;
mod messages;
mod state;

pub use handle::AuditHandle;
pub use state::{Event, Outcome};
