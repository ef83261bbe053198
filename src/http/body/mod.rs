//! Bodies, in and out: they stream, they are summed, and a peer that stalls is cut off.

pub mod checksum;
pub mod declared;
pub mod form;
pub mod inbound;
mod incoming;
pub mod multipart_form;
pub mod outbound;
pub(in crate::http) mod pace;
pub mod range;
pub mod readers;
