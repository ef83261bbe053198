//! The power-cut model over every way to publish and to remove, and the proof that no fsync is one too many.

use super::options;
use crate::disk::powercut;
use crate::disk::recording::{Outage, Record, RecordingDisk};
use crate::domain::condition::Conditions;
use crate::domain::listing::ListQuery;
use crate::domain::object::ObjectAttributes;
use crate::storage::ObjectStore;
use crate::storage::fs::{Fs, FsStore};
use crate::storage::testkit::{bucket, delete, get, list_all, put, put_with};
use crate::{ErrorKind, Result};
use arc_swap::ArcSwap;
use std::path::Path;
use std::sync::Arc;

/// What a key holds: a body, or nothing.
type Content = Option<&'static [u8]>;

/// A change to one key, next to keys that it must leave alone.
struct Case {
    /// What is there and durable before.
    before: &'static [(&'static str, &'static [u8])],
    key: &'static str,
    /// What the change leaves.
    after: Content,
    /// Metadata too large for the attribute.
    large: bool,
}

/// Runs on a runtime of its own: the model calls back in between.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn attributes(large: bool) -> ObjectAttributes {
    let mut attributes = ObjectAttributes::default();
    if large {
        attributes.user.insert("large".to_owned(), "x".repeat(5000));
    }
    attributes
}

/// A store on a recording disk, with all that was there before durable and known to be so.
async fn begun(case: &Case, root: &Path) -> (Arc<dyn ObjectStore>, RecordingDisk) {
    let name = bucket("photos").unwrap();
    let opened = FsStore::open(options(root)).unwrap().0;
    let store: Arc<dyn ObjectStore> = Arc::clone(&opened) as _;
    store.create_bucket(&name).await.unwrap();
    for (key, body) in case.before {
        put_with(&store, &name, key, body, attributes(case.large), Conditions::default()).await.unwrap();
    }
    let disk = RecordingDisk::new(root).unwrap();
    (recording(&opened, root, &disk), disk)
}

/// The same store on a recording disk.
pub(super) fn recording(opened: &FsStore, root: &Path, disk: &RecordingDisk) -> Arc<dyn ObjectStore> {
    let of = &opened.fs;
    let fs = Fs {
        root: root.to_owned(),
        dir: of.dir.try_clone().unwrap(),
        id: of.id.clone(),
        disk: Arc::new(disk.clone()),
        clock: of.clock.clone(),
        mac: ArcSwap::new(of.mac.load_full()),
        attribute_limit: of.attribute_limit,
        shared: Arc::clone(&of.shared),
    };
    Arc::new(FsStore { fs: Arc::new(fs) })
}

async fn change(store: &Arc<dyn ObjectStore>, case: &Case) -> Result<()> {
    let name = bucket("photos")?;
    match case.after {
        Some(body) => {
            put_with(store, &name, case.key, body, attributes(case.large), Conditions::default()).await.map(drop)
        }
        None => delete(store, &name, case.key).await,
    }
}

/// What a change does, in order.
fn record(case: &Case) -> Record {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    block_on(async {
        let (store, disk) = begun(case, &root).await;
        change(&store, case).await.unwrap();
        disk.mark("acknowledged");
        disk.record()
    })
}

/// Lets each operation of a change fail, alone or with all after it, as in a process that is killed there.
fn fail_each(case: &Case) {
    for outage in [Outage::Once, Outage::Lasting] {
        for nth in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let root = dir.path().canonicalize().unwrap();
            let (met, outcome) = block_on(async {
                let (store, disk) = begun(case, &root).await;
                disk.fail(nth, outage);
                let outcome = change(&store, case).await;
                let met = disk.revive();
                if outcome.as_ref().is_err_and(|e| e.kind() != ErrorKind::OutcomeUnknown) {
                    let old = case.before.iter().find(|(key, _)| *key == case.key).map(|(_, body)| *body);
                    assert_eq!(content(&store, case.key).await.unwrap().as_deref(), old, "{outage:?} {nth}");
                }
                (met, outcome)
            });
            if let Err(error) = recovered(case, &root, outcome.is_ok()) {
                panic!("{outage:?} at operation {nth}, which gave {outcome:?}: {error}");
            }
            if !met {
                assert!(outcome.is_ok() && nth > 1);
                break;
            }
        }
    }
}

