//! The end: our own signals, then requests, then owners in ask order, then the process.

use crate::app::Edge;
use actix_web::dev::ServerHandle;
use actors::boot::Databases;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Requests under way get this long; with the owners' deadline it stays below the 30 s that operators are promised.
const REQUESTS: Duration = Duration::from_secs(20);
const OWNERS: Duration = Duration::from_secs(5);
const ROUND: Duration = Duration::from_millis(20);

/// SIGTERM and SIGINT, received from the moment this is made: before the port is announced, so that whoever reads the announcement
/// may end the process in order.
pub(super) struct Signals {
    term: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Receives them from now on.
    pub(super) fn receive() -> std::io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one of them.
    pub(super) async fn requested(&mut self) -> &'static str {
        tokio::select! {
            _ = self.term.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Ends requests, then drains the owners. Idle connections are closed at once: only requests under way are waited for.
pub(super) async fn run(server: &ServerHandle, edge: &Edge, databases: &Databases) {
    server.pause().await;
    let deadline = tokio::time::Instant::now() + REQUESTS;
    while edge.metrics.in_flight() > 0 && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(ROUND).await;
    }
    if edge.metrics.in_flight() > 0 {
        log::warn!("{} requests did not end in time and are cut off", edge.metrics.in_flight());
    }
    server.stop(false).await;
    for store in edge.system.view().stores.values() {
        if tokio::time::timeout(OWNERS, store.drain()).await.is_err() {
            log::warn!("backend {} did not drain in time", store.name());
        }
    }
    if tokio::time::timeout(OWNERS, edge.audit.close()).await.is_err() {
        log::warn!("the last rows of the audit log could not be written in time");
    }
    if tokio::time::timeout(OWNERS, edge.last_used.flush(&databases.state)).await.is_err() {
        log::warn!("the last uses of keys were not written down in time");
    }
    if tokio::time::timeout(OWNERS, edge.system.save_usage(&databases.state, true)).await.is_err() {
        log::warn!("what buckets hold was not saved in time: it is counted after the next start");
    }
    databases.close(OWNERS).await;
}
