//! What the parts of an archive must mean to one another: unique names, known permissions, references that lead somewhere.

use crate::Error;
use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::manifest::{Counts, Manifest};
use crate::domain::archive::parts::{IamPart, SecretsPart};
use crate::domain::iam::check::check_permission;
use crate::domain::iam::model::Permission;
use crate::domain::state::{KeyPurpose, StoredKey};
use std::collections::{BTreeMap, BTreeSet};

/// Checks `iam.json` by itself.
pub fn iam(part: &IamPart) -> Result<(), Error> {
    users(part)?;
    groups(part)?;
    sign_in(part)?;
    unique("tokens", part.tokens.iter().map(|t| t.id.as_str()), ArchiveFault::DuplicateId)?;
    unique("tokens", part.tokens.iter().map(|t| t.sha256.as_str()), ArchiveFault::DuplicateId)?;
    for (index, token) in part.tokens.iter().enumerate() {
        let hash = &token.sha256;
        if hash.len() != 64 || !hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            let place = format!("iam.json, tokens[{index}].sha256: not 64 lower-case hex digits");
            return Err(ArchiveFault::IamShape.error(place));
        }
        permissions(&format!("tokens[{index}]"), &token.permissions)?;
    }
    let mut seen = BTreeSet::new();
    for revocation in &part.revocations {
        if !seen.insert((&revocation.kind, &revocation.fingerprint)) {
            let place = format!("iam.json, revocations: {} `{}`", revocation.kind, revocation.fingerprint);
            return Err(ArchiveFault::DuplicateId.error(place));
        }
    }
    Ok(())
}

fn users(part: &IamPart) -> Result<(), Error> {
    unique("users", part.users.iter().map(|u| u.id.as_str()), ArchiveFault::DuplicateId)?;
    unique("users", part.users.iter().map(|u| u.name.as_str()), ArchiveFault::DuplicateName)?;
    let groups: BTreeSet<&str> = part.groups.iter().map(|g| g.id.as_str()).collect();
    let mut access_keys = BTreeSet::new();
    for (index, user) in part.users.iter().enumerate() {
        let place = format!("users[{index}]");
        if user.name.starts_with('$') {
            return Err(ArchiveFault::IdInvalid.error(format!("iam.json, {place}.name begins with `$`")));
        }
        if user.access_key_id.as_ref() != user.keys.first().map(|key| &key.access_key_id) {
            let message = format!("iam.json, {place}.access_key_id: not the id of the first key in `keys`");
            return Err(ArchiveFault::IamShape.error(message));
        }
        for key in &user.keys {
            let id = key.access_key_id.as_str();
            if id.is_empty() {
                return Err(ArchiveFault::IdInvalid.error(format!("iam.json, {place}.keys: an empty access key id")));
            }
            if !access_keys.insert(id) {
                return Err(ArchiveFault::DuplicateAccessKey.error(format!("iam.json, {place}: `{id}`")));
            }
        }
        unique(&format!("{place}.group_ids"), user.group_ids.iter().map(String::as_str), ArchiveFault::DuplicateId)?;
        for group in &user.group_ids {
            if !groups.contains(group.as_str()) {
                return Err(ArchiveFault::DanglingGroup.error(format!("iam.json, {place}.group_ids: `{group}`")));
            }
        }
        permissions(&place, &user.permissions)?;
    }
    Ok(())
}

