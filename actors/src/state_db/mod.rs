//! The one writer of `deltaglider_state.db`: sessions, the audit log and what else one instance remembers for itself.

mod actor;
pub mod handle;
mod last_used;

pub use handle::StateDbHandle;
pub use last_used::{LastUsed, Used};
