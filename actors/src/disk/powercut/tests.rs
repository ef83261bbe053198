//! What the model says a power cut may leave, and what it may not.

use super::*;
use crate::disk::Disk;
use crate::disk::atomic::replace_file;
use crate::disk::recording::RecordingDisk;
use std::collections::BTreeSet;
use std::fs;

/// All different states, each as "name=content" joined, seen after the whole record was done.
fn final_states(disk: &RecordingDisk) -> BTreeSet<String> {
    disk.mark("end");
    let mut states = BTreeSet::new();
    check(&disk.record(), |dir, acknowledged| {
        if !acknowledged.is_empty() {
            states.insert(flat(dir, dir));
        }
        Ok(())
    })
    .unwrap();
    states
}

fn flat(root: &Path, dir: &Path) -> String {
    let mut parts: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if path.is_dir() {
                return format!("{name}/ {}", flat(root, &path)).trim().to_owned();
            }
            let tag = xattr::get(&path, "user.t").unwrap().map(|_| "+x").unwrap_or_default();
            format!("{name}={}{tag}", String::from_utf8_lossy(&fs::read(&path).unwrap()).replace('\0', "0"))
        })
        .collect();
    parts.sort();
    parts.join(" ")
}

fn set<const N: usize>(states: [&str; N]) -> BTreeSet<String> {
    states.map(str::to_owned).into()
}

fn recording(files: &[(&str, &str)]) -> (tempfile::TempDir, RecordingDisk) {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
        fs::write(dir.path().join(name), content).unwrap();
    }
    let disk = RecordingDisk::new(dir.path()).unwrap();
    (dir, disk)
}

#[test]
fn without_fsync_a_new_file_may_be_missing_empty_torn_or_zero_and_lack_its_attribute() {
    let (dir, disk) = recording(&[]);
    let mut file = disk.create_file(&dir.path().join("f"), 0o600).unwrap();
    file.write_all(b"abcd").unwrap();
    file.set_xattr("user.t", b"1").unwrap();
    let states = final_states(&disk);
    for state in ["", "f=", "f=ab", "f=0000", "f=abcd", "f=abcd+x", "f=+x"] {
        assert!(states.contains(state), "{state:?} is missing from {states:?}");
    }
}

#[test]
fn fsync_of_a_file_keeps_its_content_but_not_its_name() {
    let (dir, disk) = recording(&[]);
    let mut file = disk.create_file(&dir.path().join("f"), 0o600).unwrap();
    file.write_all(b"abcd").unwrap();
    file.set_xattr("user.t", b"1").unwrap();
    file.sync().unwrap();
    assert_eq!(final_states(&disk), set(["", "f=abcd+x"]));
}

#[test]
fn fsync_of_a_directory_keeps_its_names_but_not_the_content() {
    let (dir, disk) = recording(&[]);
    let mut file = disk.create_file(&dir.path().join("f"), 0o600).unwrap();
    file.write_all(b"abcd").unwrap();
    disk.sync_dir(dir.path()).unwrap();
    assert_eq!(final_states(&disk), set(["f=", "f=ab", "f=0000", "f=abcd"]));
}

#[test]
fn a_rename_between_directories_is_in_the_old_the_new_or_both_but_never_in_neither() {
    let move_it = |sync: &[&str]| {
        let (dir, disk) = recording(&[("a/f", "1"), ("b/g", "2")]);
        disk.rename(&dir.path().join("a/f"), &dir.path().join("b/f")).unwrap();
        sync.iter().for_each(|name| disk.sync_dir(&dir.path().join(name)).unwrap());
        final_states(&disk)
    };
    let (old, new, both) = ("a/ a/f=1 b/ b/g=2", "a/ b/ b/f=1 b/g=2", "a/ a/f=1 b/ b/f=1 b/g=2");
    assert_eq!(move_it(&[]), set([old, new, both]));
    assert_eq!(move_it(&["a"]), set([old, new, both]));
    assert_eq!(move_it(&["b"]), set([new, both]));
    assert_eq!(move_it(&["a", "b"]), set([new]));
    assert_eq!(move_it(&["b", "a"]), set([new]));
}

