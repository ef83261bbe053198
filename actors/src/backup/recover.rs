//! The way out of a locked system whose database somebody can still open: with its password, or with its hash.

use crate::backup::fence::Fenced;
use crate::backup::files::ConfigFile;
use crate::backup::handle::Tools;
use crate::backup::restore::swap;
use crate::backup::stage::{self, Next};
use crate::db::open::{TryOpen, open_with_password, try_open};
use crate::db::password::PasswordHash;
use crate::db::state;
use crate::disk::atomic;
use crate::domain::change::StateChange;
use crate::domain::secret::Secret;
use crate::domain::state::State;
use crate::system::swap::SwapKind;
use crate::{Error, ErrorKind, Result, fault};
use std::fmt;
use std::path::Path;

const OPERATION: &str = "recover database";

/// What is said to open the database.
#[derive(Clone, Debug)]
pub enum Proof {
    /// The bootstrap password that it was keyed by.
    Password(Secret),
    /// Its hash.
    Hash(PasswordHash),
}

/// The database, opened.
pub struct Opened {
    hash: PasswordHash,
    state: State,
}

/// What a recovery did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The database was keyed to the hash that environment or config pins. Otherwise the hash that opens it is in force.
    pub rekeyed: bool,
}

/// Opens the database through a private copy; `None` where the proof is wrong. Takes as long as checking a password, or, where that
/// is wrong, seconds: run it where passwords are hashed.
pub(super) fn open(config_db: &Path, proof: &Proof) -> Result<Option<Opened>> {
    let copy = atomic::temp_beside(config_db).map_err(|error| Error::io(OPERATION, error))?;
    atomic::copy_private(config_db, &copy).map_err(|error| Error::io(OPERATION, error))?;
    let opened = match proof {
        Proof::Password(password) => open_with_password(&copy, password.expose()),
        Proof::Hash(hash) => match try_open(&copy, hash) {
            Ok(TryOpen::WrongKey) => Ok(None),
            other => other.and_then(TryOpen::into_result).map(|connection| Some((connection, hash.clone()))),
        },
    };
    let read = opened.and_then(|opened| match opened {
        Some((connection, hash)) => state::load(&connection).map(|state| Some(Opened { hash, state })),
        None => Ok(None),
    });
    // A scratch file: whatever came of it, it goes.
    let _ = std::fs::remove_file(&copy);
    read
}

/// Puts the opened database in force: under the pinned hash where there is one, else under its own. One swap; an error means that
/// nothing has changed.
pub(super) async fn recover(tools: &Tools, id: &str, opened: Opened, caller: Option<String>) -> Result<Recovered> {
    let view = tools.system.view();
    if view.locked.is_none() {
        return Err(not_locked());
    }
    let Opened { hash: found, mut state } = opened;
    let hash = tools.host.pinned.clone().unwrap_or_else(|| found.clone());
    let rekeyed = hash != found;
    let now = tools.clock.now();
    if rekeyed {
        StateChange::PasswordChanged { exception: caller }.apply(&mut state, now)?;
    } else {
        // The password is the one that it was; who is signed in has proved another one.
        state.meta.auth_epoch += 1;
        state.meta.auth_exception = caller;
    }
    let instance_id = &tools.host.instance.instance_id;
    if state.meta.instance_id != *instance_id {
        StateChange::Adopt { instance_id: instance_id.clone() }.apply(&mut state, now)?;
    }
    state.meta.generation += 1;
    let next = Next {
        kind: SwapKind::PasswordChange,
        state,
        hash,
        hash_file: None,
        config: ConfigFile::Kept,
        loaded: tools.config.current().await?,
        base: tools.host.config_base(),
        prune_buckets: true,
        ready: Default::default(),
    };
    let next = stage::stage(tools, id, next, &view).await?;
    fault::point("backup.recover.staged");
    let fence = Fenced::raise(tools, id, &view.version()).await?;
    swap(tools, next).await?;
    fence.done();
    log::warn!("the database was opened again: {}", tools.system.view().version());
    Ok(Recovered { rekeyed })
}

/// 409: nothing is locked.
pub(super) fn not_locked() -> Error {
    Error::new(ErrorKind::Conflict, OPERATION, "the database is open; there is nothing to recover")
        .with_code("not_locked")
        .with_hint("to change the bootstrap password, use PUT /_/api/admin/password")
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({})", self.state.meta.version())
    }
}
