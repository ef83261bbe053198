//! `backups`, `backups/{id}`, `backups/schedule`: stored backups. Thin; the owner of backups does the work.

use crate::http::admin::backup::body::opened;
use crate::http::admin::backup::export::sent;
use crate::http::admin::backup::shape::{ArchiveFile, Restored};
use crate::http::admin::backup::{PARAMETERS, asked, perform};
use crate::http::admin::call::{Call, detached};
use crate::http::admin::error::Problem;
use crate::http::admin::openapi::{Conflicting, Missing, Versioned};
use crate::http::admin::query::Query;
use crate::http::admin::{list_of, segment};
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse};
use actors::audit::Outcome;
use actors::backup::Pieces;
use actors::domain::clock::Timestamp;
use actors::domain::config::model::{Backup, BackupTarget};
use actors::domain::iam::action::{BACKUP_EXPORT_SECRETS, BACKUP_RESTORE};
use actors::domain::stored::{Failure, Standing, StoredName, Success, is_stale};
use actors::zipper::envelope::is_sealed;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A stored backup: what its place says, and what is on record of it here.
#[derive(Serialize, ToSchema)]
pub(crate) struct StoredBackup {
    /// Its name, as its file or object is called.
    id: String,
    /// When what is in it was captured.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    age_secs: u64,
    /// How large the file is.
    bytes: u64,
    encrypted: bool,
    /// This instance made it, as its records say: only such are removed by `backup.keep`.
    own: bool,
    /// `schedule`, `on_change` or `request`; `null` where another instance made it.
    #[schema(required)]
    trigger: Option<String>,
    /// Who asked for it; `$schedule` where nobody did.
    #[schema(required)]
    actor: Option<String>,
    /// SHA-256 of the file when it was stored or first checked.
    #[schema(required)]
    sha256: Option<String>,
    /// `epoch.generation` of what is in it.
    #[schema(required)]
    generation: Option<String>,
    /// The last check found it whole.
    verified: bool,
    /// When that was.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    verified_at: Option<Timestamp>,
    /// Why the last check failed.
    #[schema(required)]
    verify_error: Option<String>,
    /// It is the last verified one of this instance: `backup.keep` never removes it.
    last_verified: bool,
    /// `backup.keep` does not keep it: it goes after the next run.
    expires: bool,
}

/// When backups are stored, where, and how that is going.
#[derive(Serialize, ToSchema)]
pub(super) struct Schedule {
    /// `backup.schedule`, five fields of cron in UTC.
    #[schema(required)]
    schedule: Option<String>,
    /// `backup.on_change` in seconds.
    #[schema(required)]
    on_change_secs: Option<u64>,
    /// `null` where the configuration names none.
    #[schema(required)]
    destination: Option<Destination>,
    keep: KeepRules,
    /// Each stored backup is read back and checked.
    verify: bool,
    /// The next time of the schedule.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    next_run: Option<Timestamp>,
    /// One runs now.
    running: bool,
    #[schema(required)]
    last_success: Option<LastSuccess>,
    /// The last failure; older than the last success where all is well.
    #[schema(required)]
    last_error: Option<LastError>,
    /// How many runs failed since the last success.
    failures: u64,
    /// The schedule has come twice since the last success.
    stale: bool,
}

/// Where backups are stored.
#[derive(Serialize, ToSchema)]
#[schema(as = BackupDestination)]
pub(super) struct Destination {
    /// `directory` or `bucket`.
    kind: &'static str,
    #[schema(required)]
    directory: Option<String>,
    #[schema(required)]
    bucket: Option<String>,
    #[schema(required)]
    prefix: Option<String>,
}

/// Which stored backups stay: those that either rule keeps; all where there is none.
#[derive(Serialize, ToSchema)]
pub(super) struct KeepRules {
    #[schema(required)]
    last: Option<u64>,
    #[schema(required)]
    days: Option<u64>,
}

/// The last run that ended well.
#[derive(Serialize, ToSchema)]
#[schema(as = BackupSuccess)]
pub(super) struct LastSuccess {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    age_secs: u64,
    /// What it stored.
    id: String,
    bytes: u64,
    duration_ms: u64,
    generation: String,
}

/// The last run that failed.
#[derive(Serialize, ToSchema)]
#[schema(as = BackupFailure)]
pub(super) struct LastError {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    code: String,
    detail: String,
    #[schema(required)]
    hint: Option<String>,
}

/// `GET /backups`: what lies where the configuration says; nothing where it says nothing.
#[utoipa::path(
    get, path = "/_/api/admin/backups", tag = "backup", operation_id = "listStoredBackups",
    responses((status = 200, description = "The latest first.", body = [StoredBackup]), Conflicting),
    extensions(("x-dgp-right" = json!("backup:read"))),
)]
pub(super) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "backup:read").await?;
    Query::parse(&request, &[])?;
    let now = call.edge.clock.now();
    let stored = call.edge.backup.stored().await?;
    Ok(list_of(&call.view, stored.into_iter().map(|stored| StoredBackup::new(stored, now)).collect(), None))
}

