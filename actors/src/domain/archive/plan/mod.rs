//! The plan of a restore: from what is and what was captured to the next state, by the rules of `backup.md` §4. Pure.
//!
//! A dry run shows the plan; a restore stages [`Plan::next`] and [`Plan::next_config`] and swaps them in.

mod answer;
mod changes;
mod fields;
mod options;
mod rules;

pub use changes::{Change, Changes, ConfigChange, Counted, Item};
pub use fields::FieldChange;
pub use options::{Mode, Options, Revive, Strategy};

use crate::domain::archive::{Archive, captured};
use crate::domain::clock::Timestamp;
use crate::domain::config::canonical::{self, Literals};
use crate::domain::config::load::Loaded;
use crate::domain::config::problem::Problems;
use crate::domain::config::scalar::Environment;
use crate::domain::config::tree::Origin;
use crate::domain::config::{emit, load, table};
use crate::domain::names::BucketName;
use crate::domain::secret::Secret;
use crate::domain::state::{Meta, State};
use crate::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is now.
#[derive(Clone, Copy, Debug)]
pub struct Current<'a> {
    /// The state.
    pub state: &'a State,
    /// The effective config, with the tree of its file.
    pub config: &'a Loaded,
}

/// What the caller found out about this host.
#[derive(Clone, Debug)]
pub struct Host<'a> {
    /// The instance that restores.
    pub instance_id: &'a str,
    /// Now.
    pub now: Timestamp,
    /// The highest epoch known from elsewhere (a sync head); 0 where there is none.
    pub known_epoch: u64,
    /// Buckets of the current registry whose backend still holds objects.
    pub buckets_with_data: &'a BTreeSet<BucketName>,
    /// SHA-256 of the session or bearer token of the caller, which outlives the restore.
    pub caller_token: Option<String>,
    /// What `file:PATH` references give on this host, for those of the archive that resolve here.
    pub files: &'a BTreeMap<String, Secret>,
    /// The environment of the process.
    pub environment: &'a Environment,
    /// Where this host has no config file yet and relative paths count from elsewhere than the file's directory to be: from there.
    /// The file then names them absolutely, so that the first one that is written moves no data directory.
    pub paths_from: Option<&'a Path>,
}

/// What a restore would do, and with what.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is added, changed and removed.
    pub changes: Changes,
    /// What the caller should read.
    pub warnings: Vec<String>,
    /// Restored config paths that a variable of this host overrides.
    pub shadowed_by_environment: Vec<Shadowed>,
    /// Changed config paths that take effect with the next start.
    pub requires_restart: Vec<String>,
    /// What becomes of the keyring.
    pub keys: Keys,
    /// Registry entries that stay because their backend still holds objects.
    pub buckets_kept: Vec<BucketName>,
    /// The public key that signed the archive.
    pub signer: String,
    /// The state to stage. The record of this restore and the config revision are added when the answer is known.
    pub next: State,
    /// The config file to stage.
    pub next_file: String,
    /// What a start of this host on that file gives.
    pub next_config: Loaded,
    /// The bootstrap hash to stage; `None` leaves the one in force.
    pub bootstrap_password_hash: Option<Secret>,
}

/// A restored value that this host overrides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadowed {
    /// The config path.
    pub path: String,
    /// The variable.
    pub variable: String,
}

/// What becomes of the keyring: it is the union of both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Ids that the archive brings and this instance did not have.
    pub added: Vec<String>,
    /// Ids that only this instance has.
    pub kept: Vec<String>,
    /// Ids that new objects will use.
    pub active: Vec<String>,
}

