//! The body that is an archive: read within its limit, and taken out of its envelope where it is encrypted.

use crate::http::admin::call::Call;
use crate::http::admin::error::{Problem, invalid};
use actix_web::web;
use actors::domain::archive::fault::ArchiveFault;
use actors::zipper::envelope::{self, Key};
use actors::{Error, ErrorKind, Result};
use bytes::Bytes;

/// Reads the body; its first bytes say what it is, whatever `Content-Type` says.
pub(super) async fn archive(call: &Call, payload: web::Payload) -> Result<Bytes, Problem> {
    let key = key(call)?;
    let limit = call.view.config.backup.limits.body;
    let bytes = call.body(payload, limit).await.map_err(|problem| match problem.error().kind() {
        ErrorKind::TooLarge => {
            let detail = format!("`backup.limits.body` is {limit} bytes");
            ArchiveFault::ArchiveTooLarge.error(detail).into()
        }
        _ => problem,
    })?;
    match key {
        Some(key) if envelope::is_sealed(&bytes) => open(call, bytes, key, limit).await,
        _ => Ok(bytes),
    }
}

/// A stored archive, taken out of its envelope where it is encrypted and the call brings a key.
pub(in crate::http::admin) async fn opened(call: &Call, bytes: Bytes) -> Result<Bytes, Problem> {
    match key(call)? {
        Some(key) if envelope::is_sealed(&bytes) => open(call, bytes, key, call.view.config.backup.limits.body).await,
        _ => Ok(bytes),
    }
}

async fn open(call: &Call, sealed: Bytes, key: Key, limit: u64) -> Result<Bytes, Problem> {
    let unlocked = match &key {
        // A passphrase costs what a password does, and waits where passwords wait.
        Key::Passphrase(_) => call.edge.passwords.run(&call.ip, move || envelope::unlock(sealed, &key)).await?,
        Key::Identity(_) => blocking(move || envelope::unlock(sealed, &key)).await,
    }?;
    Ok(blocking(move || unlocked.read(limit)).await?.into())
}

/// What the headers bring to open an envelope.
fn key(call: &Call) -> Result<Option<Key>, Problem> {
    let passphrase = call.secret("X-DGP-Backup-Passphrase")?;
    match (passphrase, call.secret("X-DGP-Backup-Identity")?) {
        (Some(_), Some(_)) => Err(invalid("send X-DGP-Backup-Passphrase or X-DGP-Backup-Identity, not both")),
        (passphrase, identity) => Ok(passphrase.map(Key::Passphrase).or(identity.map(Key::Identity))),
    }
}

/// Runs what computes away from the threads that serve requests.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    web::block(work).await.map_err(|error| Error::internal("backup", error))?
}
