//! `user.dg.metadata` (version 1): what is stored with an object, bound by an HMAC to its bucket, key, id and content.
//!
//! The record is JSON: `{"v":1,"id","bucket","key","size","etag","sha256","modified","attributes","stored","mac":{"key","value"}}`,
//! `modified` in milliseconds since 1970, `sha256` left out where it is not known, `stored` (`{"form":"parts","upload","len"}`)
//! where the file holds another form than the object's bytes, `listed` the id in that list, where tags came since, and `parts` how
//! an object lies in its parts, however it is stored. The MAC is
//! HMAC-SHA256 over `dg-metadata-v1\n` and the same JSON without `mac`, written compactly and with the fields in that order. A
//! record above the attribute's limit lies in the sidecar
//! `.dg/meta/<id>`, and the attribute is a pointer, `{"v":1,"sidecar":"<id>","sha256","mac"}`, whose MAC is over
//! `dg-metadata-pointer-v1\n` and `{"bucket","key","sidecar","sha256"}`.

use crate::Result;
use crate::domain::clock::Timestamp;
use crate::domain::layout::PartLayout;
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::{BodySums, ETag, ObjectAttributes, ObjectMeta};
use crate::domain::tags::Tags;
use crate::storage::fs::seal::{Tag, foreign, from_json, prove, sign, to_json};
use crate::storage::mackeys::MacKeys;
use crate::storage::multipart::UploadId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The name of the attribute.
pub(super) const NAME: &str = "user.dg.metadata";
/// What every stored form begins with that means nothing without its attribute (delta, encrypted, framed, parts).
/// The next byte tells the form. A file of plain bytes never needs it.
pub const STORED_FORM_MAGIC: [u8; 8] = *b"\x89DGFORM\n";

const VERSION: u32 = 1;
const RECORD_DOMAIN: &[u8] = b"dg-metadata-v1\n";
const POINTER_DOMAIN: &[u8] = b"dg-metadata-pointer-v1\n";

/// The record of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    v: u32,
    pub(super) id: String,
    bucket: BucketName,
    key: String,
    pub(super) size: u64,
    etag: ETag,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    modified: i64,
    attributes: ObjectAttributes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stored: Option<Stored>,
    /// The id that the list of the parts bears, where the record got another since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parts: Option<PartLayout>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mac: Option<Tag>,
}

/// How the file holds the object, where it does not hold its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Stored {
    /// As the list of the part files of an upload; the list has `len` bytes.
    Parts { upload: UploadId, len: u64 },
}

/// What the attribute holds where the record lies in a sidecar.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pointer {
    v: u32,
    sidecar: String,
    sha256: String,
    mac: Tag,
}

#[derive(Serialize)]
struct PointerClaim<'a> {
    bucket: &'a str,
    key: &'a str,
    sidecar: &'a str,
    sha256: &'a str,
}

/// The fields that tell what an attribute is, before it is read as that.
#[derive(Deserialize)]
struct Shape {
    v: u32,
    sidecar: Option<String>,
}

/// The bytes to store for an object.
pub(super) struct Encoded {
    /// The value of the attribute.
    pub(super) attribute: Vec<u8>,
    /// The sidecar's id and bytes, where the record is too large for the attribute.
    pub(super) sidecar: Option<(String, Vec<u8>)>,
}

/// What an attribute says: the record itself, or where it lies.
pub(super) enum Decoded {
    /// The record, proven.
    Record(Box<Record>),
    /// The sidecar's id and the SHA-256 that its bytes have.
    Sidecar(String, String),
}

impl Record {
    /// A record for a new object with a new id.
    pub(super) fn new(
        bucket: &BucketName,
        key: &ObjectKey,
        sums: &BodySums,
        attributes: ObjectAttributes,
        now: Timestamp,
    ) -> Self {
        Self {
            v: VERSION,
            id: Uuid::new_v4().to_string(),
            bucket: bucket.clone(),
            key: key.as_str().to_owned(),
            size: sums.size,
            etag: ETag::new(&sums.md5),
            sha256: Some(sums.sha256.clone()),
            modified: now.millis(),
            attributes,
            stored: None,
            listed: None,
            parts: None,
            mac: None,
        }
    }

    /// A record for a new object that is put together of parts.
    pub(super) fn of_parts(
        (bucket, key): (&BucketName, &ObjectKey),
        (size, etag): (u64, ETag),
        attributes: ObjectAttributes,
        now: Timestamp,
    ) -> Self {
        let sums = BodySums { size, md5: etag.as_str().to_owned(), sha256: String::new() };
        Self { sha256: None, ..Self::new(bucket, key, &sums, attributes, now) }
    }

    /// The same, with what is said of how the object lies in its parts.
    pub(super) fn with_layout(self, parts: Option<PartLayout>) -> Self {
        Self { parts, ..self }
    }

    /// A record for a file that somebody dropped in.
    pub(super) fn of_file(bucket: &BucketName, key: &ObjectKey, meta: ObjectMeta) -> Self {
        let sums = BodySums { size: meta.size, md5: meta.etag.as_str().to_owned(), sha256: String::new() };
        Self { sha256: None, ..Self::new(bucket, key, &sums, meta.attributes, meta.modified) }
    }

