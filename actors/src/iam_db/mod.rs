//! The one writer of `deltaglider_config.db`: a worker thread that holds its private work copy.

mod actor;
pub mod handle;
pub mod messages;
pub mod state;

pub use handle::IamDbHandle;
