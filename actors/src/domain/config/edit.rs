//! One change of `storage.backends` through the API, as a rule on values: what it makes of a configuration, and what refuses it.

use super::Loaded;
use super::encryption::Encryption;
use super::model::{Backend, BackendKind, Storage};
use super::routing::{Route, routes};
use super::storage::DEFAULT_BACKEND;
use crate::domain::names::{BackendName, BucketName};
use crate::domain::state::Bucket;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

const OPERATION: &str = "change backends";

/// One change of the backends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendEdit {
    /// Adds one.
    Add {
        /// Its name.
        name: BackendName,
        /// Its kind and place.
        kind: BackendKind,
        /// It takes no writes.
        read_only: bool,
        /// New buckets go there from now on.
        default: bool,
    },
    /// Changes one; what is `None` stays.
    Change {
        /// Which.
        name: BackendName,
        /// Its kind and place.
        kind: Option<BackendKind>,
        /// It takes no writes.
        read_only: Option<bool>,
        /// New buckets go there from now on.
        default: bool,
    },
    /// Removes one that no bucket is routed to. Its at-rest keys stay in the keyring.
    Remove {
        /// Which.
        name: BackendName,
    },
}

impl BackendEdit {
    /// The backend that it is about.
    pub fn name(&self) -> &BackendName {
        match self {
            Self::Add { name, .. } | Self::Change { name, .. } | Self::Remove { name } => name,
        }
    }

    /// The place that is to be opened, where it is another than before.
    pub fn opens(&self, now: &Storage) -> Option<BackendKind> {
        let before = now.backends.get(self.name()).map(|backend| &backend.kind);
        match self {
            Self::Add { kind, .. } | Self::Change { kind: Some(kind), .. } if before != Some(kind) => {
                Some(kind.clone())
            }
            _ => None,
        }
    }

    /// Makes the change in a configuration as it was loaded, of which the next file is written.
    pub fn apply(self, loaded: &mut Loaded, registry: &BTreeMap<BucketName, Arc<Bucket>>) -> Result<()> {
        let storage = &mut loaded.config.storage;
        match self {
            Self::Add { name, kind, read_only, default } => {
                if storage.backends.contains_key(&name) {
                    let message = format!("there is a backend `{name}` already; nothing was changed");
                    return Err(conflict("backend_exists", message, "choose another name, or change that backend"));
                }
                storage.backends.insert(name.clone(), Backend { kind, read_only, encryption: Encryption::default() });
                if default {
                    storage.default_backend = name;
                }
            }
            Self::Change { name, kind, read_only, default } => {
                let backend = storage.backends.get_mut(&name).ok_or_else(|| no_such_backend(&name))?;
                if let Some(kind) = kind {
                    forget_changed(&mut loaded.written, &name, &backend.kind, &kind);
                    backend.kind = kind;
                }
                backend.read_only = read_only.unwrap_or(backend.read_only);
                if default {
                    storage.default_backend = name;
                }
            }
            Self::Remove { name } => {
                removable(storage, registry, &name)?;
                storage.backends.remove(&name);
                forget_written(&mut loaded.written, &name);
            }
        }
        follow_form(loaded);
        Ok(())
    }
}

/// The error of a backend that is not configured.
pub fn no_such_backend(name: &BackendName) -> Error {
    Error::new(ErrorKind::NotFound, OPERATION, format!("there is no backend `{name}`"))
        .with_code("no_such_backend")
        .with_hint("`deltaglider_proxy backend list` shows those there are")
}

/// The buckets of a backend and their routes.
pub fn buckets_of<'a>(
    routes: &'a BTreeMap<BucketName, Route>,
    name: &'a BackendName,
) -> impl Iterator<Item = &'a BucketName> {
    routes.iter().filter(move |(_, route)| route.backend == *name).map(|(bucket, _)| bucket)
}

fn removable(storage: &Storage, registry: &BTreeMap<BucketName, Arc<Bucket>>, name: &BackendName) -> Result<()> {
    if !storage.backends.contains_key(name) {
        return Err(no_such_backend(name));
    }
    if storage.default_backend == *name {
        let message = format!("`{name}` is the default backend, where new buckets go; nothing was changed");
        return Err(conflict("backend_is_default", message, "make another backend the default first"));
    }
    let routes = routes(storage, registry);
    let names: Vec<&str> = buckets_of(&routes, name).map(BucketName::as_str).collect();
    if let [first, ..] = names.as_slice() {
        let message = format!("{} bucket(s) are on `{name}`, `{first}` among them; nothing was changed", names.len());
        return Err(conflict("backend_in_use", message, "route them to another backend or delete them first"));
    }
    Ok(())
}

/// What stood in the file with a variable in it stands for the old place.
fn forget_written(written: &mut BTreeMap<String, String>, name: &BackendName) {
    let of_it = format!("storage.backends.{name}.");
    let alone = name.as_str() == DEFAULT_BACKEND;
    let old = |path: &str| path.starts_with(&of_it) || (alone && path == SHORT);
    written.retain(|path, _| !old(path));
}

