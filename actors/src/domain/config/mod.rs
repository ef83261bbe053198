//! The configuration: its typed model, its strict reader, its canonical form.

pub mod model;
