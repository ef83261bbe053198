//! An undo from end to end: what was kept is read, planned, staged, fenced and swapped in as a restore is.
//!
//! An undo is itself kept, so that undoing it brings back what it replaced.

pub(super) mod kept;

use crate::backup::fence::Fenced;
use crate::backup::files::ConfigFile;
use crate::backup::handle::Tools;
use crate::backup::messages::UndoRequest;
use crate::backup::stage::Next;
use crate::backup::undo::kept::{After, Before};
use crate::backup::{blocking, look, record, restore, stage};
use crate::db::password::PasswordHash;
use crate::domain::archive::plan::{self, Current, Host, LaterChanges, Plan, Revive, Strategy, Undo};
use crate::domain::config::canonical::{self, Literals};
use crate::domain::config::{Loaded, emit, load};
use crate::domain::iam::declare;
use crate::system::swap::SwapKind;
use crate::system::view::SystemView;
use crate::{Error, ErrorKind, Result, fault, zipper};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What an undo is called where a restore has its mode.
const MODE: &str = "undo";

/// What was kept, and how this host would read it.
struct Found {
    undone: String,
    before: Before,
    after: Option<After>,
    /// What becomes of the config file, how it reads then, and what its paths count from.
    config: (ConfigFile, Loaded, PathBuf),
    after_config: Option<Loaded>,
}

/// Undoes the last restore. An error means that nothing has changed; it is kept for a client that lost its connection.
pub(super) async fn run(tools: &Tools, id: &str, request: UndoRequest) -> Result<Value> {
    let (who, dry_run) = (request.who.clone(), request.dry_run);
    let outcome = carry_out(tools, id, request).await;
    if let (Err(error), false) = (&outcome, dry_run) {
        record::note_failure(tools, id, who, error).await;
    }
    outcome
}

async fn carry_out(tools: &Tools, id: &str, request: UndoRequest) -> Result<Value> {
    let view = tools.system.view();
    view.unlocked()?;
    let current = tools.config.current().await?;
    let mut found = find(tools, &view, &current).await?;
    let (mut planned, later) = planned(tools, &view, &current, &found, &request).await?;
    agree(&mut found, &mut planned);
    fits(tools, &found, &planned)?;
    let hash = hash_to_be(tools, &found.before, &mut planned);
    fault::point("backup.undo.planned");

    let restores = !request.dry_run;
    let mut answer = planned.answer_as(MODE, Strategy::Replace, restores);
    let kept = if restores { stage::undo_path(tools, id).into() } else { Value::Null };
    answer.insert("restore_id".into(), id.into());
    answer.insert("undoes".into(), found.undone.clone().into());
    answer.insert("later_changes".into(), json!(later));
    answer.insert("signer".into(), zipper::sign::public_key(tools.host.instance.signing_key())?.into());
    answer.insert("archive".into(), Value::Null);
    answer.insert("pre_restore_backup".into(), kept);
    answer.insert("self_check".into(), restore::self_check(&planned));
    let answer = Value::Object(answer);
    if request.dry_run {
        return Ok(answer);
    }
    refuse_loss(&later, &found, &view, request.discard_later_changes)?;
    let Found { before, config: (file, loaded, base), .. } = found;
    let text = match &file {
        ConfigFile::Written(text) => Some(text.clone()),
        _ => None,
    };
    record::put(tools, &mut planned.next, id, &request.who, &answer, request.repeat.as_ref(), text);
    let hash_file = (hash == before.hash).then_some(before.hash_file);
    let version = view.version();
    let next = Next {
        kind: SwapKind::Undo,
        state: planned.next,
        hash,
        hash_file,
        config: file,
        loaded: Arc::new(loaded),
        base,
        prune_buckets: request.prune_buckets,
        ready: Default::default(),
    };
    let next = stage::stage(tools, id, next, &view).await?;
    fault::point("backup.undo.staged");
    let fence = Fenced::raise(tools, id, &version).await?;
    restore::swap(tools, next).await?;
    fence.done();
    log::info!("undo {id} is in force: {}", tools.system.view().version());
    Ok(answer)
}

