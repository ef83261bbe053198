//! The configuration: its typed model, its strict reader, its canonical form.
//!
//! Text goes through `reader` (events → tree), `flat` (older shape), `environment` (overrides), `check` (tree → typed values
//! by the `table` of keys), `build` and `storage` (typed values → `model`); `canonical` is the way back.

mod admission;
pub mod annotated;
mod backend;
mod buckets;
mod build;
pub mod canonical;
pub mod check;
pub mod declared;
pub mod edit;
pub mod emit;
pub mod encryption;
pub mod environment;
mod flat;
mod iam;
pub mod load;
pub mod model;
pub mod problem;
pub mod reader;
pub mod reschedule;
pub mod routing;
pub mod rule;
pub mod scalar;
pub mod schema;
pub mod shape;
mod storage;
pub mod table;
#[cfg(test)]
mod tests;
pub mod tree;
pub mod upstream;

pub use iam::{document as iam_document, with_document as with_iam_document};
pub use load::{Loaded, Source, load, load_from};
pub use storage::DEFAULT_BACKEND;