    /// The same object with other tags: under another id, since the old sidecar stays what it is until nothing names it.
    pub(super) fn with_tags(mut self, tags: Tags) -> Self {
        self.attributes.tags = tags;
        let listed = self.stored.is_some().then(|| self.listed_id().to_owned());
        Self { id: Uuid::new_v4().to_string(), listed, mac: None, ..self }
    }

    /// The same object as a plain file: under another id, since what the old file names stays the old one's.
    pub(super) fn as_plain(&self) -> Self {
        Self { id: Uuid::new_v4().to_string(), stored: None, listed: None, mac: None, ..self.clone() }
    }

    /// The id under which the list of its parts knows the object.
    pub(super) fn listed_id(&self) -> &str {
        self.listed.as_deref().unwrap_or(&self.id)
    }

    /// How long the object's file is.
    pub(super) fn file_len(&self) -> u64 {
        match &self.stored {
            None => self.size,
            Some(Stored::Parts { len, .. }) => *len,
        }
    }

    /// What is known of the object.
    pub(super) fn into_meta(self) -> ObjectMeta {
        ObjectMeta {
            size: self.size,
            etag: self.etag,
            modified: Timestamp::from_millis(self.modified),
            sha256: self.sha256,
            attributes: self.attributes,
            parts: self.parts,
        }
    }

    /// The name that the record bears; for the sweep of sidecars.
    pub(super) fn named(&self) -> (&BucketName, &str) {
        (&self.bucket, &self.key)
    }
}

/// Signs a record and decides where it goes: into the attribute of at most `limit` bytes, or beside it.
pub(super) fn encode(mut record: Record, keys: &MacKeys, limit: usize) -> Result<Encoded> {
    record.mac = None;
    let claim = to_json(&record)?;
    record.mac = Some(sign(keys, RECORD_DOMAIN, &claim)?);
    let bytes = to_json(&record)?;
    if bytes.len() <= limit {
        return Ok(Encoded { attribute: bytes, sidecar: None });
    }
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let claim = to_json(&PointerClaim {
        bucket: record.bucket.as_str(),
        key: &record.key,
        sidecar: &record.id,
        sha256: &sha256,
    })?;
    let mac = sign(keys, POINTER_DOMAIN, &claim)?;
    let attribute = to_json(&Pointer { v: VERSION, sidecar: record.id.clone(), sha256, mac })?;
    Ok(Encoded { attribute, sidecar: Some((record.id, bytes)) })
}

/// Reads an attribute and proves that it belongs to this bucket and key.
pub(super) fn decode(value: &[u8], bucket: &BucketName, key: &str, keys: &MacKeys) -> Result<Decoded> {
    // Nearly every attribute is a record: it is read once, and looked at more closely only if it is none.
    if let Ok(record) = serde_json::from_slice::<Record>(value)
        && record.v == VERSION
    {
        return prove_record(record, bucket, key, keys).map(|r| Decoded::Record(Box::new(r)));
    }
    if shape(value)?.sidecar.is_none() {
        return decode_record(value, bucket, key, keys).map(|r| Decoded::Record(Box::new(r)));
    }
    let pointer: Pointer = from_json(value)?;
    let claim =
        to_json(&PointerClaim { bucket: bucket.as_str(), key, sidecar: &pointer.sidecar, sha256: &pointer.sha256 })?;
    prove(keys, &pointer.mac, POINTER_DOMAIN, &claim)?;
    Ok(Decoded::Sidecar(pointer.sidecar, pointer.sha256))
}

/// Reads a sidecar whose bytes must have this SHA-256.
pub(super) fn decode_sidecar(
    bytes: &[u8],
    sha256: &str,
    bucket: &BucketName,
    key: &str,
    keys: &MacKeys,
) -> Result<Record> {
    if hex::encode(Sha256::digest(bytes)) != sha256 {
        return Err(foreign("the sidecar is not the one that the attribute names"));
    }
    decode_record(bytes, bucket, key, keys)
}

/// The sidecar that an attribute names; nothing is proven.
pub(super) fn sidecar_of(value: &[u8]) -> Option<String> {
    shape(value).ok()?.sidecar
}

/// A sidecar's record as it stands; nothing is proven.
pub(super) fn read_unproven(bytes: &[u8]) -> Option<Record> {
    serde_json::from_slice(bytes).ok()
}

fn decode_record(bytes: &[u8], bucket: &BucketName, key: &str, keys: &MacKeys) -> Result<Record> {
    shape(bytes)?;
    prove_record(from_json(bytes)?, bucket, key, keys)
}

fn prove_record(mut record: Record, bucket: &BucketName, key: &str, keys: &MacKeys) -> Result<Record> {
    let tag = record.mac.take().ok_or_else(|| foreign("the attribute bears no MAC"))?;
    prove(keys, &tag, RECORD_DOMAIN, &to_json(&record)?)?;
    if record.bucket != *bucket || record.key != key {
        return Err(foreign("the attribute does not belong to this object"));
    }
    Ok(record)
}

