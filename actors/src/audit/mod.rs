//! The owner of the append-only audit log: who did what, from where, and how it ended.

mod actor;
mod chain;
mod checkpoint;
mod denials;
pub mod handle;
mod messages;
mod sink;
mod state;
mod upkeep;

pub use checkpoint::{Checkpoint, read_checkpoint};
pub use denials::{Denial, DenialKind};
pub use handle::{AuditHandle, AuditStore};
pub use sink::{Sink, Target, follow};
pub use state::{Event, Outcome};
pub use upkeep::{Retention, keep};
