//! Changes of the bucket registry, and what may be set of a bucket.

pub mod cors;
pub mod lifecycle;
pub mod settings;

use crate::domain::bucket::settings::Setting;
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
    /// Sets some of a bucket, all of it or nothing. `system` refuses what the config pins.
    Set {
        /// Which.
        name: BucketName,
        /// What becomes of it.
        settings: Vec<Setting>,
        /// The entry of a bucket that only the config has so far: it gets one in the registry with its first setting.
        unregistered: Option<Box<Bucket>>,
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
                None => Err(missing("delete bucket")),
            },
            Self::Set { name, settings, unregistered } => {
                if let Some(bucket) = unregistered {
                    state.buckets.entry(name.clone()).or_insert_with(|| Arc::new(*bucket));
                }
                let bucket = state.buckets.get_mut(&name).ok_or_else(|| missing("set bucket"))?;
                for setting in settings {
                    setting.check()?;
                    setting.apply(Arc::make_mut(bucket));
                }
                Ok(Changed::new("bucket", name.into()))
            }
        }
    }
}

fn missing(operation: &'static str) -> Error {
    Error::new(ErrorKind::NoSuchBucket, operation, "The specified bucket does not exist")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::BackendName;

    fn bucket(name: &str) -> Bucket {
        Bucket {
            name: BucketName::new(name).unwrap(),
            backend: BackendName::new("hot").unwrap(),
            alias: None,
            owner: "u1".into(),
            created_at: Default::default(),
            public_prefixes: Vec::new(),
            settings: Default::default(),
        }
    }

    fn set(state: &mut State, name: &str, settings: Vec<Setting>, unregistered: bool) -> Result<Changed> {
        let entry = unregistered.then(|| Box::new(bucket(name)));
        BucketChange::Set { name: BucketName::new(name).unwrap(), settings, unregistered: entry }.apply(state)
    }

    #[test]
    fn settings_are_set_on_the_entry_and_a_bucket_of_the_config_gets_one() {
        let mut state = State::default();
        let nobody = set(&mut state, "photos", vec![Setting::ReadOnly(true)], false).unwrap_err();
        assert_eq!(nobody.kind(), ErrorKind::NoSuchBucket);
        set(&mut state, "photos", vec![Setting::ReadOnly(true), Setting::Quota(Some(9))], true).unwrap();
        set(&mut state, "photos", vec![Setting::Quota(None)], true).unwrap();
        let settings = &state.buckets.values().next().unwrap().settings;
        assert_eq!((settings.read_only, settings.quota_bytes), (true, None));
    }

    #[test]
    fn a_setting_that_breaks_a_rule_is_refused() {
        let mut state = State::default();
        let tags = [("aws:x".to_owned(), String::new())].into();
        let error = set(&mut state, "photos", vec![Setting::Tags(tags)], true).unwrap_err();
        assert_eq!(error.code(), Some("invalid_tags"));
    }
}
