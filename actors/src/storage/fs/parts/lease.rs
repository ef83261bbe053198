//! Who reads the part files of an upload: they go when the last reader has gone.

use crate::storage::fs::{Fs, uploads};
use crate::storage::multipart::{UploadId, UploadRef};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The readers of part files of one root.
#[derive(Debug, Default)]
pub(in crate::storage::fs) struct Leases {
    table: Mutex<HashMap<UploadId, Readers>>,
}

#[derive(Debug, Default)]
struct Readers {
    count: usize,
    condemned: bool,
}

/// While it lives, the part files of its upload stay. Whoever takes one looks afterwards whether the object still names them.
pub(in crate::storage::fs) struct Lease {
    fs: Arc<Fs>,
    upload: UploadRef,
}

impl Leases {
    /// The files are of no use any more: true where they may go now, else the last reader removes them.
    pub(in crate::storage::fs) fn condemn(&self, id: &UploadId) -> bool {
        match self.table().get_mut(id) {
            Some(readers) => {
                readers.condemned = true;
                false
            }
            None => true,
        }
    }

    fn give_back(&self, id: &UploadId) -> bool {
        let mut table = self.table();
        let Some(readers) = table.get_mut(id) else { return false };
        readers.count -= 1;
        if readers.count > 0 {
            return false;
        }
        let condemned = readers.condemned;
        table.remove(id);
        condemned
    }

    fn table(&self) -> MutexGuard<'_, HashMap<UploadId, Readers>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Takes one.
    pub(in crate::storage::fs) fn take(fs: &Arc<Fs>, upload: UploadRef) -> Self {
        fs.shared.leases.table().entry(upload.id.clone()).or_default().count += 1;
        Self { fs: Arc::clone(fs), upload }
    }

    /// Whose parts it keeps.
    pub(in crate::storage::fs) fn upload(&self) -> &UploadRef {
        &self.upload
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.fs.shared.leases.give_back(&self.upload.id) {
            return;
        }
        let (fs, upload) = (Arc::clone(&self.fs), self.upload.clone());
        let remove = move || uploads::remove_parts(&fs, &upload);
        // The removal of large files takes time: not on the thread of an async worker.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}
