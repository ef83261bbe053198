//! `iam.json` of version 1, which is also the legacy JSON body: users with their secrets, numbers as ids.

use super::report::{Report, is_redacted};
use super::shapes::{Document, KNOWN, OlderGroup, OlderIdentity, OlderPermission, OlderProvider, OlderRule, OlderUser};
use crate::Error;
use crate::domain::archive::decode::decode;
use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::json::{Node, Value as Json};
use crate::domain::archive::parts::{AccessKeyEntry, GroupEntry, IamPart, SecretsPart, UserEntry};
use crate::domain::clock::Timestamp;
use crate::domain::iam::model::{AuthProvider, ExternalIdentity, MappingRule, Permission};
use crate::domain::secret::Secret;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// How a number becomes an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ids {
    /// The number in text: the archive replaces everything, so it can collide with nothing.
    Numbers,
    /// A digest of what it is the id of: it is added to what is there, where another thing may have the number.
    Digests,
}

/// Reads the document `part`.
pub(super) fn read(part: &str, tree: &Node, report: &mut Report) -> Result<Document, Error> {
    let document = decode(tree).map_err(|e| ArchiveFault::IamShape.error(format!("{part}, {e}")))?;
    let Json::Map(members) = &tree.value else { return Ok(document) };
    for (name, node) in members.iter().filter(|(name, _)| name != "version") {
        let Some((_, fields)) = KNOWN.iter().find(|(list, _)| list == name) else {
            report.gap("unknown_field", format!("{part}, {name}"), "this version does not know it: left out", None);
            continue;
        };
        let mut unknown = BTreeSet::new();
        for item in node.list().unwrap_or_default() {
            let Json::Map(entries) = &item.value else { continue };
            unknown.extend(entries.iter().map(|(field, _)| field.as_str()).filter(|field| !fields.contains(field)));
        }
        for field in unknown {
            let place = format!("{part}, {name}[].{field}");
            report.gap("unknown_field", place, "this version does not know it: left out", None);
        }
    }
    Ok(document)
}

/// Converts the document; its secrets go to `secrets`.
pub(super) fn convert(
    document: Document,
    oauth: &BTreeMap<String, Secret>,
    when: Timestamp,
    ids: Ids,
    secrets: &mut SecretsPart,
    report: &mut Report,
) -> IamPart {
    let mut group_ids = Numbers::new();
    let mut names = Names::new("group");
    let mut groups = Vec::new();
    for group in document.groups {
        let name = names.free(&group.name);
        let id = ids.of(Some(group.id), "group", &[&name]);
        names.tell(&group.name, &name, format!("PUT /_/api/admin/groups/{id}"), report);
        group_ids.insert(group.id, id.clone());
        let listed = group.member_ids.clone();
        groups.push((listed, converted_group(group, id, name, when)));
    }
    let external: BTreeSet<i64> = document.external_identities.iter().map(|identity| identity.user_id).collect();
    let mut names = Names::new("user");
    let mut user_ids = Numbers::new();
    let mut users = Vec::new();
    for user in document.users {
        let wanted = if user.name.is_empty() { user.access_key_id.clone() } else { user.name.clone() };
        let name = names.free(&wanted);
        let id = ids.of(user.id, "user", &[&name, &user.access_key_id]);
        names.tell(&wanted, &name, format!("PUT /_/api/admin/users/{id}"), report);
        user_ids.extend(user.id.map(|number| (number, id.clone())));
        let signs_in = user.id.is_some_and(|id| external.contains(&id));
        let mut converted = converted_user(user, id, name, when, (&group_ids, secrets), report);
        converted.auth_source = if signs_in { "external" } else { "local" }.to_owned();
        users.push(converted);
    }
    let groups = groups.into_iter().map(|(listed, group)| members(listed, group, &users, &user_ids, report)).collect();
    let (auth_providers, provider_ids) = providers(document.auth_providers, oauth, when, ids, secrets, report);
    let mapping_rules = rules(document.mapping_rules, &provider_ids, &group_ids, when, ids, report);
    let external_identities = identities(document.external_identities, (&user_ids, &provider_ids), when, ids, report);
    IamPart {
        users: sorted(users, |user| &user.id),
        groups: sorted(groups, |group: &GroupEntry| &group.id),
        auth_providers: sorted(auth_providers, |provider| &provider.id),
        mapping_rules: sorted(mapping_rules, |rule| &rule.id),
        external_identities: sorted(external_identities, |identity| &identity.id),
        tokens: Vec::new(),
        revocations: Vec::new(),
    }
}

fn converted_group(group: OlderGroup, id: String, name: String, when: Timestamp) -> GroupEntry {
    GroupEntry {
        id,
        name,
        description: group.description.unwrap_or_default(),
        created_at: when,
        permissions: permissions(group.permissions),
        member_ids: Vec::new(),
    }
}

