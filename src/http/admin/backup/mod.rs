//! `backup`, `backup/verify`, `backup/restores`: thin; the owner of backups does the work.

pub(super) mod body;
pub(super) mod export;
pub(super) mod shape;
pub(super) mod undo;

use crate::http::admin::backup::body::archive;
use crate::http::admin::backup::shape::{ArchiveFile, Recorded, Restored, Verified};
use crate::http::admin::call::{Call, detached};
use crate::http::admin::error::{Problem, invalid, not_found};
use crate::http::admin::openapi::{Missing, Versioned};
use crate::http::admin::query::Query;
use crate::http::admin::segment;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::audit::Outcome;
use actors::backup::RestoreRequest;
use actors::domain::iam::action::BACKUP_RESTORE;

use serde_json::{Value, json};

const MODES: [&str; 4] = ["full", "preserve-bootstrap", "iam-only", "config-only"];
const STRATEGIES: [&str; 2] = ["replace", "merge"];

/// `POST /backup`: plans a restore of the body and, unless it is a dry run, carries it out.
#[utoipa::path(
    post, path = "/_/api/admin/backup", tag = "backup", operation_id = "restoreBackup",
    params(
        ("dry_run" = Option<bool>, Query, description = "Plan only: nothing changes."),
        ("mode" = Option<String>, Query, description = "`full` (default), `preserve-bootstrap`, `iam-only`, `config-only`."),
        ("strategy" = Option<String>, Query, description = "`replace` (default) or `merge`."),
        ("revive" = Option<Vec<String>>, Query, description = "Ids that were revoked here and come back enabled, or `all`."),
        ("set" = Option<Vec<String>>, Query, description = "`<path>=<value>`: overrides a value of the config."),
        ("host_settings" = Option<String>, Query, description = "`archive`: host settings come from the archive too."),
        ("prune_buckets" = Option<bool>, Query, description = "Registry entries go although they hold objects."),
        ("allow_missing_keys" = Option<bool>, Query, description = "Backends without their keys come up read-only."),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat of the same request gets the first outcome, after a restart too; the key with another request is 409 `idempotency_key_reused`. What changed nothing (a plan, an error) holds no key."),
        ("X-DGP-Bootstrap-Password" = Option<String>, Header, description = "Proves that two hashes are of one password."),
        ("X-DGP-Backup-Passphrase" = Option<String>, Header, description = "Opens an encrypted archive."),
        ("X-DGP-Backup-Identity" = Option<String>, Header, description = "Opens an encrypted archive: `AGE-SECRET-KEY-1…`."),
    ),
    request_body(content = ArchiveFile, content_type = "application/zip", description = "The archive."),
    responses((status = 200, description = "The outcome, or the plan.", body = Restored), Versioned),
    extensions(("x-dgp-right" = json!("backup:restore"))),
)]
pub(super) async fn restore(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, BACKUP_RESTORE).await?;
    call.require_recent_login(BACKUP_RESTORE).await?;
    let mut asked = asked(&Query::parse(&request, &PARAMETERS)?)?;
    call.required_version()?;
    asked.archive = archive(&call, payload).await?;
    perform(&call, asked, None).await
}

/// Carries out what the query asks for, with the archive in the request or a stored one.
pub(super) async fn perform(
    call: &Call,
    mut asked: RestoreRequest,
    stored: Option<String>,
) -> Result<HttpResponse, Problem> {
    asked.caller_token_sha256 = Some(call.caller()?.sha256.clone());
    asked.who = call.who();
    asked.bootstrap_password = call.secret("X-DGP-Bootstrap-Password")?;
    let key = call.header("idempotency-key").map(str::to_owned);
    let asked = body::blocking(move || asked.with_key(key.as_deref())).await?;
    call.required_version()?;
    let action = if asked.dry_run { "backup.plan" } else { "backup.restore" };
    let (edge, recorder, epoch) = (call.edge.clone(), call.recorder(), call.view.state.meta.epoch);
    let outcome = detached(async move {
        let detail = json!({"mode": asked.mode, "strategy": asked.strategy, "epoch": epoch, "stored": stored});
        // The last row of the old epoch; the one with the outcome is the first of the new one.
        recorder.record(action, "", Outcome::Started, detail).await?;
        let outcome = match &stored {
            Some(id) => edge.backup.restore_stored(id, asked).await,
            None => edge.backup.restore(asked).await,
        };
        match outcome {
            Ok(outcome) => {
                let id = outcome.get("restore_id").and_then(Value::as_str).unwrap_or_default();
                let detail = json!({"epoch": outcome.get("epoch"), "generation": outcome.get("generation")});
                recorder.record(action, id, Outcome::Success, detail).await?;
                Ok(outcome)
            }
            Err(error) => Err(recorder.failed(action, "", error).await?),
        }
    });
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(outcome.await?))
}

