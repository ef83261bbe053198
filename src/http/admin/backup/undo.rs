//! `backup/undo` and `backup/go-live`: the way back from a restore, and the end of a clone's quarantine.

use crate::http::admin::backup::shape::Restored;
use crate::http::admin::call::{Call, detached};
use crate::http::admin::error::Problem;
use crate::http::admin::openapi::Versioned;
use crate::http::admin::query::Query;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::audit::Outcome;
use actors::backup::UndoRequest;
use actors::domain::change::StateChange;
use actors::domain::iam::action::BACKUP_RESTORE;
use actors::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What `POST /backup/undo` takes in its query.
const PARAMETERS: [&str; 4] = ["dry_run", "discard_later_changes", "revive", "prune_buckets"];

/// `POST /backup/undo`: back to the state before the last restore. An undo can be undone.
#[utoipa::path(
    post, path = "/_/api/admin/backup/undo", tag = "backup", operation_id = "undoRestore",
    params(
        ("dry_run" = Option<bool>, Query, description = "Plan only: nothing changes."),
        ("discard_later_changes" = Option<bool>, Query, description = "What was changed since the restore may be lost."),
        ("revive" = Option<Vec<String>>, Query, description = "Ids that were revoked since and come back enabled, or `all`."),
        ("prune_buckets" = Option<bool>, Query, description = "Buckets made since go although they hold objects."),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat of the same request gets the first outcome, after a restart too; the key with another request is 409 `idempotency_key_reused`. What changed nothing (a plan, an error) holds no key."),
    ),
    responses((status = 200, description = "The outcome, or the plan.", body = Restored), Versioned),
    extensions(("x-dgp-right" = json!("backup:restore"))),
)]
pub(in crate::http::admin) async fn undo(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, BACKUP_RESTORE).await?;
    call.require_recent_login(BACKUP_RESTORE).await?;
    let query = Query::parse(&request, &PARAMETERS)?;
    call.required_version()?;
    let asked = UndoRequest {
        dry_run: query.flag("dry_run")?,
        discard_later_changes: query.flag("discard_later_changes")?,
        revive: query.all("revive").map(str::to_owned).collect(),
        prune_buckets: query.flag("prune_buckets")?,
        caller_token_sha256: Some(call.caller()?.sha256.clone()),
        who: call.who(),
        repeat: None,
    };
    let asked = asked.with_key(call.header("idempotency-key"));
    let action = if asked.dry_run { "backup.undo.plan" } else { "backup.undo" };
    let (edge, recorder) = (call.edge.clone(), call.recorder());
    let outcome = detached(async move {
        let detail = json!({"discard_later_changes": asked.discard_later_changes});
        recorder.record(action, "", Outcome::Started, detail).await?;
        match edge.backup.undo(asked).await {
            Ok(outcome) => {
                let id = outcome.get("restore_id").and_then(Value::as_str).unwrap_or_default();
                let detail = json!({"epoch": outcome.get("epoch"), "undoes": outcome.get("undoes")});
                recorder.record(action, id, Outcome::Success, detail).await?;
                Ok(outcome)
            }
            Err(error) => Err(recorder.failed(action, "", error).await?),
        }
    });
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(outcome.await?))
}

/// Which instance goes live.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::admin) struct GoLive {
    /// This instance's id, or the one whose clone it is: whoever names neither means another server.
    instance_id: String,
}

/// The quarantine has ended.
#[derive(Serialize, ToSchema)]
pub(in crate::http::admin) struct Live {
    instance_id: String,
    /// False.
    quarantined: bool,
    /// The instance whose clone this was; `null` where there was no quarantine.
    #[schema(required)]
    was_clone_of: Option<String>,
}

/// `POST /backup/go-live {instance_id}`: what acts on other systems acts again.
#[utoipa::path(
    post, path = "/_/api/admin/backup/go-live", tag = "backup", operation_id = "goLive",
    request_body = GoLive,
    responses((status = 200, description = "It is live.", body = Live), Versioned),
    extensions(("x-dgp-right" = json!("backup:restore"))),
)]
pub(in crate::http::admin) async fn go_live(
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, BACKUP_RESTORE).await?;
    call.require_recent_login(BACKUP_RESTORE).await?;
    Query::parse(&request, &[])?;
    let body: GoLive = call.json(payload).await?;
    let meta = &call.view.state.meta;
    let (own, was) = (meta.instance_id.clone(), meta.quarantined_from.clone());
    if body.instance_id != own && Some(&body.instance_id) != was.as_ref() {
        let message = format!("this is the instance {own}, not {}; nothing was changed", body.instance_id);
        return Err(Error::new(ErrorKind::Conflict, "go live", message)
            .with_code("wrong_instance")
            .with_hint("`GET /_/health` names the instance")
            .into());
    }
    if was.is_some() {
        call.mutate("backup.go_live", &own, StateChange::GoLive).await?;
    }
    let live = Live { instance_id: own, quarantined: false, was_clone_of: was };
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(live))
}
