//! The owner of one backend: writes, deletes, buckets and health go through it; reads use what it publishes.

mod actor;
pub mod handle;
pub mod messages;
pub mod state;

pub use handle::{StoreHandle, WriteTicket};
