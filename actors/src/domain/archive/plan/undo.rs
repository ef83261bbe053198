//! The plan of an undo: the state before the last restore, but for what no way back may take: keys, revocations, counters.

use crate::Result;
use crate::domain::archive::plan::{Changes, Current, Host, Keys, Plan, Revive, keys, revocations, rules};
use crate::domain::config::load::Loaded;
use crate::domain::iam::model::Revocation;
use crate::domain::state::{Meta, State};
use serde::Serialize;

/// What an undo is made of.
#[derive(Clone, Copy, Debug)]
pub struct Undo<'a> {
    /// What is.
    pub current: Current<'a>,
    /// The state before the restore.
    pub before: &'a State,
    /// The config that a start of this host reads then.
    pub config: &'a Loaded,
    /// What the restore brought in, with its config; `None` where that cannot be read any more.
    pub after: Option<Current<'a>>,
    /// What comes back although it was revoked since.
    pub revive: &'a Revive,
    /// Registry entries go although their backend holds objects.
    pub prune_buckets: bool,
}

/// What was changed since a restore, and would be lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LaterChanges {
    /// Users, groups, settings and the like.
    pub changes: Changes,
    /// The rest, in words.
    pub other: Vec<String>,
}

/// Plans an undo: what is staged, and what was changed since the restore.
pub fn undo(undo: &Undo<'_>, host: &Host<'_>) -> Result<(Plan, LaterChanges)> {
    let Undo { current, before, config, after, revive, .. } = *undo;
    let mut warnings = Vec::new();
    let mut next = before.clone();
    let (keyring, keys) = keys::unite(current.state, before.keyring.clone(), keys::Active::Newest)?;
    next.keyring = keyring;
    let known = after.map_or(before, |after| after.state);
    let new = |revocation: &Revocation| {
        let key = (revocation.kind.clone(), revocation.fingerprint.clone());
        known.revocations.get(&key).is_none_or(|known| known.revoked_at != revocation.revoked_at)
    };
    let since = revocations::Since {
        applies: &new,
        moment: "the restore that is undone",
        now: host.now,
        expires: &|user, key| {
            let then = known.users.get(&user.id).into_iter().flat_map(|user| &user.keys);
            then.filter(|then| then.access_key_id == key.access_key_id).all(|then| then.expires_at != key.expires_at)
        },
    };
    revocations::apply(current.state, &since, revive, &mut next, &mut warnings)?;
    rules::credential_versions(current.state, &mut next);
    next.restores = current.state.restores.clone();
    next.config_history = current.state.config_history.clone();
    let mut kept = Vec::new();
    if !undo.prune_buckets {
        for name in host.buckets_with_data.iter().filter(|name| !before.buckets.contains_key(*name)) {
            let Some(bucket) = current.state.buckets.get(name) else { continue };
            warnings.push(match config.config.storage.backends.contains_key(&bucket.backend) {
                true => format!("bucket `{name}` was made since and holds objects: it stays (`prune_buckets=true` drops it)"),
                false => format!(
                    "bucket `{name}` holds objects on the backend `{}`, which the config of then does not have: its entry \
                     stays, and answers 503 until that backend is added again",
                    bucket.backend
                ),
            });
            next.buckets.insert(name.clone(), bucket.clone());
            kept.push(name.clone());
        }
    }
    let (now, then) = (&current.state.meta, &before.meta);
    next.meta = Meta {
        instance_id: host.instance_id.to_owned(),
        epoch: now.epoch.max(then.epoch).max(host.known_epoch) + 1,
        generation: 1,
        auth_epoch: now.auth_epoch.max(then.auth_epoch) + 1,
        auth_exception: host.caller_token.clone(),
        ..then.clone()
    };
    if let (Some(old), Some(new)) = (then.password_set_at, now.password_set_at)
        && old < new
    {
        warnings.push(format!(
            "the bootstrap password goes back to the one of {}; the present one was set on {}",
            old.rfc3339(),
            new.rfc3339()
        ));
    }
    let later = after.map(|after| later(after, current)).unwrap_or_default();
    let changes = Changes::between(current, &next, config);
    let requires_restart = changes.config.iter().filter(|c| c.restart).map(|c| c.path.clone()).collect();
    let plan = Plan {
        changes,
        warnings,
        shadowed_by_environment: Vec::new(),
        requires_restart,
        keys: Keys { retired: keys::retired(&next.keyring, &config.config), ..keys },
        buckets_kept: kept,
        signer: None,
        next,
        next_file: None,
        next_config: config.clone(),
        bootstrap_password_hash: None,
        captured: Default::default(),
    };
    Ok((plan, later))
}

/// What differs between what a restore brought in and what is. What only accumulates (keys, ids of backends) is never lost.
fn later(after: Current<'_>, current: Current<'_>) -> LaterChanges {
    let (then, now) = (after.state, current.state);
    let mut other = Vec::new();
    if then.meta.password_set_at != now.meta.password_set_at {
        other.push("the bootstrap password was changed".to_owned());
    }
    if then.meta.quarantined_from != now.meta.quarantined_from {
        other.push("this instance went live".to_owned());
    }
    if then.trusted_signers.keys().ne(now.trusted_signers.keys()) {
        other.push("the trusted signers were changed".to_owned());
    }
    let names = then.secrets.keys().chain(now.secrets.keys().filter(|name| !then.secrets.contains_key(*name)));
    for name in names.filter(|name| then.secrets.get(*name) != now.secrets.get(*name)) {
        other.push(format!("the stored secret `{name}` was changed"));
    }
    LaterChanges { changes: Changes::between(after, now, current.config), other }
}

impl LaterChanges {
    /// Whether there is nothing to lose.
    pub fn is_empty(&self) -> bool {
        self.other.is_empty() && self.changes.is_empty()
    }

    /// All of them in a few words, the first few by name.
    pub fn in_words(&self) -> String {
        const NAMED: usize = 5;
        let mut words: Vec<String> = self.changes.names();
        words.extend(self.other.iter().cloned());
        let more = words.len().saturating_sub(NAMED);
        words.truncate(NAMED);
        let shown = words.join(", ");
        if more > 0 { format!("{shown} and {more} more") } else { shown }
    }
}