fn shape(value: &[u8]) -> Result<Shape> {
    let shape: Shape = from_json(value)?;
    if shape.v == VERSION {
        return Ok(shape);
    }
    Err(foreign("the metadata were written by a newer version; this one reads version 1"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::domain::secret::Secret;
    use crate::domain::state::{KeyPurpose, StoredKey};

    pub(crate) fn keys(active: &str, ids: &[&str]) -> MacKeys {
        let stored: Vec<_> = ids
            .iter()
            .map(|id| StoredKey {
                id: (*id).to_owned(),
                purpose: KeyPurpose::MetadataMac,
                key: Secret::new(hex::encode(Sha256::digest(id.as_bytes()))),
                created_at: Timestamp::default(),
                active: *id == active,
            })
            .collect();
        MacKeys::from_keyring(&stored).unwrap()
    }

    fn record() -> (BucketName, Record) {
        let bucket = BucketName::new("photos").unwrap();
        let sums = BodySums { size: 3, md5: "m".repeat(32), sha256: "s".repeat(64) };
        let mut attributes = ObjectAttributes::default();
        attributes.headers.content_type = Some("text/plain".to_owned());
        attributes.user.insert("colour".to_owned(), "blue".to_owned());
        let key = ObjectKey::new("a/b").unwrap();
        let mut record = Record::new(&bucket, &key, &sums, attributes, Timestamp::from_millis(1_795_338_000_123));
        record.id = "12345678-9abc-4def-8000-000000000001".to_owned();
        (bucket, record)
    }

    #[test]
    fn the_bytes_of_version_1_are_golden() {
        let encoded = encode(record().1, &keys("k1", &["k1"]), 4000).unwrap();
        let golden = concat!(
            r#"{"v":1,"id":"12345678-9abc-4def-8000-000000000001","bucket":"photos","key":"a/b","size":3,"#,
            r#""etag":"mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm","#,
            r#""sha256":"ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss","modified":1795338000123,"#,
            r#""attributes":{"headers":{"content_type":"text/plain"},"user":{"colour":"blue"}},"#,
            r#""mac":{"key":"k1","value":"fda0c6ad441aef9f21c56d546080ca7d7c943e358fe450f8f087a677da900985"}}"#
        );
        assert_eq!(String::from_utf8(encoded.attribute).unwrap(), golden);
        assert!(encoded.sidecar.is_none());
    }

    #[test]
    fn a_record_is_read_back_under_every_key_of_the_ring() {
        let (bucket, written) = record();
        let encoded = encode(written.clone(), &keys("old", &["old"]), 4000).unwrap();
        let ring = keys("new", &["old", "new"]);
        let Decoded::Record(read) = decode(&encoded.attribute, &bucket, "a/b", &ring).unwrap() else { panic!() };
        assert_eq!(*read, written);
    }

    #[test]
    fn a_moved_or_changed_attribute_is_refused_and_an_unknown_key_is_named() {
        let (bucket, written) = record();
        let ring = keys("k1", &["k1"]);
        let value = encode(written, &ring, 4000).unwrap().attribute;
        let refused = |value: &[u8], bucket: &BucketName, key: &str, keys: &MacKeys| {
            decode(value, bucket, key, keys).err().map(|e| (e.kind(), e.message().to_owned())).unwrap()
        };
        let other = BucketName::new("videos").unwrap();
        let strange = (ErrorKind::Internal, "the attribute does not belong to this object".to_owned());
        assert_eq!(refused(&value, &other, "a/b", &ring), strange);
        assert_eq!(refused(&value, &bucket, "a/c", &ring), strange);
        let changed = String::from_utf8(value.clone()).unwrap().replace("blue", "grey");
        assert_eq!(refused(changed.as_bytes(), &bucket, "a/b", &ring), strange);
        assert!(refused(&value, &bucket, "a/b", &keys("k2", &["k2"])).1.contains("`k1`"));
        let newer = String::from_utf8(value).unwrap().replace("\"v\":1", "\"v\":2");
        assert!(refused(newer.as_bytes(), &bucket, "a/b", &ring).1.contains("newer"));
    }

    #[test]
    fn what_is_too_large_goes_to_a_sidecar_that_is_bound_as_well() {
        let (bucket, written) = record();
        let ring = keys("k1", &["k1"]);
        let encoded = encode(written.clone(), &ring, 300).unwrap();
        let (id, bytes) = encoded.sidecar.unwrap();
        assert_eq!(sidecar_of(&encoded.attribute), Some(id.clone()));
        let Decoded::Sidecar(named, sha256) = decode(&encoded.attribute, &bucket, "a/b", &ring).unwrap() else {
            panic!()
        };
        assert_eq!(named, id);
        assert_eq!(decode_sidecar(&bytes, &sha256, &bucket, "a/b", &ring).unwrap(), written);
        assert!(decode(&encoded.attribute, &bucket, "a/c", &ring).is_err());
        assert!(decode_sidecar(b"{}", &sha256, &bucket, "a/b", &ring).is_err());
    }
}