#[test]
fn a_renamed_directory_and_an_exchange_are_whole() {
    let (dir, disk) = recording(&[("a/f", "1")]);
    disk.rename(&dir.path().join("a"), &dir.path().join("b")).unwrap();
    assert_eq!(final_states(&disk), set(["a/ a/f=1", "b/ b/f=1"]));

    let exchanged = |sync: bool| {
        let (dir, disk) = recording(&[("x", "1"), ("y", "2")]);
        disk.exchange(&dir.path().join("x"), &dir.path().join("y")).unwrap();
        if sync {
            disk.sync_dir(dir.path()).unwrap();
        }
        final_states(&disk)
    };
    assert_eq!(exchanged(false), set(["x=1 y=2", "x=2 y=1"]));
    assert_eq!(exchanged(true), set(["x=2 y=1"]));
}

#[test]
fn links_and_unlinks_are_independent_names() {
    let (dir, disk) = recording(&[("f", "1")]);
    disk.hard_link(&dir.path().join("f"), &dir.path().join("g")).unwrap();
    disk.remove_file(&dir.path().join("f")).unwrap();
    assert_eq!(final_states(&disk), set(["", "f=1", "f=1 g=1", "g=1"]));
}

#[test]
fn what_is_in_a_directory_is_lost_with_its_name() {
    let (dir, disk) = recording(&[]);
    disk.create_dir(&dir.path().join("d"), 0o700).unwrap();
    disk.create_file(&dir.path().join("d/f"), 0o600).unwrap();
    disk.sync_dir(&dir.path().join("d")).unwrap();
    assert_eq!(final_states(&disk), set(["", "d/ d/f="]));
}

#[test]
fn changes_of_one_name_stay_in_order() {
    let (dir, disk) = recording(&[("f", "1")]);
    disk.remove_file(&dir.path().join("f")).unwrap();
    let mut file = disk.create_file(&dir.path().join("f"), 0o600).unwrap();
    file.write_all(b"2").unwrap();
    file.sync().unwrap();
    assert_eq!(final_states(&disk), set(["f=1", "", "f=2"]));
}

#[test]
fn a_record_that_misses_a_change_is_refused() {
    let (dir, disk) = recording(&[]);
    fs::write(dir.path().join("f"), "1").unwrap();
    disk.rename(&dir.path().join("f"), &dir.path().join("g")).unwrap();
    assert!(check(&disk.record(), |_, _| Ok(())).unwrap_err().contains("past the recording disk"));
}

fn replaced(disk: &RecordingDisk, dir: &Path) {
    replace_file(disk, &dir.join("f"), b"new", 0o600).unwrap();
    disk.mark("new");
}

/// Acknowledged means new; otherwise exactly old or exactly new.
fn old_or_new(dir: &Path, acknowledged: &[String]) -> Result<(), String> {
    match (fs::read(dir.join("f")).map_err(|e| e.to_string())?.as_slice(), acknowledged) {
        (b"new", _) | (b"old", []) => Ok(()),
        (other, _) => Err(format!("f is {:?}", String::from_utf8_lossy(other))),
    }
}

#[test]
fn replace_file_needs_each_of_its_fsyncs() {
    let (dir, disk) = recording(&[("f", "old")]);
    replaced(&disk, dir.path());
    assert!(every_fsync_is_needed(&disk.record(), old_or_new) > 5);
}

#[test]
#[should_panic(expected = "no check fails without operation")]
fn an_fsync_that_nothing_needs_is_found() {
    let (dir, disk) = recording(&[("f", "old")]);
    replaced(&disk, dir.path());
    disk.sync_dir(dir.path()).unwrap();
    every_fsync_is_needed(&disk.record(), old_or_new);
}
