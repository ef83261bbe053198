//! The owner of the published view, the order of mutations, the fence and the swap.

mod actor;
pub mod buckets;
mod cell;
pub mod commit_point;
pub mod handle;
pub mod keeper;
pub mod messages;
pub mod staging;
pub mod stores;
pub mod swap;
pub mod usage;
pub mod view;

pub use handle::{Owners, SystemHandle};
pub use usage::{Reservation, Usage};
pub use view::{Route, SystemView};
