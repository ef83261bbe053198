//! `GET /status`: what the console's home shows: what to look at, how much there is, how old the last backup is.

use crate::http::admin::call::Call;
use crate::http::admin::error::Problem;
use crate::http::health::{BackendHealth, backends};
use actix_web::{HttpRequest, HttpResponse};
use actors::domain::attention::{Attention, Facts, Severity, attention};
use actors::domain::clock::Timestamp;
use actors::domain::config::model::Authentication;
use actors::domain::state::ExportRecord;
use serde::Serialize;
use utoipa::ToSchema;

/// How this server is.
#[derive(Serialize, ToSchema)]
pub(super) struct Status<'a> {
    version: &'static str,
    /// `epoch.generation`.
    generation: String,
    /// Which of the instances that share a history it is.
    instance_id: &'a str,
    /// `required` or `none`.
    authentication: &'static str,
    locked: bool,
    bootstrap_password: BootstrapPassword,
    counts: Counts,
    backends: Vec<BackendHealth>,
    /// `null` where none was ever made here.
    #[schema(required)]
    last_backup: Option<LastBackup>,
    /// What to look at, the gravest first.
    attention: Vec<AttentionItem>,
    features: Features,
}

/// What is known of the bootstrap password in force.
#[derive(Serialize, ToSchema)]
pub(super) struct BootstrapPassword {
    #[schema(value_type = Option<String>, format = DateTime, required)]
    set_at: Option<Timestamp>,
    /// It went through a log.
    logged: bool,
    /// Environment or config give its hash: only they can change it.
    pinned: bool,
}

/// How much there is.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusCounts)]
pub(super) struct Counts {
    users: usize,
    groups: usize,
    tokens: usize,
    buckets: usize,
}

/// The last Full Backup that was made here.
#[derive(Serialize, ToSchema)]
pub(super) struct LastBackup {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    age_secs: u64,
    /// Who made it.
    actor: String,
    filename: String,
    bytes: u64,
    sha256: String,
    /// `epoch.generation` of what is in it.
    generation: String,
    /// The state is not the one that is in it any more.
    changed_since: bool,
}

/// One thing to look at.
#[derive(Serialize, ToSchema)]
pub(super) struct AttentionItem {
    /// Which, in a word that never changes.
    code: &'static str,
    #[schema(schema_with = severity)]
    severity: Severity,
    /// What is the matter.
    title: String,
    /// What to do about it; empty where the title says it.
    hint: String,
}

/// What this server can do of what the console offers.
#[derive(Serialize, ToSchema)]
pub(super) struct Features {
    /// `POST /backup/undo` is there.
    undo: bool,
    /// `PUT /password` is there.
    password_change: bool,
    /// `GET /backup` makes encrypted archives.
    encrypted_backup: bool,
}

fn severity() -> utoipa::openapi::schema::Schema {
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["critical", "warning", "info"])).into()
}

/// `GET /status`: health, counts, the last backup and the attention list.
#[utoipa::path(
    get, path = "/_/api/admin/status", tag = "about", operation_id = "getStatus",
    responses((status = 200, description = "As of now.", body = Status)),
    extensions(("x-dgp-right" = json!("system:read"))),
)]
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "system:read").await?;
    let (view, now) = (&call.view, call.edge.clock.now());
    let last = call.edge.backup.last_export().await?;
    let backends = backends(view, now).await;
    let down: Vec<(String, String)> = backends.iter().filter_map(BackendHealth::down).collect();
    let mut notices = view.notices.to_vec();
    notices.extend(call.edge.certificates.iter().flat_map(|certificates| certificates.notices()));
    let stored = call.edge.backup.standing();
    let from_backup = call.edge.backup.from_backup().await?;
    let list = attention(&Facts {
        from_backup: &from_backup,
        stored: &stored,
        state: &view.state,
        config: &view.config,
        last_export: last.as_ref(),
        locked: view.locked.as_deref(),
        foreign_hash: view.bootstrap_hash.as_ref().is_some_and(|hash| !hash.parameters().open_by_password()),
        down: &down,
        doubles: &call.edge.system.doubles().doubles,
        audit: &call.edge.audit.troubles(),
        notices: &notices,
        now,
    });
    let (state, meta) = (&view.state, &view.state.meta);
    let status = Status {
        version: env!("CARGO_PKG_VERSION"),
        generation: view.version(),
        instance_id: &meta.instance_id,
        authentication: match view.config.access.authentication {
            Authentication::Required => "required",
            Authentication::None => "none",
        },
        locked: view.locked.is_some(),
        bootstrap_password: BootstrapPassword {
            set_at: meta.password_set_at,
            logged: meta.password_logged,
            pinned: view.config.advanced.bootstrap_password_hash.is_some(),
        },
        counts: Counts {
            users: state.users.len(),
            groups: state.groups.len(),
            tokens: state.tokens.len(),
            buckets: state.buckets.len(),
        },
        backends,
        last_backup: last.map(|last| LastBackup::new(last, &view.version(), now)),
        attention: list.into_iter().map(AttentionItem::from).collect(),
        features: Features { undo: true, password_change: true, encrypted_backup: true },
    };
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(status))
}

impl LastBackup {
    fn new(last: ExportRecord, version: &str, now: Timestamp) -> Self {
        Self {
            at: last.at,
            age_secs: now.since(last.at).as_secs(),
            actor: last.actor,
            filename: last.filename,
            bytes: last.bytes,
            sha256: last.sha256,
            changed_since: last.version != version,
            generation: last.version,
        }
    }
}

impl From<Attention> for AttentionItem {
    fn from(item: Attention) -> Self {
        Self { code: item.code, severity: item.severity, title: item.title, hint: item.hint }
    }
}
