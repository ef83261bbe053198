//! The conformance suite of multipart uploads, where several meet: names, pages, readers, buckets and races. Test code.

use super::multipart::{begin, complete, keep, large, put_parts};
use super::{bucket, delete, get, put, read_on};
use crate::domain::condition::Conditions;
use crate::domain::names::ObjectKey;
use crate::storage::multipart::{UploadId, UploadQuery, UploadRef};
use crate::storage::{ObjectStore, ReadOutcome, ReadRequest};
use crate::{ErrorKind, Result};
use std::sync::Arc;

/// Runs every check; each takes a bucket of its own.
pub(super) async fn conformance_of_many(store: &Arc<dyn ObjectStore>) -> Result<()> {
    only_the_right_name_finds_an_upload(store).await?;
    uploads_are_listed_by_key_and_beginning(store).await?;
    readers_keep_the_parts_that_they_read(store).await?;
    a_bucket_takes_its_uploads_along(store).await?;
    parts_completions_and_aborts_are_ordered(store).await
}

fn kind<T>(outcome: Result<T>) -> Option<ErrorKind> {
    outcome.err().map(|e| e.kind())
}

async fn only_the_right_name_finds_an_upload(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let (mine, theirs) = (bucket("tk-mine")?, bucket("tk-theirs")?);
    store.create_bucket(&mine).await?;
    assert_eq!(kind(begin(store, "tk-theirs", "k").await), Some(ErrorKind::NoSuchBucket));
    assert_eq!(kind(store.list_uploads(&theirs, UploadQuery::default()).await), Some(ErrorKind::NoSuchBucket));
    store.create_bucket(&theirs).await?;
    let upload = begin(store, "tk-mine", "k").await?;
    let part = keep(store, &upload, 1, b"x").await?;
    let done = begin(store, "tk-mine", "done").await?;
    let done_part = keep(store, &done, 1, b"x").await?;
    complete(store, &done, std::slice::from_ref(&done_part)).await?;
    let strangers = [
        UploadRef { bucket: theirs.clone(), ..upload.clone() },
        UploadRef { key: ObjectKey::new("other")?, ..upload.clone() },
        UploadRef { id: UploadId::new(Default::default()), ..upload.clone() },
        UploadRef { key: ObjectKey::new("other")?, ..done.clone() },
    ];
    for stranger in strangers {
        let part = [part.clone()];
        assert_eq!(kind(store.upload(&stranger).await), Some(ErrorKind::NoSuchUpload));
        assert_eq!(kind(keep(store, &stranger, 1, b"y").await), Some(ErrorKind::NoSuchUpload));
        assert_eq!(kind(store.list_parts(&stranger, 0, 1).await), Some(ErrorKind::NoSuchUpload));
        assert_eq!(kind(complete(store, &stranger, &part).await), Some(ErrorKind::NoSuchUpload));
        assert_eq!(kind(store.abort_upload(&stranger).await), Some(ErrorKind::NoSuchUpload));
    }
    complete(store, &upload, &[part]).await.map(drop)
}

async fn uploads_are_listed_by_key_and_beginning(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-list-uploads")?;
    store.create_bucket(&name).await?;
    let mut all = Vec::new();
    for key in ["b", "a/1", "a/2", "a/1", "a", "c/x/y", "é", "a-b"] {
        let upload = begin(store, "tk-list-uploads", key).await?;
        all.push((key.to_owned(), upload.id));
    }
    let completed = begin(store, "tk-list-uploads", "completed").await?;
    let part = keep(store, &completed, 1, b"x").await?;
    complete(store, &completed, &[part]).await?;
    all.sort();
    for prefix in ["", "a", "a/", "c/", "none"] {
        for delimiter in ["", "/", "-"] {
            let (mut uploads, mut prefixes) = (Vec::new(), Vec::<String>::new());
            for (key, id) in all.iter().filter(|(key, _)| key.starts_with(prefix)) {
                match key[prefix.len()..].find(delimiter).filter(|_| !delimiter.is_empty()) {
                    None => uploads.push((key.clone(), id.clone())),
                    Some(at) => {
                        let rolled = key[..prefix.len() + at + delimiter.len()].to_owned();
                        prefixes.extend((prefixes.last() != Some(&rolled)).then_some(rolled));
                    }
                }
            }
            for max in [1, 2, 3, 1000] {
                let mut query = UploadQuery {
                    prefix: prefix.to_owned(),
                    delimiter: delimiter.to_owned(),
                    max,
                    ..UploadQuery::default()
                };
                let (mut seen, mut rolled) = (Vec::new(), Vec::new());
                loop {
                    let page = store.list_uploads(&name, query.clone()).await?;
                    assert!(page.uploads.len() + page.prefixes.len() <= max);
                    seen.extend(page.uploads.into_iter().map(|u| (u.key.as_str().to_owned(), u.id)));
                    rolled.extend(page.prefixes);
                    let Some((after, after_id)) = page.next else { break };
                    query = UploadQuery { after, after_id, ..query };
                }
                assert_eq!((&seen, &rolled), (&uploads, &prefixes), "{prefix:?} {delimiter:?} by {max}");
            }
        }
    }
    Ok(())
}

