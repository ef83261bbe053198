//! One published view → one archive that can be sent, and the note that it was made.

use crate::Result;
use crate::backup::blocking;
use crate::backup::handle::Tools;
use crate::backup::pieces::Archive;
use crate::db::runtime::put_export;
use crate::domain::archive::manifest::AuditCheckpoint;
use crate::domain::secret::Secret;
use crate::domain::state::ExportRecord;
use crate::{fault, zipper};

/// Makes the first pass of a Full Backup of one published view: whatever is wrong shows here.
pub(super) async fn export(tools: &Tools, who: String) -> Result<Archive> {
    let view = tools.system.view();
    view.unlocked()?;
    let (host, now, version) = (tools.host.clone(), tools.clock.now(), view.version());
    let stood = tools.audit.checkpoint().await?;
    let prepared = blocking(move || {
        let loaded = &view.loaded;
        let resolved = host.resolve_references(loaded, &view.state);
        let hash = view.bootstrap_hash.as_ref().map(|hash| Secret::new(hash.expose()));
        zipper::prepare(&zipper::ExportInput {
            config: loaded,
            state: view.state.clone(),
            instance_id: &host.instance.instance_id,
            server_version: host.server_version,
            captured_at: now,
            signing_seed: host.instance.signing_key(),
            bootstrap_hash: hash.as_ref(),
            resolved: &resolved,
            limits: &loaded.config.backup.limits,
            audit: Some(AuditCheckpoint { records: stood.count, sha256: stood.head }),
        })
    })
    .await?;
    fault::point("backup.exported");
    let record = ExportRecord {
        at: now,
        actor: who,
        filename: prepared.filename().to_owned(),
        bytes: prepared.length(),
        sha256: prepared.sha256().to_owned(),
        version,
    };
    tools.state_db.run(move |connection| put_export(connection, &record)).await?;
    Ok(Archive::new(prepared))
}
