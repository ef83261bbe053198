//! The first state of an instance, and the swaps that start makes: first initialisation, and going over to another hash.

use crate::boot::host::Host;
use crate::db::password::PasswordHash;
use crate::disk::{Disk, atomic};
use crate::domain::clock::Timestamp;
use crate::domain::secret::Secret;
use crate::domain::state::{KeyPurpose, Meta, State, StoredKey};
use crate::system::swap::{self, Journal, Move, SwapKind};
use crate::{Error, Result, db};
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
    let key = StoredKey {
        id: format!("mac-{}", uuid::Uuid::new_v4()),
        purpose: KeyPurpose::MetadataMac,
        key: Secret::new(hex::encode(random::<32>()?)),
        created_at: now,
        active: true,
    };
    state.keyring.insert(key.id.clone(), Arc::new(key));
    Ok(state)
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
pub(super) fn install(disk: &dyn Disk, host: &Host, kind: SwapKind, state: &State, hash: &PasswordHash) -> Result<()> {
    let io = |error| Error::io("initialise", error);
    let id = uuid::Uuid::new_v4().to_string();
    let files = host.files();
    let stage = swap::create_stage(disk, &host.state_dir, &id)?;
    let (built, staged_db, staged_hash) = (stage.join("building"), stage.join("db"), stage.join("hash"));
    db::state::create(&built, hash, state)?;
    atomic::copy_file(disk, &built, &staged_db, 0o600).map_err(io)?;
    disk.remove_file(&built).map_err(io)?;
    atomic::write_file(disk, &staged_hash, format!("{}\n", hash.expose()).as_bytes(), 0o600).map_err(io)?;
    let mut moves = Vec::new();
    for (from, to) in [(staged_db, files.config_db), (staged_hash, files.hash)] {
        moves.push(Move {
            old_sha256: swap::sha256_file(&to).map_err(io)?,
            new_sha256: swap::sha256_file(&from).map_err(io)?.unwrap_or_default(),
            from,
            to,
        });
    }
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
    swap::seal(disk, &host.state_dir, &journal)?;
    swap::commit(disk, &host.state_dir, &journal)
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
}
