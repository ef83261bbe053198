//! What somebody sends → an archive that was read and checked: the one door through which every restore and check goes.

use crate::backup::blocking;
use crate::backup::handle::Tools;
use crate::domain::archive;
use crate::zipper::{self, Source};
use crate::{Error, Result};
use serde_json::{Value, json};

/// Reads and checks an archive.
pub(super) async fn verify(tools: &Tools, archive: Source) -> Result<Value> {
    let archive = read(tools, archive).await?;
    let manifest = serde_json::to_value(&archive.manifest).map_err(|e| Error::internal("verify", e))?;
    Ok(json!({ "valid": true, "signer": archive.signer, "manifest": manifest, "conversion": archive.conversion }))
}

/// Reads an archive; an error says what is wrong with it.
pub(super) async fn read(tools: &Tools, source: Source) -> Result<archive::Archive> {
    let limits = tools.system.view().config.backup.limits;
    let now = tools.clock.now();
    blocking(move || {
        let mut archive = zipper::verify(&source, &limits)?;
        archive.date(now);
        Ok(archive)
    })
    .await
}
