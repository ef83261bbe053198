//! What is stored beside an upstream object: facts that S3 has no place for, under a MAC, in its metadata or in a sidecar.
//!
//! `x-amz-meta-dgp-facts` is base64url of `{"facts":{…},"mac":{"key","value"}}`; the MAC is HMAC-SHA256 over `dg-s3-object-v1\n` and
//! the compact JSON `{"bucket","key","facts"}`. Where an upstream's 2 KiB of metadata do not hold it, `x-amz-meta-dgp-sidecar` names
//! the object `.dg/meta/<id>` with a sealed claim of the same. Client metadata is metadata of the object, `dgp-…` behind `dgp-client-`.

use super::convert::{header_value, value_of_header};
use crate::domain::clock::Timestamp;
use crate::domain::layout::PartLayout;
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::{ETag, ObjectAttributes, ObjectMeta, SystemHeaders};
use crate::domain::tags::Tags;
use crate::storage::fs::seal::{self, Tag};
use crate::storage::mackeys::MacKeys;
use crate::{Error, ErrorKind, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const DOMAIN: &[u8] = b"dg-s3-object-v1\n";
const META: &str = "x-amz-meta-";
const FACTS: &str = "dgp-facts";
const SIDECAR: &str = "dgp-sidecar";
/// What an object bears whose bytes are not the object's; no version has written one yet.
const FORM: &str = "dgp-form";
const OURS: &str = "dgp-";
const CLIENTS: &str = "dgp-client-";
/// What all metadata of an object may weigh together: upstreams take 2 KiB.
const ROOM: usize = 2000;

/// What is known of an object beyond what the upstream tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Facts {
    v: u32,
    /// Of this writing; a sidecar bears it as its name.
    pub(super) id: String,
    pub(super) size: u64,
    /// Where it is not the upstream's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) etag: Option<ETag>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
    /// In milliseconds, where it is not when the upstream's object was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) modified: Option<i64>,
    #[serde(default)]
    headers: SystemHeaders,
    /// Where the upstream's metadata does not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    tags: Tags,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    checksums: BTreeMap<String, String>,
    /// How the object lies in its parts, where it was put together of some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parts: Option<PartLayout>,
    /// The hash of the list of parts that the object was completed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) request: Option<String>,
}

#[derive(Serialize)]
struct Claim<'a> {
    bucket: &'a str,
    key: &'a str,
    facts: &'a Facts,
}

/// What a sidecar says, and of which object.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Owned {
    bucket: String,
    key: String,
    facts: Facts,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inline {
    facts: Facts,
    mac: Tag,
}

/// What to send with an object, and what to store beside it before.
pub(super) struct Placed {
    pub(super) headers: Vec<(String, String)>,
    pub(super) sidecar: Option<Vec<u8>>,
}

/// Where an object's facts are.
pub(super) enum Found {
    Nowhere,
    Here(Box<Facts>),
    Sidecar(String),
}

impl Facts {
    /// Of an object that is written now.
    pub(super) fn new(id: String, size: u64, etag: Option<ETag>, attributes: &ObjectAttributes) -> Self {
        Self {
            v: 1,
            id,
            size,
            etag,
            sha256: None,
            modified: None,
            headers: attributes.headers.clone(),
            user: Some(attributes.user.clone()),
            tags: attributes.tags.clone(),
            checksums: attributes.checksums.clone(),
            parts: None,
            request: None,
        }
    }

    /// What a client is told of the object; entity tag, `user` and `modified` are the upstream's where the facts have none.
    pub(super) fn meta(&self, tag: &str, user: BTreeMap<String, String>, modified: Timestamp) -> ObjectMeta {
        ObjectMeta {
            size: self.size,
            etag: self.etag.clone().unwrap_or_else(|| ETag::new(tag)),
            modified: self.modified.map_or(modified, Timestamp::from_millis),
            sha256: self.sha256.clone(),
            attributes: ObjectAttributes {
                headers: self.headers.clone(),
                user: self.user.clone().unwrap_or(user),
                tags: self.tags.clone(),
                checksums: self.checksums.clone(),
            },
            parts: self.parts.clone(),
        }
    }

    /// Finds a place for the facts: with the object as long as there is room. `beside` is for objects whose facts are known only
    /// after their metadata were sent.
    pub(super) fn place(
        mut self,
        bucket: &BucketName,
        key: &ObjectKey,
        beside: bool,
        keys: &MacKeys,
    ) -> Result<Placed> {
        let mut headers = native(&self.headers);
        let user: Vec<(String, String)> = self.user.iter().flatten().map(|(name, value)| named(name, value)).collect();
        let weight: usize = user.iter().map(|(name, value)| name.len() - META.len() + value.len()).sum();
        if weight <= ROOM && !beside {
            let whole = self.user.take();
            let facts = self.inline(bucket, key, keys)?;
            if weight + FACTS.len() + facts.len() <= ROOM {
                headers.extend(user);
                headers.push((format!("{META}{FACTS}"), facts));
                return Ok(Placed { headers, sidecar: None });
            }
            self.user = whole;
        }
        if weight + SIDECAR.len() + self.id.len() <= ROOM {
            headers.extend(user);
        }
        headers.push((format!("{META}{SIDECAR}"), self.id.clone()));
        let owned = Owned { bucket: bucket.to_string(), key: key.to_string(), facts: self };
        Ok(Placed { headers, sidecar: Some(seal::seal(keys, DOMAIN, &owned)?) })
    }

