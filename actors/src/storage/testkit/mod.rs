//! What tests of stores share: small verbs, and the conformance suite. Test code.

mod conformance;
mod conformance_many_uploads;
mod conformance_uploads;
pub mod memory;
pub mod multipart;
pub mod peers;

pub use conformance::conformance;
pub use conformance_uploads::{conformance_of_uploads, conformance_of_uploads_alone};

use crate::Result;
use crate::domain::condition::{ByteRange, Conditions, RangeRequest};
use crate::domain::listing::{ListPage, ListQuery};
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::{ObjectAttributes, ObjectMeta};
use crate::storage::{ByteStream, CommitRequest, ObjectStore, ReadOutcome, ReadRequest, Staged};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use std::sync::Arc;

/// A bucket name.
pub fn bucket(name: &str) -> Result<BucketName> {
    BucketName::new(name)
}

/// Stages a body, in pieces of `piece` bytes.
pub async fn stage(
    store: &Arc<dyn ObjectStore>,
    bucket: &BucketName,
    key: &str,
    body: &[u8],
    piece: usize,
) -> Result<Staged> {
    let mut writer = store.begin_write(bucket, &ObjectKey::new(key)?).await?;
    for bytes in body.chunks(piece.max(1)) {
        writer.write(Bytes::copy_from_slice(bytes)).await?;
    }
    writer.finish().await
}

/// Stores an object with attributes, under conditions.
pub async fn put_with(
    store: &Arc<dyn ObjectStore>,
    bucket: &BucketName,
    key: &str,
    body: &[u8],
    attributes: ObjectAttributes,
    conditions: Conditions,
) -> Result<ObjectMeta> {
    let staged = stage(store, bucket, key, body, 100_000).await?;
    let (bucket, key) = (bucket.clone(), ObjectKey::new(key)?);
    store.commit(CommitRequest { bucket, key, staged, attributes, conditions }).await
}

/// Stores an object.
pub async fn put(store: &Arc<dyn ObjectStore>, bucket: &BucketName, key: &str, body: &[u8]) -> Result<ObjectMeta> {
    put_with(store, bucket, key, body, ObjectAttributes::default(), Conditions::default()).await
}

/// Reads an object or a range of it; `None` for 304.
pub async fn read(
    store: &Arc<dyn ObjectStore>,
    bucket: &BucketName,
    key: &str,
    range: Option<RangeRequest>,
    conditions: Conditions,
) -> Result<Option<(Vec<u8>, ObjectMeta, Option<ByteRange>)>> {
    let request = ReadRequest { bucket: bucket.clone(), key: ObjectKey::new(key)?, conditions, range };
    match store.open_read(request).await? {
        ReadOutcome::NotModified(_) => Ok(None),
        ReadOutcome::Found(ticket) => {
            let pieces: Vec<Bytes> = ticket.body.try_collect().await?;
            Ok(Some((pieces.concat(), ticket.meta, ticket.range)))
        }
    }
}

/// Reads a whole object.
pub async fn get(store: &Arc<dyn ObjectStore>, bucket: &BucketName, key: &str) -> Result<Vec<u8>> {
    Ok(read(store, bucket, key, None, Conditions::default()).await?.map(|r| r.0).unwrap_or_default())
}

/// Reads a body whose object was replaced or removed meanwhile: all of it, or from a service elsewhere as much as came before it broke
/// the body off. Garage looks the later blocks up when it has answered already.
pub async fn read_on(store: &Arc<dyn ObjectStore>, mut body: ByteStream, expected: &[u8]) -> Result<()> {
    let mut left = expected;
    while let Some(piece) = body.next().await {
        match piece {
            Ok(piece) => {
                left = left.strip_prefix(&piece[..]).expect("the bytes are those of the object that was opened")
            }
            Err(error) if store.is_near() => return Err(error),
            Err(_) => return Ok(()),
        }
    }
    assert!(left.is_empty(), "{} bytes are missing", left.len());
    Ok(())
}

/// What a commit told of an object is what is seen of it. A service elsewhere dates an object when it begins to take it, and tells the
/// time when it has it: where nobody looked at the object again, that may be later.
pub fn same(store: &Arc<dyn ObjectStore>, seen: &ObjectMeta, told: &ObjectMeta) {
    let mut told = told.clone();
    if !store.is_near() && told.modified > seen.modified {
        told.modified = seen.modified;
    }
    assert_eq!(*seen, told);
}

/// Removes an object.
pub async fn delete(store: &Arc<dyn ObjectStore>, bucket: &BucketName, key: &str) -> Result<()> {
    store.delete(bucket, &ObjectKey::new(key)?, &Conditions::default()).await
}

/// All keys and prefixes, gathered in pages of `page`.
pub async fn list_all(
    store: &Arc<dyn ObjectStore>,
    bucket: &BucketName,
    query: &ListQuery,
    page: usize,
) -> Result<(Vec<String>, Vec<String>)> {
    let (mut keys, mut prefixes) = (Vec::new(), Vec::new());
    let mut query = ListQuery { max_keys: page, ..query.clone() };
    loop {
        let ListPage { objects, prefixes: rolled, next } = store.list(bucket, query.clone()).await?;
        assert!(objects.len() + rolled.len() <= page);
        keys.extend(objects.into_iter().map(|o| o.key));
        prefixes.extend(rolled);
        match next {
            Some(next) => query.start_after = next,
            None => return Ok((keys, prefixes)),
        }
    }
}

/// What a listing of these keys gives, by the definition.
pub fn listing_by_definition(keys: &[&str], query: &ListQuery) -> (Vec<String>, Vec<String>) {
    let mut keys: Vec<&str> = keys.to_vec();
    keys.sort_unstable();
    let (mut objects, mut prefixes) = (Vec::new(), Vec::<String>::new());
    for key in keys.into_iter().filter(|k| k.starts_with(&query.prefix) && *k > query.start_after.as_str()) {
        let rest = &key[query.prefix.len()..];
        match rest.find(&query.delimiter).filter(|_| !query.delimiter.is_empty()) {
            Some(at) => {
                let rolled = &key[..query.prefix.len() + at + query.delimiter.len()];
                if rolled > query.start_after.as_str() && prefixes.last().is_none_or(|last| last != rolled) {
                    prefixes.push(rolled.to_owned());
                }
            }
            None => objects.push(key.to_owned()),
        }
    }
    (objects, prefixes)
}
