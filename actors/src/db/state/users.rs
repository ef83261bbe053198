//! The tables `users`, `access_keys` and `group_members`: one user is the rows of all three.

use super::row;
use crate::domain::iam::model::{AccessKey, Permission, User, UserId};
use crate::domain::secret::Secret;
use rusqlite::{Connection, Transaction, params};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) fn load(from: &Connection) -> rusqlite::Result<BTreeMap<UserId, Arc<User>>> {
    let mut users = row::load(from, "SELECT * FROM users", |row| {
        let user = User {
            id: row.get("id")?,
            name: row.get("name")?,
            enabled: row.get("enabled")?,
            created_at: row::time(row, "created_at")?,
            auth_source: row.get("auth_source")?,
            credential_version: row::count(row, "credential_version")?,
            permissions: row::json(row, "permissions_json")?,
            group_ids: BTreeSet::new(),
            keys: Vec::new(),
        };
        Ok((user.id.clone(), user))
    })?;
    let mut statement = from.prepare("SELECT * FROM access_keys ORDER BY user_id, position")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(user) = users.get_mut(&row.get::<_, String>("user_id")?) {
            user.keys.push(AccessKey {
                access_key_id: row.get("access_key_id")?,
                secret: Secret::new(row.get::<_, String>("secret")?),
                active: row.get("active")?,
                created_at: row::time(row, "created_at")?,
                expires_at: row::maybe_time(row, "expires_at")?,
            });
        }
    }
    let mut statement = from.prepare("SELECT user_id, group_id FROM group_members")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(user) = users.get_mut(&row.get::<_, String>("user_id")?) {
            user.group_ids.insert(row.get("group_id")?);
        }
    }
    let trimmed = |mut user: User| {
        user.keys.shrink_to_fit();
        Permission::trim(&mut user.permissions);
        Arc::new(user)
    };
    Ok(users.into_iter().map(|(id, user)| (id, trimmed(user))).collect())
}

pub(super) fn write(
    to: &Transaction<'_>,
    old: &BTreeMap<UserId, Arc<User>>,
    new: &BTreeMap<UserId, Arc<User>>,
) -> rusqlite::Result<()> {
    let delete = [
        "DELETE FROM users WHERE id = ?",
        "DELETE FROM access_keys WHERE user_id = ?",
        "DELETE FROM group_members WHERE user_id = ?",
    ];
    let insert = "INSERT INTO users (id, name, enabled, created_at, auth_source, credential_version, permissions_json)
                  VALUES (?, ?, ?, ?, ?, ?, ?)";
    let mut key = to.prepare_cached(
        "INSERT INTO access_keys (access_key_id, user_id, position, secret, active, created_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut member = to.prepare_cached("INSERT INTO group_members (user_id, group_id) VALUES (?, ?)")?;
    row::write(to, (old, new), (&delete, insert), row::by_text, |statement, id, user| {
        statement.execute(params![
            id,
            user.name,
            user.enabled,
            user.created_at.millis(),
            user.auth_source,
            row::integer(user.credential_version),
            row::to_json(&user.permissions)?,
        ])?;
        for (position, pair) in user.keys.iter().enumerate() {
            key.execute(params![
                pair.access_key_id,
                id,
                row::integer(position as u64),
                pair.secret.expose(),
                pair.active,
                pair.created_at.millis(),
                pair.expires_at.map(|at| at.millis()),
            ])?;
        }
        for group in &user.group_ids {
            member.execute([id, group])?;
        }
        Ok(())
    })
}
