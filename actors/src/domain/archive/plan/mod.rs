//! The plan of a restore: from what is and what was captured to the next state, by the rules of `backup.md` §4. Pure.
//!
//! A dry run shows the plan; a restore stages [`Plan::next`] and [`Plan::next_config`] and swaps them in.

mod answer;
mod atrest;
mod changes;
mod config;
mod declarative;
mod fields;
mod keys;
mod merge;
mod options;
mod references;
mod revocations;
mod rules;
mod shadow;
mod undo;

pub use changes::{Change, Changes, ConfigChange, Counted, Item};
pub use fields::FieldChange;
pub use options::{Mode, Options, Revive, Strategy};
pub use shadow::Shadowed;
pub use undo::{LaterChanges, Undo, undo};

use crate::domain::archive::manifest::Counts;
use crate::domain::archive::{Archive, captured};
use crate::domain::clock::Timestamp;
use crate::domain::config::load::Loaded;
use crate::domain::config::problem::Problems;
use crate::domain::config::scalar::Environment;
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
    /// The public key that signed the archive, where one did.
    pub signer: Option<String>,
    /// The state to stage. The record of this restore and the config revision are added when the answer is known.
    pub next: State,
    /// The config file to stage; `None` leaves the one that is there, or is not there.
    pub next_file: Option<String>,
    /// What a start of this host on it gives.
    pub next_config: Loaded,
    /// The bootstrap hash to stage; `None` leaves the one in force.
    pub bootstrap_password_hash: Option<Secret>,
    /// How much the archive has of each list.
    pub captured: Counts,
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
    /// Ids of keys of objects that no backend of the next config names; they are kept all the same.
    pub retired: Vec<String>,
}

/// Plans the restore of `archive` over `current`.
///
/// Errors: `key_conflict`, `missing_keys`, `iam_declarative` and `config_unfit` (409), `bad_parameter` and `unknown_revive` (400).
pub fn plan(current: Current<'_>, archive: &Archive, options: &Options, host: &Host<'_>) -> Result<Plan> {
    plan_captured(current, archive, captured::state(archive), options, host)
}

/// The same where the captured state was made, or taken, out of the archive before.
pub fn plan_captured(
    current: Current<'_>,
    archive: &Archive,
    mut captured: State,
    options: &Options,
    host: &Host<'_>,
) -> Result<Plan> {
    options.check()?;
    declarative::check_ours(current, options)?;
    let mut warnings = Vec::new();
    keys::agree(current.state, archive)?;
    let brought = std::mem::take(&mut captured.keyring);
    let captured_at = revocations::captured_at(archive.manifest.captured_at, host.now, &mut warnings);
    let unknown = revocations::unknown_to(archive, host.instance_id, captured_at);
    let since = revocations::Since {
        applies: &unknown,
        moment: "the capture",
        now: host.now,
        expires: &|_, key| key.expires_at.is_some_and(|at| at > captured_at),
    };

    let mut next = current.state.clone();
    match (options.mode.takes_iam(), options.strategy) {
        (true, Strategy::Replace) => {
            take_iam(&mut captured, &mut next);
            revocations::apply(current.state, &since, &options.revive, &mut next, &mut warnings)?;
            rules::credential_versions(current.state, &mut next);
        }
        (true, Strategy::Merge) => {
            let mut incoming = State::default();
            take_iam(&mut captured, &mut incoming);
            let mut missing = merge::missing(current.state, incoming, &mut warnings);
            revocations::apply(current.state, &since, &options.revive, &mut missing, &mut warnings)?;
            merge::add(&mut next, missing);
        }
        (false, _) => {}
    }
    let mut kept = Vec::new();
    let config = match options.mode.takes_config() {
        true => {
            let alone = declarative::Alone { current, archive, host, since: &since };
            take_config(&alone, captured, options, (&mut next, &mut kept), &mut warnings)?
        }
        false => config::Next { file: None, loaded: current.config.clone(), literals: BTreeMap::new() },
    };
    let replaces_config = options.mode.takes_config() && options.strategy == Strategy::Replace;
    let choice = if replaces_config { keys::Active::Newest } else { keys::Active::Ours };
    let (keyring, keys) = keys::unite(current.state, brought, choice)?;
    next.keyring = keyring;
    if config.file.is_some() {
        atrest::resolve(&config.loaded.config, archive, host, &mut next)?;
        keys::agree(&next, archive)?;
    }
    keys::check(&next, archive, &config.loaded.config, options.allow_missing_keys, &mut warnings)?;
    let keys = Keys { retired: keys::retired(&next.keyring, &config.loaded.config), ..keys };
    if let (Mode::Full, Some(signer)) = (options.mode, &archive.signer) {
        next.trusted_signers.entry(signer.clone()).or_insert(host.now);
    }
    let hash = archive.secrets.bootstrap_password_hash.clone().filter(|_| options.takes_password());
    let brings_config = replaces_config || config.file.is_some() || next.buckets != current.state.buckets;
    next.meta = meta(current.state, archive, host, hash.is_some(), brings_config, &mut warnings);

    warnings.extend(config.loaded.warnings.iter().filter(|_| config.file.is_some()).cloned());
    let changes = Changes::between(current, &next, &config.loaded);
    let shadowed_by_environment = match &config.file {
        Some(_) => shadow::shadowed(&config.loaded, &options.set, &mut warnings),
        None => Vec::new(),
    };
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
        next_file: config.file,
        next_config: config.loaded,
        bootstrap_password_hash: hash,
        captured: archive.manifest.counts,
    })
}