/// Reads what the last restore kept.
async fn find(tools: &Tools, view: &SystemView, current: &Loaded) -> Result<Found> {
    let Some(last) = kept::last(&view.state) else {
        return Err(Error::new(ErrorKind::Conflict, "undo", "nothing was restored here; nothing was changed")
            .with_code("nothing_to_undo")
            .with_hint("an undo takes back the last restore"));
    };
    let (tools, current, undone) = (tools.clone(), current.clone(), last.restore_id.clone());
    blocking(move || {
        let before = kept::before(&tools, &undone)?;
        let after = kept::after(&tools, &undone, &before);
        let host = &tools.host;
        let read = |text: &str| {
            load::load(text, &host.environment).map_err(|problems| {
                Error::new(
                    ErrorKind::Conflict,
                    "undo",
                    format!("this host cannot run on the config of then: {problems}"),
                )
                .with_code("config_unfit")
                .with_hint("set the variable that is named; nothing was changed")
            })
        };
        let there = std::fs::read_to_string(&host.config_file.path).ok();
        let config = match &before.config {
            Some(then) if *then == there => (ConfigFile::Kept, current, host.config_base()),
            None => (ConfigFile::Kept, current, host.config_base()),
            Some(None) => (ConfigFile::Removed, read("")?, host.base_without_file()),
            Some(Some(text)) => (ConfigFile::Written(text.clone()), read(text)?, host.restored_base()),
        };
        let after_config = after.as_ref().and_then(|after| read(after.config.as_deref()?).ok());
        Ok(Found { undone, before, after, config, after_config })
    })
    .await
}

async fn planned(
    tools: &Tools,
    view: &SystemView,
    current: &Loaded,
    found: &Found,
    request: &UndoRequest,
) -> Result<(Plan, LaterChanges)> {
    let with_data = look::buckets_with_data(view).await;
    let host = Host {
        instance_id: &tools.host.instance.instance_id,
        now: tools.clock.now(),
        known_epoch: 0,
        buckets_with_data: &with_data,
        caller_token: request.caller_token_sha256.clone(),
        files: &BTreeMap::new(),
        environment: &tools.host.environment,
        paths_from: None,
    };
    let config = found.after_config.as_ref().unwrap_or(current);
    let undo = Undo {
        current: Current { state: &view.state, config: current },
        before: &found.before.state,
        config: &found.config.1,
        after: found.after.as_ref().map(|after| Current { state: &after.state, config }),
        revive: &Revive::parse(request.revive.iter().map(String::as_str)),
        prune_buckets: request.prune_buckets,
    };
    let (mut plan, later) = plan::undo(&undo, &host)?;
    let base = &found.config.2;
    let mut warnings = look::backend_warnings(view, &plan, base);
    warnings.extend(look::moved_buckets(view, &plan, &with_data, base).await);
    plan.warnings.extend(warnings);
    Ok((plan, later))
}

/// Where the file of then owns IAM it must not enable at the next start whom a revocation keeps disabled (rules 6 and 14): only then does
/// it come back as anything else than the bytes that it was.
fn agree(found: &mut Found, plan: &mut Plan) {
    let (ConfigFile::Written(text), loaded, _) = &mut found.config else { return };
    let mut iam = loaded.config.access.iam.clone();
    declare::agree(&mut iam, &plan.next);
    if !loaded.config.is_declarative() || iam == loaded.config.access.iam {
        return;
    }
    loaded.config.access.iam = iam;
    for (name, secret) in canonical::literal_secrets(&loaded.config) {
        plan.next.secrets.insert(name.to_owned(), secret);
    }
    *text = emit::emit(&canonical::file_tree(loaded, Literals::Store));
    plan.next_config = loaded.clone();
    plan.warnings.push(
        "the config file of then owns its users and enables some that were revoked since: it is written anew, with those disabled"
            .to_owned(),
    );
}

/// Refuses where the host could not start on the state of then, or could not write it.
fn fits(tools: &Tools, found: &Found, plan: &Plan) -> Result<()> {
    let (file, loaded, base) = &found.config;
    match file {
        ConfigFile::Kept => Ok(()),
        ConfigFile::Written(text) => {
            tools.host.check_roots(loaded, base)?;
            tools.host.can_restart_on(loaded, &plan.next, base)?;
            tools.host.config_writable(Some(text))
        }
        ConfigFile::Removed => {
            tools.host.can_restart_on(loaded, &plan.next, base)?;
            tools.host.config_writable(None)
        }
    }
}

/// The hash of then, unless this host pins another one by now: the next start would go over to that anyway.
fn hash_to_be(tools: &Tools, before: &Before, plan: &mut Plan) -> PasswordHash {
    match tools.host.pinned.clone() {
        Some(pinned) if pinned != before.hash => {
            plan.warnings
                .push("the pinned bootstrap hash stays in force; before the restore it was another one".to_owned());
            pinned
        }
        _ => before.hash.clone(),
    }
}

fn refuse_loss(later: &LaterChanges, found: &Found, view: &SystemView, discard: bool) -> Result<()> {
    if discard {
        return Ok(());
    }
    let what = match &found.after {
        None if view.state.meta.generation > 1 => "what was changed cannot be listed any more".to_owned(),
        _ if later.is_empty() => return Ok(()),
        _ => later.in_words(),
    };
    let message = format!("changes since the restore would be lost: {what}; nothing was changed");
    Err(Error::new(ErrorKind::Conflict, "undo", message)
        .with_code("later_changes")
        .with_hint("`dry_run=true` lists them; `discard_later_changes=true` undoes the restore all the same"))
}
