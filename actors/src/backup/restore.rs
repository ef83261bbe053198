//! A restore from end to end: verify, plan, stage, fence, one swap. Also export and verification, which are its neighbours.

use crate::backup::handle::Tools;
use crate::backup::messages::{Archive, RestoreRequest};
use crate::backup::stage;
use crate::boot::mac_key;
use crate::db::password::PasswordHash;
use crate::db::runtime::{list_failed_restores, put_export, put_failed_restore};
use crate::domain::archive;
use crate::domain::archive::manifest::Manifest;
use crate::domain::archive::plan::{Current, Host, Mode, Options, Plan, Revive, Strategy, plan};
use crate::domain::change::StateChange;
use crate::domain::config::model::BackendKind;
use crate::domain::config::routing;
use crate::domain::listing::ListQuery;
use crate::domain::names::BucketName;
use crate::domain::secret::Secret;
use crate::domain::state::{ConfigRevision, ExportRecord, KeyPurpose, RestoreRecord};
use crate::system::view::SystemView;
use crate::zipper;
use crate::{Error, ErrorKind, Result, fault};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Failed restores that a list shows.
const FAILED_SHOWN: usize = 100;
/// Objects of a bucket that are counted before a plan says "at least".
const COUNTED: usize = 10_000;

/// Makes a Full Backup of one published view.
pub(super) async fn export(tools: &Tools, who: String) -> Result<Archive> {
    let view = tools.system.view();
    view.unlocked()?;
    let (host, now, version) = (tools.host.clone(), tools.clock.now(), view.version());
    let exported = blocking(move || {
        let loaded = &view.loaded;
        let resolved = host.resolve_references(loaded, &view.state);
        let hash = view.bootstrap_hash.as_ref().map(|hash| Secret::new(hash.expose()));
        zipper::export(&zipper::ExportInput {
            config: loaded,
            state: &view.state,
            instance_id: &host.instance.instance_id,
            server_version: host.server_version,
            captured_at: now,
            signing_seed: host.instance.signing_key(),
            bootstrap_hash: hash.as_ref(),
            resolved: &resolved,
            limits: &loaded.config.backup.limits,
        })
    })
    .await?;
    fault::point("backup.exported");
    let record = ExportRecord {
        at: now,
        actor: who,
        filename: exported.filename.clone(),
        bytes: exported.bytes.len() as u64,
        sha256: exported.sha256.clone(),
        version,
    };
    tools.state_db.run(move |connection| put_export(connection, &record)).await?;
    Ok(Archive { bytes: exported.bytes.into(), filename: exported.filename, sha256: exported.sha256 })
}

/// Reads and checks an archive.
pub(super) async fn verify(tools: &Tools, bytes: Bytes) -> Result<Value> {
    let archive = read(tools, bytes).await?;
    let manifest = serde_json::to_value(&archive.manifest).map_err(|e| Error::internal("verify", e))?;
    Ok(json!({ "valid": true, "signer": archive.signer, "manifest": manifest }))
}

async fn read(tools: &Tools, bytes: Bytes) -> Result<archive::Archive> {
    let limits = tools.system.view().config.backup.limits;
    blocking(move || zipper::verify(&bytes, &limits)).await
}

/// Restores. An error means that nothing has changed; it is kept for a client that lost its connection.
pub(super) async fn run(tools: &Tools, restore_id: &str, request: RestoreRequest) -> Result<Value> {
    let (who, dry_run) = (request.who.clone(), request.dry_run);
    let outcome = carry_out(tools, restore_id, request).await;
    if let (Err(error), false) = (&outcome, dry_run) {
        note_failure(tools, restore_id, who, error).await;
    }
    outcome
}

async fn note_failure(tools: &Tools, restore_id: &str, actor: String, error: &Error) {
    let record = RestoreRecord {
        restore_id: restore_id.to_owned(),
        at: tools.clock.now(),
        actor,
        outcome: json!({
            "restored": false,
            "restore_id": restore_id,
            "error": { "code": error.code(), "stage": error.operation(), "detail": error.message(), "hint": error.hint() },
        }),
    };
    let noted = tools.state_db.run(move |connection| put_failed_restore(connection, &record)).await;
    if let Err(error) = noted {
        log::warn!("the failure of restore {restore_id} is not on record: {error:?}");
    }
}

