//! The body that is an archive: read within its limit, and taken out of its envelope where it is encrypted.

use crate::auth::throttle::Standing;
use crate::http::admin::call::Call;
use crate::http::admin::error::{Problem, invalid};
use actix_web::web;
use actors::domain::archive::fault::ArchiveFault;
use actors::zipper::Source;
use actors::zipper::envelope::{self, Key};
use actors::zipper::source::Spool;
use actors::{Error, ErrorKind, Result};
use bytes::{Bytes, BytesMut};

/// So much of a body is written at a time.
const TOGETHER: usize = 1 << 20;

/// Reads the body; its first bytes say what it is, whatever `Content-Type` says.
pub(super) async fn archive(call: &Call, payload: web::Payload) -> Result<Source, Problem> {
    let key = key(call)?;
    let sent = received(call, payload).await?;
    match key {
        Some(key) if envelope::is_sealed(&sent) => open(call, sent, key).await,
        _ => Ok(sent),
    }
}

/// The body in a private file, however long it is.
async fn received(call: &Call, payload: web::Payload) -> Result<Source, Problem> {
    let limit = call.view.config.backup.limits.body;
    // What fails while it is written must not be written on: then there is no spool any more.
    let mut spool = Some(call.edge.backup.spool(limit)?);
    let mut waiting = BytesMut::new();
    let mut write = async |bytes: Bytes| -> Result<(), Problem> {
        if let Some(mut open) = spool.take() {
            spool = Some(blocking(move || open.take(&bytes).map(|()| open)).await?);
        }
        Ok(())
    };
    let read = call.each_chunk(payload, limit, async |chunk| {
        waiting.extend_from_slice(&chunk);
        match waiting.len() < TOGETHER {
            true => Ok(()),
            false => write(waiting.split().freeze()).await,
        }
    });
    read.await.map_err(|problem| match problem.error().kind() {
        ErrorKind::TooLarge => too_large(limit),
        _ => problem,
    })?;
    write(waiting.freeze()).await?;
    spool.map(Spool::finish).ok_or_else(|| Error::internal("receive archive", "the body was not written").into())
}

fn too_large(limit: u64) -> Problem {
    ArchiveFault::ArchiveTooLarge.error(format!("the limit is {limit} bytes (`backup.limits.body`)")).into()
}

/// A stored archive, taken out of its envelope where it is encrypted and the call brings a key.
pub(in crate::http::admin) async fn opened(call: &Call, stored: Source) -> Result<Source, Problem> {
    match key(call)? {
        Some(key) if envelope::is_sealed(&stored) => open(call, stored, key).await,
        _ => Ok(stored),
    }
}

async fn open(call: &Call, sealed: Source, key: Key) -> Result<Source, Problem> {
    let unlocked = match &key {
        // A passphrase costs what a password does, and waits where passwords wait.
        Key::Passphrase(_) => {
            call.edge.passwords.run(Standing::PROVEN, move || envelope::unlock(&sealed, &key)).await?
        }
        Key::Identity(_) => blocking(move || envelope::unlock(&sealed, &key)).await,
    }?;
    let mut spool = call.edge.backup.spool(call.view.config.backup.limits.body)?;
    Ok(blocking(move || unlocked.spool(&mut spool).map(|()| spool.finish())).await?)
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