/// `POST /backups`: stores one now.
#[utoipa::path(
    post, path = "/_/api/admin/backups", tag = "backup", operation_id = "storeBackup",
    responses((status = 201, description = "It is stored, and read back unless `backup.verify` is off.", body = StoredBackup),
        Conflicting),
    extensions(("x-dgp-right" = json!("backup:export"))),
)]
pub(super) async fn create(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "backup:export").await?;
    Query::parse(&request, &[])?;
    let (edge, recorder, who, now) = (call.edge.clone(), call.recorder(), call.who(), call.edge.clock.now());
    let stored = detached(async move {
        match edge.backup.store(who).await {
            Ok(stored) => {
                let detail = json!({"bytes": stored.bytes, "sha256": stored.sha256, "trigger": "request",
                    "verified": stored.verified_at.is_some()});
                recorder.record("backup.store", &stored.id, Outcome::Success, detail).await?;
                Ok(stored)
            }
            Err(error) => Err(recorder.failed("backup.store", "", error).await?),
        }
    });
    Ok(HttpResponse::Created().insert_header(("cache-control", "no-store")).json(StoredBackup::new(stored.await?, now)))
}

/// `GET /backups/schedule`: when the next one is due, and how the last ones went.
#[utoipa::path(
    get, path = "/_/api/admin/backups/schedule", tag = "backup", operation_id = "getBackupSchedule",
    responses((status = 200, description = "As of now.", body = Schedule)),
    extensions(("x-dgp-right" = json!("backup:read"))),
)]
pub(super) async fn schedule(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "backup:read").await?;
    Query::parse(&request, &[])?;
    let schedule = Schedule::new(&call.view.config.backup, call.edge.backup.standing(), call.edge.clock.now());
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(schedule))
}

/// `GET /backups/{id}`: the file as it lies there. A plaintext one is a keystore: it needs the right to export secrets.
#[utoipa::path(
    get, path = "/_/api/admin/backups/{id}", tag = "backup", operation_id = "downloadStoredBackup",
    params(("id" = String, Path, description = "Its name.")),
    responses(
        (status = 200, description = "The archive.", body = ArchiveFile, content_type = "application/octet-stream",
         headers(("Content-Disposition" = String, description = "With the file's name."))),
        Missing, Conflicting,
    ),
    extensions(("x-dgp-right" = json!("backup:export-secrets"))),
)]
pub(super) async fn download(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    let id = segment(&request, "id").to_owned();
    // One that is encrypted opens for nobody but its recipients.
    let sealed = StoredName::parse(&id).is_some_and(|name| name.is_encrypted());
    if !(sealed && call.may("backup:export")) {
        call.require(BACKUP_EXPORT_SECRETS).await?;
        call.require_recent_login(BACKUP_EXPORT_SECRETS).await?;
    }
    Query::parse(&request, &[])?;
    let stored = match call.edge.backup.fetch_stored(&id).await {
        Ok(stored) => stored,
        Err(error) => return Err(call.recorder().failed("backup.download", &id, error).await?),
    };
    call.recorder().record("backup.download", &id, Outcome::Success, json!({"bytes": stored.len()})).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/octet-stream"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{id}\"")))
        .insert_header(("cache-control", "no-store"))
        .body(sent(Pieces::of(stored))))
}

