//! Text and environment → the checked configuration, with the origin of every value and the file's own tree.

use super::build::{self, Values};
use super::check::{Checker, Form};
use super::model::{Config, SecretRef};
use super::problem::{Complaint, Problem, Problems};
use super::scalar::{self, Environment};
use super::storage;
use super::tree::{Node, Origin};
use super::{environment, flat, reader};
use crate::domain::state::Bucket;
use std::collections::{BTreeMap, BTreeSet};

/// What a configuration is read from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The YAML; empty where there is no file.
    pub text: &'a str,
    /// The environment of the process.
    pub environment: &'a Environment,
    /// Values by path that go over the file and under the environment: `?set=` of a restore.
    pub set: &'a [(String, String)],
    /// Which document it is.
    pub form: Form,
}

/// A configuration and what is known of its making.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The effective configuration.
    pub config: Config,
    /// Where every value comes from, by canonical path; a value without an entry is not set.
    pub origins: BTreeMap<String, Origin>,
    /// What was written, by canonical path, where `${env:…}` stands in it.
    pub written: BTreeMap<String, String>,
    /// What is accepted, but worth a line in the log.
    pub warnings: Vec<String>,
    /// The file's own tree in sections, before the environment: for rewriting with references kept.
    pub tree: Node,
    /// The buckets that an archive says are the registry's; empty for a file.
    pub registry: Vec<Bucket>,
}

impl Loaded {
    /// Every reference in use, secret or not, as `env:NAME`, `file:PATH`, `stored:NAME`.
    pub fn references(&self) -> BTreeSet<String> {
        let secrets = self.config.all_secrets();
        let written = self.written.values().flat_map(|text| scalar::variables(text)).map(|name| format!("env:{name}"));
        secrets.filter_map(SecretRef::name).chain(written).collect()
    }
}

/// Reads a config file's text with the environment laid over it.
pub fn load(text: &str, environment: &Environment) -> Result<Loaded, Problems> {
    load_from(&Source { text, environment, set: &[], form: Form::File })
}

/// The configuration where nothing is configured.
pub fn embedded() -> Result<Loaded, Problems> {
    load("", &Environment::new())
}

/// Reads a source.
pub fn load_from(source: &Source<'_>) -> Result<Loaded, Problems> {
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let tree = flat::to_sections(reader::read(source.text)?, &mut problems, &mut warnings);
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    load_tree(tree, source, warnings)
}

/// Reads a tree in sections; the source's text is not looked at.
pub(super) fn load_tree(mut tree: Node, source: &Source<'_>, mut warnings: Vec<String>) -> Result<Loaded, Problems> {
    let mut problems = Vec::new();
    for (path, value) in source.set {
        put(&mut tree, path, value, &mut problems);
    }
    let own = tree.clone();
    // An archive is read as it stands: the overrides of its own host are part of it, and those of this host are laid over
    // the file that is made of it.
    if source.form == Form::File {
        environment::apply(&mut tree, source.environment, &mut problems, &mut warnings);
    }
    let mut checker = Checker { environment: source.environment, form: source.form, problems };
    let section = checker.document(&tree);
    let mut values = Values::new(&section);
    let storage = storage::storage(&mut values, &mut checker, &mut warnings);
    if storage.is_none() && checker.problems.is_empty() {
        checker.problem("storage", &Origin::Default, Complaint::new("names no backend"));
    }
    let (storage, registry) = match storage {
        Some(storage) => storage,
        // Every value has been looked at by now; only the rules between keys are left out.
        None => return Err(in_order(checker.problems)),
    };
    let config = build::config(&mut values, storage, &mut checker, &mut warnings);
    let (origins, written) = (std::mem::take(&mut values.origins), std::mem::take(&mut values.written));
    if !checker.problems.is_empty() {
        return Err(in_order(checker.problems));
    }
    Ok(Loaded { config, origins, written, warnings, tree: own, registry })
}

fn in_order(mut problems: Vec<Problem>) -> Problems {
    problems.sort_by_key(|problem| (problem.line == 0, problem.line, problem.column));
    Problems(problems)
}

/// Puts a value in by its path; `storage.filesystem` means the directory of the default backend, whatever the form, and so does the
/// name that plans show of a backend that stands in no list.
fn put(tree: &mut Node, path: &str, value: &str, problems: &mut Vec<Problem>) {
    let unlisted = tree.find(&["storage", "backends"]).is_none();
    let parts: Vec<String> = match path {
        "storage.filesystem" => environment::data_dir_path(tree),
        _ if unlisted && path == format!("storage.backends.{}.path", storage::DEFAULT_BACKEND) => {
            environment::data_dir_path(tree)
        }
        _ => super::canonical::split(path).into_iter().map(str::to_owned).collect(),
    };
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let node = Node { origin: Origin::Set, ..Node::text(value) };
    if !tree.set(&parts, node) {
        let message = format!("`set` names `{path}`, which has no place here");
        problems.push(Problem { path: path.to_owned(), line: 0, column: 0, message, suggestion: None });
    }
}
