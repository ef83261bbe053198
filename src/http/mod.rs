//! The edge's HTTP: what arrives, what is answered.

pub mod body;
pub mod percent;
pub mod s3;
