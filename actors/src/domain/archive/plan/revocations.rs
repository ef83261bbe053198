//! Rule 6: what was revoked on this instance stays revoked, whatever an archive or an undo brings back.

use crate::domain::archive::Archive;
use crate::domain::archive::plan::Revive;
use crate::domain::clock::Timestamp;
use crate::domain::iam::change::revoked;
use crate::domain::iam::model::{AccessKey, ApiToken, Revocation, User};
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How far the clock of an exporting host may be ahead.
const CLOCK_SKEW: Duration = Duration::from_secs(900);

/// What of a revocation tells whether what comes back knew of it.
pub(super) struct Since<'a> {
    /// True where it happened after what comes back was captured.
    pub(super) applies: &'a dyn Fn(&Revocation) -> bool,
    /// How people call that moment.
    pub(super) moment: &'static str,
    /// Now: a key that has expired since is revoked as much as one that somebody switched off.
    pub(super) now: Timestamp,
    /// True where what comes back did not know of the expiry that a user's key has here.
    pub(super) expires: &'a dyn Fn(&User, &AccessKey) -> bool,
}

/// What was revoked since comes back disabled, unless it is revived; the knowledge itself is united. `next` is what comes back.
pub(super) fn apply(
    current: &State,
    since: &Since<'_>,
    revive: &Revive,
    next: &mut State,
    warnings: &mut Vec<String>,
) -> Result<()> {
    revive_is_known(revive, next)?;
    let (keys, moment) = (KeyIndex::of(next), since.moment);
    // Who comes back by name comes back whole: with the keys and identities that went with the user.
    let users: BTreeMap<&str, Timestamp> = current
        .revocations
        .values()
        .filter(|revocation| revocation.kind == revoked::USER && revive.includes(&revocation.fingerprint))
        .map(|revocation| (revocation.fingerprint.as_str(), revocation.revoked_at))
        .collect();
    let expired = expired(current, since, &keys, next);
    for (key, revocation) in current.revocations.iter().chain(&expired) {
        let known = next.revocations.get(key).is_some_and(|other| other.revoked_at >= revocation.revoked_at);
        if !known {
            next.revocations.insert(key.clone(), revocation.clone());
        }
        if !(since.applies)(revocation) {
            continue;
        }
        let Some(hit) = Hit::find(next, &keys, revocation) else { continue };
        let with_user = hit.owner.as_deref().and_then(|id| users.get(id)) == Some(&revocation.revoked_at);
        if revive.includes(&hit.id) || with_user {
            next.revocations.remove(key);
            warnings.push(format!("{} was revoked after {moment} and comes back as it was (`revive`)", hit.shown));
            continue;
        }
        hit.disable(next, revocation.revoked_at);
        warnings.push(format!(
            "{} was revoked on {}, after {moment}: it comes back disabled (`revive={}` brings it back as it was)",
            hit.shown,
            revocation.revoked_at.rfc3339(),
            hit.id
        ));
    }
    Ok(())
}

/// The keys that have expired here since, and would come back without that end, as revocations of that moment: from then on it is
/// known of them, whatever is restored next.
fn expired(
    current: &State,
    since: &Since<'_>,
    keys: &KeyIndex,
    next: &State,
) -> BTreeMap<(String, String), Arc<Revocation>> {
    let ended = |key: &AccessKey| key.expires_at.filter(|at| *at <= since.now);
    let mut found = BTreeMap::new();
    for (user, key) in current.users.values().flat_map(|user| user.keys.iter().map(move |key| (user, key))) {
        let Some(revoked_at) = ended(key).filter(|_| (since.expires)(user, key)) else { continue };
        let name = (revoked::ACCESS_KEY.to_owned(), key.access_key_id.clone());
        let comes_back = keys.find(next, &key.access_key_id).is_some_and(|back| ended(back).is_none());
        if comes_back && !current.revocations.contains_key(&name) {
            let (kind, fingerprint) = name.clone();
            found.insert(name, Arc::new(Revocation { kind, fingerprint, revoked_at }));
        }
    }
    found
}

/// Whether an archive did not know of a revocation: by its time, and for an archive of this very instance by its own list too, so
/// that a clock that was set back revives nobody.
pub(super) fn unknown_to<'a>(
    archive: &'a Archive,
    own: &str,
    captured_at: Timestamp,
) -> impl Fn(&Revocation) -> bool + use<'a> {
    let ours = archive.manifest.instance_id == own;
    let known: BTreeMap<(&str, &str), Timestamp> = match ours {
        true => archive.iam.revocations.iter().map(|r| ((&*r.kind, &*r.fingerprint), r.revoked_at)).collect(),
        false => BTreeMap::new(),
    };
    move |revocation| {
        let listed = known.get(&(&*revocation.kind, &*revocation.fingerprint));
        revocation.revoked_at > captured_at || (ours && listed.is_none_or(|at| *at < revocation.revoked_at))
    }
}

