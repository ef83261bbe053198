//! Process deaths over every kind of swap: whatever dies when, the state is exactly the old one or exactly the new one, and where
//! something had to be finished or swept, the log says which.

mod world;

use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;
use world::{Death, Kind, World, migration};

/// Where a swap may die. One that a kind does not come to is a death after the answer.
pub(super) const POINTS: [&str; 19] = [
    "backup.verified",
    "backup.planned",
    "backup.undo.planned",
    "backup.written",
    "backup.staged",
    "backup.undo.staged",
    "backup.password.staged",
    "backup.declare.planned",
    "backup.declare.staged",
    "backup.fenced",
    "system.fence",
    "system.swap_all",
    "swap.before_journal",
    "swap.after_journal",
    "swap.after_move.0",
    "swap.after_move.1",
    "system.swap.moved",
    "swap.before_finish",
    "swap.after_finish",
];

/// Where the start that finishes a swap may die again.
const IN_RECOVERY: [&str; 3] = ["swap.recover.after_move.0", "swap.recover.after_move.1", "swap.recover.before_finish"];

const MODES: [&str; 4] = ["full", "preserve-bootstrap", "iam-only", "config-only"];

/// Dies at each point of one kind, forth and back between the two archives.
fn at_each_point(kinds: &[fn(usize) -> Kind]) {
    let mut world = World::new();
    let first = world.die(Kind::Restore(0, "full", "replace"), Death::At("swap.after_finish"));
    assert_eq!(first, "new");
    let mut came = BTreeSet::new();
    for kind in kinds {
        for (turn, point) in POINTS.into_iter().enumerate() {
            came.insert(world.die(kind(turn % 2), Death::At(point)));
        }
    }
    assert_eq!(came.into_iter().collect::<Vec<_>>(), ["new", "old"], "both sides of the commit point were met");
}

#[test]
fn killed_in_a_restore_that_leaves_the_password() {
    at_each_point(&[|which| Kind::Restore(which, "preserve-bootstrap", "replace")]);
}

#[test]
fn killed_in_a_restore_of_one_half() {
    at_each_point(&[
        |which| Kind::Restore(which, "iam-only", "replace"),
        |which| Kind::Restore(which, "config-only", "replace"),
    ]);
}

#[test]
fn killed_in_a_merge() {
    at_each_point(&[|which| Kind::Restore(which, "full", "merge")]);
}

#[test]
fn killed_in_an_undo() {
    at_each_point(&[|_| Kind::Undo]);
}

#[test]
fn killed_while_the_password_changes() {
    at_each_point(&[|_| Kind::Password]);
}

#[test]
fn killed_while_the_pinned_hash_changes() {
    at_each_point(&[|_| Kind::Rekey]);
}

#[test]
fn killed_while_the_config_file_takes_iam_over_or_gives_it_back() {
    at_each_point(&[|_| Kind::Declare]);
}

#[test]
fn killed_while_a_database_is_migrated() {
    let came: BTreeSet<&str> = POINTS.into_iter().map(migration).collect();
    assert_eq!(came.into_iter().collect::<Vec<_>>(), ["new", "old"], "both sides of the commit point were met");
}

#[test]
fn killed_again_in_the_start_that_finishes_an_undo() {
    let mut world = World::new();
    world.die(Kind::Restore(0, "full", "replace"), Death::At("swap.after_finish"));
    for point in IN_RECOVERY {
        assert_eq!(world.die(Kind::Undo, Death::InRecovery(point)), "new");
    }
}

/// The long command: `tests/long deaths COUNT SEED`. A run that was broken off goes on where its progress file says.
#[test]
fn deaths_of_every_kind_at_any_moment() {
    let variable = |name: &str| std::env::var(name).ok();
    let number = |name: &str| variable(name).and_then(|text| text.parse::<u64>().ok());
    let (count, seed) = (number("FUZZ_COUNT").unwrap_or(12), number("FUZZ_SEED").unwrap_or(1));
    let progress = variable("FUZZ_PROGRESS");
    let mut tally: BTreeMap<String, [u64; 2]> = progress
        .as_ref()
        .and_then(|path| std::fs::read(path).ok())
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let note = |name: String, came: &str, tally: &mut BTreeMap<String, [u64; 2]>| {
        tally.entry(name).or_default()[usize::from(came == "new")] += 1;
        if let Some(path) = &progress {
            std::fs::write(path, json!(tally).to_string()).expect("the progress can be written");
        }
    };
    let mut world = World::new();
    loop {
        let done: u64 = tally.values().flatten().sum();
        if done >= count {
            break;
        }
        // A world of its own for every few hundred deaths, so that its history stays short.
        if done % 250 == 249 {
            world = World::new();
        }
        let mut draw = Draw(Sha256::digest(format!("{seed} {done}")).into(), 0);
        let kind = match draw.below(10) {
            0..=2 => Kind::Restore(draw.below(2), MODES[draw.below(4)], "replace"),
            3 | 4 => Kind::Restore(draw.below(2), MODES[draw.below(4)], "merge"),
            5 | 6 => Kind::Undo,
            7 => Kind::Password,
            8 => Kind::Rekey,
            _ => Kind::Declare,
        };
        if draw.below(12) == 0 {
            let came = migration(POINTS[draw.below(POINTS.len())]);
            note("migration".to_owned(), came, &mut tally);
            continue;
        }
        // Where the file owns IAM, a restore takes both or nothing: whoever wants less gives IAM back first.
        let kind = match kind {
            Kind::Restore(_, "iam-only", _) | Kind::Restore(_, _, "merge") if world.now.declarative => Kind::Declare,
            kind => kind,
        };
        if kind == Kind::Undo && world.before.is_none() {
            world.die(Kind::Restore(0, "full", "replace"), Death::At("swap.after_finish"));
        }
        let death = match draw.below(8) {
            0 | 1 => Death::After(Duration::from_millis(draw.below(400) as u64)),
            2 => Death::InRecovery(IN_RECOVERY[draw.below(IN_RECOVERY.len())]),
            _ => Death::At(POINTS[draw.below(POINTS.len())]),
        };
        let came = world.die(kind, death);
        let name = match kind {
            Kind::Restore(_, mode, strategy) => format!("{mode} {strategy}"),
            other => format!("{other:?}").to_lowercase(),
        };
        note(name, came, &mut tally);
    }
    if let Some(path) = variable("FUZZ_REPORT") {
        let mut report = String::from("exactly old or exactly new each time, and as the log said (old/new):");
        for (name, [old, new]) in &tally {
            write!(report, " {name} {old}/{new},").expect("a text takes it");
        }
        std::fs::write(path, report.trim_end_matches(',')).expect("the report can be written");
    }
    if let Some(path) = &progress {
        let _ = std::fs::remove_file(path);
    }
}

/// Numbers from a sum.
struct Draw([u8; 32], usize);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        let bytes = [self.0[self.1 % 32], self.0[(self.1 + 1) % 32]];
        self.1 += 2;
        usize::from(u16::from_le_bytes(bytes)) % limit
    }
}
