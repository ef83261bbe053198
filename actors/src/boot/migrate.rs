//! A database of an older schema: it is kept under a name of its own, then one of this program's schema takes its place, in one swap.

use crate::boot::first;
use crate::boot::host::Files;
use crate::db::password::PasswordHash;
use crate::disk::{Disk, atomic};
use crate::domain::clock::Timestamp;
use crate::domain::state::State;
use crate::system::swap::SwapKind;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Brings the database from the schema `found` to this program's; `state` is what it holds, read through a migrated copy. Gives the
/// name under which the old file is kept. An error, or a crash before the swap's commit point, leaves the old file in force.
pub(super) fn migrate(
    disk: &dyn Disk,
    state_dir: &Path,
    found: i64,
    state: &State,
    hash: &PasswordHash,
    now: Timestamp,
) -> Result<PathBuf> {
    let database = Files::of(state_dir).config_db;
    let mut kept = database.clone().into_os_string();
    kept.push(format!(".schema-{found}-{}", now.compact()));
    let kept = PathBuf::from(kept);
    // Its name is durable with the swap's journal, which lies in the same directory.
    match atomic::link_or_copy(disk, &database, &kept) {
        // A start that was broken off within this second has kept it already.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        kept => kept.map_err(|error| Error::io("migrate database", error))?,
    }
    first::install(disk, state_dir, SwapKind::Migration, state, hash)?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::database::read;
    use crate::disk::real::RealDisk;

    #[test]
    fn the_old_file_is_kept_and_the_new_one_holds_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let hash = PasswordHash::make("a-password-of-old").unwrap();
        let now = Timestamp::from_secs(1_795_338_000);
        let state = first::state("i", now, false).unwrap();
        first::install(&RealDisk, dir.path(), SwapKind::Initialise, &state, &hash).unwrap();
        let database = Files::of(dir.path()).config_db;
        let before = std::fs::read(&database).unwrap();
        let kept = migrate(&RealDisk, dir.path(), 1, &state, &hash, now).unwrap();
        assert!(kept.ends_with("deltaglider_config.db.schema-1-20261122T090000Z"));
        assert!(std::fs::read(&kept).unwrap() == before && std::fs::read(&database).unwrap() != before);
        let copy = dir.path().join("copy");
        std::fs::copy(&database, &copy).unwrap();
        assert_eq!(read(&copy, &hash).unwrap(), Some(state));
    }
}