/// When the archive was captured, as far as it can be believed: a capture in the future would make every revocation look older
/// than it, so it counts as older than all of them.
pub(super) fn captured_at(claimed: Timestamp, now: Timestamp, warnings: &mut Vec<String>) -> Timestamp {
    if claimed <= now.after(CLOCK_SKEW) {
        return claimed;
    }
    warnings.push(format!(
        "the archive says that it was captured at {}, which lies in the future: everything that was ever revoked here stays revoked",
        claimed.rfc3339()
    ));
    Timestamp::default()
}

/// An id that names nothing of what comes back is a mistake that would otherwise pass for done.
fn revive_is_known(revive: &Revive, next: &State) -> Result<()> {
    let Revive::Ids(ids) = revive else { return Ok(()) };
    let mut known: BTreeSet<&str> = next.users.keys().chain(next.tokens.keys()).map(String::as_str).collect();
    known.extend(next.identities.keys().map(String::as_str));
    known.extend(next.users.values().flat_map(|user| &user.keys).map(|key| key.access_key_id.as_str()));
    match ids.iter().find(|id| !known.contains(id.as_str())) {
        None => Ok(()),
        Some(id) => Err(Error::new(
            ErrorKind::Invalid,
            "plan restore",
            format!(
                "`revive={id}` names no user, access key, token or identity that would come back; nothing was changed"
            ),
        )
        .with_code("unknown_revive")
        .with_hint("the warnings of a dry run name the ids; `revive=all` takes all of them")),
    }
}

/// The access keys of a state by what a revocation calls them: their id, or the SHA-256 of their secret.
struct KeyIndex(BTreeMap<String, (String, String)>);

impl KeyIndex {
    fn of(state: &State) -> Self {
        let mut index = BTreeMap::new();
        for user in state.users.values() {
            for key in &user.keys {
                let found = (user.id.clone(), key.access_key_id.clone());
                index.insert(fingerprint(key), found.clone());
                index.insert(key.access_key_id.clone(), found);
            }
        }
        Self(index)
    }

    /// The key of a state that has this id.
    fn find<'a>(&self, state: &'a State, id: &str) -> Option<&'a AccessKey> {
        let (user, access_key_id) = self.0.get(id)?;
        state.users.get(user)?.keys.iter().find(|key| key.access_key_id == *access_key_id)
    }
}

/// What a revocation means in the state that comes back.
struct Hit {
    /// What `revive` names.
    id: String,
    /// The user that it belongs to.
    owner: Option<String>,
    shown: String,
    place: Place,
}

enum Place {
    User(String),
    Key { user: String, access_key_id: String },
    Token(String),
    Identity(String),
}

impl Hit {
    fn find(state: &State, keys: &KeyIndex, revocation: &Revocation) -> Option<Self> {
        let id = revocation.fingerprint.clone();
        match revocation.kind.as_str() {
            revoked::USER => {
                let user = state.users.get(&id).filter(|user| user.enabled)?;
                let shown = format!("user `{}` ({id})", user.name);
                Some(Self { shown, owner: None, place: Place::User(id.clone()), id })
            }
            revoked::ACCESS_KEY => {
                let (user, access_key_id) = keys.0.get(&id).cloned()?;
                let owner = state.users.get(&user)?;
                owner.keys.iter().find(|key| key.active && key.access_key_id == access_key_id)?;
                let shown = format!("access key {access_key_id} of `{}`", owner.name);
                let place = Place::Key { user: user.clone(), access_key_id: access_key_id.clone() };
                Some(Self { id: access_key_id, owner: Some(user), shown, place })
            }
            revoked::TOKEN => {
                let token = state.tokens.get(&id)?;
                let shown = format!("token `{}` ({id})", token.name);
                Some(Self { shown, owner: None, place: Place::Token(id.clone()), id })
            }
            revoked::IDENTITY => {
                let owner = Some(state.identities.get(&id)?.user_id.clone());
                let shown = format!("external identity {id}");
                Some(Self { shown, owner, place: Place::Identity(id.clone()), id })
            }
            _ => None,
        }
    }

    fn disable(&self, state: &mut State, revoked_at: Timestamp) {
        match &self.place {
            Place::User(id) => edit_user(state, id, |user| user.enabled = false),
            Place::Key { user, access_key_id } => edit_user(state, user, |user| {
                for key in user.keys.iter_mut().filter(|key| key.access_key_id == *access_key_id) {
                    key.active = false;
                }
            }),
            // A token has no switch: it ends when it was revoked.
            Place::Token(id) => {
                if let Some(token) = state.tokens.get_mut(id) {
                    let end = token.expires_at.map_or(revoked_at, |end| end.min(revoked_at));
                    *token = Arc::new(ApiToken { expires_at: Some(end), ..ApiToken::clone(token) });
                }
            }
            // An identity is a bond without a switch either: undone stays undone.
            Place::Identity(id) => {
                state.identities.remove(id);
            }
        }
    }
}

fn edit_user(state: &mut State, id: &str, edit: impl FnOnce(&mut User)) {
    if let Some(user) = state.users.get_mut(id) {
        edit(Arc::make_mut(user));
    }
}

fn fingerprint(key: &AccessKey) -> String {
    hex::encode(Sha256::digest(key.secret.expose().as_bytes()))
}