fn groups(part: &IamPart) -> Result<(), Error> {
    unique("groups", part.groups.iter().map(|g| g.id.as_str()), ArchiveFault::DuplicateId)?;
    unique("groups", part.groups.iter().map(|g| g.name.as_str()), ArchiveFault::DuplicateName)?;
    let users: BTreeSet<&str> = part.users.iter().map(|u| u.id.as_str()).collect();
    let mut members: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for user in &part.users {
        for group in &user.group_ids {
            members.entry(group.as_str()).or_default().insert(user.id.as_str());
        }
    }
    for (index, group) in part.groups.iter().enumerate() {
        let place = format!("groups[{index}]");
        for member in &group.member_ids {
            if !users.contains(member.as_str()) {
                return Err(ArchiveFault::DanglingUser.error(format!("iam.json, {place}.member_ids: `{member}`")));
            }
        }
        let listed: BTreeSet<&str> = group.member_ids.iter().map(String::as_str).collect();
        if listed != members.remove(group.id.as_str()).unwrap_or_default() {
            return Err(ArchiveFault::MembershipMismatch.error(format!("iam.json, {place}: `{}`", group.name)));
        }
        permissions(&place, &group.permissions)?;
    }
    Ok(())
}

fn sign_in(part: &IamPart) -> Result<(), Error> {
    unique("auth_providers", part.auth_providers.iter().map(|p| p.id.as_str()), ArchiveFault::DuplicateId)?;
    unique("auth_providers", part.auth_providers.iter().map(|p| p.name.as_str()), ArchiveFault::DuplicateName)?;
    unique("mapping_rules", part.mapping_rules.iter().map(|r| r.id.as_str()), ArchiveFault::DuplicateId)?;
    unique("external_identities", part.external_identities.iter().map(|i| i.id.as_str()), ArchiveFault::DuplicateId)?;
    let users: BTreeSet<&str> = part.users.iter().map(|u| u.id.as_str()).collect();
    let groups: BTreeSet<&str> = part.groups.iter().map(|g| g.id.as_str()).collect();
    let providers: BTreeSet<&str> = part.auth_providers.iter().map(|p| p.id.as_str()).collect();
    for (index, rule) in part.mapping_rules.iter().enumerate() {
        let place = format!("iam.json, mapping_rules[{index}]");
        // A disabled rule gives nobody anything; it keeps the provider's name until one of it is there.
        if let Some(provider) = rule.provider_id.as_deref().filter(|id| rule.enabled && !providers.contains(id)) {
            return Err(ArchiveFault::DanglingProvider.error(format!("{place}.provider_id: `{provider}`")));
        }
        if !groups.contains(rule.group_id.as_str()) {
            return Err(ArchiveFault::DanglingGroup.error(format!("{place}.group_id: `{}`", rule.group_id)));
        }
    }
    let mut subjects = BTreeSet::new();
    for (index, identity) in part.external_identities.iter().enumerate() {
        let place = format!("iam.json, external_identities[{index}]");
        if !users.contains(identity.user_id.as_str()) {
            return Err(ArchiveFault::DanglingUser.error(format!("{place}.user_id: `{}`", identity.user_id)));
        }
        if !providers.contains(identity.provider_id.as_str()) {
            return Err(
                ArchiveFault::DanglingProvider.error(format!("{place}.provider_id: `{}`", identity.provider_id))
            );
        }
        if let Some(group) = identity.rule_group_ids.iter().find(|id| !groups.contains(id.as_str())) {
            return Err(ArchiveFault::DanglingGroup.error(format!("{place}.rule_group_ids: `{group}`")));
        }
        if !subjects.insert((&identity.provider_id, &identity.external_sub)) {
            return Err(ArchiveFault::DuplicateName.error(format!("{place}.external_sub: bound twice")));
        }
    }
    Ok(())
}

fn permissions(place: &str, permissions: &[Permission]) -> Result<(), Error> {
    for (index, permission) in permissions.iter().enumerate() {
        check_permission(permission).map_err(|why| {
            ArchiveFault::PermissionUnknown.error(format!("iam.json, {place}.permissions[{index}]: {why}"))
        })?;
    }
    Ok(())
}

fn unique<'a>(list: &str, ids: impl Iterator<Item = &'a str>, fault: ArchiveFault) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if id.is_empty() {
            return Err(ArchiveFault::IdInvalid.error(format!("iam.json, {list}: an empty id or name")));
        }
        if !seen.insert(id) {
            return Err(fault.error(format!("iam.json, {list}: `{id}`")));
        }
    }
    Ok(())
}