/// Plans the restore of `archive` over `current`.
///
/// Errors: `key_conflict` and `missing_keys` (409), or a 501 for a mode, strategy or option that comes later.
pub fn plan(current: Current<'_>, archive: &Archive, options: &Options, host: &Host<'_>) -> Result<Plan> {
    options.check()?;
    let mut warnings = Vec::new();
    let mut next = captured::state(archive);
    let captured = archive.config.reload(&archive.secrets, host.environment, &options.set).map_err(unfit)?;
    let (mut config, mut written) = (captured.config, captured.written);
    rules::interpolations(archive, host, &mut written, &mut warnings);

    let keys = rules::keyring(current.state, archive, &mut next)?;
    rules::references(archive, host, &mut next, &mut warnings);
    let captured_at = rules::captured_at(archive.manifest.captured_at, host.now, &mut warnings);
    rules::revocations(current.state, captured_at, &options.revive, &mut next, &mut warnings);
    rules::authentication(&current.config.config, &mut config, &mut warnings);
    let kept = match options.prune_buckets {
        true => Vec::new(),
        false => rules::buckets(current, host.buckets_with_data, &mut next, &mut config, &mut warnings),
    };
    rules::credential_versions(current.state, &mut next);
    next.trusted_signers = current.state.trusted_signers.clone();
    next.trusted_signers.entry(archive.signer.clone()).or_insert(host.now);
    next.restores = current.state.restores.clone();
    next.config_history = current.state.config_history.clone();
    let hash = archive.secrets.bootstrap_password_hash.clone();
    next.meta = meta(current.state, archive, host, hash.is_some(), &mut warnings);

    if let Some(base) = host.paths_from {
        config = config.with_absolute_paths(base);
    }
    rules::pinned_hash(host, &mut config, &mut warnings);
    for (name, secret) in canonical::literal_secrets(&config) {
        next.secrets.insert(name, secret);
    }
    let mut tree = canonical::to_tree(&config, &written, Literals::Store);
    if !options.host_settings_of_archive {
        rules::host_settings(&current.config.tree, &options.set, &mut tree);
    }
    let next_file = emit::emit(&tree);
    let next_config = load::load(&next_file, host.environment).map_err(unfit)?;
    warnings.extend(next_config.warnings.iter().cloned());

    let changes = Changes::between(current, &next, &next_config);
    let shadowed_by_environment = shadowed(&next_config);
    let requires_restart = changes.config.iter().filter(|c| c.restart).map(|c| c.path.clone()).collect();
    Ok(Plan {
        changes,
        warnings,
        shadowed_by_environment,
        requires_restart,
        keys,
        buckets_kept: kept,
        signer: archive.signer.clone(),
        next,
        next_file,
        next_config,
        bootstrap_password_hash: hash,
    })
}

/// A new epoch, older sessions ended, and a clone told from the original.
fn meta(current: &State, archive: &Archive, host: &Host<'_>, with_hash: bool, warnings: &mut Vec<String>) -> Meta {
    let (now, then) = (&current.meta, &archive.manifest);
    let clone = then.instance_id != host.instance_id;
    if clone {
        warnings.push(format!(
            "the archive is of the instance {}: what acts on other systems stays paused until go-live",
            then.instance_id
        ));
    }
    let (password_set_at, password_logged) = match with_hash {
        true => (then.bootstrap_password.set_at, then.bootstrap_password.logged),
        false => (now.password_set_at, now.password_logged),
    };
    if let (Some(old), Some(new)) = (password_set_at, now.password_set_at)
        && old < new
    {
        warnings.push(format!(
            "the bootstrap password goes back to the one of {}; the present one was set on {}",
            old.rfc3339(),
            new.rfc3339()
        ));
    }
    Meta {
        instance_id: host.instance_id.to_owned(),
        epoch: now.epoch.max(then.epoch).max(host.known_epoch) + 1,
        generation: 1,
        auth_epoch: now.auth_epoch + 1,
        auth_exception: host.caller_token.clone(),
        password_set_at,
        password_logged,
        quarantined_from: if clone { Some(then.instance_id.clone()) } else { now.quarantined_from.clone() },
        unpushed: now.unpushed,
    }
}

fn shadowed(next: &Loaded) -> Vec<Shadowed> {
    let overridden = next.origins.iter().filter_map(|(path, origin)| match origin {
        Origin::Env(variable) => Some(Shadowed { path: path.clone(), variable: variable.clone() }),
        _ => None,
    });
    // A host setting is this host's own anyway.
    overridden.filter(|shadowed| !table::host_settings().any(|path| path == shadowed.path)).collect()
}

fn unfit(problems: Problems) -> Error {
    Error::new(ErrorKind::Conflict, "plan restore", format!("this host cannot run on the archive's config: {problems}"))
        .with_code("config_unfit")
        .with_hint("set the variable or the value that is named, or override it with `set=<path>=<value>`")
}
