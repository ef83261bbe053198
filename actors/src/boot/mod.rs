//! From a directory to running owners: recover, lock, load, decide on the hash, open, start. In this order, nothing before recovery.

mod database;
mod databases;
mod declared;
mod error;
mod first;
mod force;
mod host;
mod migrate;
mod prepare;
mod start;

pub use databases::Databases;
pub use error::BootError;
pub use first::mac_key;
pub use host::{CheckPair, Files, Host};
pub use prepare::{Input, Prepared, prepare};
pub use start::{Booted, start};