/// The record of restores, those that failed on this host among them; the latest first.
pub(super) async fn restores(tools: &Tools) -> Result<Vec<Value>> {
    let failed = tools.state_db.run(|connection| list_failed_restores(connection, FAILED_SHOWN)).await?;
    let view = tools.system.view();
    let mut records: Vec<RestoreRecord> = view.state.restores.values().map(|record| (**record).clone()).collect();
    records.extend(failed);
    records.sort_by_key(|record| std::cmp::Reverse(record.at));
    Ok(records.into_iter().map(|record| record.outcome).collect())
}

async fn carry_out(tools: &Tools, restore_id: &str, request: RestoreRequest) -> Result<Value> {
    let options = options(&request)?;
    let view = tools.system.view();
    if view.locked.is_some() && (options.mode != Mode::Full || options.strategy != Strategy::Replace) {
        view.unlocked()?;
    }
    let archive = read(tools, request.bytes.clone()).await?;
    fault::point("backup.verified");
    // The owner's word; a swap between the view and this would show at the fence, as another generation.
    let loaded = tools.config.current().await?;
    let with_data = buckets_with_data(&view).await;
    let files = tools.host.files_of(&archive.secrets, &loaded.config);
    let paths_from = tools.host.paths_from();
    let mut planned = plan(
        Current { state: &view.state, config: &loaded },
        &archive,
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
    if !planned.next.keyring.values().any(|key| key.active && key.purpose == KeyPurpose::MetadataMac) {
        let key = mac_key(tools.clock.now())?;
        planned.next.keyring.insert(key.id.clone(), Arc::new(key));
    }
    let hash = hash_to_be(tools, &view, &planned, &request)?;
    stage::fits(tools, &planned)?;
    let mut warnings = backend_warnings(tools, &view, &planned);
    warnings.extend(moved_buckets(tools, &view, &planned, &with_data).await);
    planned.warnings.extend(warnings);
    fault::point("backup.planned");

    let mut answer = planned.answer(&options, !request.dry_run);
    let undo = if request.dry_run { Value::Null } else { stage::undo_path(tools, restore_id).into() };
    answer.insert("restore_id".into(), restore_id.into());
    answer.insert("archive".into(), origin(&archive.manifest, &tools.host.instance.instance_id));
    answer.insert("pre_restore_backup".into(), undo);
    answer.insert("self_check".into(), self_check(&planned));
    let answer = Value::Object(answer);
    if request.dry_run {
        return Ok(answer);
    }
    record(tools, &mut planned, restore_id, &request.who, &answer);

    let version = view.version();
    let next = stage::stage(tools, restore_id, planned, hash, &view, options.prune_buckets).await?;
    fault::point("backup.staged");
    let fence = Fenced::raise(tools, restore_id, &version).await?;
    fault::point("backup.fenced");
    let new_ids = tools.system.swap_all(next).await?;
    fence.done();
    for (name, id) in new_ids {
        if let Err(error) = tools.system.mutate(StateChange::RegisterBackend { name, id }).await {
            log::warn!("the id of a backend is registered at the next start: {error:?}");
        }
    }
    log::info!("restore {restore_id} is in force: {}", tools.system.view().version());
    Ok(answer)
}

/// The fence of a restore, lifted when the restore ends in whatever way.
pub(super) struct Fenced<'a> {
    tools: &'a Tools,
    restore_id: &'a str,
}

impl<'a> Fenced<'a> {
    /// Raises it on the version that the plan was made on.
    pub(super) async fn raise(tools: &'a Tools, restore_id: &'a str, version: &str) -> Result<Self> {
        let fence = Self { tools, restore_id };
        tools.system.fence(restore_id, version).await?;
        Ok(fence)
    }

    /// The swap has lifted it; once more does no harm.
    pub(super) fn done(self) {}
}

