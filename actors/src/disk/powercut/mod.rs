//! The power-cut model: every state that a power cut may leave at any moment of a record, laid out and given to a check.
//!
//! A test records a run on a [`RecordingDisk`](super::recording::RecordingDisk), marks what it acknowledged, and calls [`check`] with a
//! closure that recovers the directory it is given and looks at it. [`every_fsync_is_needed`] then proves that the check would notice
//! any single fsync that was forgotten.

mod model;
pub mod tree;

use self::model::{Data, Model, Outcome, Pending};
use super::recording::{Op, Record};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Random outcomes for each moment, besides the systematic ones.
const RANDOM_OUTCOMES: usize = 16;
const SEED: u64 = 0x6467_705f_6375_7473;
const LOST: [Data; 3] = [Data::Missing, Data::Torn, Data::Zeros];

/// Lays out every state and calls `check` with its directory and the marks acknowledged by then.
///
/// Gives the number of different states, or the first failure with what led to it.
pub fn check(record: &Record, check: impl FnMut(&Path, &[String]) -> Result<(), String>) -> Result<usize, String> {
    check_from(record, 0, check)
}

/// [`check`] for the moments from the `first` on: after that many operations, for records whose beginnings are equal.
pub fn check_from(
    record: &Record,
    first: usize,
    mut check: impl FnMut(&Path, &[String]) -> Result<(), String>,
) -> Result<usize, String> {
    let scratch = Scratch::new()?;
    let mut model = Model::new(&record.initial);
    let mut acknowledged = Vec::new();
    let mut seen = HashSet::new();
    for moment in 0..=record.ops.len() {
        if let Some(op) = moment.checked_sub(1).map(|last| &record.ops[last]) {
            model.apply(op)?;
            if let Op::Mark(label) = op {
                acknowledged.push(label.clone());
            }
        }
        if moment < first {
            continue;
        }
        for outcome in outcomes(&model, Random(SEED ^ moment as u64)) {
            let tree = model.tree(&outcome);
            if !seen.insert((tree.hash(), acknowledged.len())) {
                continue;
            }
            let dir = scratch.0.join(seen.len().to_string());
            std::fs::create_dir(&dir)
                .and_then(|()| tree.lay_out(&dir))
                .map_err(|error| format!("could not lay out a state: {error}"))?;
            check(&dir, &acknowledged).map_err(|error| {
                let last = moment.checked_sub(1).map(|last| &record.ops[last]);
                format!(
                    "a power cut after operation {moment} ({last:?}), acknowledged {acknowledged:?}: {error}\nthe disk had:\n{}",
                    tree.describe()
                )
            })?;
            // Thousands of states would fill the disk; one that cannot be removed now goes with the scratch directory.
            let _ = std::fs::remove_dir_all(&dir);
        }
    }
    Ok(seen.len())
}

/// The record without its `nth` fsync (of a file or a directory), or `None` where there are fewer.
pub fn without_sync(record: &Record, nth: usize) -> Option<Record> {
    let at = syncs(record).nth(nth)?;
    let mut ops = record.ops.clone();
    ops.remove(at);
    Some(Record { initial: record.initial.clone(), ops })
}

/// Proves the record and the check against each other: the check holds in every state, and with any single fsync dropped it does not.
///
/// Gives the number of states. Panics, as a test does, naming the state that failed or the fsync that nothing needs.
pub fn every_fsync_is_needed(
    record: &Record,
    mut checker: impl FnMut(&Path, &[String]) -> Result<(), String>,
) -> usize {
    let states = match check(record, &mut checker) {
        Ok(states) => states,
        Err(error) => panic!("{error}\nthe record was:\n{}", listing(record)),
    };
    for (nth, at) in syncs(record).enumerate() {
        let Some(weaker) = without_sync(record, nth) else { continue };
        if check(&weaker, &mut checker).is_ok() {
            panic!("no check fails without operation {} ({:?}):\n{}", at + 1, record.ops[at], listing(record));
        }
    }
    states
}

