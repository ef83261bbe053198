//! The config file that a restore leaves behind: the captured one, or this host's with what it lacks.

use crate::Result;
use crate::domain::archive::plan::{Current, Host, Options, references, rules};
use crate::domain::archive::{Archive, plan};
use crate::domain::config::canonical::{self, Literals};
use crate::domain::config::load::{Loaded, load};
use crate::domain::config::model::Config;
use crate::domain::config::tree::{Node, Value};
use crate::domain::config::{emit, table};
use crate::domain::secret::Secret;
use crate::domain::state::State;
use std::collections::BTreeMap;

/// Pins the bootstrap hash: it goes with the hash, not with the config.
const PINNED_HASH: &str = "advanced.bootstrap_password_hash";

/// What a merge leaves alone even where this host's file does not have it, because its absence means something.
const NEVER_MERGED: [&str; 2] = [PINNED_HASH, "advanced.data_roots"];

/// The next config.
pub(super) struct Next {
    /// The file to stage; `None` leaves the one that is there.
    pub(super) file: Option<String>,
    /// What a start of this host on it gives.
    pub(super) loaded: Loaded,
    /// The literal secrets that the file refers to as stored.
    pub(super) literals: BTreeMap<String, Secret>,
}

/// The captured config in place of this host's.
pub(super) fn replaced(
    current: Current<'_>,
    captured: Loaded,
    archive: &Archive,
    options: &Options,
    host: &Host<'_>,
    warnings: &mut Vec<String>,
) -> Result<Next> {
    let (mut config, mut written) = (captured.config, captured.written);
    references::interpolations(archive, host, &mut written, warnings);
    if let Some(base) = host.paths_from {
        config = config.with_absolute_paths(base);
    }
    if options.takes_password() {
        references::pinned_hash(host, &mut config, warnings);
    }
    let literals = literals(&config);
    let mut tree = canonical::to_tree(&config, &written, Literals::Store);
    let own = &current.config.tree;
    if !options.host_settings_of_archive {
        rules::keep(own, table::host_settings(), &options.set, &mut tree);
    }
    if !options.takes_password() {
        rules::keep(own, [PINNED_HASH].into_iter(), &[], &mut tree);
    }
    let file = emit::emit(&tree);
    let loaded = load(&file, host.environment).map_err(plan::unfit)?;
    Ok(Next { file: Some(file), loaded, literals })
}

/// This host's config with what it lacks of the captured one.
pub(super) fn merged(
    current: Current<'_>,
    captured: &Loaded,
    archive: &Archive,
    host: &Host<'_>,
    warnings: &mut Vec<String>,
) -> Result<Next> {
    let mut written = captured.written.clone();
    references::interpolations(archive, host, &mut written, warnings);
    let mut combined = current.config.clone();
    if let Some(base) = host.paths_from {
        combined.config = combined.config.with_absolute_paths(base);
    }
    let mut added = storage(&mut combined, captured, &written, warnings);
    let mut tree = canonical::file_tree(&combined, Literals::Store);
    // A hash that is written out opens the store; it cannot lie in it.
    rules::keep(&current.config.tree, [PINNED_HASH].into_iter(), &[], &mut tree);
    let mut theirs = canonical::to_tree(&captured.config, &written, Literals::Omit);
    if combined.config.access.access_key_id.is_some() {
        // The pair is one thing: half of another one would make neither.
        canonical::remove(&mut theirs, &["access", "access_key_id"]);
        canonical::remove(&mut theirs, &["access", "secret_access_key"]);
    }
    for section in theirs.entries().iter().filter(|entry| entry.key != "storage") {
        added += lacking(&mut tree, &[&section.key], &section.node);
    }
    if added == 0 {
        return Ok(Next { file: None, loaded: current.config.clone(), literals: BTreeMap::new() });
    }
    let file = emit::emit(&tree);
    let loaded = load(&file, host.environment).map_err(plan::unfit)?;
    Ok(Next { file: Some(file), loaded, literals: literals(&current.config.config) })
}

/// Which stored secrets and references of an archive a merge brings: those that the merged config names and nobody here has.
pub(super) fn merged_secrets(archive: &Archive, captured: &State, host: &Host<'_>, loaded: &Loaded, next: &mut State) {
    for reference in loaded.references() {
        let name = reference.strip_prefix("stored:").unwrap_or(&reference).to_owned();
        let here = next.secrets.contains_key(&name) || references::resolves(host, &reference);
        let brought = captured.secrets.get(&name).or_else(|| archive.secrets.resolved.get(&reference));
        if let (false, Some(value)) = (here, brought) {
            next.secrets.insert(name, value.clone());
        }
    }
}

/// Adds backends and pins that this host lacks; one that it has stays as it is, wherever it lies.
fn storage(
    combined: &mut Loaded,
    captured: &Loaded,
    written: &BTreeMap<String, String>,
    warnings: &mut Vec<String>,
) -> usize {
    let mut added = 0;
    let (ours, theirs) = (&mut combined.config.storage, &captured.config.storage);
    for (name, backend) in &theirs.backends {
        match ours.backends.get(name) {
            None => {
                ours.backends.insert(name.clone(), backend.clone());
                let prefix = format!("storage.backends.{name}.");
                let theirs = written.iter().filter(|(path, _)| path.starts_with(&prefix));
                combined.written.extend(theirs.map(|(path, text)| (path.clone(), text.clone())));
                added += 1;
            }
            Some(own) if own != backend => {
                warnings.push(format!("the backend `{name}` is another one here: this host's stays"));
            }
            Some(_) => {}
        }
    }
    for (name, pin) in &theirs.buckets {
        if !ours.buckets.contains_key(name) {
            ours.buckets.insert(name.clone(), pin.clone());
            added += 1;
        }
    }
    added
}

/// Puts in what `ours` lacks of `theirs` below a path, and counts it.
fn lacking(ours: &mut Node, path: &[&str], theirs: &Node) -> usize {
    let shown = path.join(".");
    if NEVER_MERGED.contains(&shown.as_str()) || table::host_settings().any(|setting| setting == shown) {
        return 0;
    }
    match (&theirs.value, ours.find(path).is_some()) {
        (Value::Map(entries), _) if !is_reference(theirs) => {
            let mut added = 0;
            for entry in entries {
                let below: Vec<&str> = path.iter().copied().chain([entry.key.as_str()]).collect();
                added += lacking(ours, &below, &entry.node);
            }
            added
        }
        (_, true) => 0,
        (_, false) => usize::from(ours.set(path, theirs.clone())),
    }
}

/// `{env: NAME}` and its like are one value.
fn is_reference(node: &Node) -> bool {
    matches!(node.entries(), [one] if ["env", "file", "stored"].contains(&one.key.as_str()))
}

fn literals(config: &Config) -> BTreeMap<String, Secret> {
    canonical::literal_secrets(config)
}
