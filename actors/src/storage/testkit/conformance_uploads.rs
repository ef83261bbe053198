//! The conformance suite of multipart uploads: what every backend that keeps them promises. Test code.

use super::conformance_many_uploads::conformance_of_many;
use super::multipart::{begin, begin_with, complete, keep, keep_with, large, listed, request};
use super::{bucket, get, list_all, put, read};
use crate::domain::checksum::{ChecksumAlgorithm, ChecksumKind};
use crate::domain::condition::{Conditions, ETagMatch, RangeRequest};
use crate::domain::listing::ListQuery;
use crate::domain::names::ObjectKey;
use crate::domain::object::{ETag, ObjectAttributes};
use crate::storage::ObjectStore;
use crate::storage::multipart::{CompleteRequest, CompletedPart, PartCommit, PartNumber, UploadChecksum, UploadQuery};
use crate::{ErrorKind, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use std::sync::Arc;

/// Runs every check; each takes a bucket of its own.
pub async fn conformance_of_uploads(store: Arc<dyn ObjectStore>) -> Result<()> {
    conditions_are_decided_at_the_end(&store).await?;
    conformance_of_uploads_alone(store).await
}

/// The same for a service that gives an open upload up as soon as its key is written to (Garage).
pub async fn conformance_of_uploads_alone(store: Arc<dyn ObjectStore>) -> Result<()> {
    an_upload_becomes_an_object(&store).await?;
    a_completion_is_refused_for_what_is_wrong_with_it(&store).await?;
    checksums_follow_from_those_of_the_parts(&store).await?;
    a_part_is_replaced_by_the_next_of_its_number(&store).await?;
    an_aborted_upload_is_gone(&store).await?;
    conformance_of_many(&store).await
}

fn kind<T>(outcome: Result<T>) -> Option<ErrorKind> {
    outcome.err().map(|e| e.kind())
}

async fn an_upload_becomes_an_object(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-uploads")?;
    store.create_bucket(&name).await?;
    for (key, user) in [("dir/k", 1), ("dir/k/below", 1), ("dir", 40)] {
        let mut attributes = ObjectAttributes::default();
        attributes.headers.content_type = Some("video/mp4".to_owned());
        attributes.user.extend((0..user).map(|i| (format!("name-{i}"), "x".repeat(100))));
        let upload = begin_with(store, "tk-uploads", key, attributes.clone(), None).await?;
        let info = store.upload(&upload).await?;
        assert_eq!((info.key.as_str(), &info.attributes, info.initiator.name.as_str()), (key, &attributes, "ann"));
        let bodies = [large(1), large(2), b"the end".to_vec()];
        let mut parts = Vec::new();
        // Not in order, and with gaps.
        for (body, number) in [(&bodies[2], 9_999), (&bodies[0], 1), (&bodies[1], 70), (&bodies[1], 5)] {
            parts.push(keep(store, &upload, number, body).await?);
        }
        assert_eq!(kind(get(store, &name, key).await), Some(ErrorKind::NoSuchKey));
        parts.remove(3);
        parts.rotate_left(1);
        let meta = complete(store, &upload, &parts).await?;
        let whole = bodies.concat();
        let md5s: Vec<u8> = parts.iter().flat_map(|p| hex::decode(p.etag.as_str()).unwrap_or_default()).collect();
        let etag = format!("{}-3", hex::encode(<md5::Md5 as md5::Digest>::digest(md5s)));
        assert_eq!((meta.etag.as_str(), meta.size, &meta.attributes), (etag.as_str(), whole.len() as u64, &attributes));
        assert_eq!(store.head(&name, &ObjectKey::new(key)?).await?, meta);
        for kept in ["as parts", "as a plain body"] {
            let (edge, end) = (bodies[0].len() as u64, whole.len() as u64);
            for range in [
                RangeRequest::Between(0, 0),
                RangeRequest::Between(edge - 1, edge),
                RangeRequest::Between(edge - 70_000, edge + 70_000),
                RangeRequest::Between(edge, 2 * edge - 1),
                RangeRequest::From(edge - 5),
                RangeRequest::Last(8),
                RangeRequest::Last(1),
                RangeRequest::Last(end),
            ] {
                let Some((bytes, seen, Some(part))) =
                    read(store, &name, key, Some(range), Conditions::default()).await?
                else {
                    panic!("a range gives a part")
                };
                let (from, to) = (part.start as usize, (part.start + part.len) as usize);
                assert!(bytes == whole[from..to] && seen == meta, "{range:?} {kept}");
            }
            assert!(get(store, &name, key).await? == whole, "{kept}");
            let query = ListQuery { prefix: key.to_owned(), max_keys: 1, ..ListQuery::default() };
            let listed = store.list(&name, query).await?.objects.remove(0);
            assert_eq!((listed.etag, listed.size, listed.modified), (meta.etag.clone(), meta.size, meta.modified));
            // Completed is completed: the same again gives the same, whatever the conditions say now.
            let absent = Conditions { if_none_match: Some(ETagMatch::Any), ..Conditions::default() };
            let again = CompleteRequest { conditions: absent, ..request(&upload, &parts) };
            assert_eq!(store.complete_upload(again).await?, meta);
            assert_eq!(kind(complete(store, &upload, &parts[1..]).await), Some(ErrorKind::InvalidPart));
            assert_eq!(kind(store.abort_upload(&upload).await), Some(ErrorKind::NoSuchUpload));
            assert_eq!(kind(keep(store, &upload, 1, b"late").await), Some(ErrorKind::NoSuchUpload));
            assert_eq!(kind(store.list_parts(&upload, 0, 10).await), Some(ErrorKind::NoSuchUpload));
            store.upkeep().await?;
        }
        assert_eq!(store.head(&name, &ObjectKey::new(key)?).await?, meta);
    }
    assert_eq!(list_all(store, &name, &ListQuery::default(), 10).await?.0, ["dir", "dir/k", "dir/k/below"]);
    Ok(())
}

async fn a_completion_is_refused_for_what_is_wrong_with_it(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-refused")?;
    store.create_bucket(&name).await?;
    let upload = begin(store, "tk-refused", "k").await?;
    let (a, b) = (keep(store, &upload, 1, &large(1)).await?, keep(store, &upload, 2, b"b").await?);
    let c = keep(store, &upload, 3, b"c").await?;
    let missing = CompletedPart { number: PartNumber::new(4)?, ..c.clone() };
    let mistaken = CompletedPart { etag: ETag::new("0123"), ..b.clone() };
    let mut unsummed = b.clone();
    unsummed.checksums.insert("CRC32".to_owned(), "AAAAAA==".to_owned());
    for (parts, refusal) in [
        (vec![], ErrorKind::Invalid),
        (vec![b.clone(), a.clone()], ErrorKind::InvalidPartOrder),
        (vec![a.clone(), a.clone()], ErrorKind::InvalidPartOrder),
        (vec![a.clone(), missing], ErrorKind::InvalidPart),
        (vec![a.clone(), mistaken], ErrorKind::InvalidPart),
        (vec![a.clone(), unsummed], ErrorKind::InvalidPart),
        (vec![a.clone(), b.clone(), c.clone()], ErrorKind::EntityTooSmall),
    ] {
        assert_eq!(kind(complete(store, &upload, &parts).await), Some(refusal), "{parts:?}");
    }
    let plain = request(&upload, &[a, b]);
    let sized = CompleteRequest { size: Some(1), ..plain.clone() };
    assert_eq!(kind(store.complete_upload(sized).await), Some(ErrorKind::InvalidRequest));
    let unknown =
        CompleteRequest { checksum: Some((ChecksumAlgorithm::Crc32, "AAAAAA==".to_owned())), ..plain.clone() };
    assert_eq!(kind(store.complete_upload(unknown).await), Some(ErrorKind::InvalidRequest));
    // Refused is not ended.
    store.complete_upload(plain).await?;
    assert!(get(store, &name, "k").await? == [large(1), b"b".to_vec()].concat());
    Ok(())
}

async fn conditions_are_decided_at_the_end(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-decided")?;
    store.create_bucket(&name).await?;
    let upload = begin(store, "tk-decided", "k").await?;
    let parts = [keep(store, &upload, 1, &large(1)).await?, keep(store, &upload, 2, b"b").await?];
    let plain = request(&upload, &parts);
    let old = put(store, &name, "k", b"old").await?;
    let absent = Conditions { if_none_match: Some(ETagMatch::Any), ..Conditions::default() };
    let refused = CompleteRequest { conditions: absent, ..plain.clone() };
    assert_eq!(kind(store.complete_upload(refused).await), Some(ErrorKind::PreconditionFailed));
    assert_eq!(get(store, &name, "k").await?, b"old");
    // Refused is not ended.
    let matches = Conditions { if_match: Some(ETagMatch::parse(&old.etag.quoted())), ..Conditions::default() };
    let size = large(1).len() as u64 + 1;
    store.complete_upload(CompleteRequest { conditions: matches, size: Some(size), ..plain }).await?;
    assert!(get(store, &name, "k").await? == [large(1), b"b".to_vec()].concat());
    Ok(())
}

async fn checksums_follow_from_those_of_the_parts(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-checksums")?;
    store.create_bucket(&name).await?;
    let bodies = [large(3), b"tail".to_vec()];
    for algorithm in ChecksumAlgorithm::ALL {
        for kind_of_sum in [ChecksumKind::Composite, ChecksumKind::FullObject] {
            let checksum = Some(UploadChecksum { algorithm, kind: kind_of_sum });
            let begun = begin_with(store, "tk-checksums", "k", ObjectAttributes::default(), checksum).await;
            if !algorithm.allows(kind_of_sum) {
                assert_eq!(kind(begun), Some(ErrorKind::InvalidRequest));
                continue;
            }
            let upload = begun?;
            assert_eq!(store.upload(&upload).await?.checksum, checksum);
            assert_eq!(kind(keep(store, &upload, 1, b"without").await), Some(ErrorKind::InvalidRequest));
            let mut parts = Vec::new();
            for (body, number) in bodies.iter().zip(1..) {
                parts.push(listed(keep_with(store, &upload, number, body, &[algorithm]).await?));
            }
            let expected = match kind_of_sum {
                ChecksumKind::FullObject => STANDARD.encode(algorithm.digest(&bodies.concat())),
                ChecksumKind::Composite => {
                    let digests: Vec<u8> = bodies.iter().flat_map(|body| algorithm.digest(body)).collect();
                    format!("{}-2", STANDARD.encode(algorithm.digest(&digests)))
                }
            };
            let wrong = STANDARD.encode(algorithm.digest(b"wrong"));
            let request =
                |sum: &str| CompleteRequest { checksum: Some((algorithm, sum.to_owned())), ..request(&upload, &parts) };
            assert_eq!(kind(store.complete_upload(request(&wrong)).await), Some(ErrorKind::BadDigest));
            let bare = expected.split('-').next().unwrap_or_default();
            let meta = store.complete_upload(request(bare)).await?;
            assert_eq!(meta.attributes.checksums.get(algorithm.name()), Some(&expected));
            store.upkeep().await?;
            assert_eq!(store.head(&name, &ObjectKey::new("k")?).await?, meta);
        }
    }
    Ok(())
}

async fn a_part_is_replaced_by_the_next_of_its_number(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-parts")?;
    store.create_bucket(&name).await?;
    let upload = begin(store, "tk-parts", "k").await?;
    let old = keep(store, &upload, 2, b"old").await?;
    for number in [2, 10_000, 1] {
        keep_with(store, &upload, number, format!("part {number}").as_bytes(), &[ChecksumAlgorithm::Sha1]).await?;
    }
    let pages = async |max| -> Result<Vec<String>> {
        let (mut after, mut seen) = (0, Vec::new());
        loop {
            let page = store.list_parts(&upload, after, max).await?;
            assert!(page.parts.len() <= max && page.upload.id == upload.id);
            for part in page.parts {
                assert_eq!(part.checksums.keys().collect::<Vec<_>>(), ["SHA1"]);
                seen.push(format!("{}:{}", part.number, part.size));
            }
            match page.next {
                Some(next) => after = next.get(),
                None => return Ok(seen),
            }
        }
    };
    for max in [1, 2, 3, 1000] {
        assert_eq!(pages(max).await?, ["1:6", "2:6", "10000:10"]);
    }
    assert_eq!(kind(complete(store, &upload, &[old]).await), Some(ErrorKind::InvalidPart));
    let new = listed(store.list_parts(&upload, 1, 1).await?.parts.remove(0));
    complete(store, &upload, &[new]).await?;
    assert_eq!(get(store, &name, "k").await?, b"part 2");
    Ok(())
}

async fn an_aborted_upload_is_gone(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-aborts")?;
    store.create_bucket(&name).await?;
    let upload = begin(store, "tk-aborts", "k").await?;
    let part = keep(store, &upload, 1, b"part").await?;
    for size in [10, 3_000_000] {
        let upload = begin(store, "tk-aborts", "k").await?;
        let number = PartNumber::new(1)?;
        let mut writer = store.begin_part(&upload, number).await?;
        writer.write(Bytes::from(vec![1; size])).await?;
        let staged = writer.finish().await?;
        store.abort_upload(&upload).await?;
        let late = PartCommit { upload: upload.clone(), number, staged, checksums: Default::default() };
        assert_eq!(kind(store.commit_part(late).await), Some(ErrorKind::NoSuchUpload));
    }
    store.abort_upload(&upload).await?;
    assert_eq!(kind(store.upload(&upload).await), Some(ErrorKind::NoSuchUpload));
    assert_eq!(kind(store.abort_upload(&upload).await), Some(ErrorKind::NoSuchUpload));
    assert_eq!(kind(complete(store, &upload, &[part]).await), Some(ErrorKind::NoSuchUpload));
    assert_eq!(kind(store.begin_part(&upload, PartNumber::new(1)?).await.map(drop)), Some(ErrorKind::NoSuchUpload));
    assert!(store.list_uploads(&name, UploadQuery { max: 10, ..UploadQuery::default() }).await?.uploads.is_empty());
    assert!(!store.holds_objects(&name).await?);
    Ok(())
}
