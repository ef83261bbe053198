//! L0: the rules of the system. Pure: no I/O, no async, no actor runtime.

pub mod admission;
pub mod adoption;
pub mod archive;
pub mod atrest;
pub mod attention;
pub mod bucket;
pub mod change;
pub mod checksum;
pub mod clock;
pub mod condition;
pub mod config;
pub mod endpoint;
pub mod iam;
pub mod layout;
pub mod listing;
pub mod names;
pub mod network;
pub mod object;
pub mod public;
pub mod secret;
pub mod session;
pub mod state;
pub mod stored;
pub mod tags;