/// The user without its source. A key without its secret is left out.
fn converted_user(
    user: OlderUser,
    id: String,
    name: String,
    when: Timestamp,
    (groups, secrets): (&Numbers, &mut SecretsPart),
    report: &mut Report,
) -> UserEntry {
    let mut keys = Vec::new();
    match user.secret_access_key.filter(|secret| !secret.is_empty() && !is_redacted(secret.expose())) {
        Some(secret) => {
            secrets.user_secrets.insert(user.access_key_id.clone(), secret);
            let access_key_id = user.access_key_id.clone();
            keys.push(AccessKeyEntry { access_key_id, active: true, created_at: when, expires_at: None });
        }
        None => report.gap(
            "secret_missing",
            format!("users: `{name}`"),
            format!("the secret of the access key {} is not in the archive: the key is left out", user.access_key_id),
            Some(format!("POST /_/api/admin/users/{id}/keys")),
        ),
    }
    // A group that is not there keeps its number, and is found by the checks.
    let group = |number: &i64| groups.get(number).cloned().unwrap_or_else(|| number.to_string());
    let group_ids: BTreeSet<String> = user.group_ids.iter().map(group).collect();
    UserEntry {
        access_key_id: keys.first().map(|key| key.access_key_id.clone()),
        id,
        name,
        keys,
        enabled: user.enabled,
        created_at: when,
        auth_source: String::new(),
        credential_version: 0,
        permissions: permissions(user.permissions),
        group_ids: group_ids.into_iter().collect(),
    }
}

fn sorted<T>(mut list: Vec<T>, id: impl Fn(&T) -> &String) -> Vec<T> {
    list.sort_by(|a, b| id(a).cmp(id(b)));
    list
}

type Numbers = BTreeMap<i64, String>;

/// Membership is what the users say; where the group's own list says something else, that is a line.
fn members(
    listed: Vec<i64>,
    mut group: GroupEntry,
    users: &[UserEntry],
    user_ids: &Numbers,
    report: &mut Report,
) -> GroupEntry {
    let members = users.iter().filter(|user| user.group_ids.contains(&group.id));
    group.member_ids = members.map(|user| user.id.clone()).collect();
    group.member_ids.sort();
    let listed: BTreeSet<&String> = listed.iter().filter_map(|number| user_ids.get(number)).collect();
    if !user_ids.is_empty() && listed != group.member_ids.iter().collect() {
        report.gap(
            "membership_differs",
            format!("groups: `{}`", group.name),
            "its list of members is not what the users' groups say: the users' groups count",
            Some(format!("PUT /_/api/admin/groups/{}", group.id)),
        );
    }
    group
}

fn providers(
    list: Vec<OlderProvider>,
    oauth: &BTreeMap<String, Secret>,
    when: Timestamp,
    ids: Ids,
    secrets: &mut SecretsPart,
    report: &mut Report,
) -> (Vec<AuthProvider>, Numbers) {
    let mut numbers = Numbers::new();
    let mut names = Names::new("provider");
    let mut providers = Vec::new();
    for provider in list {
        let name = names.free(&provider.name);
        let id = ids.of(Some(provider.id), "provider", &[&name]);
        let call = format!("PUT /_/api/admin/ext-auth/providers/{id}");
        names.tell(&provider.name, &name, call.clone(), report);
        numbers.insert(provider.id, id.clone());
        let known = |secret: &Secret| !secret.is_empty() && !is_redacted(secret.expose());
        let secret = provider.client_secret.filter(known).or_else(|| oauth.get(&provider.name).cloned().filter(known));
        match secret {
            Some(secret) => drop(secrets.oauth_client_secrets.insert(name.clone(), secret)),
            None => report.gap(
                "secret_missing",
                format!("auth_providers: `{name}`"),
                "its client secret is not in the archive: nobody can sign in with it",
                Some(call),
            ),
        }
        providers.push(AuthProvider {
            id,
            name,
            provider_type: provider.provider_type,
            enabled: provider.enabled,
            priority: provider.priority,
            display_name: provider.display_name,
            client_id: provider.client_id,
            client_secret: None,
            issuer_url: provider.issuer_url,
            scopes: provider.scopes,
            extra_config: provider.extra_config,
            created_at: moment(provider.created_at, when),
            updated_at: moment(provider.updated_at, when),
        });
    }
    (providers, numbers)
}

