//! What only a directory can get wrong of uploads: files that stay, that go too early, that were stripped, lost or forged.

use super::*;
use crate::domain::clock::Timestamp;
use crate::storage::testkit::multipart::{begin, complete, keep, large, put_parts};
use std::path::PathBuf;
use std::time::Duration;

fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).unwrap()
}

/// All files below a directory, by their paths in it.
fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = vec![PathBuf::new()];
    while let Some(below) = next.pop() {
        for entry in std::fs::read_dir(dir.join(&below)).unwrap() {
            let entry = entry.unwrap();
            let path = below.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() { next.push(path) } else { found.push(path.display().to_string()) }
        }
    }
    found.sort();
    found
}

async fn with_bucket(clock: &Clock) -> (TempDir, Arc<dyn ObjectStore>, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let store = reopened(&root, clock);
    store.create_bucket(&testkit::bucket("photos").unwrap()).await.unwrap();
    (dir, store, root)
}

fn reopened(root: &Path, clock: &Clock) -> Arc<dyn ObjectStore> {
    FsStore::open(FsOptions { clock: clock.clone(), ..options(root) }).unwrap().0
}

fn clock() -> Clock {
    Clock::fixed(Timestamp::from_secs(1_795_338_000))
}

#[tokio::test]
async fn the_files_of_an_upload_are_those_that_its_object_needs() {
    let (_dir, store, root) = with_bucket(&clock()).await;
    let (name, uploads) = (testkit::bucket("photos").unwrap(), root.join(".dg/uploads/photos"));
    let upload = begin(&store, "photos", "k").await.unwrap();
    let at = |file: &str| format!("{}/{file}", upload.id);
    let first = keep(&store, &upload, 1, &large(1)).await.unwrap();
    let second = keep(&store, &upload, 2, b"unused").await.unwrap();
    assert!(complete(&store, &upload, &[second.clone(), first.clone()]).await.is_err());
    assert_eq!(files(&uploads), [at("00001"), at("00002"), at("upload.json")]);
    let meta = complete(&store, &upload, &[first]).await.unwrap();
    assert_eq!(files(&uploads), [at("00001"), at("done.json"), at("upload.json")]);
    let file = std::fs::read(root.join("photos/k")).unwrap();
    assert!(file.starts_with(&attributes::STORED_FORM_MAGIC) && file.len() < 1000);
    store.upkeep().await.unwrap();
    assert_eq!(files(&uploads), [at("done.json"), at("upload.json")]);
    assert!(std::fs::read(root.join("photos/k")).unwrap() == large(1));
    assert_eq!(store.head(&name, &key("k")).await.unwrap(), meta);
    assert_eq!(names(&root.join("photos")), ["k"]);
    for change in ["overwrite", "delete"] {
        let (upload, _) = put_parts(&store, "photos", change, &[b"part"]).await.unwrap();
        assert!(uploads.join(format!("{}/00001", upload.id)).exists());
        match change {
            "overwrite" => drop(put(&store, &name, change, b"new").await.unwrap()),
            _ => delete(&store, &name, change).await.unwrap(),
        }
        assert!(!uploads.join(format!("{}/00001", upload.id)).exists(), "{change}");
        store.upkeep().await.unwrap();
    }
    assert_eq!(get(&store, &name, "overwrite").await.unwrap(), b"new");
}

#[tokio::test]
async fn a_restart_finds_what_waits_and_what_is_left() {
    let clock = clock();
    let (_dir, store, root) = with_bucket(&clock).await;
    let (name, uploads) = (testkit::bucket("photos").unwrap(), root.join(".dg/uploads"));
    let (upload, meta) = put_parts(&store, "photos", "k", &[b"part"]).await.unwrap();
    let (gone, _) = put_parts(&store, "photos", "gone", &[b"gone"]).await.unwrap();
    let open = begin(&store, "photos", "open").await.unwrap();
    let part = keep(&store, &open, 1, b"x").await.unwrap();
    drop(store);
    std::fs::remove_file(root.join("photos/gone")).unwrap();
    for left in [".dg-tmp-a", "photos/.dg-tmp-b", "nobucket"] {
        std::fs::create_dir_all(uploads.join(left).join("x")).unwrap();
    }
    std::fs::write(uploads.join(format!("photos/{}/.dg-tmp-c", open.id)), "half").unwrap();
    std::fs::write(uploads.join(format!("photos/{}/object", open.id)), "half").unwrap();
    let store = reopened(&root, &clock);
    assert_eq!(names(&uploads), ["photos"]);
    assert_eq!(names(&uploads.join(format!("photos/{}", gone.id))), ["done.json", "upload.json"]);
    assert_eq!(names(&uploads.join(format!("photos/{}", open.id))), ["00001", "upload.json"]);
    assert_eq!(get(&store, &name, "k").await.unwrap(), b"part");
    store.upkeep().await.unwrap();
    assert_eq!(std::fs::read(root.join("photos/k")).unwrap(), b"part");
    assert_eq!(store.head(&name, &key("k")).await.unwrap(), meta);
    // The answers go after a day, the upload that is open stays.
    clock.advance(Duration::from_secs(23 * 3600));
    store.upkeep().await.unwrap();
    assert!(uploads.join(format!("photos/{}", upload.id)).exists());
    clock.advance(Duration::from_secs(2 * 3600));
    store.upkeep().await.unwrap();
    assert_eq!(names(&uploads.join("photos")), [open.id.as_str()]);
    complete(&store, &open, &[part]).await.unwrap();
}