/// Checks that `secrets.json` holds what the others need, and nothing else.
pub fn secrets(manifest: &Manifest, iam: &IamPart, part: &SecretsPart) -> Result<(), Error> {
    let access_keys: BTreeSet<&str> =
        iam.users.iter().flat_map(|u| &u.keys).map(|key| key.access_key_id.as_str()).collect();
    if let Some(id) = access_keys.iter().find(|id| !part.user_secrets.contains_key(**id)) {
        return Err(ArchiveFault::SecretMissing.error(format!("secrets.json, user_secrets: `{id}`")));
    }
    if let Some(id) = part.user_secrets.keys().find(|id| !access_keys.contains(id.as_str())) {
        return Err(ArchiveFault::SecretOrphan.error(format!("secrets.json, user_secrets: `{id}`")));
    }
    let named = |name: &String| iam.auth_providers.iter().any(|provider| provider.name == *name);
    if let Some(name) = part.oauth_client_secrets.keys().find(|name| !named(name)) {
        return Err(ArchiveFault::SecretOrphan.error(format!("secrets.json, oauth_client_secrets: `{name}`")));
    }
    if let Some(name) = part.resolved.keys().find(|name| !is_reference(name)) {
        let message = format!("secrets.json, resolved: `{name}` is no `env:`, `file:` or `stored:` reference");
        return Err(ArchiveFault::SecretsShape.error(message));
    }
    keys(manifest, part)
}

fn is_reference(name: &str) -> bool {
    ["env:", "file:", "stored:"].iter().any(|kind| name.len() > kind.len() && name.starts_with(kind))
}

fn keys(manifest: &Manifest, part: &SecretsPart) -> Result<(), Error> {
    for (id, key) in &part.encryption_keys {
        let text = key.expose();
        if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(ArchiveFault::KeyMalformed.error(format!("secrets.json, encryption_keys: `{id}`")));
        }
        if !manifest.encryption_keys.iter().any(|entry| entry.id == *id && entry.included) {
            return Err(ArchiveFault::KeyUnlisted.error(format!("secrets.json, encryption_keys: `{id}`")));
        }
    }
    for entry in manifest.encryption_keys.iter().filter(|entry| entry.included) {
        let Some(key) = part.encryption_keys.get(&entry.id) else {
            return Err(ArchiveFault::KeyMissing.error(format!("`{}`", entry.id)));
        };
        let stored = StoredKey {
            id: entry.id.clone(),
            purpose: KeyPurpose::MetadataMac,
            key: key.clone(),
            created_at: entry.created_at,
            active: false,
        };
        if stored.fingerprint() != entry.fingerprint {
            return Err(ArchiveFault::KeyFingerprint.error(format!("`{}`", entry.id)));
        }
    }
    Ok(())
}

/// Checks that the parts hold as much as the manifest says.
pub fn counts(manifest: &Manifest, iam: &IamPart, buckets: usize) -> Result<(), Error> {
    let found = count(iam, buckets);
    if found == manifest.counts {
        return Ok(());
    }
    Err(ArchiveFault::CountsMismatch.error(format!("manifest {:?}, found {found:?}", manifest.counts)))
}

/// How many entries each list has.
pub fn count(iam: &IamPart, buckets: usize) -> Counts {
    let number = |n: usize| n as u64;
    Counts {
        users: number(iam.users.len()),
        groups: number(iam.groups.len()),
        auth_providers: number(iam.auth_providers.len()),
        mapping_rules: number(iam.mapping_rules.len()),
        external_identities: number(iam.external_identities.len()),
        tokens: number(iam.tokens.len()),
        revocations: number(iam.revocations.len()),
        buckets: number(buckets),
    }
}