/// `POST /backup/verify`: checks the body and changes nothing.
#[utoipa::path(
    post, path = "/_/api/admin/backup/verify", tag = "backup", operation_id = "verifyBackup",
    params(
        ("X-DGP-Backup-Passphrase" = Option<String>, Header, description = "Opens an encrypted archive."),
        ("X-DGP-Backup-Identity" = Option<String>, Header, description = "Opens an encrypted archive: `AGE-SECRET-KEY-1…`."),
    ),
    request_body(content = ArchiveFile, content_type = "application/zip", description = "The archive."),
    responses((status = 200, description = "The archive is whole.", body = Verified)),
    extensions(("x-dgp-right" = json!("backup:read"))),
)]
pub(super) async fn verify(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "backup:read").await?;
    Query::parse(&request, &[])?;
    let archive = archive(&call, payload).await?;
    let report = call.edge.backup.verify(archive).await?;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(report))
}

/// `GET /backup/restores`: what was restored here, the latest first.
#[utoipa::path(
    get, path = "/_/api/admin/backup/restores", tag = "backup", operation_id = "listRestores",
    responses((status = 200, description = "The latest first.", body = [Recorded])),
    extensions(("x-dgp-right" = json!("backup:read"))),
)]
pub(super) async fn restores(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "backup:read").await?;
    Query::parse(&request, &[])?;
    let records = call.edge.backup.restores().await?;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(records))
}

/// `GET /backup/restores/{id}`: one outcome, for a client that lost its connection.
#[utoipa::path(
    get, path = "/_/api/admin/backup/restores/{id}", tag = "backup", operation_id = "getRestore",
    params(("id" = String, Path, description = "The restore's id.")),
    responses((status = 200, description = "How it ended.", body = Recorded), Missing),
    extensions(("x-dgp-right" = json!("backup:read"))),
)]
pub(super) async fn restored(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "backup:read").await?;
    let id = segment(&request, "id");
    let records = call.edge.backup.restores().await?;
    let found = records.into_iter().find(|record| record.get("restore_id").and_then(Value::as_str) == Some(id));
    let record = found.ok_or_else(|| not_found("no_such_restore", "there is no record of such a restore"))?;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(record))
}

/// What `POST /backup` takes in its query.
pub(super) const PARAMETERS: [&str; 8] =
    ["mode", "strategy", "dry_run", "revive", "set", "host_settings", "allow_missing_keys", "prune_buckets"];

/// What the query asks for.
pub(super) fn asked(query: &Query) -> Result<RestoreRequest, Problem> {
    let one_of = |name: &str, known: &[&str], default: &str| -> Result<String, Problem> {
        let value = query.one(name)?.unwrap_or(default);
        if known.contains(&value) {
            return Ok(value.to_owned());
        }
        Err(invalid(format!("`{name}` is one of {}, not `{value}`", known.join(", "))))
    };
    let host_settings = match query.one("host_settings")? {
        None => None,
        Some("archive") => Some("archive".to_owned()),
        Some(other) => return Err(invalid(format!("`host_settings` is `archive` or absent, not `{other}`"))),
    };
    let mut sets = Vec::new();
    for set in query.all("set") {
        let (path, value) =
            set.split_once('=').ok_or_else(|| invalid(format!("`set` is <path>=<value>, not `{set}`")))?;
        sets.push((path.to_owned(), value.to_owned()));
    }
    Ok(RestoreRequest {
        mode: one_of("mode", &MODES, "full")?,
        strategy: one_of("strategy", &STRATEGIES, "replace")?,
        dry_run: query.flag("dry_run")?,
        revive: query.all("revive").map(str::to_owned).collect(),
        host_settings,
        prune_buckets: query.flag("prune_buckets")?,
        allow_missing_keys: query.flag("allow_missing_keys")?,
        sets,
        ..RestoreRequest::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn read(uri: &str) -> Result<RestoreRequest, Problem> {
        asked(&Query::parse(&TestRequest::with_uri(uri).to_http_request(), &PARAMETERS)?)
    }

    #[test]
    fn a_restore_is_full_and_to_the_point_in_time_unless_asked_otherwise() {
        let plain = read("/backup").unwrap();
        assert_eq!((plain.mode.as_str(), plain.strategy.as_str(), plain.dry_run), ("full", "replace", false));
        let asked = read(
            "/backup?mode=iam-only&strategy=merge&dry_run=true&prune_buckets=true&revive=u1&revive=u2&host_settings=archive\
             &set=storage.backends.0.path=/srv/a%3Db",
        )
        .unwrap();
        assert_eq!((asked.mode.as_str(), asked.strategy.as_str(), asked.dry_run), ("iam-only", "merge", true));
        assert!(asked.prune_buckets);
        assert_eq!(asked.revive, ["u1", "u2"]);
        assert_eq!(asked.host_settings.as_deref(), Some("archive"));
        assert_eq!(asked.sets, [("storage.backends.0.path".to_owned(), "/srv/a=b".to_owned())]);
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for (uri, says) in [
            ("/backup?mode=partial", "preserve-bootstrap"),
            ("/backup?strategy=add", "merge"),
            ("/backup?host_settings=host", "archive"),
            ("/backup?set=a.b", "<path>=<value>"),
            ("/backup?dryrun=1", "dry_run"),
        ] {
            let error = read(uri).unwrap_err();
            assert!(error.error().message().contains(says), "{uri}: {error}");
        }
    }
}
