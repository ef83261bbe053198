//! Who is asking: authentication on the wire.

pub mod oidc;
pub mod password_pool;
pub mod session;
pub mod sigv4;
pub mod throttle;
pub mod token;