#[tokio::test]
async fn what_was_lost_or_stripped_is_an_error_before_the_first_byte_and_nothing_makes_it_worse() {
    let clock = clock();
    let (_dir, store, root) = with_bucket(&clock).await;
    let name = testkit::bucket("photos").unwrap();
    let (upload, _) = put_parts(&store, "photos", "k", &[&large(1), b"end"]).await.unwrap();
    let part = root.join(format!(".dg/uploads/photos/{}/00002", upload.id));
    let read = async |store: &Arc<dyn ObjectStore>, range| {
        let request = ReadRequest { bucket: name.clone(), key: key("k"), conditions: Conditions::default(), range };
        store.open_read(request).await.map(drop).map_err(|e| (e.kind(), e.message().to_owned()))
    };
    std::fs::rename(&part, root.join("away")).unwrap();
    let lost = read(&store, None).await.unwrap_err();
    assert!(lost.0 == ErrorKind::Internal && lost.1.contains("part 2"), "{lost:?}");
    let first = crate::domain::condition::RangeRequest::Between(0, 9);
    assert_eq!(read(&store, Some(first)).await, Ok(()));
    std::fs::rename(root.join("away"), &part).unwrap();
    let object = root.join("photos/k");
    let attribute = xattr::get(&object, attributes::NAME).unwrap().unwrap();
    xattr::remove(&object, attributes::NAME).unwrap();
    for again in 0..2 {
        let stripped = read(&store, None).await.unwrap_err();
        assert!(stripped.0 == ErrorKind::MetadataStripped && stripped.1.contains("xattrs may have been"), "{again}");
        store.upkeep().await.unwrap_or_default();
        drop(reopened(&root, &clock));
    }
    drop(store);
    let store = reopened(&root, &clock);
    assert!(read(&store, None).await.is_err());
    xattr::set(&object, attributes::NAME, &attribute).unwrap();
    assert!(get(&store, &name, "k").await.unwrap() == [large(1), b"end".to_vec()].concat());
    // A part that is not what was uploaded is never made the object's only copy.
    std::fs::write(&part, "END").unwrap();
    store.upkeep().await.unwrap();
    clock.advance(Duration::from_secs(2 * 3600));
    store.upkeep().await.unwrap();
    assert!(std::fs::read(&object).unwrap().starts_with(&attributes::STORED_FORM_MAGIC));
    std::fs::write(&part, "end").unwrap();
    clock.advance(Duration::from_secs(2 * 3600));
    store.upkeep().await.unwrap();
    store.upkeep().await.unwrap();
    assert!(std::fs::read(&object).unwrap() == [large(1), b"end".to_vec()].concat());
}

#[tokio::test]
async fn a_forged_list_is_plain_bytes_and_takes_nobodys_parts() {
    let (_dir, store, root) = with_bucket(&clock()).await;
    let name = testkit::bucket("photos").unwrap();
    let (upload, _) = put_parts(&store, "photos", "k", &[b"part"]).await.unwrap();
    let list = std::fs::read(root.join("photos/k")).unwrap();
    put(&store, &name, "forged", &list).await.unwrap();
    assert_eq!(get(&store, &name, "forged").await.unwrap(), list);
    delete(&store, &name, "forged").await.unwrap();
    assert_eq!(get(&store, &name, "k").await.unwrap(), b"part");
    // A copy of the very file under another key is no object of ours.
    std::fs::copy(root.join("photos/k"), root.join("photos/copy")).unwrap();
    let attribute = xattr::get(root.join("photos/k"), attributes::NAME).unwrap().unwrap();
    xattr::set(root.join("photos/copy"), attributes::NAME, &attribute).unwrap();
    assert_eq!(get(&store, &name, "copy").await.map_err(|e| e.kind()), Err(ErrorKind::Internal));
    put(&store, &name, "copy", b"new").await.unwrap();
    assert_eq!(get(&store, &name, "k").await.unwrap(), b"part");
    // A list that was changed is refused as a whole.
    let path = root.join("photos/k");
    let forged = String::from_utf8_lossy(&list[9..]).replacen("[1,4,", "[1,3,", 1);
    std::fs::write(&path, [&list[..9], forged.as_bytes()].concat()).unwrap();
    assert_eq!(get(&store, &name, "k").await.map_err(|e| e.kind()), Err(ErrorKind::Internal));
    std::fs::write(&path, &list).unwrap();
    assert_eq!(get(&store, &name, "k").await.unwrap(), b"part");
    assert!(root.join(format!(".dg/uploads/photos/{}/00001", upload.id)).exists());
}
