//! A reference to a secret → the secret, on this host, at this moment.

use crate::config::roots::follow;
use crate::config::state_dir::STATE_FILES;
use crate::domain::config::model::{SecretRef, WrittenPath};
use crate::domain::config::scalar::Environment;
use crate::domain::secret::Secret;
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};
use std::fs;
use std::io;
use std::path::Path;

const OPERATION: &str = "resolve a secret";
/// A file above this holds no secret.
const MAX_BYTES: u64 = 64 << 10;

/// What references are resolved against.
#[derive(Clone, Copy, Debug)]
pub struct Resolver<'a> {
    /// The environment of the process.
    pub environment: &'a Environment,
    /// `advanced.secret_roots`.
    pub secret_roots: &'a [WrittenPath],
    /// What relative paths count from.
    pub base: &'a Path,
    /// The state directory, whose own files are no secrets to read.
    pub state_dir: &'a Path,
}

impl Resolver<'_> {
    /// The secret. Where the variable or file is missing, what a restore brought under its name stands in.
    pub fn resolve(&self, reference: &SecretRef, state: &State) -> Result<Secret> {
        let restored = || reference.name().and_then(|name| state.secrets.get(&name)).cloned();
        match reference {
            SecretRef::Literal(secret) => Ok(secret.clone()),
            SecretRef::Env(name) => match self.environment.get(name) {
                Some(value) => Ok(Secret::new(value.as_str())),
                None => restored().ok_or_else(|| missing(format!("the environment variable {name} is not set"))),
            },
            SecretRef::File(path) => match self.read(path)? {
                Some(secret) => Ok(secret),
                None => restored().ok_or_else(|| missing(format!("the secret file {} is not there", path.as_str()))),
            },
            SecretRef::Stored(name) => match state.secrets.get(name) {
                Some(secret) => Ok(secret.clone()),
                None => restored().ok_or_else(|| missing(format!("no secret is stored under the name {name}"))),
            },
        }
    }

    /// The content of a secret file without the line end; `None` where it is not there.
    fn read(&self, path: &WrittenPath) -> Result<Option<Secret>> {
        let file = follow(&path.resolve(self.base));
        let refuse =
            |message: String, hint: &str| Err(Error::new(ErrorKind::Invalid, OPERATION, message).with_hint(hint));
        let in_state = file.strip_prefix(follow(self.state_dir)).ok();
        let first = in_state.and_then(|rest| rest.iter().next());
        if first.is_some_and(|first| STATE_FILES.iter().any(|name| first.to_string_lossy().starts_with(name))) {
            return refuse(format!("{} is a file of the state itself", file.display()), "name another file");
        }
        if !self.secret_roots.iter().any(|root| file.starts_with(follow(&root.resolve(self.base)))) {
            let message = format!("the secret file {} is under none of advanced.secret_roots", file.display());
            return refuse(message, "add its directory to advanced.secret_roots");
        }
        match fs::metadata(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(OPERATION, error)),
            Ok(metadata) if !metadata.is_file() || metadata.len() > MAX_BYTES => {
                return refuse(format!("{} is no file of at most 64 KiB", file.display()), "name another file");
            }
            Ok(_) => {}
        }
        let text = fs::read_to_string(&file).map_err(|error| Error::io(OPERATION, error))?;
        let secret = Secret::new(text);
        Ok(Some(Secret::new(secret.expose().trim_end_matches(['\r', '\n']))))
    }
}

fn missing(message: String) -> Error {
    Error::new(ErrorKind::Invalid, OPERATION, message)
        .with_code("secret_missing")
        .with_hint("provide it, or change the reference")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_reference_is_resolved_and_a_restored_value_stands_in() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("here"), "from file\n").unwrap();
        fs::write(dir.path().join("deltaglider_config.db"), "x").unwrap();
        let environment = Environment::from([("HERE".to_owned(), "from env".to_owned())]);
        let roots = [WrittenPath::new(".")];
        let resolver =
            Resolver { environment: &environment, secret_roots: &roots, base: dir.path(), state_dir: dir.path() };
        let mut state = State::default();
        for (name, value) in [("env:GONE", "restored env"), ("file:gone", "restored file"), ("stored", "kept")] {
            state.secrets.insert(name.to_owned(), Secret::new(value));
        }
        let file = |path: &str| SecretRef::File(WrittenPath::new(path));
        for (reference, expected) in [
            (SecretRef::Literal(Secret::new("x")), Some("x")),
            (SecretRef::Env("HERE".to_owned()), Some("from env")),
            (SecretRef::Env("GONE".to_owned()), Some("restored env")),
            (SecretRef::Env("NEVER".to_owned()), None),
            (file("here"), Some("from file")),
            (file("gone"), Some("restored file")),
            (file("never"), None),
            (file("deltaglider_config.db"), None),
            (file("/etc/hostname"), None),
            (SecretRef::Stored("stored".to_owned()), Some("kept")),
            (SecretRef::Stored("never".to_owned()), None),
        ] {
            let secret = resolver.resolve(&reference, &state).ok();
            assert_eq!(secret.as_ref().map(Secret::expose), expected, "{reference:?}");
        }
    }
}
