//! What belongs to this instance alone (`.deltaglider_instance`): made once, in no backup, restore or sync.

use crate::config::state_dir::INSTANCE;
use crate::disk::{Disk, atomic};
use crate::domain::secret::Secret;
use crate::{Error, ErrorKind, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use zeroize::Zeroizing;

const OPERATION: &str = "read the instance file";

/// The identity of an instance.
#[derive(Clone, PartialEq, Eq)]
pub struct Instance {
    /// A UUID.
    pub instance_id: String,
    state_key: Zeroizing<[u8; 32]>,
    signing_key: Zeroizing<[u8; 32]>,
}

/// The file as it is written: keys as text.
#[derive(Deserialize)]
struct Written {
    instance_id: String,
    state_key: Secret,
    signing_key: Secret,
}

/// The keys do not print.
impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("instance_id", &self.instance_id).finish_non_exhaustive()
    }
}

impl Instance {
    /// Reads the instance file, or makes it where there is none. One that cannot be read is never replaced: it keys the
    /// state database.
    pub fn load_or_create(state_dir: &Path, disk: &dyn Disk) -> Result<Self> {
        let path = state_dir.join(INSTANCE);
        if path.try_exists().map_err(|error| Error::io(OPERATION, error))? {
            return Self::load(state_dir);
        }
        let instance = Self::random()?;
        instance.write(&path, disk).map_err(|error| Error::io("write the instance file", error))?;
        Ok(instance)
    }

    /// Reads the instance file.
    pub fn load(state_dir: &Path) -> Result<Self> {
        let path = state_dir.join(INSTANCE);
        let bytes = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                let message = format!("there is no {}: is this a state directory?", path.display());
                Error::new(ErrorKind::NotFound, OPERATION, message)
            }
            _ => Error::io(OPERATION, error),
        })?;
        warn_if_open(&path);
        Self::parse(&Zeroizing::new(bytes)).map_err(|error| {
            let message = format!("{} is damaged: {error}", path.display());
            Error::new(ErrorKind::Invalid, OPERATION, message)
                .with_hint("put the file back; without it, sessions and history are lost: then remove the file and deltaglider_state.db")
        })
    }

    /// The key of `deltaglider_state.db`.
    pub fn state_key(&self) -> &[u8; 32] {
        &self.state_key
    }

    /// The Ed25519 seed that signs archives.
    pub fn signing_key(&self) -> &[u8; 32] {
        &self.signing_key
    }

    fn random() -> Result<Self> {
        let key = || {
            let mut key = Zeroizing::new([0; 32]);
            openssl::rand::rand_priv_bytes(&mut *key)
                .map_err(|error| Error::internal("make the instance's keys", error))?;
            Ok::<_, Error>(key)
        };
        Ok(Self { instance_id: uuid::Uuid::new_v4().to_string(), state_key: key()?, signing_key: key()? })
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let written: Written = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let state_key = Zeroizing::new(hex::decode(written.state_key.expose()).unwrap_or_default());
        let signing_key = Zeroizing::new(STANDARD.decode(written.signing_key.expose()).unwrap_or_default());
        let key = |bytes: &[u8], name: &str| {
            <[u8; 32]>::try_from(bytes).map(Zeroizing::new).map_err(|_| format!("`{name}` is not 32 bytes"))
        };
        uuid::Uuid::try_parse(&written.instance_id).map_err(|_| "`instance_id` is no UUID".to_owned())?;
        Ok(Self {
            instance_id: written.instance_id,
            state_key: key(&state_key, "state_key")?,
            signing_key: key(&signing_key, "signing_key")?,
        })
    }

    fn write(&self, path: &Path, disk: &dyn Disk) -> io::Result<()> {
        let text = Zeroizing::new(format!(
            "{{\"instance_id\":\"{}\",\"state_key\":\"{}\",\"signing_key\":\"{}\"}}\n",
            self.instance_id,
            hex::encode(*self.state_key),
            STANDARD.encode(*self.signing_key)
        ));
        let temp = atomic::temp_beside(path)?;
        let made = atomic::write_file(disk, &temp, text.as_bytes(), 0o600);
        if let Err(error) = made.and_then(|()| disk.rename_noreplace(&temp, path)) {
            atomic::discard(disk, &temp);
            return Err(error);
        }
        disk.sync_dir(atomic::parent(path)?)
    }
}

fn warn_if_open(path: &Path) {
    let mode = fs::metadata(path).map(|metadata| metadata.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        log::warn!("{} can be read by others; chmod 600 it", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::real::RealDisk;

    #[test]
    fn an_instance_is_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let first = Instance::load_or_create(dir.path(), &RealDisk).unwrap();
        let second = Instance::load_or_create(dir.path(), &RealDisk).unwrap();
        assert_eq!(first, second);
        assert_ne!(first.state_key(), first.signing_key());
        let mode = fs::metadata(dir.path().join(INSTANCE)).unwrap().permissions().mode();
        assert_eq!((mode & 0o777, fs::read_dir(dir.path()).unwrap().count()), (0o600, 1));
    }

    #[test]
    fn a_damaged_file_is_named_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["", "{}", "{\"instance_id\":\"x\",\"state_key\":\"00\",\"signing_key\":\"\"}"] {
            fs::write(dir.path().join(INSTANCE), text).unwrap();
            let error = Instance::load_or_create(dir.path(), &RealDisk).unwrap_err();
            assert!(error.message().contains("is damaged"), "{error}");
            assert_eq!(fs::read_to_string(dir.path().join(INSTANCE)).unwrap(), text);
        }
    }

    #[test]
    fn an_instance_prints_no_key() {
        let instance = Instance::random().unwrap();
        let shown = format!("{instance:?}");
        assert!(!shown.contains(&format!("{}, {}", instance.state_key[0], instance.state_key[1])), "{shown}");
    }
}
