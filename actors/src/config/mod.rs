//! The owner of the config, and what lies around it on disk: the config file, the state directory, this instance's identity.

pub mod file;
pub mod instance;
pub mod locate;
pub mod resolve;
pub mod roots;
pub mod state_dir;
