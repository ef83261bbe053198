//! The power-cut model over an upload's whole life: begun, its parts kept, completed, given up, made plain, overwritten, removed.

use super::cuts::{block_on, recording};
use super::options;
use crate::disk::powercut;
use crate::disk::recording::{Outage, RecordingDisk};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::listing::ListQuery;
use crate::domain::names::ObjectKey;
use crate::domain::object::{ObjectAttributes, ObjectMeta};
use crate::storage::ObjectStore;
use crate::storage::fs::{FsOptions, FsStore};
use crate::storage::multipart::{CompletedPart, UploadRef};
use crate::storage::testkit::multipart::{begin_with, complete, keep, listed};
use crate::storage::testkit::{bucket, delete, get, list_all, put};
use crate::{ErrorKind, Result};
use std::path::Path;
use std::sync::Arc;

const KEY: &str = "dir/k";
const OLD: &[u8] = b"old";
const WHOLE: &[u8] = b"the part that counts";
const LATER: &[u8] = b"later";

/// What happens while the record runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Create,
    Part,
    ReplacePart,
    Complete,
    /// And then another object takes the key.
    CompleteThenPut,
    Abort,
    MakePlain,
    Overwrite,
    Delete,
}

/// What is there before.
#[derive(Clone, Copy, Debug)]
struct Case {
    change: Change,
    /// An object under the key, or under the name of its directory.
    before: Option<&'static str>,
    /// Metadata too large for the attribute.
    large: bool,
}

/// What a client knows of it.
#[derive(Clone, Debug, Default)]
struct Known {
    upload: Option<UploadRef>,
    parts: Vec<CompletedPart>,
    meta: Option<ObjectMeta>,
}

impl Case {
    fn of(change: Change) -> Self {
        Self { change, before: None, large: false }
    }

    fn attributes(self) -> ObjectAttributes {
        let mut attributes = ObjectAttributes::default();
        if self.large {
            attributes.user.insert("large".to_owned(), "x".repeat(5000));
        }
        attributes
    }

    /// Makes everything that the change needs, durably.
    async fn prepare(self, store: &Arc<dyn ObjectStore>) -> Result<Known> {
        let (name, mut known) = (bucket("photos")?, Known::default());
        store.create_bucket(&name).await?;
        put(store, &name, "dir/other", b"o").await?;
        if let Some(key) = self.before {
            delete(store, &name, "dir/other").await?;
            put(store, &name, key, OLD).await?;
        }
        // The store has kept uploads before: their places are known.
        let first = begin_with(store, "photos", "first", ObjectAttributes::default(), None).await?;
        store.abort_upload(&first).await?;
        if self.change == Change::Create {
            return Ok(known);
        }
        let upload = begin_with(store, "photos", KEY, self.attributes(), None).await?;
        known.upload = Some(upload.clone());
        match self.change {
            Change::Create | Change::Part => return Ok(known),
            Change::ReplacePart => {
                known.parts.push(keep(store, &upload, 1, b"replaced").await?);
                return Ok(known);
            }
            _ => {}
        }
        known.parts.push(keep(store, &upload, 1, WHOLE).await?);
        keep(store, &upload, 2, b"unused").await?;
        if matches!(self.change, Change::MakePlain | Change::Overwrite | Change::Delete) {
            known.meta = Some(complete(store, &upload, &known.parts).await?);
        }
        Ok(known)
    }

    async fn act(self, store: &Arc<dyn ObjectStore>, disk: &RecordingDisk, known: &mut Known) -> Result<()> {
        let (name, upload) = (bucket("photos")?, known.upload.clone());
        let Some(upload) = upload else {
            known.upload = Some(begin_with(store, "photos", KEY, self.attributes(), None).await?);
            return Ok(());
        };
        match self.change {
            Change::Create | Change::Part | Change::ReplacePart => {
                let part = keep(store, &upload, 1, WHOLE).await?;
                known.parts = vec![part];
            }
            Change::Complete => known.meta = Some(complete(store, &upload, &known.parts).await?),
            Change::CompleteThenPut => {
                known.meta = Some(complete(store, &upload, &known.parts).await?);
                disk.mark("completed");
                put(store, &name, KEY, LATER).await?;
            }
            Change::Abort => store.abort_upload(&upload).await?,
            Change::MakePlain => store.upkeep().await?,
            Change::Overwrite => drop(put(store, &name, KEY, LATER).await?),
            Change::Delete => delete(store, &name, KEY).await?,
        }
        Ok(())
    }

