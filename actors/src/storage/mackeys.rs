//! The keys that authenticate what a backend stores beside an object's bytes.

use crate::domain::state::{KeyPurpose, StoredKey};
use crate::{Error, ErrorKind, Result};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

const OPERATION: &str = "metadata keys";

/// Every metadata MAC key there is, and the one that new objects use.
#[derive(Clone)]
pub struct MacKeys {
    active: String,
    all: BTreeMap<String, Zeroizing<[u8; 32]>>,
}

impl MacKeys {
    /// From the keyring; keys for other purposes are passed over.
    pub fn from_keyring<'a>(keys: impl IntoIterator<Item = &'a StoredKey>) -> Result<Self> {
        let mut active = None;
        let mut all = BTreeMap::new();
        for key in keys.into_iter().filter(|k| k.purpose == KeyPurpose::MetadataMac) {
            let mut bytes = Zeroizing::new([0; 32]);
            hex::decode_to_slice(key.key.expose(), bytes.as_mut_slice()).map_err(|e| {
                Error::new(ErrorKind::Invalid, OPERATION, format!("the key `{}` is not 64 hex digits", key.id))
                    .with_source(e)
            })?;
            if key.active {
                active = Some(key.id.clone());
            }
            all.insert(key.id.clone(), bytes);
        }
        let active = active.ok_or_else(|| {
            Error::new(
                ErrorKind::Invalid,
                OPERATION,
                "the keyring has no active key for metadata, so nothing can be stored",
            )
        })?;
        Ok(Self { active, all })
    }

    /// The id of the key that new objects use.
    pub fn active(&self) -> &str {
        &self.active
    }

    /// The MAC of `parts`, one after the other, under the key `id`, in hex.
    pub fn sign(&self, id: &str, parts: &[&[u8]]) -> Result<String> {
        Ok(hex::encode(self.mac(id, parts)?.finalize().into_bytes()))
    }

    /// True where `value` (hex) is the MAC of `parts` under the key `id`; an error where there is no such key.
    pub fn verify(&self, id: &str, parts: &[&[u8]], value: &str) -> Result<bool> {
        let mac = self.mac(id, parts)?;
        Ok(hex::decode(value).is_ok_and(|value| mac.verify_slice(&value).is_ok()))
    }

    fn mac(&self, id: &str, parts: &[&[u8]]) -> Result<Hmac<Sha256>> {
        let key = self.all.get(id).ok_or_else(|| {
            Error::new(ErrorKind::Internal, OPERATION, format!("the keyring has no metadata key `{id}`"))
                .with_hint("restore a backup of the instance that wrote these objects; it holds the key")
        })?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).map_err(|e| Error::internal(OPERATION, e))?;
        for part in parts {
            mac.update(part);
        }
        Ok(mac)
    }
}

impl fmt::Debug for MacKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MacKeys").field("active", &self.active).field("ids", &self.all.keys()).finish_non_exhaustive()
    }
}
