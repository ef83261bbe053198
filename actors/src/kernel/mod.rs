//! The seam to the actor runtime: permits, references to owners, the guardian, the ask order. Owners are shells on top of it.

pub mod guardian;
pub mod order;
pub mod owner;
pub mod permits;