fn rules(
    list: Vec<OlderRule>,
    providers: &Numbers,
    groups: &Numbers,
    when: Timestamp,
    ids: Ids,
    report: &mut Report,
) -> Vec<MappingRule> {
    let mut seen = BTreeSet::new();
    let mut rules = Vec::new();
    for rule in list {
        let number = rule.provider_id.map(|id| id.to_string()).unwrap_or_default();
        let group = groups.get(&rule.group_id).cloned().unwrap_or_else(|| rule.group_id.to_string());
        let provider = rule.provider_id.map(|id| providers.get(&id).cloned().unwrap_or_else(|| number.clone()));
        let shown = provider.clone().unwrap_or_default();
        let meaning = [&rule.match_type, &rule.match_field, &rule.match_value, &group, &shown].map(String::as_str);
        let id = ids.of(rule.id, "rule", &meaning);
        // Each import of version 1 added every rule once more.
        if !seen.insert(id.clone()) && (ids == Ids::Digests || rule.id.is_none()) {
            continue;
        }
        let known = rule.provider_id.is_none_or(|id| providers.contains_key(&id));
        if !known {
            // It keeps the name of the provider that it was for: without one it would hold for all.
            report.gap(
                "rule_disabled",
                format!("mapping_rules: {id}"),
                format!("its provider {number} is not in the archive: the rule comes disabled"),
                Some(format!("PUT /_/api/admin/ext-auth/mappings/{id}")),
            );
        }
        rules.push(MappingRule {
            id,
            provider_id: provider,
            priority: rule.priority,
            match_type: rule.match_type,
            match_field: rule.match_field,
            match_value: rule.match_value,
            group_id: group,
            created_at: moment(rule.created_at, when),
            enabled: known,
        });
    }
    rules
}

fn identities(
    list: Vec<OlderIdentity>,
    (users, providers): (&Numbers, &Numbers),
    when: Timestamp,
    ids: Ids,
    report: &mut Report,
) -> Vec<ExternalIdentity> {
    let mut identities = Vec::new();
    for (index, identity) in list.into_iter().enumerate() {
        let (Some(user), Some(provider)) = (users.get(&identity.user_id), providers.get(&identity.provider_id)) else {
            report.gap(
                "identity_dropped",
                format!("external_identities[{index}]"),
                "its user or its provider is not in the archive: it is left out, and made anew when its person signs in",
                Some("POST /_/api/admin/ext-auth/identities".to_owned()),
            );
            continue;
        };
        identities.push(ExternalIdentity {
            id: ids.of(identity.id, "identity", &[provider, &identity.external_sub]),
            user_id: user.clone(),
            provider_id: provider.clone(),
            external_sub: identity.external_sub,
            email: identity.email,
            display_name: identity.display_name,
            raw_claims: identity.raw_claims,
            email_verified: identity.email_verified,
            created_at: moment(identity.created_at, when),
            rule_group_ids: BTreeSet::new(),
        });
    }
    identities
}

fn permissions(list: Vec<OlderPermission>) -> Vec<Permission> {
    let convert = |(index, older): (usize, OlderPermission)| Permission {
        id: older.id.map_or_else(|| (index + 1).to_string(), |id| id.to_string()),
        effect: older.effect,
        actions: older.actions,
        resources: older.resources,
        conditions: older.conditions.unwrap_or_default(),
    };
    list.into_iter().enumerate().map(convert).collect()
}

/// `2026-11-22 21:57:33`, as SQLite writes it, or RFC 3339.
fn moment(text: Option<String>, otherwise: Timestamp) -> Timestamp {
    let text = text.unwrap_or_default();
    let written = || Timestamp::parse_rfc3339(&format!("{}Z", text.replacen(' ', "T", 1)));
    Timestamp::parse_rfc3339(&text).or_else(written).unwrap_or(otherwise)
}

impl Ids {
    fn of(self, number: Option<i64>, kind: &str, meaning: &[&str]) -> String {
        match (self, number) {
            (Self::Numbers, Some(number)) => number.to_string(),
            _ => {
                let mut digest = Sha256::new();
                for part in [kind].iter().chain(meaning) {
                    digest.update((part.len() as u64).to_le_bytes());
                    digest.update(part.as_bytes());
                }
                format!("v1-{kind}-{}", hex::encode(&digest.finalize()[..8]))
            }
        }
    }
}

/// The names of one list: version 1 let two things have one name.
struct Names {
    kind: &'static str,
    taken: BTreeSet<String>,
}

impl Names {
    fn new(kind: &'static str) -> Self {
        Self { kind, taken: BTreeSet::new() }
    }

    /// The name, or with the first free number behind it.
    fn free(&mut self, name: &str) -> String {
        let mut free = name.to_owned();
        let mut number = 1;
        while !self.taken.insert(free.clone()) {
            number += 1;
            free = format!("{name}-{number}");
        }
        free
    }

    fn tell(&self, name: &str, free: &str, call: String, report: &mut Report) {
        if free != name {
            let what = format!("another {} is named so: this one comes as `{free}`", self.kind);
            report.gap("renamed", format!("{}s: `{name}`", self.kind), what, Some(call));
        }
    }
}
