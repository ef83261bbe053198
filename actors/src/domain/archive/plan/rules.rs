//! The rules of a restore that fit into one function each; the numbers are those of `backup.md` §4.

use crate::domain::archive::plan::Current;
use crate::domain::config::model::{Authentication, Config};
use crate::domain::config::tree::Node;
use crate::domain::names::BucketName;
use crate::domain::state::State;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Rule 5: authentication never switches off.
pub(super) fn authentication(current: &Config, next: &mut Config, warnings: &mut Vec<String>) {
    if current.access.authentication == Authentication::Required && next.access.authentication == Authentication::None {
        next.access.authentication = Authentication::Required;
        warnings.push(
            "the archive has `access.authentication: none`; a restore does not switch authentication off, \
             change the setting afterwards if that is meant"
                .to_owned(),
        );
    }
}

/// Rule 12: these settings stay as this host's own file has them; the environment is laid over them at start.
pub(super) fn keep<'a>(own: &Node, paths: impl Iterator<Item = &'a str>, set: &[(String, String)], next: &mut Node) {
    for path in paths.filter(|path| set.iter().all(|(name, _)| name != path)) {
        let parts: Vec<&str> = path.split('.').collect();
        let Some((name, section)) = parts.split_last() else { continue };
        match own.find(&parts) {
            Some(node) => {
                next.set(&parts, node.clone());
            }
            None => {
                if let Some(mut parent) = next.find(section).cloned() {
                    parent.remove(name);
                    next.set(section, parent);
                }
            }
        }
    }
}

/// Rule 15: buckets that hold data stay, and so does the backend that they are on.
pub(super) fn buckets(
    current: Current<'_>,
    with_data: &BTreeSet<BucketName>,
    next: &mut State,
    next_config: &mut Config,
    warnings: &mut Vec<String>,
) -> Vec<BucketName> {
    let mut kept = Vec::new();
    for (name, bucket) in current.state.buckets.iter().filter(|(name, _)| with_data.contains(*name)) {
        if let Some(captured) = next.buckets.get(name) {
            if (&captured.backend, &captured.alias) != (&bucket.backend, &bucket.alias) {
                warnings.push(format!(
                    "bucket `{name}` goes back to the backend `{}`; its objects on `{}` stay where they are",
                    captured.backend, bucket.backend
                ));
            }
            continue;
        }
        if !next_config.storage.backends.contains_key(&bucket.backend) {
            let Some(backend) = current.config.config.storage.backends.get(&bucket.backend) else { continue };
            next_config.storage.backends.insert(bucket.backend.clone(), backend.clone());
            if let Some(id) = current.state.backends.get(&bucket.backend) {
                next.backends.insert(bucket.backend.clone(), id.clone());
            }
            warnings.push(format!("the backend `{}` stays: the bucket `{name}` holds objects on it", bucket.backend));
        }
        warnings.push(format!(
            "bucket `{name}` is not in the archive and holds objects: it stays (`prune_buckets=true` drops it)"
        ));
        next.buckets.insert(name.clone(), bucket.clone());
        kept.push(name.clone());
    }
    kept
}

/// Rule 8: a credential version never goes back, so that no session of an older one comes to life.
pub(super) fn credential_versions(current: &State, next: &mut State) {
    for (id, user) in &mut next.users {
        let own = current.users.get(id).map_or(0, |own| own.credential_version);
        if own > user.credential_version {
            Arc::make_mut(user).credential_version = own;
        }
    }
}
