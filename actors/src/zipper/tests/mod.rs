//! Archives: what is written is read, and every way of being bad has its own name.

mod atrest;
mod faults;
mod golden;
mod good;
mod modes;
mod older;
mod plan;
mod raw;
pub(in crate::zipper) mod testkit;
mod undo;