/// `DELETE /backups/{id}`: the last verified one only with `force=true`, by somebody who may restore.
#[utoipa::path(
    delete, path = "/_/api/admin/backups/{id}", tag = "backup", operation_id = "deleteStoredBackup",
    params(
        ("id" = String, Path, description = "Its name."),
        ("force" = Option<bool>, Query, description = "Also where it is the last verified one; needs `backup:restore`."),
    ),
    responses((status = 204, description = "It is gone."), Missing, Conflicting),
    extensions(("x-dgp-right" = json!("system:write"))),
)]
pub(super) async fn delete(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "system:write").await?;
    let force = Query::parse(&request, &["force"])?.flag("force")?;
    if force {
        call.require(BACKUP_RESTORE).await?;
    }
    let (edge, recorder, id) = (call.edge.clone(), call.recorder(), segment(&request, "id").to_owned());
    detached(async move {
        match edge.backup.delete_stored(&id, force).await {
            Ok(()) => recorder.record("backup.delete", &id, Outcome::Success, json!({"force": force})).await,
            Err(error) => Err(recorder.failed("backup.delete", &id, error).await?),
        }
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /backups/{id}/verify`: reads it back and checks everything that can be checked; the result is on record.
#[utoipa::path(
    post, path = "/_/api/admin/backups/{id}/verify", tag = "backup", operation_id = "verifyStoredBackup",
    params(
        ("id" = String, Path, description = "Its name."),
        ("X-DGP-Backup-Passphrase" = Option<String>, Header, description = "Opens an encrypted archive."),
        ("X-DGP-Backup-Identity" = Option<String>, Header, description = "Opens an encrypted archive: `AGE-SECRET-KEY-1…`."),
    ),
    responses((status = 200, description = "It is whole.", body = StoredBackup), Missing, Conflicting),
    extensions(("x-dgp-right" = json!("backup:read"))),
)]
pub(super) async fn verify(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "backup:read").await?;
    Query::parse(&request, &[])?;
    let id = segment(&request, "id");
    let stored = match check(&call, id).await {
        Ok(stored) => stored,
        Err(problem) => {
            let detail = json!({"code": problem.code()});
            call.recorder().record("backup.verify", id, Outcome::Failed, detail).await?;
            return Err(problem);
        }
    };
    call.recorder().record("backup.verify", id, Outcome::Success, Value::Null).await?;
    let stored = StoredBackup::new(stored, call.edge.clock.now());
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(stored))
}

/// What is encrypted is opened and checked where the call brings a key; without one, only its sum is.
async fn check(call: &Call, id: &str) -> Result<actors::backup::StoredBackup, Problem> {
    if StoredName::parse(id).is_some_and(|name| name.is_encrypted()) {
        let opened = opened(call, call.edge.backup.fetch_stored(id).await?).await?;
        if !is_sealed(&opened) {
            call.edge.backup.verify(opened).await?;
        }
    }
    Ok(call.edge.backup.check_stored(id).await?)
}

/// `POST /backups/{id}/restore`: as `POST /backup` with this archive, if this instance or somebody it trusts signed it.
#[utoipa::path(
    post, path = "/_/api/admin/backups/{id}/restore", tag = "backup", operation_id = "restoreStoredBackup",
    params(
        ("id" = String, Path, description = "Its name."),
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
    responses((status = 200, description = "The outcome, or the plan.", body = Restored), Missing, Versioned),
    extensions(("x-dgp-right" = json!("backup:restore"))),
)]
pub(super) async fn restore(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, BACKUP_RESTORE).await?;
    call.require_recent_login(BACKUP_RESTORE).await?;
    let mut asked = asked(&Query::parse(&request, &PARAMETERS)?)?;
    let id = segment(&request, "id").to_owned();
    asked.archive = opened(&call, call.edge.backup.fetch_stored(&id).await?).await?;
    perform(&call, asked, Some(id)).await
}

impl StoredBackup {
    /// As it is shown at this moment.
    pub(crate) fn new(stored: actors::backup::StoredBackup, now: Timestamp) -> Self {
        Self {
            age_secs: now.since(stored.at).as_secs(),
            id: stored.id,
            at: stored.at,
            bytes: stored.bytes,
            encrypted: stored.encrypted,
            own: stored.own,
            trigger: stored.trigger,
            actor: stored.actor,
            sha256: stored.sha256,
            generation: stored.version,
            verified: stored.verified_at.is_some(),
            verified_at: stored.verified_at,
            verify_error: stored.verify_error,
            last_verified: stored.last_verified,
            expires: stored.expires,
        }
    }
}

impl Schedule {
    fn new(backup: &Backup, standing: Standing, now: Timestamp) -> Self {
        Self {
            schedule: backup.schedule.as_ref().map(|cron| cron.as_str().to_owned()),
            on_change_secs: backup.on_change.map(|rest| rest.as_secs()),
            destination: backup.to.as_ref().map(Destination::new),
            keep: KeepRules { last: backup.keep.last, days: backup.keep.days },
            verify: backup.verify,
            next_run: backup.schedule.as_ref().and_then(|cron| cron.next_after(now)),
            running: standing.running,
            stale: is_stale(backup.schedule.as_ref(), &standing, now),
            failures: standing.failures,
            last_success: standing.last_success.map(|success| LastSuccess::new(success, now)),
            last_error: standing.last_failure.map(LastError::from),
        }
    }
}

impl Destination {
    fn new(target: &BackupTarget) -> Self {
        match target {
            BackupTarget::Directory(path) => {
                Self { kind: "directory", directory: Some(path.as_str().to_owned()), bucket: None, prefix: None }
            }
            BackupTarget::Bucket { bucket, prefix } => {
                Self { kind: "bucket", directory: None, bucket: Some(bucket.to_string()), prefix: Some(prefix.clone()) }
            }
        }
    }
}

impl LastSuccess {
    fn new(success: Success, now: Timestamp) -> Self {
        Self {
            at: success.at,
            age_secs: now.since(success.at).as_secs(),
            id: success.id,
            bytes: success.bytes,
            duration_ms: u64::try_from(success.took.as_millis()).unwrap_or(u64::MAX),
            generation: success.version,
        }
    }
}

impl From<Failure> for LastError {
    fn from(failure: Failure) -> Self {
        Self { at: failure.at, code: failure.code, detail: failure.detail, hint: failure.hint }
    }
}
