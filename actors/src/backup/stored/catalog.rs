//! The stored backups as a list, and what can be done with one: read, check, delete, and be trusted for a restore.

use super::destination::{Destination, missing};
use crate::backup::blocking;
use crate::backup::handle::Tools;
use crate::backup::messages::StoredBackup;
use crate::backup::read::read;
use crate::db::runtime::{delete_stored, put_stored, stored_records};
use crate::domain::archive::Archive;
use crate::domain::stored::retention::{Candidate, expired, last_verified};
use crate::domain::stored::{StoredName, StoredRecord};
use crate::zipper::{Source, sign};
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;

const OPERATION: &str = "stored backups";

/// The backups that lie where the config says, the latest first; none where it says nothing.
pub(in crate::backup) async fn entries(tools: &Tools) -> Result<Vec<StoredBackup>> {
    let view = tools.system.view();
    if view.config.backup.to.is_none() {
        return Ok(Vec::new());
    }
    let destination = Destination::of(tools, &view)?;
    let (found, mut records) = (destination.list().await?, records(tools, &destination).await?);
    let mut list: Vec<StoredBackup> = found
        .into_iter()
        .map(|found| {
            let record = records.remove(found.name.as_str()).unwrap_or_default();
            StoredBackup {
                id: found.name.as_str().to_owned(),
                at: found.name.at(),
                bytes: found.bytes,
                encrypted: found.name.is_encrypted(),
                own: record.own,
                trigger: record.trigger,
                actor: record.actor,
                sha256: Some(record.sha256).filter(|sum| !sum.is_empty()),
                version: record.version,
                verified_at: record.verified_at.filter(|_| record.verify_error.is_none()),
                verify_error: record.verify_error,
                last_verified: false,
                expires: false,
            }
        })
        .collect();
    list.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    // What another instance stored there is its own affair.
    let own = list.iter().filter(|stored| stored.own);
    let own = own.map(|stored| Candidate { id: &stored.id, at: stored.at, verified: stored.verified_at.is_some() });
    let own: Vec<Candidate<'_>> = own.collect();
    let (goes, stays) = (expired(&own, view.config.backup.keep, tools.clock.now()), last_verified(&own));
    let stays = stays.map(str::to_owned);
    for stored in &mut list {
        stored.expires = goes.contains(&stored.id);
        stored.last_verified = stays.as_deref() == Some(stored.id.as_str());
    }
    Ok(list)
}

/// One of them, to be read.
pub(in crate::backup) async fn fetch(tools: &Tools, id: &str) -> Result<Source> {
    let (destination, name) = place(tools, id)?;
    destination.get(tools, &name, tools.system.view().config.backup.limits.body).await
}

/// Reads one and checks everything that can be checked; how that ended is on record.
pub(in crate::backup) async fn check(tools: &Tools, id: &str) -> Result<StoredBackup> {
    let (destination, name) = place(tools, id)?;
    let stored = destination.get(tools, &name, tools.system.view().config.backup.limits.body).await?;
    let known = records(tools, &destination).await?.remove(id);
    let sum = sha256(&stored).await?;
    let changed = known.as_ref().is_some_and(|record| !record.sha256.is_empty() && record.sha256 != sum);
    let outcome = match changed {
        true => {
            Err(Error::new(ErrorKind::Conflict, OPERATION, format!("`{id}` is not what was stored: its sum differs"))
                .with_code("stored_backup_damaged")
                .with_hint("restore another one; delete this one once there is a good one"))
        }
        false => whole(tools, &name, stored).await,
    };
    let mut record =
        known.unwrap_or_else(|| StoredRecord { id: id.to_owned(), sha256: sum, ..StoredRecord::default() });
    match &outcome {
        Ok(archive) => {
            if let Some(archive) = archive {
                record.version = Some(format!("{}.{}", archive.manifest.epoch, archive.manifest.generation));
            }
            (record.verified_at, record.verify_error) = (Some(tools.clock.now()), None);
        }
        Err(error) => record.verify_error = Some(error.message().to_owned()),
    }
    let place = destination.name();
    tools.state_db.run(move |connection| put_stored(connection, &place, &record)).await?;
    outcome?;
    one(tools, id).await
}

/// Deletes one. The last verified one needs to be meant.
pub(in crate::backup) async fn delete(tools: &Tools, id: &str, even_the_last: bool) -> Result<()> {
    let (destination, name) = place(tools, id)?;
    if one(tools, id).await?.last_verified && !even_the_last {
        return Err(Error::new(ErrorKind::Conflict, OPERATION, format!("`{id}` is the last verified backup"))
            .with_code("last_verified_backup")
            .with_hint("store and verify another one first, or send ?force=true"));
    }
    destination.delete(&name).await?;
    let (place, id) = (destination.name(), id.to_owned());
    tools.state_db.run(move |connection| delete_stored(connection, &place, &id)).await
}

/// Refuses an archive that neither this instance nor somebody it trusts signed: nobody vouches for what lies in a bucket or directory.
pub(in crate::backup) async fn trust(tools: &Tools, id: &str, archive: Source) -> Result<()> {
    let signer = read(tools, archive).await?.signer.unwrap_or_else(|| "nobody".to_owned());
    let view = tools.system.view();
    let known = signer == sign::public_key(tools.host.instance.signing_key())?
        || view.config.backup.trusted_signers.contains(&signer)
        || view.state.trusted_signers.contains_key(&signer);
    if known {
        return Ok(());
    }
    let message = format!("`{id}` was signed by {signer}, whom nobody here trusts; nothing was changed");
    Err(Error::new(ErrorKind::Conflict, OPERATION, message).with_code("untrusted_backup").with_hint(
        "if you know where it comes from, add that key to backup.trusted_signers, or download the file and restore it \
             yourself: who sends an archive vouches for it",
    ))
}

/// An archive that is whole: sums, signature, shapes, references. `None` for one that is encrypted to somebody else.
pub(super) async fn whole(tools: &Tools, name: &StoredName, stored: Source) -> Result<Option<Archive>> {
    if name.is_encrypted() {
        return Ok(None);
    }
    read(tools, stored).await.map(Some)
}

/// SHA-256 in lower-case hex.
pub(super) async fn sha256(stored: &Source) -> Result<String> {
    let stored = stored.clone();
    blocking(move || stored.sha256().map_err(|error| Error::io(OPERATION, error))).await
}

async fn one(tools: &Tools, id: &str) -> Result<StoredBackup> {
    entries(tools).await?.into_iter().find(|stored| stored.id == id).ok_or_else(|| missing(id))
}

async fn records(tools: &Tools, destination: &Destination) -> Result<BTreeMap<String, StoredRecord>> {
    let place = destination.name();
    tools.state_db.run(move |connection| stored_records(connection, &place)).await
}

fn place(tools: &Tools, id: &str) -> Result<(Destination, StoredName)> {
    let destination = Destination::of(tools, &tools.system.view())?;
    Ok((destination, StoredName::parse(id).ok_or_else(|| missing(id))?))
}
