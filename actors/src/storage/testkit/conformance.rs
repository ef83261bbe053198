//! The conformance suite of `ObjectStore`: what every backend promises, written once. Test code.

use super::{bucket, delete, get, list_all, listing_by_definition, put, put_with, read, read_on, same, stage};
use crate::domain::condition::{ByteRange, Conditions, ETagMatch, RangeRequest};
use crate::domain::listing::{ListPage, ListQuery};
use crate::domain::names::ObjectKey;
use crate::domain::object::ObjectAttributes;
use crate::domain::tags::Tags;
use crate::storage::{ObjectStore, ReadOutcome, ReadRequest};
use crate::{ErrorKind, Result};
use bytes::Bytes;
use std::sync::Arc;

/// Runs every check; each takes a bucket of its own.
pub async fn conformance(store: Arc<dyn ObjectStore>) -> Result<()> {
    buckets_are_made_and_removed(&store).await?;
    an_object_comes_back_as_it_was_stored(&store).await?;
    ranges_and_conditions_are_decided_on_the_object(&store).await?;
    nothing_is_visible_before_the_commit(&store).await?;
    a_key_and_keys_below_it_live_side_by_side(&store).await?;
    strange_keys_are_ordinary_keys(&store).await?;
    tags_change_without_the_object(&store).await?;
    deletes_are_idempotent_and_not_recursive(&store).await?;
    listings_agree_with_a_model(&store).await?;
    one_of_many_conditional_writes_wins(&store).await
}

fn kind<T>(outcome: Result<T>) -> Option<ErrorKind> {
    outcome.err().map(|e| e.kind())
}

async fn buckets_are_made_and_removed(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-buckets")?;
    assert_eq!(kind(get(store, &name, "k").await), Some(ErrorKind::NoSuchBucket));
    assert_eq!(kind(put(store, &name, "k", b"x").await), Some(ErrorKind::NoSuchBucket));
    assert_eq!(kind(delete(store, &name, "k").await), Some(ErrorKind::NoSuchBucket));
    assert_eq!(kind(store.list(&name, ListQuery::default()).await), Some(ErrorKind::NoSuchBucket));
    assert_eq!(kind(store.delete_bucket(&name).await), Some(ErrorKind::NoSuchBucket));
    store.create_bucket(&name).await?;
    assert_eq!(kind(store.create_bucket(&name).await), Some(ErrorKind::BucketExists));
    assert!(store.list_buckets().await?.contains(&name));
    assert!(!store.holds_objects(&name).await?);
    put(store, &name, "deep/er/k", b"x").await?;
    assert!(store.holds_objects(&name).await?);
    assert_eq!(kind(store.delete_bucket(&name).await), Some(ErrorKind::BucketNotEmpty));
    delete(store, &name, "deep/er/k").await?;
    store.delete_bucket(&name).await?;
    assert!(!store.list_buckets().await?.contains(&name));
    Ok(())
}

