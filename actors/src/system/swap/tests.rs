//! The swap under power cuts and killed processes: exactly old or exactly new, and what was acknowledged stays.

use super::*;
use crate::disk::atomic::{is_temp_name, write_file};
use crate::disk::powercut::{check, check_from, every_fsync_is_needed, without_sync};
use crate::disk::recording::{Op, Outage, Record, RecordingDisk};
use std::collections::BTreeMap;
use std::fs;

const ID: &str = "6f9619ff-8b86-4011-b42d-00c04fc964ff";
const DONE: &str = "done";
const KEPT_OLD: &str = "kept old";
const LATER: &str = "later";

/// Targets below the root, each with its old content.
type Files = &'static [(&'static str, Option<&'static str>)];

const FIRST_START: Files = &[("state/db", None), ("state/hash", None)];
const RESTORE: Files =
    &[("state/db", Some("old db")), ("state/hash", Some("old hash")), ("etc/config.yaml", Some("old yaml"))];

struct Case {
    files: Files,
    dir: tempfile::TempDir,
    disk: RecordingDisk,
}

impl Case {
    fn new(files: Files) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["state", "etc"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        for (name, old) in files {
            old.iter().for_each(|old| fs::write(dir.path().join(name), old).unwrap());
        }
        let disk = RecordingDisk::new(dir.path()).unwrap();
        Self { files, dir, disk }
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Stages, seals and commits as a restore does.
    fn swap(&self) -> Result<()> {
        let state = self.state();
        let stage = create_stage(&self.disk, &state, ID)?;
        let undo = match self.files.iter().any(|(_, old)| old.is_some()) {
            true => Some(create_undo(&self.disk, &state, ID)?),
            false => None,
        };
        let mut moves = Vec::new();
        for (name, old) in self.files {
            let target = self.dir.path().join(name);
            let staged = match target.parent() == Some(&state) {
                true => stage.join(target.file_name().unwrap()),
                false => stage_beside(&target, ID),
            };
            io_step(write_file(&self.disk, &staged, new(name).as_bytes(), 0o600))?;
            if let Some(undo) = &undo {
                assert_eq!(keep_old(&self.disk, &target, undo)?.is_some(), old.is_some());
            }
            moves.push(Move {
                from: relative(&staged, &state),
                to: relative(&target, &state),
                old_sha256: sha256_file(&target).unwrap(),
                new_sha256: sha256_file(&staged).unwrap().unwrap(),
            });
        }
        let journal = Journal {
            version: JOURNAL_VERSION,
            restore_id: ID.to_owned(),
            kind: SwapKind::Restore,
            epoch: 2,
            old_generation: 7,
            new_generation: 1,
            moves,
        };
        seal(&self.disk, &state, &journal)?;
        commit(&self.disk, &state, &journal)?;
        self.disk.mark(DONE);
        Ok(())
    }

    /// What happens to the database after the swap, as soon as there is none in progress.
    fn change_later(&self) {
        replace_file(&self.disk, &self.state().join("db"), b"later db", 0o600).unwrap();
        self.disk.mark(LATER);
    }

    /// The start after a kill; what it finds is acknowledged.
    fn restart(&self) -> Result<(), RecoverError> {
        recover(&self.disk, &self.state())?;
        let label = if self.content() == outcome(self.files, true) { DONE } else { KEPT_OLD };
        self.disk.mark(label);
        Ok(())
    }

    fn content(&self) -> Content {
        content(self.dir.path(), self.files)
    }
}

fn new(name: &str) -> String {
    format!("the new {name}")
}

/// Paths in the state directory are relative to it, so that a laid-out copy of the tree has a valid journal; so is the config's here.
fn relative(path: &Path, state: &Path) -> PathBuf {
    match path.strip_prefix(state) {
        Ok(inside) => inside.to_owned(),
        Err(_) => Path::new("..").join(path.strip_prefix(state.parent().unwrap()).unwrap()),
    }
}

type Content = BTreeMap<&'static str, Option<String>>;

fn content(root: &Path, files: Files) -> Content {
    files.iter().map(|(name, _)| (*name, fs::read_to_string(root.join(name)).ok())).collect()
}

fn outcome(files: Files, swapped: bool) -> Content {
    let of = |(name, old): &(&'static str, Option<&str>)| {
        (*name, if swapped { Some(new(name)) } else { old.map(str::to_owned) })
    };
    files.iter().map(of).collect()
}

/// Acknowledged means new; otherwise exactly old or exactly new; never a mix. Undo is there, the staging is not.
fn old_or_new(files: Files) -> impl Fn(&Path, &[String]) -> Result<(), String> {
    move |root, acknowledged| {
        let has = |label: &str| acknowledged.iter().any(|known| known == label);
        let state = root.join("state");
        if has(DONE) {
            // No second copy of a credential outlives the swap.
            let staged = staged_files(root);
            ensure(staged.is_empty(), || format!("still staged: {staged:?}"))?;
        }
        let disk = RecordingDisk::new(root).unwrap();
        let recovery = recover(&disk, &state).map_err(|error| error.to_string())?;
        let found = content(root, files);
        let later = {
            let mut later = outcome(files, true);
            later.insert("state/db", Some("later db".to_owned()));
            later
        };
        let swapped = found != outcome(files, false);
        if has(LATER) {
            ensure(found == later, || format!("the later change is lost: {found:?}"))?;
        } else if has(DONE) {
            ensure(found == outcome(files, true) || found == later, || format!("not the new state: {found:?}"))?;
        } else if has(KEPT_OLD) {
            ensure(!swapped, || format!("not the old state: {found:?}"))?;
        } else {
            ensure(!swapped || found == outcome(files, true), || format!("a mix: {found:?}"))?;
        }
        let rolled = matches!(recovery, Recovery::RolledForward { .. });
        ensure(!rolled || swapped, || "rolled forward to the old state".to_owned())?;
        if swapped {
            for (name, old) in files.iter().filter(|(_, old)| old.is_some()) {
                let kept = undo_dir(&state, ID).join(Path::new(name).file_name().unwrap());
                ensure(fs::read_to_string(&kept).ok().as_deref() == *old, || {
                    format!("{} is not kept", kept.display())
                })?;
            }
        }
        ensure(recover(&disk, &state).ok() == Some(Recovery::Clean), || "the second recovery is not clean".to_owned())?;
        let temps =
            fs::read_dir(&state).unwrap().filter(|e| is_temp_name(e.as_ref().unwrap().file_name().to_str().unwrap()));
        ensure(temps.count() == 0 && !state.join(JOURNAL).exists(), || "recovery left something behind".to_owned())
    }
}

fn staged_files(root: &Path) -> Vec<PathBuf> {
    let mut dirs = vec![root.join("state/swap").join(ID)];
    dirs.push(root.join("etc"));
    let files = dirs.iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten().map(|entry| entry.unwrap().path());
    // The copy of the journal is for the log of the next start and holds names and sums only.
    files.filter(|path| !path.ends_with("etc/config.yaml") && !path.ends_with(JOURNAL)).collect()
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn position(record: &Record, wanted: impl Fn(&Op) -> bool) -> usize {
    record.ops.iter().position(wanted).unwrap()
}

fn is_commit_point(op: &Op) -> bool {
    matches!(op, Op::Rename { to, .. } if to.ends_with(JOURNAL))
}

fn is_move(op: &Op) -> bool {
    matches!(op, Op::Rename { to, .. } if !to.ends_with(JOURNAL))
}

/// A whole run without a fault, to know its operations.
fn rehearsal(files: Files) -> Record {
    let case = Case::new(files);
    case.swap().unwrap();
    case.disk.record()
}

#[test]
fn every_fsync_of_a_first_start_is_needed() {
    let case = Case::new(FIRST_START);
    case.swap().unwrap();
    case.change_later();
    every_fsync_is_needed(&case.disk.record(), old_or_new(FIRST_START));
}

#[test]
fn every_fsync_of_a_restore_is_needed() {
    let case = Case::new(RESTORE);
    case.swap().unwrap();
    case.change_later();
    every_fsync_is_needed(&case.disk.record(), old_or_new(RESTORE));
}

#[test]
fn every_fsync_of_a_recovery_is_needed_where_the_journal_itself_was_only_in_memory() {
    let case = Case::new(RESTORE);
    case.disk.fail(position(&rehearsal(RESTORE), is_commit_point) + 1, Outage::Lasting);
    case.swap().unwrap_err();
    assert!(case.disk.revive());
    case.restart().unwrap();
    case.change_later();
    every_fsync_is_needed(&case.disk.record(), old_or_new(RESTORE));
}

#[test]
fn every_fsync_of_a_start_is_needed_where_the_removal_of_the_journal_was_only_in_memory() {
    let case = Case::new(RESTORE);
    let removal = position(&rehearsal(RESTORE), |op| matches!(op, Op::RemoveFile { path } if path.ends_with(JOURNAL)));
    case.disk.fail(removal + 1, Outage::Lasting);
    case.swap().unwrap_err();
    assert!(case.disk.revive());
    case.restart().unwrap();
    case.change_later();
    every_fsync_is_needed(&case.disk.record(), old_or_new(RESTORE));
}

#[test]
fn a_recovery_syncs_the_moves_that_a_killed_process_left_in_memory() {
    let case = Case::new(RESTORE);
    let last_move = rehearsal(RESTORE).ops.iter().rposition(is_move).unwrap();
    case.disk.fail(last_move + 1, Outage::Lasting);
    case.swap().unwrap_err();
    assert!(case.disk.revive());
    case.restart().unwrap();
    let record = case.disk.record();
    check(&record, old_or_new(RESTORE)).unwrap();
    let syncs: Vec<_> = record.ops.iter().filter(|op| op.is_sync()).collect();
    let of_config = syncs.iter().rposition(|op| matches!(op, Op::SyncDir { path } if path.ends_with("etc"))).unwrap();
    check(&without_sync(&record, of_config).unwrap(), old_or_new(RESTORE)).unwrap_err();
}

#[test]
fn a_kill_at_any_operation_a_recovery_and_then_a_power_cut_leave_exactly_old_or_new() {
    for nth in 0.. {
        let case = Case::new(RESTORE);
        case.disk.fail(nth, Outage::Lasting);
        let died = case.swap().is_err();
        if !case.disk.revive() {
            break;
        }
        if died {
            case.restart().unwrap();
            if case.content() == outcome(RESTORE, true) {
                case.change_later();
            }
        }
        check_from(&case.disk.record(), nth, old_or_new(RESTORE))
            .unwrap_or_else(|error| panic!("killed at {nth}: {error}"));
    }
}

#[test]
fn a_recovery_may_be_killed_at_any_operation_and_starts_again() {
    for nth in 0.. {
        let mut second = 0;
        loop {
            let case = Case::new(RESTORE);
            case.disk.fail(nth, Outage::Lasting);
            let died = case.swap().is_err();
            if !case.disk.revive() {
                return;
            }
            case.disk.fail(second, Outage::Lasting);
            let broken_off = died && case.restart().is_err();
            let reached = case.disk.revive();
            if broken_off {
                case.restart().unwrap();
            }
            let found = case.content();
            assert!(
                found == outcome(RESTORE, true) || found == outcome(RESTORE, false),
                "killed at {nth}, {second}: {found:?}"
            );
            if !reached || !broken_off {
                break;
            }
            second += 1;
        }
    }
}

#[test]
fn a_power_cut_in_the_recovery_after_a_power_cut_leaves_exactly_old_or_new() {
    let mut nested = 0;
    let first = old_or_new(RESTORE);
    check(&rehearsal(RESTORE), |root, acknowledged| {
        let disk = RecordingDisk::new(root).unwrap();
        let recovery = recover(&disk, &root.join("state")).map_err(|error| error.to_string())?;
        if matches!(recovery, Recovery::RolledForward { .. }) {
            acknowledged.iter().for_each(|label| disk.mark(label));
            disk.mark(DONE);
            nested += check(&disk.record(), |again, known| first(again, known))?;
        }
        Ok(())
    })
    .unwrap();
    assert!(nested > 100, "{nested}");
}

/// An undo to where there was no config file: it goes by a move into the staging, together with the new database.
#[test]
fn a_power_cut_while_a_file_goes_leaves_both_files_old_or_both_new() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    fs::create_dir(&state).unwrap();
    for name in ["db", "config.yaml"] {
        fs::write(state.join(name), format!("old {name}")).unwrap();
    }
    let disk = RecordingDisk::new(dir.path()).unwrap();
    let stage = create_stage(&disk, &state, ID).unwrap();
    write_file(&disk, &stage.join("db"), b"new db", 0o600).unwrap();
    let moves = vec![
        Move::of(&state, &stage.join("db"), &state.join("db")).unwrap(),
        Move::of(&state, &state.join("config.yaml"), &stage.join("config.yaml")).unwrap(),
    ];
    let journal = Journal {
        version: JOURNAL_VERSION,
        restore_id: ID.to_owned(),
        kind: SwapKind::Undo,
        epoch: 3,
        old_generation: 1,
        new_generation: 1,
        moves,
    };
    seal(&disk, &state, &journal).unwrap();
    commit(&disk, &state, &journal).unwrap();
    disk.mark(DONE);
    replace_file(&disk, &state.join("db"), b"later db", 0o600).unwrap();
    disk.mark(LATER);
    every_fsync_is_needed(&disk.record(), |root, acknowledged| {
        let state = root.join("state");
        recover(&crate::disk::real::RealDisk, &state).map_err(|error| error.to_string())?;
        let db = fs::read_to_string(state.join("db")).unwrap_or_default();
        match (db.as_str(), state.join("config.yaml").exists(), acknowledged.len()) {
            ("old db", true, 0) | ("new db", false, 0 | 1) | ("later db", false, _) => Ok(()),
            found => Err(format!("{found:?}")),
        }
    });
}
