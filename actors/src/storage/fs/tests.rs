//! The directory backend against the conformance suite, and what only a directory can get wrong.

#[cfg(feature = "faults")]
mod cuts;
#[cfg(feature = "faults")]
mod cuts_tags;
mod cuts_uploads;
mod listing;
mod uploads;
mod wide;

use super::attributes::tests::keys;
use super::*;
use crate::disk::real::RealDisk;
use crate::domain::clock::Timestamp;
use crate::storage::testkit::{self, delete, get, list_all, put};
use std::path::Path;
use tempfile::TempDir;

fn options(root: &Path) -> FsOptions {
    FsOptions {
        root: root.to_owned(),
        expected_id: None,
        adopt_empty: false,
        new_id: "id-1".to_owned(),
        instance: "test".to_owned(),
        disk: Arc::new(RealDisk),
        clock: Clock::fixed(Timestamp::from_secs(1_795_338_000)),
        mac: keys("k1", &["k1"]),
    }
}

fn store() -> (TempDir, Arc<dyn ObjectStore>) {
    let dir = tempfile::tempdir().unwrap();
    let store = FsStore::open(options(&dir.path().join("root"))).unwrap().0;
    (dir, store)
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms() {
    let (_dir, store) = store();
    testkit::conformance(store).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_uploads_conform() {
    let (_dir, store) = store();
    testkit::conformance_of_uploads(store).await.unwrap();
}

#[tokio::test]
async fn a_refused_commit_leaves_nothing_behind() {
    let (dir, store) = store();
    let bucket = testkit::bucket("photos").unwrap();
    store.create_bucket(&bucket).await.unwrap();
    put(&store, &bucket, "k", b"1").await.unwrap();
    for size in [1, 1_000_000] {
        let absent =
            Conditions { if_none_match: Some(crate::domain::condition::ETagMatch::Any), ..Conditions::default() };
        let mut attributes = crate::domain::object::ObjectAttributes::default();
        attributes.user.insert("large".to_owned(), "x".repeat(5000));
        let refused = testkit::put_with(&store, &bucket, "k", &vec![0; size], attributes, absent).await;
        assert_eq!(refused.map_err(|e| e.kind()).unwrap_err(), ErrorKind::PreconditionFailed);
    }
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(names(&dir.path().join("root/photos")), ["k"]);
    assert_eq!(names(&dir.path().join("root/.dg/meta")), Vec::<String>::new());
}

#[tokio::test]
async fn a_sidecar_comes_and_goes_with_its_object() {
    let (dir, store) = store();
    let bucket = testkit::bucket("photos").unwrap();
    store.create_bucket(&bucket).await.unwrap();
    let mut attributes = crate::domain::object::ObjectAttributes::default();
    attributes.user.insert("large".to_owned(), "x".repeat(5000));
    let meta = dir.path().join("root/.dg/meta");
    for _ in 0..2 {
        testkit::put_with(&store, &bucket, "k", b"x", attributes.clone(), Conditions::default()).await.unwrap();
        assert_eq!(names(&meta).len(), 1);
    }
    put(&store, &bucket, "k/below", b"y").await.unwrap();
    let head = store.head(&bucket, &ObjectKey::new("k").unwrap()).await.unwrap();
    assert_eq!(head.attributes, attributes);
    // A leftover is swept when the root is opened anew; what is in use stays.
    std::fs::write(meta.join(".dg-tmp-2"), b"{").unwrap();
    let used = std::fs::read_to_string(meta.join(&names(&meta)[1])).unwrap();
    std::fs::write(meta.join(Uuid::new_v4().to_string()), used).unwrap();
    std::fs::write(dir.path().join("root/photos/.dg-tmp-1"), b"half").unwrap();
    drop(store);
    let (store, opened) = FsStore::open(options(&dir.path().join("root"))).unwrap();
    assert!(opened.objects_present && !opened.initialised);
    assert_eq!((names(&meta).len(), names(&dir.path().join("root/photos"))), (1, vec!["k".to_owned()]));
    let store: Arc<dyn ObjectStore> = store;
    delete(&store, &bucket, "k").await.unwrap();
    assert_eq!(names(&meta), Vec::<String>::new());
}

#[tokio::test]
async fn directories_go_with_their_last_object() {
    let (dir, store) = store();
    let bucket = testkit::bucket("photos").unwrap();
    store.create_bucket(&bucket).await.unwrap();
    for key in ["a/b/c", "a/d"] {
        put(&store, &bucket, key, b"x").await.unwrap();
    }
    delete(&store, &bucket, "a/b/c").await.unwrap();
    assert_eq!(names(&dir.path().join("root/photos/a")), ["d"]);
    delete(&store, &bucket, "a/d").await.unwrap();
    assert_eq!(names(&dir.path().join("root/photos")), Vec::<String>::new());
}

#[tokio::test]
async fn a_file_dropped_in_is_an_object_and_a_stripped_form_is_none() {
    let (dir, store) = store();
    let bucket = testkit::bucket("photos").unwrap();
    store.create_bucket(&bucket).await.unwrap();
    let root = dir.path().join("root/photos");
    std::fs::write(root.join("page.html"), b"<p>").unwrap();
    std::fs::write(root.join("%61"), b"not canonical").unwrap();
    std::fs::write(root.join("framed"), [&attributes::STORED_FORM_MAGIC[..], b"..."].concat()).unwrap();
    let meta = store.head(&bucket, &ObjectKey::new("page.html").unwrap()).await.unwrap();
    assert_eq!(meta.attributes.headers.content_type.as_deref(), Some("text/html"));
    assert!(meta.etag.as_str().ends_with("-0") && meta.etag.as_str().len() == 34);
    let error = get(&store, &bucket, "framed").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MetadataStripped);
    assert!(error.message().contains("xattrs may have been stripped during backup/restore"));
    let listed = list_all(&store, &bucket, &ListQuery::default(), 10).await.unwrap().0;
    assert_eq!(listed, ["framed", "page.html"]);
}

#[tokio::test]
async fn an_attribute_of_another_object_is_never_served() {
    let (dir, store) = store();
    let bucket = testkit::bucket("photos").unwrap();
    store.create_bucket(&bucket).await.unwrap();
    put(&store, &bucket, "a", b"1").await.unwrap();
    let root = dir.path().join("root/photos");
    std::fs::rename(root.join("a"), root.join("b")).unwrap();
    let error = get(&store, &bucket, "b").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(error.message().contains("does not belong to this object"));
    put(&store, &bucket, "b", b"2").await.unwrap();
    std::fs::OpenOptions::new().write(true).open(root.join("b")).unwrap().set_len(0).unwrap();
    assert_eq!(get(&store, &bucket, "b").await.unwrap_err().kind(), ErrorKind::Internal);
    put(&store, &bucket, "b", b"3").await.unwrap();
    assert_eq!(get(&store, &bucket, "b").await.unwrap(), b"3");
}

#[tokio::test]
async fn keys_can_be_changed_while_the_store_runs() {
    let dir = tempfile::tempdir().unwrap();
    let fs = FsStore::open(options(dir.path())).unwrap().0;
    let store: Arc<dyn ObjectStore> = Arc::clone(&fs) as _;
    let bucket = testkit::bucket("photos").unwrap();
    store.create_bucket(&bucket).await.unwrap();
    put(&store, &bucket, "a", b"1").await.unwrap();
    fs.set_mac_keys(keys("k2", &["k1", "k2"]));
    assert_eq!(get(&store, &bucket, "a").await.unwrap(), b"1");
    fs.set_mac_keys(keys("k2", &["k2"]));
    assert!(get(&store, &bucket, "a").await.unwrap_err().message().contains("`k1`"));
}

#[tokio::test]
async fn a_bucket_that_is_removed_takes_writes_in_progress_with_it() {
    let (dir, store) = store();
    let bucket = testkit::bucket("photos").unwrap();
    for made_anew in [false, true] {
        store.create_bucket(&bucket).await.unwrap();
        let staged = testkit::stage(&store, &bucket, "a/k", &[1; 1_000_000], 4096).await.unwrap();
        store.delete_bucket(&bucket).await.unwrap();
        if made_anew {
            store.create_bucket(&bucket).await.unwrap();
        }
        let (bucket, key) = (bucket.clone(), ObjectKey::new("a/k").unwrap());
        let (attributes, conditions) = Default::default();
        let refused = store.commit(CommitRequest { bucket, key, staged, attributes, conditions }).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::NoSuchBucket);
    }
    store.delete_bucket(&bucket).await.unwrap();
    assert_eq!(names(&dir.path().join("root")), [".dg"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_never_misses_the_sidecar_of_an_object_that_is_replaced() {
    let (_dir, store) = store();
    let bucket = testkit::bucket("photos").unwrap();
    store.create_bucket(&bucket).await.unwrap();
    let mut attributes = crate::domain::object::ObjectAttributes::default();
    attributes.user.insert("large".to_owned(), "x".repeat(5000));
    let write = || testkit::put_with(&store, &bucket, "k", b"x", attributes.clone(), Conditions::default());
    write().await.unwrap();
    let reader = tokio::spawn({
        let (store, bucket) = (Arc::clone(&store), bucket.clone());
        async move {
            for _ in 0..400 {
                get(&store, &bucket, "k").await.unwrap();
            }
        }
    });
    while !reader.is_finished() {
        write().await.unwrap();
    }
    reader.await.unwrap();
}

#[tokio::test]
async fn every_legal_key_works_however_long_its_path_is() {
    let (dir, store) = store();
    let bucket = testkit::bucket("photos").unwrap();
    store.create_bucket(&bucket).await.unwrap();
    // The path of 1,024 empty components, or of as many U+0000, is longer than the system takes in one call.
    let mut keys = vec!["\u{1}".repeat(1024), "%".repeat(1024), "k".repeat(1024), "a/".repeat(512)];
    keys.extend(["/".repeat(1024), "/".repeat(1023) + "b", "\0".repeat(1024), "\u{80}".repeat(512)]);
    for key in &keys {
        for size in [1, 1_000_000] {
            put(&store, &bucket, key, &vec![7; size]).await.unwrap();
            assert_eq!(get(&store, &bucket, key).await.unwrap(), vec![7; size]);
        }
    }
    // What was a component of one becomes an object as well, and one that was an object becomes a prefix.
    for key in ["/".repeat(1010), "/".repeat(1009) + "c", "/".repeat(1009) + "c/d"] {
        put(&store, &bucket, &key, b"x").await.unwrap();
        keys.push(key);
    }
    keys.sort();
    assert_eq!(list_all(&store, &bucket, &ListQuery::default(), 2).await.unwrap().0, keys);
    let deep = ListQuery { prefix: "/".repeat(1005), delimiter: "/".to_owned(), ..ListQuery::default() };
    let page = store.list(&bucket, ListQuery { max_keys: 10, ..deep }).await.unwrap();
    assert_eq!(page.prefixes, ["/".repeat(1006)]);
    for key in &keys {
        delete(&store, &bucket, key).await.unwrap();
        assert_eq!(get(&store, &bucket, key).await.unwrap_err().kind(), ErrorKind::NoSuchKey);
    }
    assert_eq!(names(&dir.path().join("root/photos")), Vec::<String>::new());
    store.delete_bucket(&bucket).await.unwrap();
}

#[tokio::test]
async fn symlinks_are_never_followed() {
    let (dir, store) = store();
    let bucket = testkit::bucket("photos").unwrap();
    store.create_bucket(&bucket).await.unwrap();
    let (outside, root) = (dir.path().join("outside"), dir.path().join("root/photos"));
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), b"secret").unwrap();
    std::os::unix::fs::symlink(&outside, root.join("out")).unwrap();
    std::os::unix::fs::symlink(outside.join("secret"), root.join("link")).unwrap();
    for key in ["link", "out/secret", "out/new", "out"] {
        assert_eq!(get(&store, &bucket, key).await.unwrap_err().kind(), ErrorKind::Internal, "{key}");
        for size in [1, 1_000_000] {
            let refused = put(&store, &bucket, key, &vec![0; size]).await;
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Internal, "{key}");
        }
        assert!(delete(&store, &bucket, key).await.is_err());
    }
    for prefix in ["", "out/", "l"] {
        let query = ListQuery { prefix: prefix.to_owned(), ..ListQuery::default() };
        assert_eq!(list_all(&store, &bucket, &query, 10).await.map(|l| l.0).unwrap_or_default(), Vec::<String>::new());
    }
    assert_eq!(names(&outside), ["secret"]);
    std::os::unix::fs::symlink(&outside, dir.path().join("root/linked")).unwrap();
    let linked = testkit::bucket("linked").unwrap();
    assert!(get(&store, &linked, "secret").await.is_err());
    assert!(!store.list_buckets().await.unwrap().contains(&linked));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_and_removers_of_one_directory_do_not_trip_over_each_other() {
    let (dir, store) = store();
    let bucket = testkit::bucket("photos").unwrap();
    store.create_bucket(&bucket).await.unwrap();
    let tasks = (0..8).map(|i| {
        let (store, bucket) = (Arc::clone(&store), bucket.clone());
        tokio::spawn(async move {
            let key = ["a", "a/b", "a/b/c", "a/d", "a/b/c/e", "x/y/z", "x/y", "a/f"][i];
            let body = vec![u8::try_from(i).unwrap(); if i % 2 == 0 { 10 } else { 600_000 }];
            for _ in 0..15 {
                put(&store, &bucket, key, &body).await.unwrap();
                assert!(get(&store, &bucket, key).await.unwrap() == body);
                delete(&store, &bucket, key).await.unwrap();
            }
        })
    });
    for task in futures_util::future::join_all(tasks).await {
        task.unwrap();
    }
    store.delete_bucket(&bucket).await.unwrap();
    assert_eq!(names(&dir.path().join("root")), [".dg"]);
}

#[test]
fn a_root_knows_itself() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("a/root");
    let expecting =
        |id: &str, adopt_empty| FsOptions { expected_id: Some(id.to_owned()), adopt_empty, ..options(&root) };
    let error = FsStore::open(expecting("id-9", false)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("is the disk mounted?") && !root.exists());
    let opened = FsStore::open(options(&root)).unwrap().1;
    assert_eq!(opened, Opened { backend_id: "id-1".to_owned(), initialised: true, objects_present: false });
    assert!(!FsStore::open(expecting("id-1", false)).unwrap().1.initialised);
    let error = FsStore::open(expecting("id-9", false)).unwrap_err();
    assert!(error.message().contains("id-1") && error.message().contains("id-9"));
    let adopted = FsStore::open(expecting("id-9", true)).unwrap().1;
    assert_eq!((adopted.backend_id.as_str(), adopted.initialised), ("id-9", true));
    std::fs::create_dir(root.join("bucket")).unwrap();
    std::fs::write(root.join("bucket/object"), b"x").unwrap();
    assert!(FsStore::open(expecting("id-1", true)).unwrap_err().message().contains("id-9"));
    std::fs::remove_file(root.join(".dg/backend.json")).unwrap();
    assert!(FsStore::open(expecting("id-9", true)).unwrap_err().message().contains("is the disk mounted?"));
}

#[test]
fn a_held_lock_names_its_holder_and_stores_of_one_process_share_it() {
    let dir = tempfile::tempdir().unwrap();
    let first = FsStore::open(options(dir.path())).unwrap().0;
    let second = FsStore::open(options(dir.path())).unwrap().0;
    assert!(Arc::ptr_eq(&first.fs.shared, &second.fs.shared));
    drop((first, second));
    // Another open file description stands for another process.
    let path = dir.path().join(".dg/lock");
    std::fs::write(&path, "pid 42, instance other\n").unwrap();
    let lock = File::open(&path).unwrap();
    lock.try_lock().unwrap();
    let error = FsStore::open(options(dir.path())).unwrap_err();
    assert!(error.message().contains("pid 42, instance other"), "{error}");
}

#[tokio::test]
async fn a_root_that_vanished_is_told() {
    let (dir, store) = store();
    store.probe(true).await.unwrap();
    std::fs::rename(dir.path().join("root"), dir.path().join("away")).unwrap();
    std::fs::create_dir(dir.path().join("root")).unwrap();
    assert_eq!(store.probe(false).await.unwrap_err().kind(), ErrorKind::Unavailable);
}
