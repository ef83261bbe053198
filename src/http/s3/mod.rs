//! The S3 API: one request in, one operation, one answer.

pub mod error;
pub mod operation;
pub mod permission;
pub mod registry;
pub mod xml;
