//! What is stored beside the bytes of objects is JSON under a MAC: how it is signed, proven, written and read.
//!
//! A sealed file or attribute is `{"v":1,"claim":{…},"mac":{"key","value"}}`; the MAC is HMAC-SHA256 over the claim's domain, a
//! line that no other kind of claim has, and the claim, written compactly.

use crate::storage::mackeys::MacKeys;
use crate::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const OPERATION: &str = "object metadata";
const VERSION: u32 = 1;

/// A MAC and the id of its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::storage) struct Tag {
    key: String,
    value: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed<T> {
    v: u32,
    claim: T,
    mac: Tag,
}

/// Writes a claim under a MAC.
pub(in crate::storage) fn seal<T: Serialize>(keys: &MacKeys, domain: &[u8], claim: &T) -> Result<Vec<u8>> {
    let mac = sign(keys, domain, &to_json(claim)?)?;
    to_json(&Sealed { v: VERSION, claim, mac })
}

/// Reads a claim and proves that it is ours.
pub(in crate::storage) fn open<T: Serialize + DeserializeOwned>(
    keys: &MacKeys,
    domain: &[u8],
    bytes: &[u8],
) -> Result<T> {
    let sealed: Sealed<T> = from_json(bytes)?;
    if sealed.v != VERSION {
        return Err(foreign("the metadata were written by a newer version; this one reads version 1"));
    }
    prove(keys, &sealed.mac, domain, &to_json(&sealed.claim)?)?;
    Ok(sealed.claim)
}

/// The MAC of a claim under the active key.
pub(in crate::storage) fn sign(keys: &MacKeys, domain: &[u8], claim: &[u8]) -> Result<Tag> {
    let key = keys.active().to_owned();
    Ok(Tag { value: keys.sign(&key, &[domain, claim])?, key })
}

/// Refuses a MAC that is not the claim's.
pub(in crate::storage) fn prove(keys: &MacKeys, tag: &Tag, domain: &[u8], claim: &[u8]) -> Result<()> {
    if keys.verify(&tag.key, &[domain, claim], &tag.value)? {
        return Ok(());
    }
    Err(foreign("the attribute does not belong to this object"))
}

pub(in crate::storage) fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::internal(OPERATION, e))
}

pub(in crate::storage) fn from_json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|e| foreign("the metadata attribute cannot be read").with_source(e))
}

/// The error of metadata that are not what they should be.
pub(in crate::storage) fn foreign(message: &str) -> Error {
    Error::new(ErrorKind::Internal, OPERATION, message)
        .with_hint("the object's bytes are untouched; restore it from its source or have `fsck` list it")
}
