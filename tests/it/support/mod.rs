//! What the integration tests stand on: the real binary in its own directory, a raw client, a signer of our own, archives.

pub mod archive;
pub mod client;
pub mod conform;
pub mod idp;
pub mod server;
pub mod signer;
pub mod tls;
pub mod upload;

use std::time::{Duration, Instant};

/// Waits until a condition holds, at most ten seconds.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "within 10 s it did not come about that {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
