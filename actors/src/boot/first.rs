//! The first state of an instance, and the swaps that start makes: first initialisation, and going over to another hash.

use crate::boot::host::Files;
use crate::db::password::PasswordHash;
use crate::disk::{Disk, atomic};
use crate::domain::clock::Timestamp;
use crate::domain::secret::Secret;
use crate::domain::state::{KeyPurpose, Meta, State, StoredKey};
use crate::system::swap::{self, Journal, Move, SwapKind};
use crate::{Error, Result, db};
use std::path::Path;
use std::sync::Arc;

/// Letters and digits that are not taken for one another.
const ALPHABET: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const GENERATED_LENGTH: usize = 24;

/// The state of a new instance: no users, one key for metadata.
pub(super) fn state(instance_id: &str, now: Timestamp, password_logged: bool) -> Result<State> {
    let mut state = State {
        meta: Meta {
            instance_id: instance_id.to_owned(),
            epoch: 1,
            generation: 1,
            auth_epoch: 1,
            password_set_at: Some(now),
            password_logged,
            ..Meta::default()
        },
        ..State::default()
    };
    let key = mac_key(now)?;
    state.keyring.insert(key.id.clone(), Arc::new(key));
    Ok(state)
}

/// A new key that authenticates metadata.
pub fn mac_key(now: Timestamp) -> Result<StoredKey> {
    Ok(StoredKey {
        id: format!("mac-{}", uuid::Uuid::new_v4()),
        purpose: KeyPurpose::MetadataMac,
        key: Secret::new(hex::encode(random::<32>()?)),
        created_at: now,
        active: true,
    })
}

/// A password that nobody chose.
pub(super) fn generated_password() -> Result<Secret> {
    let mut text = String::with_capacity(GENERATED_LENGTH);
    while text.len() < GENERATED_LENGTH {
        for byte in random::<32>()? {
            // Bytes beyond the last whole multiple of the alphabet are dropped, so that every letter is equally likely.
            if usize::from(byte) < 256 - 256 % ALPHABET.len() && text.len() < GENERATED_LENGTH {
                text.push(char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
            }
        }
    }
    Ok(Secret::new(text))
}

/// Writes database and hash file together, through the swap: both are there after a crash, or neither is.
pub(super) fn install(
    disk: &dyn Disk,
    state_dir: &Path,
    kind: SwapKind,
    state: &State,
    hash: &PasswordHash,
) -> Result<()> {
    let io = |error| Error::io("initialise", error);
    let id = uuid::Uuid::new_v4().to_string();
    let files = Files::of(state_dir);
    let stage = swap::create_stage(disk, state_dir, &id)?;
    let (built, staged_db, staged_hash) = (stage.join("building"), stage.join("db"), stage.join("hash"));
    db::state::create(&built, hash, state)?;
    atomic::copy_file(disk, &built, &staged_db, 0o600).map_err(io)?;
    // A scratch file of SQLite's: it was never synced, and the staging's sweep would take it as well.
    std::fs::remove_file(&built).map_err(io)?;
    atomic::write_file(disk, &staged_hash, format!("{}\n", hash.expose()).as_bytes(), 0o600).map_err(io)?;
    let moves =
        vec![Move::of(state_dir, &staged_db, &files.config_db)?, Move::of(state_dir, &staged_hash, &files.hash)?];
    let (epoch, generation) = (state.meta.epoch, state.meta.generation);
    let journal = Journal {
        version: swap::JOURNAL_VERSION,
        restore_id: id,
        kind,
        epoch,
        old_generation: generation,
        new_generation: generation,
        moves,
    };
    swap::seal(disk, state_dir, &journal)?;
    swap::commit(disk, state_dir, &journal)
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    openssl::rand::rand_bytes(&mut bytes).map_err(|e| Error::internal("random", e))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_password_is_long_and_never_the_same() {
        let (one, other) = (generated_password().unwrap(), generated_password().unwrap());
        assert_eq!(one.expose().len(), GENERATED_LENGTH);
        assert_ne!(one, other);
    }

    #[test]
    fn a_new_instance_has_one_active_metadata_key_and_no_users() {
        let state = state("i", Timestamp::from_secs(1), true).unwrap();
        assert_eq!(state.keyring.values().filter(|key| key.active).count(), 1);
        assert!(state.users.is_empty() && state.meta.password_logged);
    }

    /// Database and hash file of a first start under the power-cut model: after recovery both are there and fit, or neither is.
    #[cfg(feature = "faults")]
    #[test]
    fn a_power_cut_during_the_first_start_leaves_both_files_or_none() {
        use crate::boot::database::read;
        use crate::disk::powercut::every_fsync_is_needed;
        use crate::disk::real::RealDisk;
        use crate::disk::recording::RecordingDisk;
        use crate::system::swap::JOURNAL;

        let dir = tempfile::tempdir().unwrap();
        let disk = RecordingDisk::new(dir.path()).unwrap();
        let hash = PasswordHash::make("a-first-password").unwrap();
        let state = state("i", Timestamp::from_secs(1), false).unwrap();
        install(&disk, dir.path(), SwapKind::Initialise, &state, &hash).unwrap();
        disk.mark("installed");
        let mut later = state.clone();
        later.meta.generation += 1;
        let elsewhere = tempfile::tempdir().unwrap();
        let work = elsewhere.path().join("work");
        db::state::create(&work, &hash, &later).unwrap();
        db::publish::publish(&disk, &work, &Files::of(dir.path()).config_db).unwrap();
        disk.mark("changed");
        every_fsync_is_needed(&disk.record(), |root, acknowledged| {
            // No second copy of a credential outlives the swap; the journal's copy holds names and sums only.
            let staged = std::fs::read_dir(root.join("swap")).into_iter().flatten().flatten();
            let files = staged.flat_map(|id| std::fs::read_dir(id.path()).into_iter().flatten().flatten());
            let left = files.filter(|file| file.file_name() != JOURNAL).count();
            if left > 0 && !acknowledged.is_empty() {
                return Err(format!("{left} staged files after {acknowledged:?}"));
            }
            swap::recover(&RealDisk, root).map_err(|error| format!("{error:?}"))?;
            let files = Files::of(root);
            let text = match (files.config_db.exists(), files.hash.exists()) {
                (false, false) if acknowledged.is_empty() => return Ok(()),
                (true, true) => std::fs::read_to_string(&files.hash).map_err(|e| e.to_string())?,
                (db, file) => return Err(format!("database {db}, hash file {file}, acknowledged {acknowledged:?}")),
            };
            let found = PasswordHash::parse(text.trim()).map_err(|error| format!("{error:?}"))?;
            match read(&files.config_db, &found).map_err(|error| format!("{error:?}"))? {
                Some(read) if read == later => Ok(()),
                Some(read) if read == state && acknowledged.len() < 2 => Ok(()),
                other => Err(format!("{:?} after {acknowledged:?}", other.map(|state| state.meta))),
            }
        });
    }
}