/// The operations, one a line, for messages.
pub fn listing(record: &Record) -> String {
    let line = |(at, op): (usize, &Op)| match op {
        Op::Write { file, bytes } => format!("{:4} Write {{ file: {file}, {} bytes }}", at + 1, bytes.len()),
        op => format!("{:4} {op:?}", at + 1),
    };
    record.ops.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

fn syncs(record: &Record) -> impl Iterator<Item = usize> {
    record.ops.iter().enumerate().filter(|(_, op)| op.is_sync()).map(|(at, _)| at)
}

/// Nothing and everything; each pending operation alone, and each missing; all names without data; random mixtures.
fn outcomes(model: &Model, mut random: Random) -> Vec<Outcome> {
    let pending = model.pending();
    let nothing = every(&pending, |floor, _| floor, Data::Missing, false);
    let everything = every(&pending, |_, last| last, Data::Whole, true);
    let mut outcomes = vec![nothing.clone(), everything.clone()];
    for (name, (floor, last)) in &pending.names {
        for version in floor + 1..=*last {
            let mut alone = nothing.clone();
            alone.names.insert(name.clone(), version);
            model.complete(&mut alone.names);
            let mut missing = everything.clone();
            missing.names.insert(name.clone(), version - 1);
            model.take_back(&mut missing.names);
            outcomes.extend([alone, missing]);
        }
    }
    for node in &pending.data {
        let mut alone = nothing.clone();
        alone.data.insert(*node, Data::Whole);
        outcomes.push(alone);
        for lost in LOST {
            let mut missing = everything.clone();
            missing.data.insert(*node, lost);
            outcomes.push(missing);
        }
    }
    for node in &pending.xattrs {
        let (mut alone, mut missing) = (nothing.clone(), everything.clone());
        alone.xattrs.insert(*node, true);
        missing.xattrs.insert(*node, false);
        outcomes.extend([alone, missing]);
    }
    outcomes.extend(LOST.map(|lost| every(&pending, |_, last| last, lost, false)));
    outcomes.extend((0..RANDOM_OUTCOMES).map(|_| {
        let mut mixture = everything.clone();
        for (name, (floor, last)) in &pending.names {
            mixture.names.insert(name.clone(), floor + random.below(last - floor + 1));
        }
        mixture.data.values_mut().for_each(|data| *data = [Data::Whole, LOST[0], LOST[1], LOST[2]][random.below(4)]);
        mixture.xattrs.values_mut().for_each(|whole| *whole = random.below(2) == 1);
        // By turns, so that both ways of keeping a promise occur.
        match random.below(2) {
            0 => model.complete(&mut mixture.names),
            _ => model.take_back(&mut mixture.names),
        }
        mixture
    }));
    outcomes
}

fn every(pending: &Pending, version: impl Fn(usize, usize) -> usize, data: Data, xattrs: bool) -> Outcome {
    Outcome {
        names: pending.names.iter().map(|(name, (floor, last))| (name.clone(), version(*floor, *last))).collect(),
        data: pending.data.iter().map(|node| (*node, data)).collect(),
        xattrs: pending.xattrs.iter().map(|node| (*node, xattrs)).collect(),
    }
}

/// SplitMix64: small, and the same on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}

/// A directory of our own that goes when the check ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, String> {
        // States are many and small: memory is ten times faster than a disk, where it takes user attributes.
        let mut refused = String::new();
        for place in [PathBuf::from("/dev/shm"), std::env::temp_dir()] {
            let scratch = Self(place.join(format!("dgp-power-cut-{}", uuid::Uuid::new_v4())));
            match std::fs::create_dir(&scratch.0).and_then(|()| xattr::set(&scratch.0, "user.probe", b"1")) {
                Ok(()) => return Ok(scratch),
                Err(error) => refused = format!("could not make {}: {error}", scratch.0.display()),
            }
        }
        Err(refused)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A leftover in the temporary directory harms nobody, and a drop has nobody to tell.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests;
