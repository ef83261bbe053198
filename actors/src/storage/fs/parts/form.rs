//! The stored form `parts`, version 1: a file that names the part files whose bytes, one after the other, are the object.
//!
//! Three lines after the magic of all stored forms. `P1 <upload id>`; a JSON object `{"record":{…},"parts":[[number,size,"md5",
//! "sha256"],…]}` with the object's record as in its attribute, without `stored` and `mac`, and the parts in order; and the MAC
//! `{"key","value"}`, HMAC-SHA256 over `dg-parts-v1\n` and all that stands before it, magic included.

use crate::Result;
use crate::domain::names::{BucketName, ObjectKey};
use crate::storage::fs::attributes::{Record, STORED_FORM_MAGIC};
use crate::storage::fs::seal::{Tag, foreign, from_json, prove, sign, to_json};
use crate::storage::mackeys::MacKeys;
use crate::storage::multipart::{PartNumber, UploadId};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::os::unix::fs::FileExt;

const DOMAIN: &[u8] = b"dg-parts-v1\n";
const NAME: &[u8] = b"P1 ";
const HEAD: usize = STORED_FORM_MAGIC.len() + NAME.len() + ID + 1;
const ID: usize = 44;

/// One part file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::storage::fs) struct PartFile(
    /// Its number, which is its name.
    pub(in crate::storage::fs) PartNumber,
    /// Its size.
    pub(in crate::storage::fs) u64,
    /// The MD5 of its bytes in lower-case hex.
    pub(in crate::storage::fs) String,
    /// Their SHA-256.
    pub(in crate::storage::fs) String,
);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    record: Record,
    parts: Vec<PartFile>,
}

/// The bytes of the file for an object whose record says nothing yet of how it is stored.
pub(in crate::storage::fs) fn encode(
    record: &Record,
    upload: &UploadId,
    parts: Vec<PartFile>,
    keys: &MacKeys,
) -> Result<Vec<u8>> {
    let mut bytes = [&STORED_FORM_MAGIC[..], NAME, upload.as_str().as_bytes(), b"\n"].concat();
    bytes.extend(to_json(&List { record: record.clone(), parts })?);
    bytes.push(b'\n');
    let mac = to_json(&sign(keys, DOMAIN, &bytes)?)?;
    bytes.extend(mac);
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a file whose attribute is `record`, and proves that both are one object's; gives the parts.
pub(in crate::storage::fs) fn decode(
    bytes: &[u8],
    record: &Record,
    (bucket, key): (&BucketName, &ObjectKey),
    keys: &MacKeys,
) -> Result<Vec<PartFile>> {
    let torn = || foreign("the list of the object's parts cannot be read");
    let body = bytes.strip_suffix(b"\n").ok_or_else(torn)?;
    let end = body.iter().rposition(|byte| *byte == b'\n').filter(|end| *end >= HEAD).ok_or_else(torn)?;
    let (signed, tag) = (&bytes[..=end], &body[end + 1..]);
    prove(keys, &from_json::<Tag>(tag)?, DOMAIN, signed)?;
    let list: List = from_json(&signed[HEAD..end])?;
    if list.record.named() != (bucket, key.as_str()) || list.record.id != record.listed_id() {
        return Err(foreign("the list of parts does not belong to this object"));
    }
    Ok(list.parts)
}

/// The upload that a file names, where it has this form; nothing is proven.
pub(in crate::storage::fs) fn names(file: &File) -> Option<UploadId> {
    let mut head = [0; HEAD];
    file.read_exact_at(&mut head, 0).ok()?;
    let id = head.strip_prefix(&STORED_FORM_MAGIC)?.strip_prefix(NAME)?.strip_suffix(b"\n")?;
    UploadId::parse(std::str::from_utf8(id).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::object::{ETag, ObjectAttributes};
    use crate::storage::fs::attributes::tests::keys;

    fn written() -> (BucketName, ObjectKey, Record, Vec<u8>) {
        let (bucket, key) = (BucketName::new("photos").unwrap(), ObjectKey::new("a/b").unwrap());
        let (sums, now) = ((5_242_883, ETag::new("m-2")), Timestamp::from_millis(1_795_338_000_123));
        let mut record = Record::of_parts((&bucket, &key), sums, ObjectAttributes::default(), now);
        record.id = "12345678-9abc-4def-8000-000000000001".to_owned();
        let upload = UploadId::parse(&format!("{}{}", "0".repeat(12), "a".repeat(32))).unwrap();
        let part = |number, size, md5: &str, sha256: &str| {
            PartFile(PartNumber::new(number).unwrap(), size, md5.to_owned(), sha256.to_owned())
        };
        let parts = vec![part(1, 5_242_880, "m1", "s1"), part(7, 3, "m2", "s2")];
        let bytes = encode(&record, &upload, parts, &keys("k1", &["k1"])).unwrap();
        (bucket, key, record, bytes)
    }

    #[test]
    fn the_bytes_of_version_1_are_golden() {
        let (bucket, key, record, bytes) = written();
        let golden = concat!(
            "P1 000000000000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
            r#"{"record":{"v":1,"id":"12345678-9abc-4def-8000-000000000001","bucket":"photos","key":"a/b","size":5242883,"#,
            r#""etag":"m-2","modified":1795338000123,"attributes":{"headers":{}}},"#,
            r#""parts":[[1,5242880,"m1","s1"],[7,3,"m2","s2"]]}"#,
            "\n",
            r#"{"key":"k1","value":"f8178b2d06fbd287879a7188ccda950264824cc327fe9ade83b2dacbed7a775a"}"#,
            "\n"
        );
        assert_eq!(bytes.strip_prefix(&STORED_FORM_MAGIC).map(String::from_utf8_lossy).unwrap(), golden);
        let parts = decode(&bytes, &record, (&bucket, &key), &keys("new", &["k1", "new"])).unwrap();
        assert_eq!(parts.iter().map(|part| (part.0.get(), part.1)).collect::<Vec<_>>(), [(1, 5_242_880), (7, 3)]);
    }

    #[test]
    fn a_list_that_was_changed_cut_or_moved_is_refused() {
        let (bucket, key, record, bytes) = written();
        let ring = keys("k1", &["k1"]);
        let refused = |bytes: &[u8], record: &Record, key: &ObjectKey| {
            assert!(decode(bytes, record, (&bucket, key), &ring).is_err());
        };
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            refused(&changed, &record, &key);
            refused(&bytes[..at], &record, &key);
        }
        refused(&bytes, &record.as_plain(), &key);
        refused(&bytes, &record, &ObjectKey::new("a/c").unwrap());
    }
}