impl Drop for Fenced<'_> {
    fn drop(&mut self) {
        self.tools.system.lift_fence(self.restore_id);
    }
}

fn options(request: &RestoreRequest) -> Result<Options> {
    let revive = match request.revive.as_slice() {
        [] => Revive::None,
        ids if ids.iter().any(|id| id == "all") => Revive::All,
        ids => Revive::Ids(ids.iter().cloned().collect()),
    };
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

/// Buckets of the registry whose backend holds objects. One that cannot be asked counts as holding some: its entry stays.
async fn buckets_with_data(view: &SystemView) -> BTreeSet<BucketName> {
    let mut found = BTreeSet::new();
    for name in view.state.buckets.keys() {
        let Ok(route) = view.route(name) else { continue };
        if route.store.holds_objects(&route.bucket).await.unwrap_or(true) {
            found.insert(name.clone());
        }
    }
    found
}

/// Rule 15: buckets with objects whose place the plan moves; moving a route never moves data.
async fn moved_buckets(tools: &Tools, view: &SystemView, plan: &Plan, with_data: &BTreeSet<BucketName>) -> Vec<String> {
    let mut warnings = Vec::new();
    let next = routing::routes(&plan.next_config.config.storage, &plan.next.buckets);
    for name in with_data {
        let Ok(now) = view.route(name) else { continue };
        let to = next.get(name).and_then(|route| {
            let BackendKind::Filesystem { path } = &plan.next_config.config.storage.backends.get(&route.backend)?.kind;
            Some(path.resolve(&tools.host.restored_base()).join(route.real_name.as_str()))
        });
        let from = now.store.root().map(|root| root.join(now.bucket.as_str()));
        if from.is_none() || to == from {
            continue;
        }
        let query = ListQuery { max_keys: COUNTED, ..ListQuery::default() };
        let count = match now.store.list(&now.bucket, query).await {
            Ok(page) if page.next.is_some() => format!("at least {COUNTED}"),
            Ok(page) => page.objects.len().to_string(),
            Err(_) => "an unknown number of".to_owned(),
        };
        let from = from.unwrap_or_default();
        warnings.push(format!(
            "bucket `{name}` moves: {count} objects stay in {} and are out of sight there (a route moves no data)",
            from.display()
        ));
    }
    warnings
}

/// What the operator should know of the backends that the restored config names.
fn backend_warnings(tools: &Tools, view: &SystemView, plan: &Plan) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, backend) in &plan.next_config.config.storage.backends {
        let BackendKind::Filesystem { path } = &backend.kind;
        let root = path.resolve(&tools.host.restored_base());
        let id = plan.next.backends.get(name);
        let now =
            view.stores.get(name).filter(|store| store.root() == Some(root.as_path())).and_then(|s| s.backend_id());
        if !root.is_dir() {
            warnings.push(format!(
                "backend_root_new: {} does not exist yet; backend `{name}` is initialised there",
                root.display()
            ));
        } else if now.is_some() && now.as_ref() != id {
            warnings.push(format!(
                "backend_root_new: if {} holds no objects it becomes backend `{name}` of the archive",
                root.display()
            ));
        }
    }
    warnings
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
fn self_check(plan: &Plan) -> Value {
    json!({
        "status": "ok",
        "users": plan.next.users.len(),
        "groups": plan.next.groups.len(),
        "buckets": plan.next.buckets.len(),
        "keys": plan.next.keyring.len(),
        "config": "loads on this host",
    })
}

/// Puts the record of this restore and the revision of the config into the state that is staged.
fn record(tools: &Tools, plan: &mut Plan, restore_id: &str, who: &str, answer: &Value) {
    let at = tools.clock.now();
    plan.record(restore_id, at, who, answer.clone());
    let number = plan.next.config_history.keys().next_back().map_or(1, |last| last + 1);
    let revision = ConfigRevision { number, at, actor: who.to_owned(), yaml: plan.next_file.clone() };
    plan.next.config_history.insert(number, Arc::new(revision));
}

/// Runs what computes or reads files away from the actors' threads.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::internal("backup", e))?
}