async fn readers_keep_the_parts_that_they_read(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-readers")?;
    store.create_bucket(&name).await?;
    let bodies = [large(1), large(2)];
    for change in ["overwritten", "overwritten in parts", "removed", "stored as a plain body"] {
        put_parts(store, "tk-readers", "k", &[&bodies[0], &bodies[1]]).await?;
        let request = || -> Result<ReadRequest> {
            let key = ObjectKey::new("k")?;
            Ok(ReadRequest { bucket: name.clone(), key, conditions: Conditions::default(), range: None })
        };
        let mut readers = Vec::new();
        for _ in 0..2 {
            let ReadOutcome::Found(ticket) = store.open_read(request()?).await? else { panic!("304 for nothing") };
            readers.push(ticket.body);
        }
        match change {
            "overwritten" => drop(put(store, &name, "k", b"new").await?),
            "overwritten in parts" => drop(put_parts(store, "tk-readers", "k", &[b"new"]).await?),
            "removed" => delete(store, &name, "k").await?,
            _ => {}
        }
        store.upkeep().await?;
        for body in readers {
            read_on(store, body, &bodies.concat()).await?;
        }
        match change {
            "removed" => assert_eq!(kind(get(store, &name, "k").await), Some(ErrorKind::NoSuchKey)),
            "stored as a plain body" => assert!(get(store, &name, "k").await? == bodies.concat()),
            _ => assert_eq!(get(store, &name, "k").await?, b"new"),
        }
    }
    Ok(())
}

async fn a_bucket_takes_its_uploads_along(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-short-lived")?;
    store.create_bucket(&name).await?;
    let upload = begin(store, "tk-short-lived", "k").await?;
    let part = keep(store, &upload, 1, b"x").await?;
    store.delete_bucket(&name).await?;
    store.create_bucket(&name).await?;
    assert_eq!(kind(store.upload(&upload).await), Some(ErrorKind::NoSuchUpload));
    assert_eq!(kind(complete(store, &upload, &[part]).await), Some(ErrorKind::NoSuchUpload));
    begin(store, "tk-short-lived", "k").await.map(drop)
}

async fn parts_completions_and_aborts_are_ordered(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-order")?;
    store.create_bucket(&name).await?;
    for round in 0..12 {
        let key = format!("k{round}");
        let upload = begin(store, "tk-order", &key).await?;
        let part = keep(store, &upload, 1, b"first").await?;
        let complete_once = || complete(store, &upload, std::slice::from_ref(&part));
        let (a, b, aborted, replaced) = tokio::join!(
            complete_once(),
            complete_once(),
            async {
                tokio::time::sleep(std::time::Duration::from_micros(200 * (round % 6))).await;
                store.abort_upload(&upload).await
            },
            keep(store, &upload, 1, b"second"),
        );
        let seen = match get(store, &name, &key).await {
            Err(e) if e.kind() == ErrorKind::NoSuchKey => None,
            other => Some(other?),
        };
        // Either it was completed, with the part that was listed, or it was aborted, or the part was replaced before.
        let completed: Vec<_> = [&a, &b].into_iter().flatten().collect();
        assert_eq!(seen.as_deref(), (!completed.is_empty()).then_some(&b"first"[..]), "{a:?} {b:?} {aborted:?}");
        assert!(completed.iter().all(|meta| meta.etag == completed[0].etag && meta.modified == completed[0].modified));
        assert!(aborted.is_ok() != (completed.len() == 2) || replaced.is_ok(), "{a:?} {b:?} {aborted:?} {replaced:?}");
        assert!(aborted.is_err() || completed.is_empty(), "{a:?} {b:?} {aborted:?}");
        for outcome in [a, b] {
            let refusal = kind(outcome);
            assert!(matches!(refusal, None | Some(ErrorKind::NoSuchUpload | ErrorKind::InvalidPart)), "{refusal:?}");
        }
        store.upkeep().await?;
        if seen.is_some() {
            assert_eq!(get(store, &name, &key).await?, b"first");
        }
    }
    Ok(())
}
