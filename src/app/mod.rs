//! The wired application: what handlers share, how it starts and how it stops.

mod serve;
mod shutdown;
pub mod telemetry;

pub use serve::serve;

use crate::auth::oidc::Oidc;
use crate::auth::password_pool::PasswordPool;
use crate::auth::throttle::Throttle;
use crate::http::metrics::Metrics;
use crate::http::s3::Memory;
use crate::http::server::tls::Certificates;
use actors::audit::AuditHandle;
use actors::backup::BackupHandle;
use actors::domain::clock::Clock;
use actors::kernel::guardian::Guardian;
use actors::session::SessionHandle;
use actors::state_db::LastUsed;
use actors::system::SystemHandle;
use std::sync::Arc;

/// What every handler may use: handles to the owners, and what the edge itself keeps.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The view, and the one path of every mutation.
    pub system: SystemHandle,
    /// Admin sessions.
    pub session: SessionHandle,
    /// The audit log.
    pub audit: AuditHandle,
    /// Backup and restore.
    pub backup: BackupHandle,
    /// Signing in with providers.
    pub oidc: Oidc,
    /// Where passwords are hashed.
    pub passwords: PasswordPool,
    /// What S3 remembers between requests.
    pub s3: Arc<Memory>,
    /// Slows down those who guess.
    pub throttle: Throttle,
    /// When keys and tokens were last used, and users last signed in.
    pub last_used: LastUsed,
    /// What time it is.
    pub clock: Clock,
    /// Counters and histograms.
    pub metrics: Arc<Metrics>,
    /// Knows which owners live.
    pub guardian: Guardian,
    /// The pair that https is served with; `None` for http.
    pub certificates: Option<Arc<Certificates>>,
}
