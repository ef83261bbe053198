//! The owner of users, groups, keys, tokens, revocations and the bucket registry.

mod actor;
pub mod handle;
pub mod messages;
pub mod state;

pub use handle::IamHandle;
