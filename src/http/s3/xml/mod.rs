//! S3's XML: what is read and what is written.

pub mod read;
pub mod write;

/// The namespace of every S3 document but the error document.
pub const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
