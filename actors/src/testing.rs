//! How a test runs owners.

use crate::db::database::all_closed;
use std::future::Future;
use std::time::Duration;

/// Runs a test on an actix system, and waits until its owners' threads have closed their databases: the process ends with the test.
pub(crate) fn run(test: impl Future<Output = ()>) {
    actix_rt::System::new().block_on(test);
    assert!(all_closed(Duration::from_secs(30)), "a database stays open");
}
