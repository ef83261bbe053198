//! Who is asking: authentication on the wire.

pub mod sigv4;
