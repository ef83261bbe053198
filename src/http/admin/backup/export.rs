//! `GET /backup`: who may have which archive, and the envelope that it travels in.

use crate::auth::throttle::Standing;
use crate::http::admin::backup::body::blocking;
use crate::http::admin::backup::shape::ArchiveFile;
use crate::http::admin::call::Call;
use crate::http::admin::error::{Problem, invalid};
use crate::http::admin::openapi::Conflicting;
use crate::http::admin::query::Query;
use actix_web::body::SizedStream;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse};
use actors::audit::Outcome;
use actors::backup::Pieces;
use actors::domain::archive::older::legacy_json;
use actors::domain::iam::action::{BACKUP_EXPORT, BACKUP_EXPORT_SECRETS};
use actors::domain::secret::Secret;
use actors::zipper::envelope::Envelope;
use actors::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// In what the archive travels.
enum Wrapping {
    Plain,
    Recipients(Vec<String>),
    Passphrase(Secret),
}

/// `GET /backup`: the archive. It holds every secret: in the clear, or for a reader of the caller's choice, it needs the right to
/// export them and a recent login.
#[utoipa::path(
    get, path = "/_/api/admin/backup", tag = "backup", operation_id = "exportBackup",
    params(
        ("recipient" = Option<Vec<String>>, Query, description = "Encrypt to these age recipients."),
        ("format" = Option<String>, Query, description = "`zip`, which is the default, or `json`: users and what belongs to them as version 1 wrote them, with their secrets."),
        ("X-DGP-Backup-Passphrase" = Option<String>, Header, description = "Encrypt with a passphrase."),
    ),
    responses(
        (status = 200, description = "The archive; as an age file where it is encrypted.",
         content((ArchiveFile = "application/zip"), (ArchiveFile = "application/octet-stream"),
          (serde_json::Value = "application/json")),
         headers(("Content-Disposition" = String, description = "With the file's name."))),
        Conflicting,
    ),
    extensions(("x-dgp-right" = json!("backup:export-secrets"))),
)]
pub(in crate::http::admin) async fn export(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    call.caller()?;
    let secrets = call.may(BACKUP_EXPORT_SECRETS);
    if !secrets && !call.may(BACKUP_EXPORT) {
        call.require(BACKUP_EXPORT_SECRETS).await?;
    }
    let query = Query::parse(&request, &["recipient", "format"])?;
    let chosen = chosen(&call, &query)?;
    match query.one("format")? {
        None | Some("zip") => {}
        Some("json") => return legacy(&call, chosen.is_some()).await,
        Some(other) => return Err(invalid(format!("`format` is zip or json, not `{other}`"))),
    }
    let wrapping = match chosen {
        None if !secrets => Wrapping::Recipients(configured(&call).await?),
        chosen => {
            call.require(BACKUP_EXPORT_SECRETS).await?;
            call.require_recent_login(BACKUP_EXPORT_SECRETS).await?;
            chosen.unwrap_or(Wrapping::Plain)
        }
    };
    let ready = match make(&call, &wrapping).await {
        Ok(ready) => ready,
        Err(error) => return Err(call.recorder().failed("backup.export", "", error).await?),
    };
    call.recorder().record("backup.export", &ready.filename, Outcome::Success, ready.detail).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, ready.content_type))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", ready.filename)))
        .insert_header(("cache-control", "no-store"))
        .body(sent(ready.pieces)))
}

/// `?format=json`: users and what belongs to them as version 1 wrote them, secrets included, and so always in the clear.
async fn legacy(call: &Call, encrypted: bool) -> Result<HttpResponse, Problem> {
    call.require(BACKUP_EXPORT_SECRETS).await?;
    call.require_recent_login(BACKUP_EXPORT_SECRETS).await?;
    if encrypted {
        return Err(invalid(
            "`format=json` is not encrypted: leave the recipient or passphrase out, or send `format=zip`",
        ));
    }
    call.view.unlocked()?;
    let view = call.view.clone();
    let bytes = blocking(move || legacy_json(&view.state)).await?;
    let detail = json!({"sha256": hex::encode(Sha256::digest(&bytes)), "bytes": bytes.len(), "format": "json"});
    call.recorder().record("backup.export", "iam.json", Outcome::Success, detail).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"iam.json\""))
        .insert_header(("cache-control", "no-store"))
        .body(bytes))
}

/// A body of exactly the length of an archive. Where its second pass fails the connection ends before it.
pub(in crate::http::admin) fn sent(pieces: Pieces) -> SizedStream<Pieces> {
    SizedStream::new(pieces.length(), pieces)
}

/// An archive that can be sent.
struct Ready {
    filename: String,
    content_type: &'static str,
    pieces: Pieces,
    /// For the audit log.
    detail: Value,
}

async fn make(call: &Call, wrapping: &Wrapping) -> Result<Ready> {
    let envelope = match wrapping {
        Wrapping::Plain => None,
        Wrapping::Recipients(recipients) => Some(Envelope::for_recipients(recipients)?),
        Wrapping::Passphrase(passphrase) => {
            let passphrase = passphrase.clone();
            Some(call.edge.passwords.run(Standing::PROVEN, move || Envelope::with_passphrase(&passphrase)).await??)
        }
    };
    let archive = call.edge.backup.export(call.who()).await?;
    // The sum is that of the zip: what is in the envelope, whatever it was sealed with.
    let detail = json!({"sha256": archive.sha256(), "bytes": archive.length(), "encrypted": wrapping.described()});
    let (filename, content_type) = match envelope {
        None => (archive.filename().to_owned(), "application/zip"),
        Some(_) => (format!("{}.age", archive.filename()), "application/octet-stream"),
    };
    Ok(Ready { filename, content_type, pieces: archive.pieces(envelope)?, detail })
}

impl Wrapping {
    /// For the audit log.
    fn described(&self) -> Value {
        match self {
            Self::Plain => Value::Null,
            Self::Recipients(recipients) => json!(recipients),
            Self::Passphrase(_) => json!("passphrase"),
        }
    }
}

/// The reader that the caller chose.
fn chosen(call: &Call, query: &Query) -> Result<Option<Wrapping>, Problem> {
    let recipients: Vec<String> = query.all("recipient").map(str::to_owned).collect();
    match (recipients.is_empty(), call.secret("X-DGP-Backup-Passphrase")?) {
        (false, Some(_)) => Err(invalid("send `recipient` or X-DGP-Backup-Passphrase, not both")),
        (false, None) => Ok(Some(Wrapping::Recipients(recipients))),
        (true, passphrase) => Ok(passphrase.map(Wrapping::Passphrase)),
    }
}

/// The readers of whoever may choose none.
async fn configured(call: &Call) -> Result<Vec<String>, Problem> {
    let recipients = call.view.config.backup.recipients.clone();
    if !recipients.is_empty() {
        return Ok(recipients);
    }
    call.recorder().record("backup.export", "", Outcome::Denied, json!({"code": "no_recipients"})).await?;
    Err(Error::new(
        ErrorKind::Conflict,
        "export",
        "you may make archives encrypted to `backup.recipients` only, and there are no recipients",
    )
    .with_code("no_recipients")
    .with_hint("ask an admin to set them, or for the right `backup:export-secrets`")
    .into())
}