    /// What a reader may find under the key, given what was acknowledged.
    fn may_hold(self, marks: usize) -> Vec<Option<&'static [u8]>> {
        let old = self.before.filter(|key| *key == KEY).map(|_| OLD);
        match (self.change, marks) {
            (Change::Create | Change::Part | Change::ReplacePart | Change::Abort, _) => vec![old],
            (Change::Complete, 0) => vec![old, Some(WHOLE)],
            (Change::Complete, _) | (Change::MakePlain, _) => vec![Some(WHOLE)],
            (Change::CompleteThenPut, 0) => vec![old, Some(WHOLE)],
            (Change::CompleteThenPut, 1) => vec![Some(WHOLE), Some(LATER)],
            (Change::CompleteThenPut, _) => vec![Some(LATER)],
            (Change::Overwrite, 0) => vec![Some(WHOLE), Some(LATER)],
            (Change::Overwrite, _) => vec![Some(LATER)],
            (Change::Delete, 0) => vec![Some(WHOLE), None],
            (Change::Delete, _) => vec![None],
        }
    }

    /// Opens what a power cut left, and does what a client would do next.
    fn recovered(self, root: &Path, marks: usize, known: &Known) -> std::result::Result<(), String> {
        let root = root.canonicalize().map_err(|e| e.to_string())?;
        // This one skips fsyncs, which the check does not need.
        let disk = RecordingDisk::new(&root).map_err(|e| e.to_string())?;
        let options = FsOptions {
            disk: Arc::new(disk),
            // Whatever is published anew has another time.
            clock: Clock::fixed(Timestamp::from_secs(1_795_341_600)),
            ..options(&root)
        };
        let opened = FsStore::open(options).map_err(|e| format!("open: {e:?}"))?.0;
        let store: Arc<dyn ObjectStore> = opened;
        block_on(self.look(&store, marks, known)).map_err(|e| format!("{e:?}"))??;
        // Nothing is under the key any more: neither parts nor a sidecar may be left.
        let left = [files(&root.join(".dg/uploads")), files(&root.join(".dg/meta"))].concat();
        if left.iter().any(|name| name != "done.json" && name != "upload.json") {
            return Err(format!("{left:?} are left"));
        }
        Ok(())
    }

    async fn look(
        self,
        store: &Arc<dyn ObjectStore>,
        marks: usize,
        known: &Known,
    ) -> Result<std::result::Result<(), String>> {
        let (name, key) = (bucket("photos")?, ObjectKey::new(KEY)?);
        let seen = content(store).await?;
        if !self.may_hold(marks).contains(&seen.as_deref()) {
            return Ok(Err(format!("the object is {seen:?}")));
        }
        if let Some(other) = self.before.filter(|other| *other != KEY)
            && get(store, &name, other).await? != OLD
        {
            return Ok(Err("the neighbour is not what it was".to_owned()));
        }
        let mut keys: Vec<String> = [self.before.unwrap_or("dir/other")].map(str::to_owned).to_vec();
        keys.retain(|other| other != KEY);
        keys.extend(seen.as_ref().map(|_| KEY.to_owned()));
        keys.sort();
        if list_all(store, &name, &ListQuery::default(), 10).await?.0 != keys {
            return Ok(Err("the listing is not what there is".to_owned()));
        }
        let Some(upload) = &known.upload else { return Ok(Ok(())) };
        let open = match store.list_parts(upload, 0, 10).await {
            Err(error) if error.kind() == ErrorKind::NoSuchUpload => None,
            other => Some(other?.parts.into_iter().map(listed).collect::<Vec<_>>()),
        };
        let acknowledged = marks > 0;
        match self.change {
            Change::Create => {
                if acknowledged && open.is_none() {
                    return Ok(Err("the upload is gone".to_owned()));
                }
            }
            Change::Part | Change::ReplacePart => {
                let Some(parts) = open else { return Ok(Err("the upload is gone".to_owned())) };
                if acknowledged && parts != known.parts {
                    return Ok(Err(format!("the parts are {parts:?}")));
                }
                if !parts.is_empty() {
                    complete(store, upload, &parts).await?;
                    let whole = content(store).await?;
                    let expected =
                        if parts == known.parts && acknowledged { vec![WHOLE] } else { vec![WHOLE, b"replaced"] };
                    if !whole.as_deref().is_some_and(|whole| expected.contains(&whole)) {
                        return Ok(Err(format!("the part is {whole:?}")));
                    }
                }
            }
            Change::Abort => match open {
                Some(_) if acknowledged => return Ok(Err("the upload is back".to_owned())),
                Some(_) => {
                    complete(store, upload, &known.parts).await?;
                    if content(store).await?.as_deref() != Some(WHOLE) {
                        return Ok(Err("what was not given up cannot be completed".to_owned()));
                    }
                }
                None => {}
            },
            Change::Complete | Change::CompleteThenPut | Change::MakePlain | Change::Overwrite | Change::Delete => {
                // Asked again it gives one answer, and takes effect once.
                let again = complete(store, upload, &known.parts).await?;
                if known.meta.as_ref().is_some_and(|meta| acknowledged_meta(self, marks) && *meta != again) {
                    return Ok(Err(format!("the answer is another one: {again:?}")));
                }
                let after = content(store).await?;
                let untouched = seen.as_deref() == Some(LATER) || self.change == Change::Delete;
                let expected = if untouched { seen.as_deref() } else { Some(WHOLE) };
                if after.as_deref() != expected {
                    return Ok(Err(format!("asked again, the object became {after:?}")));
                }
                if store.abort_upload(upload).await.is_ok() {
                    return Ok(Err("a completed upload was given up".to_owned()));
                }
                store.upkeep().await?;
                if content(store).await? != after {
                    return Ok(Err("made plain, the object is another one".to_owned()));
                }
                if after.as_deref() == Some(WHOLE) && store.head(&name, &key).await? != again {
                    return Ok(Err("made plain, its metadata are others".to_owned()));
                }
            }
        }
        // What follows works on what was found.
        put(store, &name, KEY, b"next").await?;
        delete(store, &name, KEY).await?;
        Ok(Ok(()))
    }
}

