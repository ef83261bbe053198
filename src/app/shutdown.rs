//! The end: our own signals, then requests, then owners in ask order, then the process.

use crate::app::Edge;
use actix_web::dev::ServerHandle;
use actors::boot::Databases;
use futures_util::future::join_all;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// All of it ends before this: operators are promised 30 s.
const ALL: Duration = Duration::from_secs(28);
/// Requests under way get this long.
const REQUESTS: Duration = Duration::from_secs(20);
/// Each owner gets this long, of what is left.
const OWNER: Duration = Duration::from_secs(5);
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
    let begun = Instant::now();
    let limit = || ALL.saturating_sub(begun.elapsed()).min(OWNER);
    server.pause().await;
    while edge.metrics.in_flight() > 0 && begun.elapsed() < REQUESTS {
        tokio::time::sleep(ROUND).await;
    }
    if edge.metrics.in_flight() > 0 {
        log::warn!("{} requests did not end in time and are cut off", edge.metrics.in_flight());
    }
    server.stop(false).await;
    // Side by side: backends that hang must leave time for the audit log.
    let (view, within) = (edge.system.view(), limit());
    join_all(view.stores.values().map(async |store| {
        if tokio::time::timeout(within, store.drain()).await.is_err() {
            log::warn!("backend {} did not drain in time", store.name());
        }
    }))
    .await;
    if tokio::time::timeout(limit(), edge.audit.close()).await.is_err() {
        log::warn!("the last rows of the audit log could not be written in time");
    }
    if tokio::time::timeout(limit(), edge.last_used.flush(&databases.state)).await.is_err() {
        log::warn!("the last uses of keys were not written down in time");
    }
    if tokio::time::timeout(limit(), edge.system.save_usage(&databases.state, true)).await.is_err() {
        log::warn!("what buckets hold was not saved in time: it is counted after the next start");
    }
    databases.close(limit()).await;
}
