//! The config file: read with its sum, so that an edit from outside is noticed before it would be overwritten.

use crate::config::locate::{Located, replaceable};
use crate::config::roots;
use crate::domain::config::check::Form;
use crate::domain::config::problem::Problems;
use crate::domain::config::scalar::Environment;
use crate::domain::config::{Loaded, Source, load_from};
use crate::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file above this is no config file.
const MAX_BYTES: u64 = 64 << 20;

/// The config file as it was read.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// The file that a change replaces, symbolic links followed where it is there.
    pub path: PathBuf,
    /// What relative paths count from: the directory of the file, the working directory where there is none.
    pub base: PathBuf,
    /// SHA-256 of its bytes in hex; `None` where there is no file.
    pub sha256: Option<String>,
    /// Why it cannot be replaced: then every config change is refused.
    pub writable: std::result::Result<(), String>,
}

impl ConfigFile {
    /// Reads and checks the config: the file where there is one, the environment over it, and the roots on this host.
    pub fn load(located: &Located, environment: &Environment, state_dir: &Path) -> Result<(Self, Loaded)> {
        const OPERATION: &str = "load the config";
        let (file, text) = Self::read(located)?;
        let source = Source { text: &text, environment, set: &[], form: Form::File };
        let loaded = load_from(&source).map_err(|problems| file.refused(OPERATION, problems))?;
        let problems = roots::check(&loaded, &file.base, file.directory(), state_dir);
        if !problems.is_empty() {
            return Err(file.refused(OPERATION, Problems(problems)));
        }
        Ok((file, loaded))
    }

    /// Reads the file without looking at what it says.
    pub fn read(located: &Located) -> Result<(Self, String)> {
        const OPERATION: &str = "read the config file";
        let failed = |error: io::Error| {
            let message = format!("the config file {} cannot be read: {error}", located.path.display());
            Error::new(ErrorKind::Unavailable, OPERATION, message).with_source(error)
        };
        let writable = replaceable(&located.path);
        if !located.exists {
            let base = std::env::current_dir().map_err(failed)?;
            return Ok((Self { path: located.path.clone(), base, sha256: None, writable }, String::new()));
        }
        let path = fs::canonicalize(&located.path).map_err(failed)?;
        if fs::metadata(&path).map_err(failed)?.len() > MAX_BYTES {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 64 MiB")));
        }
        let bytes = fs::read(&path).map_err(failed)?;
        let sha256 = Some(hex::encode(Sha256::digest(&bytes)));
        let text = String::from_utf8(bytes).map_err(|_| {
            let message = format!("the config file {} is not UTF-8", path.display());
            Error::new(ErrorKind::Invalid, OPERATION, message)
        })?;
        let base = directory_of(&std::path::absolute(&located.path).map_err(failed)?);
        Ok((Self { path, base, sha256, writable }, text))
    }

    /// True while the file on disk is the one that was read.
    pub fn is_unchanged(&self) -> Result<bool> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(self.sha256 == Some(hex::encode(Sha256::digest(&bytes)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(self.sha256.is_none()),
            Err(error) => Err(Error::io("read the config file", error)),
        }
    }

    /// What a change writes: where the paths of the config did not count from the file's directory, they are made absolute
    /// first, so that the first change through the API moves no data directory.
    pub fn for_writing(&self, loaded: &Loaded) -> Loaded {
        let mut loaded = loaded.clone();
        if Some(self.base.as_path()) != self.path.parent() && self.sha256.is_none() {
            loaded.config = loaded.config.with_absolute_paths(&self.base);
        }
        loaded
    }

    /// The directory that holds the file, where there is one.
    fn directory(&self) -> Option<&Path> {
        self.sha256.as_ref().and(self.path.parent())
    }

    fn refused(&self, operation: &'static str, problems: Problems) -> Error {
        let place = match self.sha256 {
            Some(_) => format!("{} is refused", self.path.display()),
            None => "the configuration is refused".to_owned(),
        };
        Error::new(ErrorKind::Invalid, operation, format!("{place}:\n{problems}"))
            .with_code("config_invalid")
            .with_hint("`deltaglider_proxy config check` shows all problems")
            .with_source(problems)
    }
}

fn directory_of(path: &Path) -> PathBuf {
    path.parent().map_or_else(|| PathBuf::from("/"), Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::locate::locate;
    use crate::domain::config::canonical::{Literals, file_tree};
    use crate::domain::config::emit::emit;

    fn load(dir: &Path, text: &str) -> Result<(ConfigFile, Loaded)> {
        let path = dir.join("dgp.yaml");
        fs::write(&path, text).unwrap();
        ConfigFile::load(&locate(Some(&path), dir).unwrap(), &Environment::new(), dir)
    }

    #[test]
    fn a_file_is_loaded_with_its_sum_and_an_edit_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let (file, loaded) = load(dir.path(), "advanced: {log_level: warn}\n").unwrap();
        assert_eq!((loaded.config.advanced.log_level.as_str(), file.writable.clone()), ("warn", Ok(())));
        assert!(file.is_unchanged().unwrap());
        fs::write(&file.path, "advanced: {log_level: info}\n").unwrap();
        assert!(!file.is_unchanged().unwrap());
    }

    #[test]
    fn a_refused_file_names_itself_and_every_problem() {
        let dir = tempfile::tempdir().unwrap();
        let error = load(dir.path(), "storge: {}\nadvanced: {log_level: inof}\n").unwrap_err();
        let message = error.message();
        assert!(
            message.contains("dgp.yaml is refused:\nline 1, column 1: storge") && message.contains("inof"),
            "{message}"
        );
        assert_eq!(error.code(), Some("config_invalid"));
    }

    #[test]
    fn the_first_change_without_a_file_keeps_the_data_where_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let located = Located { path: dir.path().join("config.yaml"), exists: false };
        let (file, text) = ConfigFile::read(&located).unwrap();
        let loaded = crate::domain::config::load(&text, &Environment::new()).unwrap();
        let yaml = emit(&file_tree(&file.for_writing(&loaded), Literals::Store));
        let expected = std::env::current_dir().unwrap().join("data");
        assert!(yaml.contains(&format!("filesystem: {}", expected.display())), "{yaml}");
        assert!(file.is_unchanged().unwrap());
    }
}
