//! The owner of the one running backup, verification or restore of the system's own state.

mod actor;
mod configure;
mod declare;
mod export;
mod fence;
mod files;
pub mod handle;
mod look;
pub mod messages;
mod password;
pub mod pieces;
mod read;
mod record;
mod recover;
mod restore;
mod stage;
mod state;
mod stored;
mod undo;

pub use handle::BackupHandle;
pub use messages::{
    ConfigEdit, Configuration, Declaration, PasswordChange, RestoreRequest, RootMeans, StoredBackup, UndoRequest,
};
pub use pieces::{Archive, Pieces};
pub use recover::{Opened, Proof, Recovered};
pub use undo::kept::{last as last_restore, undo_kept};

use crate::{Error, Result};

/// Runs what computes or reads files away from the actors' threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::internal("backup", e))?
}
