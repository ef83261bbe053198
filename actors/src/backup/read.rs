//! Bytes that somebody sends → an archive that was read and checked: the one door through which every restore and check goes.

use crate::backup::blocking;
use crate::backup::handle::Tools;
use crate::domain::archive;
use crate::{Error, Result, zipper};
use bytes::Bytes;
use serde_json::{Value, json};

/// Reads and checks an archive.
pub(super) async fn verify(tools: &Tools, bytes: Bytes) -> Result<Value> {
    let archive = read(tools, bytes).await?;
    let manifest = serde_json::to_value(&archive.manifest).map_err(|e| Error::internal("verify", e))?;
    Ok(json!({ "valid": true, "signer": archive.signer, "manifest": manifest, "conversion": archive.conversion }))
}

/// Reads the bytes of an archive; an error says what is wrong with it.
pub(super) async fn read(tools: &Tools, bytes: Bytes) -> Result<archive::Archive> {
    let limits = tools.system.view().config.backup.limits;
    let now = tools.clock.now();
    blocking(move || {
        let mut archive = zipper::verify(&bytes, &limits)?;
        archive.date(now);
        Ok(archive)
    })
    .await
}
