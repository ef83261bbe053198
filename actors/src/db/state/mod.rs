//! A [`State`] in `deltaglider_config.db`: read whole, written as the difference of two states, or created in a new file.

mod identity;
mod instance;
mod record;
mod registry;
mod row;
mod users;

use crate::db::failed;
use crate::db::key::DbKey;
use crate::db::migrate::CONFIG;
use crate::db::open::{open_keyed, work_mode};
use crate::db::password::PasswordHash;
use crate::domain::state::State;
use crate::{Error, Result};
use rusqlite::{Connection, Transaction};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Reads the whole state.
pub fn load(connection: &Connection) -> Result<State> {
    let read = || -> rusqlite::Result<State> {
        Ok(State {
            meta: instance::load_meta(connection)?,
            users: users::load(connection)?,
            groups: identity::load_groups(connection)?,
            providers: identity::load_providers(connection)?,
            mapping_rules: identity::load_mapping_rules(connection)?,
            identities: identity::load_identities(connection)?,
            tokens: record::load_tokens(connection)?,
            revocations: record::load_revocations(connection)?,
            buckets: registry::load_buckets(connection)?,
            backends: registry::load_backends(connection)?,
            secrets: registry::load_secrets(connection)?,
            keyring: registry::load_keyring(connection)?,
            trusted_signers: instance::load_trusted_signers(connection)?,
            restores: record::load_restores(connection)?,
            config_history: record::load_config_history(connection)?,
        })
    };
    read().map_err(failed("load state"))
}

/// Writes what differs between the state that is in the database and the one that shall be, in one transaction. On an error nothing
/// was written.
pub fn write(connection: &mut Connection, old: &State, new: &State) -> Result<()> {
    let transaction = connection.transaction().map_err(failed("write state"))?;
    write_difference(&transaction, old, new).map_err(failed("write state"))?;
    transaction.commit().map_err(failed("write state"))
}

/// Makes a complete new database file (0600) that holds this state, closed, in rollback-journal mode, without side files. The caller
/// makes it durable. A file that is there is an error.
pub fn create(path: &Path, hash: &PasswordHash, state: &State) -> Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| Error::io("create database", error))?;
    let mut connection = open_keyed(path, &DbKey::of_config_db(hash))?;
    work_mode(&connection)?;
    CONFIG.migrate(&mut connection)?;
    write(&mut connection, &State::default(), state)?;
    connection.close().map_err(failed("create database"))
}

/// Makes a new database file with what an open one holds, under another hash: a re-key never touches the old file.
pub fn copy_with_key(from: &Connection, to: &Path, hash: &PasswordHash) -> Result<()> {
    create(to, hash, &load(from)?)
}

fn write_difference(to: &Transaction<'_>, old: &State, new: &State) -> rusqlite::Result<()> {
    instance::write_meta(to, &old.meta, &new.meta)?;
    users::write(to, &old.users, &new.users)?;
    identity::write_groups(to, &old.groups, &new.groups)?;
    identity::write_providers(to, &old.providers, &new.providers)?;
    identity::write_mapping_rules(to, &old.mapping_rules, &new.mapping_rules)?;
    identity::write_identities(to, &old.identities, &new.identities)?;
    record::write_tokens(to, &old.tokens, &new.tokens)?;
    record::write_revocations(to, &old.revocations, &new.revocations)?;
    registry::write_buckets(to, &old.buckets, &new.buckets)?;
    registry::write_backends(to, &old.backends, &new.backends)?;
    registry::write_secrets(to, &old.secrets, &new.secrets)?;
    registry::write_keyring(to, &old.keyring, &new.keyring)?;
    instance::write_trusted_signers(to, &old.trusted_signers, &new.trusted_signers)?;
    record::write_restores(to, &old.restores, &new.restores)?;
    record::write_config_history(to, &old.config_history, &new.config_history)
}

#[cfg(test)]
pub(super) mod tests;
