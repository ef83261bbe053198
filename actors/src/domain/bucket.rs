//! Changes of the bucket registry.

use crate::domain::change::Changed;
use crate::domain::names::BucketName;
use crate::domain::state::{Bucket, State};
use crate::{Error, ErrorKind, Result};
use std::sync::Arc;

/// One change of the registry. Whether a bucket is empty, its backend knows; it was asked before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketChange {
    /// Adds a bucket.
    Create {
        /// Complete.
        bucket: Bucket,
    },
    /// Removes a bucket.
    Delete {
        /// Which.
        name: BucketName,
    },
}

impl BucketChange {
    /// Applies the change.
    pub fn apply(self, state: &mut State) -> Result<Changed> {
        match self {
            Self::Create { bucket } => {
                if state.buckets.contains_key(&bucket.name) {
                    return Err(Error::new(
                        ErrorKind::BucketExists,
                        "create bucket",
                        "Your previous request to create the named bucket succeeded and you already own it.",
                    ));
                }
                let name = bucket.name.clone();
                state.buckets.insert(name.clone(), Arc::new(bucket));
                Ok(Changed::new("bucket", name.into()))
            }
            Self::Delete { name } => match state.buckets.remove(&name) {
                Some(_) => Ok(Changed::new("bucket", name.into())),
                None => {
                    Err(Error::new(ErrorKind::NoSuchBucket, "delete bucket", "The specified bucket does not exist"))
                }
            },
        }
    }
}
