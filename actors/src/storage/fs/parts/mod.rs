//! Objects that are stored as the parts of their upload: the list, the reading, and the way to a plain body.

mod compact;
pub(super) mod form;
pub(super) mod lease;
pub(super) mod read;

pub(super) use compact::compact;

use super::Fs;
use super::uploads;
use crate::storage::multipart::UploadRef;

/// Removes the part files of an object that is durably gone from its key, once nobody reads them any more.
///
/// That the upload was this key's is proven first: a file may say anything.
pub(super) fn release(fs: &Fs, upload: &UploadRef) {
    if uploads::is_complete(fs, upload) && fs.shared.leases.condemn(&upload.id) {
        uploads::remove_parts(fs, upload);
    }
}
