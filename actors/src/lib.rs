//! The system behind the edge, in layers: `domain` (pure rules) ← `disk`, `storage`, `db`, `zipper` (I/O)
//! ← `kernel` (the actor runtime's seam) ← the owners, one folder each.
//!
//! Imports run one way, downward; `tests/tidy.rs` checks it.

pub mod domain;
pub mod error;
pub mod fault;

pub mod db;
pub mod disk;
pub mod storage;
pub mod zipper;

pub mod kernel;

pub mod audit;
pub mod backup;
pub mod boot;
pub mod config;
pub mod iam;
pub mod iam_db;
pub mod session;
pub mod state_db;
pub mod store;
pub mod system;

#[cfg(test)]
mod testing;

pub use error::{Error, ErrorKind, Result};