/// What stays of an account is written as it stood there.
fn forget_changed(written: &mut BTreeMap<String, String>, name: &BackendName, was: &BackendKind, is: &BackendKind) {
    let (BackendKind::S3(was), BackendKind::S3(is)) = (was, is) else { return forget_written(written, name) };
    let changed = [
        ("endpoint", was.endpoint != is.endpoint),
        ("region", was.region != is.region),
        ("access_key_id", was.access_key_id != is.access_key_id),
    ];
    for (key, _) in changed.iter().filter(|(_, changed)| *changed) {
        written.remove(&format!("storage.backends.{name}.{key}"));
    }
}

/// The one directory of the short form.
const SHORT: &str = "storage.filesystem";

/// Where the file changes between its short form and the list, what is known of the one directory goes with its path.
fn follow_form(loaded: &mut Loaded) {
    let storage = &loaded.config.storage;
    let short = storage.backends.len() == 1
        && storage.backends.iter().all(|(name, backend)| name.as_str() == DEFAULT_BACKEND && backend.is_plain());
    let listed = format!("storage.backends.{DEFAULT_BACKEND}.path");
    let (from, to) = if short { (listed.as_str(), SHORT) } else { (SHORT, listed.as_str()) };
    if let Some(origin) = loaded.origins.remove(from) {
        loaded.origins.entry(to.to_owned()).or_insert(origin);
    }
    if let Some(text) = loaded.written.remove(from) {
        loaded.written.entry(to.to_owned()).or_insert(text);
    }
}

fn conflict(code: &'static str, message: String, hint: &str) -> Error {
    Error::new(ErrorKind::Conflict, OPERATION, message).with_code(code).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::config::canonical::{Literals, file_tree};
    use crate::domain::config::emit::emit;
    use crate::domain::config::load;
    use crate::domain::config::model::WrittenPath;
    use crate::domain::config::scalar::Environment;

    fn name(text: &str) -> BackendName {
        BackendName::new(text).unwrap()
    }

    fn kind(path: &str) -> BackendKind {
        BackendKind::Filesystem { path: WrittenPath::new(path) }
    }

    fn add(text: &str, path: &str) -> BackendEdit {
        BackendEdit::Add { name: name(text), kind: kind(path), read_only: false, default: false }
    }

    /// The file after a change, or the code of what refuses it.
    fn after(text: &str, environment: &Environment, edit: BackendEdit) -> Result<String, &'static str> {
        let mut loaded = load(text, environment).unwrap();
        edit.apply(&mut loaded, &BTreeMap::new()).map_err(|error| error.code().unwrap_or("none"))?;
        let text = emit(&file_tree(&loaded, Literals::Store));
        let again = load(&text, environment).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        assert_eq!(again.config.storage, loaded.config.storage, "{text}");
        Ok(text)
    }

    #[test]
    fn a_second_backend_turns_the_short_form_into_a_list_and_back() {
        let none = Environment::new();
        let two = after("storage: {filesystem: /srv/a}\n", &none, add("cold", "/srv/b")).unwrap();
        assert!(two.contains("name: cold") && two.contains("path: /srv/a"), "{two}");
        let one = after(&two, &none, BackendEdit::Remove { name: name("cold") }).unwrap();
        assert!(one.contains("filesystem: /srv/a") && !one.contains("backends"), "{one}");
    }

    #[test]
    fn what_the_environment_gives_and_what_names_a_variable_stays_out_of_the_file() {
        let environment = Environment::from([("DGP_DATA_DIR".to_owned(), "/env/data".to_owned())]);
        let two = after("", &environment, add("cold", "/srv/b")).unwrap();
        assert!(!two.contains("/env/data"), "{two}");
        let environment = Environment::from([("ROOT".to_owned(), "/r".to_owned())]);
        let two = after("storage: {filesystem: '${env:ROOT}/a'}\n", &environment, add("cold", "/srv/b")).unwrap();
        assert!(two.contains("${env:ROOT}/a"), "{two}");
        let moved =
            BackendEdit::Change { name: name("default"), kind: Some(kind("/x")), read_only: None, default: false };
        assert!(!after(&two, &environment, moved).unwrap().contains("${env:ROOT}"));
    }

    #[test]
    fn what_is_in_use_or_not_there_is_not_removed() {
        let none = Environment::new();
        let two = after("storage: {filesystem: /srv/a, buckets: {logs: {backend: default}}}\n", &none, add("b", "/b"));
        let two = two.unwrap();
        let remove = |which: &str| BackendEdit::Remove { name: name(which) };
        assert_eq!(after(&two, &none, remove("other")), Err("no_such_backend"));
        assert_eq!(after(&two, &none, add("b", "/c")), Err("backend_exists"));
        let change = BackendEdit::Change { name: name("b"), kind: None, read_only: Some(true), default: true };
        let other = after(&two, &none, change).unwrap();
        assert!(other.contains("default_backend: b") && other.contains("read_only: true"), "{other}");
        assert_eq!(after(&other, &none, remove("b")), Err("backend_is_default"));
        assert_eq!(after(&other, &none, remove("default")), Err("backend_in_use"));
    }
}
