//! L1: the archive as bytes: writing one, reading one that anybody may have made, signing, verifying.

mod directory;
pub mod envelope;
pub mod export;
pub mod read;
pub mod sign;
pub mod verify;
pub mod write;

pub use export::{ExportInput, Exported, export};
pub use verify::verify;

#[cfg(test)]
mod tests;