/// True where the answer to Complete was known.
fn acknowledged_meta(case: Case, marks: usize) -> bool {
    marks > 0 || matches!(case.change, Change::MakePlain | Change::Overwrite | Change::Delete)
}

async fn content(store: &Arc<dyn ObjectStore>) -> Result<Option<Vec<u8>>> {
    match get(store, &bucket("photos")?, KEY).await {
        Err(error) if error.kind() == ErrorKind::NoSuchKey => Ok(None),
        other => other.map(Some),
    }
}

/// The names of all files below a directory.
fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push(entry.file_name().into_string().unwrap()),
        }
    }
    found
}

/// The record of a change, and what the client learnt.
fn record(case: Case) -> (crate::disk::recording::Record, Known) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    block_on(async {
        let opened = FsStore::open(options(&root)).unwrap().0;
        let mut known = case.prepare(&(Arc::clone(&opened) as _)).await.unwrap();
        let disk = RecordingDisk::new(&root).unwrap();
        let store = recording(&opened, &root, &disk);
        case.act(&store, &disk, &mut known).await.unwrap();
        disk.mark("acknowledged");
        (disk.record(), known)
    })
}

/// Lets each operation of a change fail, alone or with all after it, as in a process that is killed there.
fn fail_each(case: Case) {
    for outage in [Outage::Once, Outage::Lasting] {
        for nth in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let root = dir.path().canonicalize().unwrap();
            let (met, outcome, known) = block_on(async {
                let opened = FsStore::open(options(&root)).unwrap().0;
                let mut known = case.prepare(&(Arc::clone(&opened) as _)).await.unwrap();
                let disk = RecordingDisk::new(&root).unwrap();
                let store = recording(&opened, &root, &disk);
                disk.fail(nth, outage);
                let outcome = case.act(&store, &disk, &mut known).await;
                (disk.revive(), outcome, known)
            });
            let marks = match (case.change, outcome.is_ok()) {
                (Change::CompleteThenPut, true) => 2,
                (Change::CompleteThenPut, false) => usize::from(known.meta.is_some()),
                (_, acknowledged) => usize::from(acknowledged),
            };
            if let Err(error) = case.recovered(&root, marks, &known) {
                panic!("{case:?}: {outage:?} at operation {nth}, which gave {outcome:?}: {error}");
            }
            if !met {
                assert!(outcome.is_ok() && nth > 1);
                break;
            }
        }
    }
}

fn prove(case: Case) {
    let (record, known) = record(case);
    let states = powercut::every_fsync_is_needed(&record, |root, marks| case.recovered(root, marks.len(), &known));
    assert!(states > 2, "{states} states:\n{}", powercut::listing(&record));
    fail_each(case);
}

/// The same but for the need of each fsync: that the old name of the list is gone matters only once another object takes the key,
/// and [`a_completion_that_another_write_follows_does_not_come_back`] proves it.
fn hold(case: Case) {
    let (record, known) = record(case);
    let states = powercut::check(&record, |root, marks| case.recovered(root, marks.len(), &known));
    assert!(states.as_ref().is_ok_and(|states| *states > 2), "{states:?}:\n{}", powercut::listing(&record));
    fail_each(case);
}

#[test]
fn an_upload_is_there_or_was_never_begun() {
    prove(Case::of(Change::Create));
}

#[test]
fn a_part_is_whole_or_what_was_there_before() {
    prove(Case::of(Change::Part));
    prove(Case::of(Change::ReplacePart));
}

#[test]
fn a_completion_happens_once_and_gives_one_answer() {
    hold(Case::of(Change::Complete));
    hold(Case { before: Some(KEY), ..Case::of(Change::Complete) });
}

#[test]
fn a_completion_makes_room_and_takes_large_metadata() {
    hold(Case { before: Some("dir"), ..Case::of(Change::Complete) });
    hold(Case { large: true, ..Case::of(Change::Complete) });
}

#[test]
fn a_completion_that_another_write_follows_does_not_come_back() {
    prove(Case::of(Change::CompleteThenPut));
}

#[test]
fn an_upload_that_was_given_up_stays_so() {
    prove(Case::of(Change::Abort));
}

#[test]
fn an_object_in_parts_becomes_plain_without_a_gap() {
    prove(Case::of(Change::MakePlain));
    prove(Case { large: true, ..Case::of(Change::MakePlain) });
}

#[test]
fn an_object_in_parts_is_overwritten_and_removed_like_any_other() {
    prove(Case::of(Change::Overwrite));
    prove(Case::of(Change::Delete));
}