async fn an_object_comes_back_as_it_was_stored(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-bodies")?;
    store.create_bucket(&name).await?;
    assert_eq!(kind(get(store, &name, "nothing").await), Some(ErrorKind::NoSuchKey));
    let mut attributes = ObjectAttributes::default();
    attributes.headers.content_type = Some("application/x-test".to_owned());
    attributes.headers.cache_control = Some("no-store".to_owned());
    for i in 0..40 {
        attributes.user.insert(format!("name-{i}"), format!("{i}").repeat(50));
    }
    for size in [0_usize, 1, 65_536, 65_537, 1_500_000, 3_000_001] {
        let body: Vec<u8> = (0..size).map(|i| (i * 31 % 251) as u8).collect();
        let meta = put_with(store, &name, "body", &body, attributes.clone(), Conditions::default()).await?;
        let Some((read_back, seen, range)) = read(store, &name, "body", None, Conditions::default()).await? else {
            panic!("304 without a condition")
        };
        assert!(read_back == body, "{size}");
        assert_eq!(range, None);
        same(store, &seen, &meta);
        same(store, &store.head(&name, &ObjectKey::new("body")?).await?, &meta);
        assert_eq!((meta.size, &meta.attributes), (size as u64, &attributes));
    }
    let meta = put(store, &name, "body", b"hello").await?;
    assert_eq!(meta.etag.as_str(), "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(meta.attributes, ObjectAttributes::default());
    Ok(())
}

async fn tags_change_without_the_object(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-tags")?;
    let tags = |value: &str| Tags::from([("state".to_owned(), value.to_owned())]);
    let key = ObjectKey::new("k")?;
    assert_eq!(kind(store.set_tags(&name, &key, tags("new")).await), Some(ErrorKind::NoSuchBucket));
    store.create_bucket(&name).await?;
    assert_eq!(kind(store.set_tags(&name, &key, tags("new")).await), Some(ErrorKind::NoSuchKey));
    for large in [0, 5000] {
        let mut attributes = ObjectAttributes { tags: tags("old"), ..ObjectAttributes::default() };
        attributes.user.insert("note".to_owned(), "x".repeat(large));
        let before = put_with(store, &name, "k", b"body", attributes, Conditions::default()).await?;
        for wanted in [tags("new"), Tags::new()] {
            store.set_tags(&name, &key, wanted.clone()).await?;
            let mut expected = before.clone();
            expected.attributes.tags = wanted;
            same(store, &store.head(&name, &key).await?, &expected);
            assert_eq!(get(store, &name, "k").await?, b"body");
        }
    }
    Ok(())
}

async fn ranges_and_conditions_are_decided_on_the_object(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-ranges")?;
    store.create_bucket(&name).await?;
    let body: Vec<u8> = (0..2_000_000_u32).map(|i| (i % 241) as u8).collect();
    let meta = put(store, &name, "k", &body).await?;
    for (request, start, end) in [
        (RangeRequest::Between(0, 0), 0, 1),
        (RangeRequest::Between(5, 1_999_999_999), 5, 2_000_000),
        (RangeRequest::From(1_999_990), 1_999_990, 2_000_000),
        (RangeRequest::Last(600_000), 1_400_000, 2_000_000),
    ] {
        let answer = read(store, &name, "k", Some(request), Conditions::default()).await?;
        assert!(answer.is_some_and(|(bytes, _, range)| {
            bytes == body[start..end] && range == Some(ByteRange { start: start as u64, len: (end - start) as u64 })
        }));
    }
    let outside = read(store, &name, "k", Some(RangeRequest::From(2_000_000)), Conditions::default()).await;
    assert_eq!(kind(outside), Some(ErrorKind::InvalidRange));
    let matches = Conditions { if_match: Some(ETagMatch::parse(&meta.etag.quoted())), ..Conditions::default() };
    let differs = Conditions { if_match: Some(ETagMatch::parse("\"other\"")), ..Conditions::default() };
    let known = Conditions { if_none_match: Some(ETagMatch::parse(&meta.etag.quoted())), ..Conditions::default() };
    assert!(read(store, &name, "k", None, matches.clone()).await?.is_some());
    assert!(read(store, &name, "k", None, known).await?.is_none());
    assert_eq!(kind(read(store, &name, "k", None, differs.clone()).await), Some(ErrorKind::PreconditionFailed));
    let plain = ObjectAttributes::default;
    let refused = put_with(store, &name, "k", b"no", plain(), differs.clone()).await;
    assert_eq!(kind(refused), Some(ErrorKind::PreconditionFailed));
    let refused = put_with(store, &name, "missing", b"no", plain(), matches.clone()).await;
    assert_eq!(kind(refused), Some(ErrorKind::NoSuchKey));
    let key = ObjectKey::new("k")?;
    assert_eq!(kind(store.delete(&name, &key, &differs).await), Some(ErrorKind::PreconditionFailed));
    put_with(store, &name, "k", b"yes", plain(), matches.clone()).await?;
    assert_eq!(kind(store.delete(&name, &key, &matches).await), Some(ErrorKind::PreconditionFailed));
    assert_eq!(get(store, &name, "k").await?, b"yes");
    Ok(())
}

async fn nothing_is_visible_before_the_commit(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-staging")?;
    store.create_bucket(&name).await?;
    for size in [10, 2_000_000] {
        let staged = stage(store, &name, "dir/k", &vec![7; size], 4096).await?;
        assert_eq!(kind(get(store, &name, "dir/k").await), Some(ErrorKind::NoSuchKey));
        let query = ListQuery { max_keys: 10, delimiter: "/".to_owned(), ..ListQuery::default() };
        assert_eq!(store.list(&name, query).await?, ListPage::default());
        drop(staged);
    }
    let mut abandoned = store.begin_write(&name, &ObjectKey::new("dir/k")?).await?;
    abandoned.write(Bytes::from(vec![1; 3_000_000])).await?;
    drop(abandoned);
    // A reader keeps the object that it opened, whatever is committed meanwhile.
    put(store, &name, "k", &vec![1; 2_000_000]).await?;
    let request =
        ReadRequest { bucket: name.clone(), key: ObjectKey::new("k")?, conditions: Conditions::default(), range: None };
    let ReadOutcome::Found(ticket) = store.open_read(request).await? else { panic!("304 without a condition") };
    put(store, &name, "k", b"new").await?;
    read_on(store, ticket.body, &[1; 2_000_000]).await?;
    assert_eq!(get(store, &name, "k").await?, b"new");
    Ok(())
}

async fn a_key_and_keys_below_it_live_side_by_side(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-nested")?;
    store.create_bucket(&name).await?;
    let keys = ["a", "a/b", "a/b/c/d", "a/", "a//", "x/y", "x", "x/"];
    for key in keys {
        put(store, &name, key, key.as_bytes()).await?;
    }
    put(store, &name, "a", &[9; 700_000]).await?;
    put(store, &name, "a/b/z", &[8; 700_000]).await?;
    assert!(get(store, &name, "a").await? == [9; 700_000]);
    put(store, &name, "a", b"a").await?;
    for key in keys {
        assert_eq!(get(store, &name, key).await?, key.as_bytes());
    }
    for key in ["a/b/c", "x/y/z", "x/z"] {
        assert_eq!(kind(get(store, &name, key).await), Some(ErrorKind::NoSuchKey), "{key}");
    }
    delete(store, &name, "a").await?;
    assert_eq!(kind(get(store, &name, "a").await), Some(ErrorKind::NoSuchKey));
    assert_eq!(get(store, &name, "a/b").await?, b"a/b");
    put(store, &name, "a", b"again").await?;
    assert_eq!(get(store, &name, "a").await?, b"again");
    Ok(())
}

async fn strange_keys_are_ordinary_keys(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-strange")?;
    store.create_bucket(&name).await?;
    let (long, deep) = ("ä".repeat(512), "d/".repeat(300));
    let keys = [
        ".",
        "..",
        "../..",
        "../../etc/passwd",
        "/",
        "//",
        "/a",
        ".dg",
        ".dg/refs/x",
        ".dg/backend.json",
        ".dg-tmp-1",
        "%self",
        "a/%self",
        "%00",
        "%2F",
        "%+",
        "a%",
        "\u{1}\u{7f}\u{85}",
        "reference.bin",
        "x.delta",
        "b\\c",
        " ",
        "+",
        &long,
        &deep,
    ];
    for key in keys {
        put(store, &name, key, key.as_bytes()).await?;
    }
    for key in keys {
        assert_eq!(get(store, &name, key).await?, key.as_bytes(), "{key:?}");
    }
    let mut sorted = keys.map(str::to_owned).to_vec();
    sorted.sort();
    assert_eq!(list_all(store, &name, &ListQuery::default(), 7).await?.0, sorted);
    for key in keys {
        delete(store, &name, key).await?;
        assert_eq!(kind(get(store, &name, key).await), Some(ErrorKind::NoSuchKey), "{key:?}");
    }
    store.delete_bucket(&name).await
}

async fn deletes_are_idempotent_and_not_recursive(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-deletes")?;
    store.create_bucket(&name).await?;
    put(store, &name, "dir/a", b"a").await?;
    for key in ["dir", "dir/", "dir/a/b", "nothing", "no/thing"] {
        delete(store, &name, key).await?;
    }
    assert_eq!(get(store, &name, "dir/a").await?, b"a");
    delete(store, &name, "dir/a").await?;
    delete(store, &name, "dir/a").await?;
    assert!(!store.holds_objects(&name).await?);
    Ok(())
}

/// A service may not take such names back as where a listing is to go on.
async fn what_xml_cannot_say_is_listed_as_well(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-unspeakable")?;
    store.create_bucket(&name).await?;
    let mut keys = vec!["-".to_owned(), "z".to_owned()];
    keys.extend(
        ["\u{1}/", "\u{1}b", "b\u{2}/", "\u{ffff}b"]
            .iter()
            .flat_map(|start| (0..4).map(move |n| format!("{start}{n}"))),
    );
    for key in &keys {
        put(store, &name, key, b"x").await?;
    }
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for delimiter in ["", "/", "b", "\u{2}"] {
        for start_after in ["", "\u{1}b3"] {
            for prefix in ["", "\u{1}"] {
                let [delimiter, start_after, prefix] = [delimiter, start_after, prefix].map(str::to_owned);
                let query = ListQuery { prefix, delimiter, start_after, max_keys: 0 };
                let expected = listing_by_definition(&keys, &query);
                for page in [2, 1000] {
                    assert_eq!(list_all(store, &name, &query, page).await?, expected, "{query:?} by {page}");
                }
            }
        }
    }
    Ok(())
}

async fn listings_agree_with_a_model(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-listing")?;
    store.create_bucket(&name).await?;
    let long = "l".repeat(200);
    let (l1, l2, l3) = (format!("{long}!x"), format!("{long}/x"), format!("{long}0/y"));
    let keys = [
        "a",
        "a!",
        "a-b",
        "a/",
        "a/b",
        "a/b/c",
        "a/b-c",
        "a/b/d",
        "a0",
        "b//c",
        "b/c",
        "é/ü",
        "photos/2024/1.jpg",
        "photos/2024/2.jpg",
        "photos/2025/1.jpg",
        "photos.txt",
        ".dg/x",
        "%",
        "z\u{1}",
        &long,
        &l1,
        &l2,
        &l3,
    ];
    for key in keys {
        put(store, &name, key, b"x").await?;
    }
    let prefixes = ["", "a", "a/", "a/b", "a/b/", "photos", "photos/", "photos/202", "b/", "b//", "none/", "é", &long];
    for prefix in prefixes {
        for delimiter in ["", "/", "-", "b", "2024", "//"] {
            for after in ["", "a", "a/", "a/b/c", "b", "photos/", "photos/2024/1.jpg", "zzz", &l1] {
                let query = ListQuery {
                    prefix: prefix.to_owned(),
                    delimiter: delimiter.to_owned(),
                    start_after: after.to_owned(),
                    max_keys: 0,
                };
                let expected = listing_by_definition(&keys, &query);
                for page in [1, 3, 1000] {
                    assert_eq!(list_all(store, &name, &query, page).await?, expected, "{query:?} by {page}");
                }
            }
        }
    }
    assert_eq!(store.list(&name, ListQuery::default()).await?, ListPage::default());
    what_xml_cannot_say_is_listed_as_well(store).await?;
    let page = store.list(&name, ListQuery { max_keys: 1, ..ListQuery::default() }).await?;
    let head = store.head(&name, &ObjectKey::new("%")?).await?;
    assert_eq!((&page.objects[0].etag, page.objects[0].size), (&head.etag, 1));
    assert_eq!(page.next.as_deref(), Some("%"));
    Ok(())
}

async fn one_of_many_conditional_writes_wins(store: &Arc<dyn ObjectStore>) -> Result<()> {
    let name = bucket("tk-races")?;
    store.create_bucket(&name).await?;
    for (key, size) in [("k", 10), ("d/e/k", 10), ("large", 1_000_000), ("d", 10)] {
        let writers = (0..16_u8).map(|i| {
            let (store, name) = (Arc::clone(store), name.clone());
            async move {
                let absent = Conditions { if_none_match: Some(ETagMatch::Any), ..Conditions::default() };
                put_with(&store, &name, key, &vec![i; size], ObjectAttributes::default(), absent).await
            }
        });
        let outcomes = futures_util::future::join_all(writers).await;
        let winners: Vec<_> = outcomes.iter().flatten().collect();
        assert_eq!(winners.len(), 1, "{key}");
        assert!(outcomes.iter().flat_map(|o| o.as_ref().err()).all(|e| e.kind() == ErrorKind::PreconditionFailed));
        assert_eq!(store.head(&name, &ObjectKey::new(key)?).await?.etag, winners[0].etag);
    }
    Ok(())
}
