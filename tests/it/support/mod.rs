//! What the integration tests stand on: the real binary in its own directory, a raw client, a signer of our own, archives.

pub mod archive;
pub mod client;
pub mod conform;
pub mod idp;
pub mod server;
pub mod signer;
pub mod tls;
pub mod upload;

use actors::storage::testkit::peers::Peer;
use std::time::{Duration, Instant};

/// The storage section of a config whose buckets all lie in the peer.
pub fn storage_in(peer: &Peer) -> String {
    let Peer { url, region, access_key_id, secret_access_key, .. } = peer;
    format!(
        "storage:\n  backend:\n    type: s3\n    endpoint: {url}\n    region: {region}\n    access_key_id: {access_key_id}\n    \
         secret_access_key: {secret_access_key}\n"
    )
}

/// Waits until a condition holds, at most ten seconds.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "within 10 s it did not come about that {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
