//! A restore from end to end: read, plan, stage, fence, one swap.

use crate::backup::blocking;
use crate::backup::fence::Fenced;
use crate::backup::files::ConfigFile;
use crate::backup::handle::Tools;
use crate::backup::messages::RestoreRequest;
use crate::backup::read::read;
use crate::backup::stage::Next;
use crate::backup::undo::kept::undo_kept;
use crate::backup::{look, record, stage};
use crate::boot::mac_key;
use crate::db::password::PasswordHash;
use crate::domain::archive::captured;
use crate::domain::archive::manifest::Manifest;
use crate::domain::archive::plan::{Current, Host, Mode, Options, Plan, Revive, Strategy, plan_captured};
use crate::domain::change::StateChange;
use crate::domain::state::KeyPurpose;
use crate::system::messages::NextSystem;
use crate::system::swap::{self, SwapKind};
use crate::system::view::SystemView;
use crate::{Error, ErrorKind, Result, fault};
use serde_json::{Value, json};
use std::sync::Arc;

/// Restores. An error means that nothing has changed; it is kept for a client that lost its connection.
pub(super) async fn run(tools: &Tools, restore_id: &str, request: RestoreRequest) -> Result<Value> {
    let (who, dry_run) = (request.who.clone(), request.dry_run);
    let outcome = carry_out(tools, restore_id, request).await;
    if let (Err(error), false) = (&outcome, dry_run) {
        record::note_failure(tools, restore_id, who, error).await;
    }
    outcome
}

async fn carry_out(tools: &Tools, restore_id: &str, request: RestoreRequest) -> Result<Value> {
    let mut options = options(&request)?;
    let view = tools.system.view();
    let mut archive = read(tools, request.archive.clone()).await?;
    if archive.is_legacy_json() {
        options = options.for_legacy_json()?;
    }
    if view.locked.is_some() && (options.mode != Mode::Full || options.strategy != Strategy::Replace) {
        view.unlocked()?;
    }
    fault::point("backup.verified");
    // The owner's word; a swap between the view and this would show at the fence, as another generation.
    let loaded = tools.config.current().await?;
    let with_data = look::buckets_with_data(&view).await;
    let files = tools.host.files_of(&archive.secrets, &loaded.config);
    let paths_from = tools.host.paths_from();
    let captured = captured::take(&mut archive);
    let mut planned = plan_captured(
        Current { state: &view.state, config: &loaded },
        &archive,
        captured,
        &options,
        &Host {
            instance_id: &tools.host.instance.instance_id,
            now: tools.clock.now(),
            known_epoch: 0,
            buckets_with_data: &with_data,
            caller_token: request.caller_token_sha256.clone(),
            files: &files,
            environment: &tools.host.environment,
            paths_from: paths_from.as_deref(),
        },
    )?;
    // Whatever the archive holds is in the plan by now: with many users it should not be there twice.
    let (manifest, conversion) = {
        let archive = archive;
        (archive.manifest, archive.conversion)
    };
    if !planned.next.keyring.values().any(|key| key.active && key.purpose == KeyPurpose::MetadataMac) {
        let key = mac_key(tools.clock.now())?;
        planned.next.keyring.insert(key.id.clone(), Arc::new(key));
    }
    let hash = hash_to_be(tools, &view, &planned, &request)?;
    // Where no file is written, paths go on to count from where they do.
    let base = match planned.next_file {
        Some(_) => tools.host.restored_base(),
        None => tools.host.config_base(),
    };
    stage::fits(tools, &planned, &base)?;
    let mut warnings = look::backend_warnings(&view, &planned, &base);
    warnings.extend(look::moved_buckets(&view, &planned, &with_data, &base).await);
    planned.warnings.extend(warnings);
    fault::point("backup.planned");

    let mut answer = planned.answer(&options, !request.dry_run);
    let undo = if request.dry_run { Value::Null } else { stage::undo_path(tools, restore_id).into() };
    answer.insert("restore_id".into(), restore_id.into());
    answer.insert("archive".into(), origin(&manifest, &tools.host.instance.instance_id));
    answer.insert("pre_restore_backup".into(), undo);
    answer.insert("conversion".into(), json!(conversion));
    answer.insert("self_check".into(), self_check(&planned));
    let answer = Value::Object(answer);
    if request.dry_run {
        return Ok(answer);
    }
    let file = planned.next_file.clone();
    record::put(tools, &mut planned.next, restore_id, &request.who, &answer, request.repeat.as_ref(), file);

    let version = view.version();
    let next = Next {
        kind: SwapKind::Restore,
        state: planned.next,
        hash,
        hash_file: None,
        config: planned.next_file.map_or(ConfigFile::Kept, ConfigFile::Written),
        loaded: Arc::new(planned.next_config),
        base,
        prune_buckets: options.prune_buckets,
        ready: Default::default(),
    };
    let next = stage::stage(tools, restore_id, next, &view).await?;
    fault::point("backup.staged");
    let fence = Fenced::raise(tools, restore_id, &version).await?;
    fault::point("backup.fenced");
    swap(tools, next).await?;
    fence.done();
    log::info!("restore {restore_id} is in force: {}", tools.system.view().version());
    Ok(answer)
}

