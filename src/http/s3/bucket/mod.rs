//! Operations on buckets, one file each.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod head;
pub(super) mod list;
pub(super) mod list_all;
pub(super) mod location;
mod scan;
