//! The owner of the published view, the order of mutations, the fence and the swap.

mod actor;
mod cell;
pub mod commit_point;
pub mod handle;
pub mod messages;
pub mod staging;
pub mod stores;
pub mod swap;
pub mod view;

pub use handle::{Owners, SystemHandle};
pub use view::{Route, SystemView};
