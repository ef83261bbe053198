//! Operations on objects, one file each.

pub(super) mod delete;
pub(super) mod delete_many;
pub(super) mod get;
pub(super) mod head;
mod headers;
pub(super) mod put;