    fn inline(&self, bucket: &BucketName, key: &ObjectKey, keys: &MacKeys) -> Result<String> {
        let claim = seal::to_json(&Claim { bucket: bucket.as_str(), key: key.as_str(), facts: self })?;
        let inline = Inline { facts: self.clone(), mac: seal::sign(keys, DOMAIN, &claim)? };
        Ok(URL_SAFE_NO_PAD.encode(seal::to_json(&inline)?))
    }

    /// Reads a sidecar; an error where it is not ours, nothing where it belongs to another object.
    pub(super) fn of_sidecar(
        bytes: &[u8],
        bucket: &BucketName,
        key: &ObjectKey,
        keys: &MacKeys,
    ) -> Result<Option<Self>> {
        let owned: Owned = seal::open(keys, DOMAIN, bytes)?;
        Ok((owned.bucket == bucket.as_str() && owned.key == key.as_str()).then_some(owned.facts))
    }
}

impl Facts {
    /// The key of the object that a sidecar belongs to.
    pub(super) fn owner(bytes: &[u8], keys: &MacKeys) -> Result<String> {
        seal::open::<Owned>(keys, DOMAIN, bytes).map(|owned| owned.key)
    }
}

/// The facts that an object's own metadata hold. Facts of another object, copied along by somebody, are none.
pub(super) fn find(headers: &HeaderMap<String>, bucket: &BucketName, key: &ObjectKey, keys: &MacKeys) -> Result<Found> {
    let get = |name: &str| headers.get(format!("{META}{name}").as_str());
    if get(FORM).is_some() {
        let message = "the object claims to be stored in another form than its bytes, and nobody vouches for that";
        return Err(Error::new(ErrorKind::Internal, "object metadata", message)
            .with_hint("restore it from its source, or remove it on the backend"));
    }
    let Some(text) = get(FACTS) else {
        let id = get(SIDECAR).filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        return Ok(id.map_or(Found::Nowhere, |id| Found::Sidecar(id.clone())));
    };
    let proven = || -> Result<Facts> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|e| Error::internal("object metadata", e))?;
        let Inline { facts, mac } = seal::from_json(&bytes)?;
        let claim = seal::to_json(&Claim { bucket: bucket.as_str(), key: key.as_str(), facts: &facts })?;
        seal::prove(keys, &mac, DOMAIN, &claim)?;
        Ok(facts)
    };
    match proven() {
        Ok(facts) => Ok(Found::Here(Box::new(facts))),
        Err(error) => {
            log::debug!(error:? = error; "the facts of an object are not its own; its bytes are served as they are");
            Ok(Found::Nowhere)
        }
    }
}

/// What an object is by its own headers alone.
pub(super) fn foreign(headers: &HeaderMap<String>, size: u64) -> ObjectMeta {
    let text = |name: &str| headers.get(name).filter(|value| !value.is_empty()).cloned();
    let system = SystemHeaders {
        content_type: text("content-type"),
        cache_control: text("cache-control"),
        content_disposition: text("content-disposition"),
        content_encoding: text("content-encoding"),
        content_language: text("content-language"),
        expires: text("expires"),
        storage_class: text("x-amz-storage-class").filter(|class| class != "STANDARD"),
        website_redirect: text("x-amz-website-redirect-location"),
    };
    let modified = headers.get("last-modified").and_then(|text| Timestamp::parse_http_date(text)).unwrap_or_default();
    ObjectMeta {
        size,
        etag: ETag::new(headers.get("etag").map_or("", String::as_str)),
        modified,
        sha256: None,
        attributes: ObjectAttributes { headers: system, user: user(headers), ..ObjectAttributes::default() },
        parts: None,
    }
}

/// The client's metadata among the headers.
fn user(headers: &HeaderMap<String>) -> BTreeMap<String, String> {
    let named = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(META)?;
        let name = match name.strip_prefix(CLIENTS) {
            Some(name) => name,
            None if name.starts_with(OURS) => return None,
            None => name,
        };
        Some((name.to_owned(), value_of_header(value)))
    });
    named.collect()
}

fn named(name: &str, value: &str) -> (String, String) {
    let prefix = if name.starts_with(OURS) { CLIENTS } else { "" };
    (format!("{META}{prefix}{name}"), header_value(value))
}

/// The system headers that an upstream stores in its own way, for those who read the bucket without us.
fn native(headers: &SystemHeaders) -> Vec<(String, String)> {
    let pairs = [
        ("content-type", &headers.content_type),
        ("cache-control", &headers.cache_control),
        ("content-disposition", &headers.content_disposition),
        ("content-encoding", &headers.content_encoding),
        ("content-language", &headers.content_language),
        ("expires", &headers.expires),
    ];
    let plain = |value: &&String| header_value(value) == **value;
    let present = pairs.into_iter().filter_map(|(name, value)| Some((name, value.as_ref().filter(plain)?)));
    present.map(|(name, value)| (name.to_owned(), value.clone())).collect()
}
