//! The tables `buckets`, `backends`, `secrets` and `keyring`.

use super::row;
use crate::domain::bucket::settings::Settings;
use crate::domain::names::{BackendName, BucketName};
use crate::domain::secret::Secret;
use crate::domain::state::{Bucket, KeyPurpose, StoredKey};
use crate::{Error, ErrorKind};
use rusqlite::{Connection, Transaction, params};
use std::collections::BTreeMap;
use std::sync::Arc;

type Buckets = BTreeMap<BucketName, Arc<Bucket>>;
type Backends = BTreeMap<BackendName, String>;
type Secrets = BTreeMap<String, Secret>;
type Keyring = BTreeMap<String, Arc<StoredKey>>;

pub(super) fn load_buckets(from: &Connection) -> rusqlite::Result<Buckets> {
    row::load(from, "SELECT * FROM buckets", |row| {
        let alias = match row.get::<_, Option<String>>("alias")? {
            Some(_) => Some(row::checked(row, "alias", BucketName::new)?),
            None => None,
        };
        let bucket = Bucket {
            name: row::checked(row, "name", BucketName::new)?,
            backend: row::checked(row, "backend", BackendName::new)?,
            alias,
            owner: row.get("owner")?,
            created_at: row::time(row, "created_at")?,
            public_prefixes: row::json(row, "public_prefixes_json")?,
            settings: Settings {
                tags: row::json(row, "tags_json")?,
                cors: row::json(row, "cors_json")?,
                lifecycle: row::json(row, "lifecycle_json")?,
                quota_bytes: row.get::<_, Option<i64>>("quota_bytes")?.map(i64::unsigned_abs),
                read_only: row.get("read_only")?,
            },
        };
        Ok((bucket.name.clone(), Arc::new(bucket)))
    })
}

pub(super) fn write_buckets(to: &Transaction<'_>, old: &Buckets, new: &Buckets) -> rusqlite::Result<()> {
    let sql: (&[&str], &str) = (
        &["DELETE FROM buckets WHERE name = ?"],
        "INSERT INTO buckets (name, backend, alias, owner, created_at, public_prefixes_json, tags_json, cors_json, \
         lifecycle_json, quota_bytes, read_only) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    let delete = |statement: &mut rusqlite::CachedStatement<'_>, name: &BucketName| statement.execute([name.as_str()]);
    row::write(to, (old, new), sql, delete, |statement, name, bucket| {
        let alias = bucket.alias.as_ref().map(BucketName::as_str);
        let (backend, at) = (bucket.backend.as_str(), bucket.created_at.millis());
        let public = row::to_json(&bucket.public_prefixes)?;
        let Settings { tags, cors, lifecycle, quota_bytes, read_only } = &bucket.settings;
        let (tags, cors, lifecycle) = (row::to_json(tags)?, row::to_json(cors)?, row::to_json(lifecycle)?);
        let name = name.as_str();
        // No quota is larger than what the column holds: the setting was checked.
        let quota = quota_bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        statement.execute(params![
            name,
            backend,
            alias,
            bucket.owner,
            at,
            public,
            tags,
            cors,
            lifecycle,
            quota,
            read_only
        ])?;
        Ok(())
    })
}

pub(super) fn load_backends(from: &Connection) -> rusqlite::Result<Backends> {
    row::load(from, "SELECT * FROM backends", |row| Ok((row::checked(row, "name", BackendName::new)?, row.get("id")?)))
}

pub(super) fn write_backends(to: &Transaction<'_>, old: &Backends, new: &Backends) -> rusqlite::Result<()> {
    let sql: (&[&str], &str) =
        (&["DELETE FROM backends WHERE name = ?"], "INSERT INTO backends (name, id) VALUES (?, ?)");
    let delete = |statement: &mut rusqlite::CachedStatement<'_>, name: &BackendName| statement.execute([name.as_str()]);
    row::write(to, (old, new), sql, delete, |statement, name, id| {
        statement.execute([name.as_str(), id])?;
        Ok(())
    })
}

pub(super) fn load_secrets(from: &Connection) -> rusqlite::Result<Secrets> {
    row::load(from, "SELECT * FROM secrets", |row| Ok((row.get("name")?, Secret::new(row.get::<_, String>("value")?))))
}

pub(super) fn write_secrets(to: &Transaction<'_>, old: &Secrets, new: &Secrets) -> rusqlite::Result<()> {
    let sql: (&[&str], &str) =
        (&["DELETE FROM secrets WHERE name = ?"], "INSERT INTO secrets (name, value) VALUES (?, ?)");
    row::write(to, (old, new), sql, row::by_text, |statement, name, value| {
        statement.execute([name.as_str(), value.expose()])?;
        Ok(())
    })
}

pub(super) fn load_keyring(from: &Connection) -> rusqlite::Result<Keyring> {
    row::load(from, "SELECT * FROM keyring", |row| {
        let key = StoredKey {
            id: row.get("id")?,
            purpose: row::checked(row, "purpose", purpose)?,
            key: Secret::new(row.get::<_, String>("key")?),
            created_at: row::time(row, "created_at")?,
            active: row.get("active")?,
        };
        Ok((key.id.clone(), Arc::new(key)))
    })
}

pub(super) fn write_keyring(to: &Transaction<'_>, old: &Keyring, new: &Keyring) -> rusqlite::Result<()> {
    let sql: (&[&str], &str) = (
        &["DELETE FROM keyring WHERE id = ?"],
        "INSERT INTO keyring (id, purpose, key, created_at, active) VALUES (?, ?, ?, ?, ?)",
    );
    row::write(to, (old, new), sql, row::by_text, |statement, id, key| {
        let (name, at) = (purpose_name(key.purpose), key.created_at.millis());
        statement.execute(params![id, name, key.key.expose(), at, key.active])?;
        Ok(())
    })
}

fn purpose_name(purpose: KeyPurpose) -> &'static str {
    match purpose {
        KeyPurpose::MetadataMac => "metadata_mac",
        KeyPurpose::ObjectData => "object_data",
    }
}

fn purpose(name: &str) -> Result<KeyPurpose, Error> {
    match name {
        "metadata_mac" => Ok(KeyPurpose::MetadataMac),
        "object_data" => Ok(KeyPurpose::ObjectData),
        _ => Err(Error::new(ErrorKind::Invalid, "load keyring", format!("`{name}` is no purpose of a key"))),
    }
}
