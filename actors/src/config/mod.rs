//! The owner of the config, and what lies around it on disk: the config file, the state directory, this instance's identity.

mod actor;
pub mod file;
pub mod handle;
pub mod instance;
pub mod locate;
pub mod messages;
pub mod resolve;
pub mod roots;
pub mod state_dir;

pub use handle::ConfigHandle;
