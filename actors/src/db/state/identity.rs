//! The tables `groups`, `auth_providers`, `mapping_rules` and `external_identities`.

use super::row;
use crate::domain::iam::model::{AuthProvider, ExternalIdentity, Group, GroupId, MappingRule};
use crate::domain::secret::Secret;
use rusqlite::{Connection, Transaction, params};
use std::collections::BTreeMap;
use std::sync::Arc;

type Map<T> = BTreeMap<String, Arc<T>>;

pub(super) fn load_groups(from: &Connection) -> rusqlite::Result<BTreeMap<GroupId, Arc<Group>>> {
    row::load(from, "SELECT * FROM groups", |row| {
        let group = Group {
            id: row.get("id")?,
            name: row.get("name")?,
            description: row.get("description")?,
            created_at: row::time(row, "created_at")?,
            permissions: row::json(row, "permissions_json")?,
        };
        Ok((group.id.clone(), Arc::new(group)))
    })
}

pub(super) fn write_groups(to: &Transaction<'_>, old: &Map<Group>, new: &Map<Group>) -> rusqlite::Result<()> {
    let insert = "INSERT INTO groups (id, name, description, created_at, permissions_json) VALUES (?, ?, ?, ?, ?)";
    row::write(to, (old, new), (&["DELETE FROM groups WHERE id = ?"], insert), row::by_text, |statement, id, group| {
        let rules = row::to_json(&group.permissions)?;
        statement.execute(params![id, group.name, group.description, group.created_at.millis(), rules])?;
        Ok(())
    })
}

pub(super) fn load_providers(from: &Connection) -> rusqlite::Result<Map<AuthProvider>> {
    row::load(from, "SELECT * FROM auth_providers", |row| {
        let provider = AuthProvider {
            id: row.get("id")?,
            name: row.get("name")?,
            provider_type: row.get("provider_type")?,
            enabled: row.get("enabled")?,
            priority: row.get("priority")?,
            display_name: row.get("display_name")?,
            client_id: row.get("client_id")?,
            client_secret: row.get::<_, Option<String>>("client_secret")?.map(Secret::new),
            issuer_url: row.get("issuer_url")?,
            scopes: row.get("scopes")?,
            extra_config: row::maybe_json(row, "extra_config_json")?,
            created_at: row::time(row, "created_at")?,
            updated_at: row::time(row, "updated_at")?,
        };
        Ok((provider.id.clone(), Arc::new(provider)))
    })
}

pub(super) fn write_providers(
    to: &Transaction<'_>,
    old: &Map<AuthProvider>,
    new: &Map<AuthProvider>,
) -> rusqlite::Result<()> {
    let delete = ["DELETE FROM auth_providers WHERE id = ?"];
    let insert = "INSERT INTO auth_providers (id, name, provider_type, enabled, priority, display_name, client_id,
                  client_secret, issuer_url, scopes, extra_config_json, created_at, updated_at)
                  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    row::write(to, (old, new), (&delete, insert), row::by_text, |statement, id, provider| {
        statement.execute(params![
            id,
            provider.name,
            provider.provider_type,
            provider.enabled,
            provider.priority,
            provider.display_name,
            provider.client_id,
            provider.client_secret.as_ref().map(Secret::expose),
            provider.issuer_url,
            provider.scopes,
            provider.extra_config.as_ref().map(row::to_json).transpose()?,
            provider.created_at.millis(),
            provider.updated_at.millis(),
        ])?;
        Ok(())
    })
}

pub(super) fn load_mapping_rules(from: &Connection) -> rusqlite::Result<Map<MappingRule>> {
    row::load(from, "SELECT * FROM mapping_rules", |row| {
        let rule = MappingRule {
            id: row.get("id")?,
            provider_id: row.get("provider_id")?,
            priority: row.get("priority")?,
            match_type: row.get("match_type")?,
            match_field: row.get("match_field")?,
            match_value: row.get("match_value")?,
            group_id: row.get("group_id")?,
            created_at: row::time(row, "created_at")?,
            enabled: row.get("enabled")?,
        };
        Ok((rule.id.clone(), Arc::new(rule)))
    })
}

pub(super) fn write_mapping_rules(
    to: &Transaction<'_>,
    old: &Map<MappingRule>,
    new: &Map<MappingRule>,
) -> rusqlite::Result<()> {
    let delete = ["DELETE FROM mapping_rules WHERE id = ?"];
    let insert = "INSERT INTO mapping_rules (id, provider_id, priority, match_type, match_field, match_value, group_id,
                  created_at, enabled) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    row::write(to, (old, new), (&delete, insert), row::by_text, |statement, id, rule| {
        statement.execute(params![
            id,
            rule.provider_id,
            rule.priority,
            rule.match_type,
            rule.match_field,
            rule.match_value,
            rule.group_id,
            rule.created_at.millis(),
            rule.enabled,
        ])?;
        Ok(())
    })
}

pub(super) fn load_identities(from: &Connection) -> rusqlite::Result<Map<ExternalIdentity>> {
    row::load(from, "SELECT * FROM external_identities", |row| {
        let identity = ExternalIdentity {
            id: row.get("id")?,
            user_id: row.get("user_id")?,
            provider_id: row.get("provider_id")?,
            external_sub: row.get("external_sub")?,
            email: row.get("email")?,
            display_name: row.get("display_name")?,
            raw_claims: row::maybe_json(row, "raw_claims_json")?,
            email_verified: row.get("email_verified")?,
            rule_group_ids: row::json(row, "rule_group_ids_json")?,
            created_at: row::time(row, "created_at")?,
        };
        Ok((identity.id.clone(), Arc::new(identity)))
    })
}

pub(super) fn write_identities(
    to: &Transaction<'_>,
    old: &Map<ExternalIdentity>,
    new: &Map<ExternalIdentity>,
) -> rusqlite::Result<()> {
    let delete = ["DELETE FROM external_identities WHERE id = ?"];
    let insert = "INSERT INTO external_identities (id, user_id, provider_id, external_sub, email, display_name,
                  raw_claims_json, email_verified, rule_group_ids_json, created_at)
                  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    row::write(to, (old, new), (&delete, insert), row::by_text, |statement, id, identity| {
        statement.execute(params![
            id,
            identity.user_id,
            identity.provider_id,
            identity.external_sub,
            identity.email,
            identity.display_name,
            identity.raw_claims.as_ref().map(row::to_json).transpose()?,
            identity.email_verified,
            row::to_json(&identity.rule_group_ids)?,
            identity.created_at.millis(),
        ])?;
        Ok(())
    })
}
