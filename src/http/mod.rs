//! The edge's HTTP: what arrives, what is answered.

pub mod body;
pub mod context;
pub mod percent;
pub mod reply;
pub mod s3;