/// Moves users, groups and what belongs to them from one state to another.
fn take_iam(from: &mut State, to: &mut State) {
    to.users = std::mem::take(&mut from.users);
    to.groups = std::mem::take(&mut from.groups);
    to.providers = std::mem::take(&mut from.providers);
    to.mapping_rules = std::mem::take(&mut from.mapping_rules);
    to.identities = std::mem::take(&mut from.identities);
    to.tokens = std::mem::take(&mut from.tokens);
    to.revocations = std::mem::take(&mut from.revocations);
}

/// The config file and what goes with it: the bucket registry, the ids of backends, stored secrets.
fn take_config(
    alone: &declarative::Alone<'_>,
    captured: State,
    options: &Options,
    (next, kept): (&mut State, &mut Vec<BucketName>),
    warnings: &mut Vec<String>,
) -> Result<config::Next> {
    let declarative::Alone { current, archive, host, .. } = *alone;
    let mut theirs = archive.config.reload(&archive.secrets, host.environment, &options.set).map_err(unfit)?;
    rules::authentication(&current.config.config, &mut theirs.config, warnings);
    declarative::agree(&mut theirs.config, options, alone, next, warnings)?;
    let config = match options.strategy {
        Strategy::Replace => {
            (next.buckets, next.backends, next.secrets) = (captured.buckets, captured.backends, captured.secrets);
            references::references(archive, host, next, warnings);
            atrest::accumulate(current, archive, &mut theirs.config);
            if !options.prune_buckets {
                *kept = rules::buckets(current, host.buckets_with_data, next, &mut theirs.config, warnings);
            }
            config::replaced(current, theirs, archive, options, host, warnings)?
        }
        Strategy::Merge => {
            let config = config::merged(current, &theirs, archive, host, warnings)?;
            config::merged_secrets(archive, &captured, host, &config.loaded, next);
            for (name, bucket) in captured.buckets {
                next.buckets.entry(name).or_insert(bucket);
            }
            for (name, id) in captured.backends {
                let ours = current.config.config.storage.backends.contains_key(&name);
                if !ours && config.loaded.config.storage.backends.contains_key(&name) {
                    next.backends.entry(name).or_insert(id);
                }
            }
            config
        }
    };
    next.secrets.extend(config.literals.clone());
    Ok(config)
}

/// A new epoch, older sessions ended, and a clone told from the original.
fn meta(
    current: &State,
    archive: &Archive,
    host: &Host<'_>,
    with_hash: bool,
    brings_config: bool,
    warnings: &mut Vec<String>,
) -> Meta {
    let (now, then) = (&current.meta, &archive.manifest);
    let clone = then.instance_id != host.instance_id && brings_config;
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

fn unfit(problems: Problems) -> Error {
    Error::new(ErrorKind::Conflict, "plan restore", format!("this host cannot run on the archive's config: {problems}"))
        .with_code("config_unfit")
        .with_hint("set the variable or the value that is named, or override it with `set=<path>=<value>`")
}
