//! One run of the job: export, store, read back, check, note; then the old ones that nobody wants kept go.

use super::catalog::{entries, sha256, whole};
use super::content::{Content, Written};
use super::destination::Destination;
use super::{Keeper, SCHEDULE};
use crate::audit::{Event, Outcome};
use crate::backup::export::export;
use crate::backup::handle::Tools;
use crate::backup::messages::StoredBackup;
use crate::db::runtime::{delete_stored, put_stored};
use crate::domain::stored::{StoredName, StoredRecord, Success, Trigger};
use crate::{Error, ErrorKind, Result, fault};
use serde_json::{Value, json};
use std::time::Instant;

/// Stores a backup where the config says; what comes of it is on record.
pub(in crate::backup) async fn store(
    tools: &Tools,
    keeper: &Keeper,
    who: String,
    trigger: Trigger,
) -> Result<StoredBackup> {
    let _running = keeper.begin()?;
    let began = Instant::now();
    let outcome = make(tools, &who, trigger).await.map(|(destination, record, bytes)| {
        let success = Success {
            at: tools.clock.now(),
            id: record.id.clone(),
            bytes,
            took: began.elapsed(),
            version: record.version.clone().unwrap_or_default(),
        };
        (destination, record, success)
    });
    keeper.ended(tools, trigger, outcome.as_ref().map(|(_, _, success)| success)).await;
    let (destination, record, success) = match outcome {
        Ok(made) => made,
        Err(error) => {
            log::error!("no backup was stored ({}): {error:?}", trigger.as_str());
            let detail = json!({"code": error.code(), "trigger": trigger.as_str()});
            note(tools, &who, trigger, "backup.store", "", Outcome::Failed, detail).await;
            return Err(error);
        }
    };
    log::info!("stored {} in {}: {} bytes", record.id, destination.name(), success.bytes);
    let detail = json!({"trigger": trigger.as_str(), "destination": destination.name(), "bytes": success.bytes,
        "sha256": record.sha256, "verified": record.verified_at.is_some()});
    note(tools, &who, trigger, "backup.store", &record.id, Outcome::Success, detail).await;
    if let Err(error) = prune(tools, &destination).await {
        // The backup itself is safe; what should have gone stays, and goes after the next one.
        log::warn!("old backups stay: {error:?}");
    }
    let stored = entries(tools).await?.into_iter().find(|stored| stored.id == record.id);
    stored.ok_or_else(|| super::destination::missing(&record.id))
}

/// Makes one, stores it, and proves that it can be read back.
async fn make(tools: &Tools, who: &str, trigger: Trigger) -> Result<(Destination, StoredRecord, u64)> {
    let view = tools.system.view();
    let destination = Destination::of(tools, &view)?;
    let version = view.version();
    let archive = export(tools, who.to_owned()).await?;
    fault::point("backup.stored.exported");
    let content = Content::new(archive, view.config.backup.recipients.clone());
    let (name, written) = put(&destination, &content).await?;
    fault::point("backup.stored.put");
    let mut record = StoredRecord {
        id: name.as_str().to_owned(),
        own: true,
        trigger: Some(trigger.as_str().to_owned()),
        actor: Some(who.to_owned()),
        sha256: written.sha256(),
        version: Some(version),
        verified_at: None,
        verify_error: None,
    };
    let checked = match view.config.backup.verify {
        true => read_back(tools, &destination, &name, &record.sha256).await.map(|()| Some(tools.clock.now())),
        false => Ok(None),
    };
    let failed = match checked {
        Ok(verified_at) => {
            record.verified_at = verified_at;
            None
        }
        Err(error) => {
            record.verify_error = Some(error.message().to_owned());
            Some(error)
        }
    };
    let (place, noted) = (destination.name(), record.clone());
    tools.state_db.run(move |connection| put_stored(connection, &place, &noted)).await?;
    match failed {
        None => Ok((destination, record, written.bytes)),
        Some(error) => Err(error),
    }
}

/// Takes the first free name of the archive.
async fn put(destination: &Destination, content: &Content) -> Result<(StoredName, Written)> {
    for name in StoredName::candidates(content.filename(), content.is_encrypted()) {
        if let Some(written) = destination.put(&name, content).await? {
            return Ok((name, written));
        }
    }
    let message = format!("every name like `{}` is taken", content.filename());
    Err(Error::new(ErrorKind::Conflict, "store backup", message)
        .with_code("backup_name_taken")
        .with_hint("try again in a second"))
}

/// What was stored is read back byte for byte; what is not encrypted also with all its sums and our own signature. (What is in an
/// envelope was checked before it went in.)
async fn read_back(tools: &Tools, destination: &Destination, name: &StoredName, sum: &str) -> Result<()> {
    let limits = tools.system.view().config.backup.limits;
    let stored = destination.get(tools, name, limits.body).await?;
    if sha256(&stored).await? != sum {
        return Err(Error::new(ErrorKind::Internal, "store backup", "what was stored reads back as something else")
            .with_code("stored_backup_damaged")
            .with_hint("check the disk or the bucket that backups go to, then store another one"));
    }
    whole(tools, name, stored).await.map(|_| ())
}

/// Removes what the rules of retention do not keep, of those that this instance made.
async fn prune(tools: &Tools, destination: &Destination) -> Result<()> {
    for stored in entries(tools).await?.into_iter().filter(|stored| stored.expires) {
        let Some(name) = StoredName::parse(&stored.id) else { continue };
        destination.delete(&name).await?;
        let (place, id) = (destination.name(), stored.id.clone());
        tools.state_db.run(move |connection| delete_stored(connection, &place, &id)).await?;
        log::info!("{} was removed: backup.keep does not keep it", stored.id);
        let detail = json!({"destination": destination.name(), "captured_at": stored.at.rfc3339()});
        note(tools, SCHEDULE, Trigger::Schedule, "backup.prune", &stored.id, Outcome::Success, detail).await;
    }
    Ok(())
}

/// A row of the audit log, for what no request did: a request's own row has its address.
async fn note(
    tools: &Tools,
    who: &str,
    trigger: Trigger,
    action: &'static str,
    target: &str,
    outcome: Outcome,
    detail: Value,
) {
    if trigger == Trigger::Request {
        return;
    }
    let event = Event {
        actor: who.to_owned(),
        action,
        target: target.to_owned(),
        outcome,
        ip: String::new(),
        request_id: String::new(),
        detail,
    };
    if let Err(error) = tools.audit.record(event).await {
        log::error!("the audit log lacks {action} {target}: {error:?}");
    }
}