/// Swaps, registers the backends that came up new, and lets go of undo copies that are old.
pub(super) async fn swap(tools: &Tools, next: NextSystem) -> Result<()> {
    let new_ids = tools.system.swap_all(next).await?;
    for (name, id) in new_ids {
        if let Err(error) = tools.system.mutate(StateChange::RegisterBackend { name, id }).await {
            log::warn!("the id of a backend is registered at the next start: {error:?}");
        }
    }
    let keep = undo_kept(&tools.system.view().state, tools.clock.now());
    let (disk, state_dir) = (tools.disk.clone(), tools.host.state_dir.clone());
    let prune = move || swap::prune_undo(disk.as_ref(), &state_dir, &keep).map_err(|e| Error::io("prune", e));
    if let Err(error) = blocking(prune).await {
        log::warn!("old undo copies stay: {error:?}");
    }
    Ok(())
}

fn options(request: &RestoreRequest) -> Result<Options> {
    let revive = Revive::parse(request.revive.iter().map(String::as_str));
    let host_settings_of_archive = match request.host_settings.as_deref() {
        None | Some("host") => false,
        Some("archive") => true,
        Some(other) => {
            return Err(Error::new(ErrorKind::Invalid, "restore", format!("`host_settings={other}` is not known"))
                .with_hint("use host or archive"));
        }
    };
    Ok(Options {
        mode: Mode::parse(if request.mode.is_empty() { "full" } else { &request.mode })?,
        strategy: Strategy::parse(if request.strategy.is_empty() { "replace" } else { &request.strategy })?,
        revive,
        prune_buckets: request.prune_buckets,
        host_settings_of_archive,
        allow_missing_keys: request.allow_missing_keys,
        set: request.sets.clone(),
    })
}

/// The hash that the restored database is keyed to (`backup.md` §4, rule 3).
fn hash_to_be(tools: &Tools, view: &SystemView, plan: &Plan, request: &RestoreRequest) -> Result<PasswordHash> {
    let archived = plan.bootstrap_password_hash.as_ref().map(|text| PasswordHash::parse(text.expose())).transpose()?;
    let pinned = tools.host.pinned.clone();
    match (archived, pinned) {
        (Some(archived), None) => Ok(archived),
        (Some(archived), Some(pinned)) if archived == pinned => Ok(pinned),
        (Some(archived), Some(pinned)) => {
            let proven = request
                .bootstrap_password
                .as_ref()
                .is_some_and(|password| archived.verify(password.expose()) && pinned.verify(password.expose()));
            if proven {
                return Ok(pinned);
            }
            Err(Error::new(
                ErrorKind::Conflict,
                "restore",
                "this host pins a bootstrap hash that is not the archive's; nothing was changed",
            )
            .with_code("db_key_mismatch")
            .with_hint(
                "set DGP_BOOTSTRAP_PASSWORD_HASH to `bootstrap_password_hash` of the archive's secrets.json, restart and try \
                 again; or send the password that both hashes are of as X-DGP-Bootstrap-Password; or use mode=preserve-bootstrap",
            ))
        }
        (None, pinned) => pinned.or_else(|| view.bootstrap_hash.clone()).ok_or_else(|| {
            Error::new(
                ErrorKind::Conflict,
                "restore",
                "neither archive nor host has a bootstrap hash; nothing was changed",
            )
            .with_code("db_key_mismatch")
        }),
    }
}

/// Where an archive comes from, for whoever reads the plan.
fn origin(manifest: &Manifest, own: &str) -> Value {
    json!({
        "captured_at": manifest.captured_at,
        "server_version": manifest.server_version,
        "instance_id": manifest.instance_id,
        "of_this_instance": manifest.instance_id == own,
        "generation": format!("{}.{}", manifest.epoch, manifest.generation),
    })
}

/// What was proven of the staged state before the commit point; the files themselves are proven while they are staged.
pub(super) fn self_check(plan: &Plan) -> Value {
    json!({
        "status": "ok",
        "users": plan.next.users.len(),
        "groups": plan.next.groups.len(),
        "buckets": plan.next.buckets.len(),
        "keys": plan.next.keyring.len(),
        "config": "loads on this host",
    })
}
