//! Operations on objects, one file each.

pub(super) mod attributes;
pub(super) mod copy;
pub(super) mod delete;
pub(super) mod delete_many;
pub(super) mod get;
pub(super) mod head;
mod headers;
mod part;
pub(super) mod post;
mod publish;
pub(super) mod put;
pub(super) mod source;
pub(super) mod tagging;