/// Opens what a power cut left, and looks at every object through the store.
fn recovered(case: &Case, root: &Path, acknowledged: bool) -> std::result::Result<(), String> {
    let name = bucket("photos").map_err(|e| e.to_string())?;
    let root = root.canonicalize().map_err(|e| e.to_string())?;
    let mut options = options(&root);
    // This one skips fsyncs, which the check does not need.
    options.disk = Arc::new(RecordingDisk::new(&root).map_err(|e| e.to_string())?);
    options.expected_id = Some("id-1".to_owned());
    let store: Arc<dyn ObjectStore> = FsStore::open(options).map_err(|e| format!("{e:?}"))?.0;
    block_on(async {
        let mut expected: Vec<String> = Vec::new();
        for (key, body) in case.before.iter().filter(|(key, _)| *key != case.key) {
            let seen = content(&store, key).await.map_err(|e| format!("{key}: {e:?}"))?;
            if seen.as_deref() != Some(*body) {
                return Err(format!("the neighbour {key} is not what it was"));
            }
            expected.push((*key).to_owned());
        }
        let seen = content(&store, case.key).await.map_err(|e| format!("{}: {e:?}", case.key))?;
        let old = case.before.iter().find(|(key, _)| *key == case.key).map(|(_, body)| *body);
        if seen.as_deref() != case.after && (acknowledged || seen.as_deref() != old) {
            return Err(format!("{} is neither the old nor the new, or not the acknowledged one", case.key));
        }
        if seen.is_some() {
            expected.push(case.key.to_owned());
        }
        expected.sort();
        let listed = list_all(&store, &name, &ListQuery::default(), 100).await.map_err(|e| e.to_string())?.0;
        if listed != expected {
            return Err(format!("the listing has {listed:?}, not {expected:?}"));
        }
        let sidecars = std::fs::read_dir(root.join(".dg/meta")).map_err(|e| e.to_string())?.count();
        if sidecars != if case.large { expected.len() } else { 0 } {
            return Err(format!("{sidecars} sidecars are left for {} objects", expected.len()));
        }
        // What follows works on what was found.
        put(&store, &name, case.key, b"later").await.map_err(|e| format!("{e:?}"))?;
        delete(&store, &name, case.key).await.map_err(|e| format!("{e:?}"))
    })
}

async fn content(store: &Arc<dyn ObjectStore>, key: &str) -> Result<Option<Vec<u8>>> {
    match get(store, &bucket("photos")?, key).await {
        Err(e) if e.kind() == ErrorKind::NoSuchKey => Ok(None),
        other => other.map(Some),
    }
}

fn prove(case: &Case) {
    let record = record(case);
    let states = powercut::every_fsync_is_needed(&record, |root, marks| recovered(case, root, !marks.is_empty()));
    assert!(states > 2, "{states} states:\n{}", powercut::listing(&record));
    fail_each(case);
}

#[test]
fn a_fresh_object_is_whole_or_absent() {
    prove(&Case { before: &[("other", b"o")], key: "k", after: Some(b"new"), large: false });
}

#[test]
fn an_overwritten_object_is_the_old_or_the_new() {
    prove(&Case { before: &[("k", b"old"), ("other", b"o")], key: "k", after: Some(b"new"), large: false });
}

#[test]
fn an_object_in_new_directories_is_whole_or_absent() {
    prove(&Case { before: &[("a/other", b"o")], key: "a/b/c/k", after: Some(b"new"), large: false });
}

#[test]
fn an_object_with_a_sidecar_has_it() {
    prove(&Case { before: &[("other", b"o")], key: "k", after: Some(b"new"), large: true });
    prove(&Case { before: &[("k", b"old"), ("other", b"o")], key: "k", after: Some(b"new"), large: true });
}

#[test]
fn an_object_that_becomes_a_prefix_is_never_lost() {
    prove(&Case { before: &[("a", b"old"), ("b", b"o")], key: "a/k", after: Some(b"new"), large: false });
    prove(&Case { before: &[("d/a", b"old")], key: "d/a/b/k", after: Some(b"new"), large: false });
}

#[test]
fn a_body_that_was_written_ahead_is_whole_or_absent() {
    prove(&Case { before: &[("a/other", b"o")], key: "a/k", after: Some(&[7; 70_000]), large: false });
    prove(&Case { before: &[("a", b"old")], key: "a/b/k", after: Some(&[7; 70_000]), large: true });
}

#[test]
fn a_prefix_that_becomes_an_object_keeps_what_is_below() {
    prove(&Case { before: &[("a/k", b"o")], key: "a", after: Some(b"new"), large: false });
}

#[test]
fn a_deleted_object_stays_deleted() {
    prove(&Case { before: &[("k", b"old"), ("other", b"o")], key: "k", after: None, large: false });
    prove(&Case { before: &[("a/b/k", b"old"), ("a/other", b"o")], key: "a/b/k", after: None, large: true });
    prove(&Case { before: &[("a/b", b"o"), ("a", b"old")], key: "a", after: None, large: false });
}
