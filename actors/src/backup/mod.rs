//! The owner of the one running backup, verification or restore of the system's own state.

mod actor;
pub mod handle;
pub mod messages;
mod password;
mod restore;
mod stage;
mod state;

pub use handle::BackupHandle;
pub use messages::{Archive, PasswordChange, RestoreRequest};
