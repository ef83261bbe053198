//! The power-cut model over other tags for an object: the old ones or the new, and the object untouched.

use super::cuts::{block_on, recording};
use super::options;
use crate::disk::powercut;
use crate::disk::recording::{Outage, RecordingDisk};
use crate::domain::condition::Conditions;
use crate::domain::names::ObjectKey;
use crate::domain::object::ObjectAttributes;
use crate::domain::tags::Tags;
use crate::storage::ObjectStore;
use crate::storage::fs::FsStore;
use crate::storage::testkit::{bucket, get, put_with};
use crate::{ErrorKind, Result};
use std::path::Path;
use std::sync::Arc;

fn tags(value: &str) -> Tags {
    [("state".to_owned(), value.to_owned())].into()
}

async fn begun(large: bool, root: &Path) -> (Arc<dyn ObjectStore>, RecordingDisk) {
    let name = bucket("photos").unwrap();
    let opened = FsStore::open(options(root)).unwrap().0;
    let store: Arc<dyn ObjectStore> = Arc::clone(&opened) as _;
    store.create_bucket(&name).await.unwrap();
    let mut attributes = ObjectAttributes { tags: tags("old"), ..ObjectAttributes::default() };
    if large {
        attributes.user.insert("large".to_owned(), "x".repeat(5000));
    }
    put_with(&store, &name, "a/k", b"body", attributes, Conditions::default()).await.unwrap();
    let disk = RecordingDisk::new(root).unwrap();
    (recording(&opened, root, &disk), disk)
}

async fn change(store: &Arc<dyn ObjectStore>) -> Result<()> {
    store.set_tags(&bucket("photos")?, &ObjectKey::new("a/k")?, tags("new")).await
}

/// Opens what is left, and looks at the object.
fn recovered(large: bool, root: &Path, acknowledged: bool) -> std::result::Result<(), String> {
    let root = root.canonicalize().map_err(|e| e.to_string())?;
    let mut options = options(&root);
    options.disk = Arc::new(RecordingDisk::new(&root).map_err(|e| e.to_string())?);
    options.expected_id = Some("id-1".to_owned());
    let store: Arc<dyn ObjectStore> = FsStore::open(options).map_err(|e| format!("{e:?}"))?.0;
    block_on(async {
        let (name, key) = (bucket("photos").unwrap(), ObjectKey::new("a/k").unwrap());
        if get(&store, &name, "a/k").await.map_err(|e| format!("{e:?}"))? != b"body" {
            return Err("the body is another one".to_owned());
        }
        let meta = store.head(&name, &key).await.map_err(|e| format!("{e:?}"))?;
        let seen = meta.attributes.tags;
        if seen != tags("new") && (acknowledged || seen != tags("old")) {
            return Err(format!("the tags are {seen:?}"));
        }
        let sidecars = std::fs::read_dir(root.join(".dg/meta")).map_err(|e| e.to_string())?.count();
        if sidecars != usize::from(large) {
            return Err(format!("{sidecars} sidecars are left for one object"));
        }
        change(&store).await.map_err(|e| format!("{e:?}"))
    })
}

fn prove(large: bool) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let record = block_on(async {
        let (store, disk) = begun(large, &root).await;
        change(&store).await.unwrap();
        disk.mark("acknowledged");
        disk.record()
    });
    let states = powercut::every_fsync_is_needed(&record, |root, marks| recovered(large, root, !marks.is_empty()));
    assert!(states > 2, "{states} states:\n{}", powercut::listing(&record));
    for outage in [Outage::Once, Outage::Lasting] {
        for nth in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let root = dir.path().canonicalize().unwrap();
            let (met, outcome) = block_on(async {
                let (store, disk) = begun(large, &root).await;
                disk.fail(nth, outage);
                let outcome = change(&store).await;
                let met = disk.revive();
                if outcome.as_ref().is_err_and(|e| e.kind() != ErrorKind::OutcomeUnknown) {
                    let (name, key) = (bucket("photos").unwrap(), ObjectKey::new("a/k").unwrap());
                    assert_eq!(store.head(&name, &key).await.unwrap().attributes.tags, tags("old"), "{outage:?} {nth}");
                }
                (met, outcome)
            });
            if let Err(error) = recovered(large, &root, outcome.is_ok()) {
                panic!("{outage:?} at operation {nth}, which gave {outcome:?}: {error}");
            }
            if !met {
                assert!(outcome.is_ok() && nth > 1);
                break;
            }
        }
    }
}

#[test]
fn tags_in_the_attribute_are_the_old_or_the_new() {
    prove(false);
}

#[test]
fn tags_in_a_sidecar_are_the_old_or_the_new() {
    prove(true);
}
