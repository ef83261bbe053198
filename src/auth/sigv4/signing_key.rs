//! Derived signing keys, kept per (access key, day, region), so that a request costs one HMAC instead of five.

use actors::domain::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Above this the cache starts afresh: dates and regions are the client's to choose.
const MOST: usize = 4096;

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKeys")
    }
}

/// Which key: access key id, date, region.
type Name = (String, String, String);

/// The cache. An entry remembers the secret that it was made from, so a rotated secret never signs with an old entry.
#[derive(Default)]
pub(super) struct SigningKeys {
    keys: Mutex<HashMap<Name, (Secret, [u8; 32])>>,
}

impl SigningKeys {
    /// The kept key, or a fresh one. Keep it with [`SigningKeys::keep`] once it has proven right.
    pub(super) fn get(&self, name: &Name, secret: &Secret) -> [u8; 32] {
        let kept = self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        match kept {
            Some((made_from, key)) if made_from == *secret => key,
            _ => derive(secret, &name.1, &name.2),
        }
    }

    /// Keeps a key that verified a request.
    pub(super) fn keep(&self, name: Name, secret: &Secret, key: [u8; 32]) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MOST && !keys.contains_key(&name) {
            keys.clear();
        }
        keys.insert(name, (secret.clone(), key));
    }
}

/// HMAC-SHA-256 of `text`.
pub(super) fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length, so this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("hmac takes a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

pub(super) fn derive(secret: &Secret, date: &str, region: &str) -> [u8; 32] {
    let start = prefixed(secret);
    let day = hmac(start.expose().as_bytes(), date.as_bytes());
    let place = hmac(&day, region.as_bytes());
    let service = hmac(&place, b"s3");
    hmac(&service, b"aws4_request")
}

/// `AWS4` and the secret, wiped when dropped.
fn prefixed(secret: &Secret) -> Secret {
    Secret::new(format!("AWS4{}", secret.expose()))
}
