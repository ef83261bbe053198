//! L1: the archive as bytes: writing one, reading one that anybody may have made, signing, verifying.

mod directory;
pub mod envelope;
pub mod export;
pub mod read;
pub mod sign;
pub mod source;
pub mod verify;
pub mod write;

pub use export::{ExportInput, Prepared, prepare};
pub use source::Source;
pub use verify::verify;

#[cfg(test)]
mod tests;
