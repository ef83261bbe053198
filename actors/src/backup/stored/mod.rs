//! Stored backups: the place where they lie, the run that makes one, the list of them, and when the next one is due.

mod catalog;
mod content;
mod destination;
mod directory;
mod keeper;
mod run;

pub(super) use catalog::{check, delete, entries, fetch, trust};
pub(super) use keeper::{Keeper, tick};
pub(super) use run::store;

/// Who makes scheduled backups, as the audit log names it.
const SCHEDULE: &str = "$schedule";

#[cfg(test)]
mod tests;
