//! The files of a swap that has not been committed: dropped, they are removed.
//!
//! The guard travels with the message that swaps, so that whoever staged may die without taking the files along: until the journal
//! is begun they are nobody else's, from then on they are the next start's.

use crate::disk::{SharedDisk, atomic};
use crate::system::swap;
use std::fmt;
use std::path::PathBuf;

/// What was staged for one swap.
pub struct Staging {
    disk: SharedDisk,
    state_dir: PathBuf,
    /// Names the swap and its directories.
    pub id: String,
    /// A file that was staged beside its target in another directory.
    pub beside: Option<PathBuf>,
    /// The second name of a database that nothing opens.
    pub set_aside: Option<PathBuf>,
    armed: bool,
}

impl Staging {
    /// Guards what will be staged under this id.
    pub fn begin(disk: SharedDisk, state_dir: PathBuf, id: &str) -> Self {
        Self { disk, state_dir, id: id.to_owned(), beside: None, set_aside: None, armed: true }
    }

    /// The journal is begun: the files are the swap's.
    pub(super) fn hand_over(&mut self) {
        self.armed = false;
    }

    /// The journal did not come about: the files are ours again.
    pub(super) fn take_back(&mut self) {
        self.armed = true;
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        let disk = self.disk.as_ref();
        swap::discard_stage(disk, &self.state_dir, &self.id);
        for left in [self.beside.take(), self.set_aside.take()].into_iter().flatten() {
            atomic::discard(disk, &left);
        }
        let undo = swap::undo_dir(&self.state_dir, &self.id);
        if let Err(error) = swap::remove_tree(disk, &undo) {
            log::warn!("{} could not be removed: {error}", undo.display());
        }
    }
}

impl fmt::Debug for Staging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Staging({})", self.id)
    }
}
