//! Archives: what is written is read, and every way of being bad has its own name.

mod faults;
mod good;
mod modes;
mod plan;
mod raw;
mod testkit;
mod undo;
