//! An evaluator of rules that takes no short cut: tables, recursion and plain comparisons, for the tests alone.

use crate::domain::iam::context::AccessRequest;
use crate::domain::iam::model::{Effect, Permission, User};
use crate::domain::state::State;

/// What an operation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    Object,
    Bucket,
    Listing,
    Nothing,
}

/// Operations of every kind.
pub(super) const OPERATIONS: &[(&str, On)] = &[
    ("s3:GetObject", On::Object),
    ("s3:PutObject", On::Object),
    ("s3:DeleteObject", On::Object),
    ("s3:AbortMultipartUpload", On::Object),
    ("s3:ListMultipartUploadParts", On::Object),
    ("s3:ListBucket", On::Listing),
    ("s3:ListBucketVersions", On::Listing),
    ("s3:GetBucketLocation", On::Bucket),
    ("s3:CreateBucket", On::Bucket),
    ("s3:DeleteBucket", On::Bucket),
    ("s3:ListAllMyBuckets", On::Nothing),
    ("admin", On::Nothing),
    ("iam:read", On::Nothing),
    ("iam:write", On::Nothing),
    ("backup:export", On::Nothing),
    ("backup:restore", On::Nothing),
];

/// Explicit Deny, then Allow, then no. `ListBuckets` alone needs no Allow.
pub(super) fn may(state: &State, user: &User, request: &AccessRequest<'_>) -> bool {
    if !user.enabled {
        return false;
    }
    let mut rules: Vec<&Permission> = user.permissions.iter().collect();
    for id in &user.group_ids {
        rules.extend(&state.groups[id].permissions);
    }
    let applying = |effect: Effect| rules.iter().any(|rule| rule.effect == effect && applies(rule, user, request));
    !applying(Effect::Deny) && (applying(Effect::Allow) || request.action == "s3:ListAllMyBuckets")
}

fn applies(rule: &Permission, user: &User, request: &AccessRequest<'_>) -> bool {
    let on = OPERATIONS.iter().find(|(name, _)| *name == request.action).unwrap().1;
    rule.actions.iter().any(|action| includes(action, rule.effect, request.action))
        && rule.resources.iter().any(|resource| covers(resource, rule.effect, on, user, request))
        && rule.conditions.iter().all(|(operator, keys)| {
            keys.iter().all(|(key, values)| holds(operator, key, values.as_slice(), on, user, request))
        })
}

fn includes(rule: &str, effect: Effect, action: &str) -> bool {
    let verbs: &[&str] = match action {
        "s3:GetObject" => &["read"],
        "s3:PutObject" => &["write"],
        "s3:DeleteObject" => &["delete"],
        "s3:AbortMultipartUpload" => &["write", "delete"],
        "s3:ListMultipartUploadParts" => &["read", "write"],
        "s3:ListBucket" | "s3:ListBucketVersions" | "s3:GetBucketLocation" | "s3:ListAllMyBuckets" => &["list"],
        _ => &["admin"],
    };
    let amounts_to_admin = ["admin", "iam:write", "backup:restore"].contains(&action);
    let exact = rule.eq_ignore_ascii_case(action);
    let by_pattern = glob(&rule.to_lowercase(), &action.to_lowercase());
    rule == "*" || verbs.contains(&rule) || exact || by_pattern && !(amounts_to_admin && effect == Effect::Allow)
}

fn covers(resource: &str, effect: Effect, on: On, user: &User, request: &AccessRequest<'_>) -> bool {
    let pattern = resource.replace("arn:aws:s3:::", "").replace("${iam:username}", &user.name);
    let bucket = request.resource.bucket.unwrap_or_default();
    let inside = format!("{bucket}/{}", request.context.list.prefix);
    match on {
        On::Nothing => ["*", "arn:aws:s3:::*"].contains(&resource),
        On::Object => glob(&pattern, &format!("{bucket}/{}", request.resource.key.unwrap())),
        On::Bucket => glob(&pattern, bucket) || glob(&pattern, &format!("{bucket}/")),
        // An Allow opens a listing that can show something it covers; a Deny closes one that shows nothing else.
        On::Listing => {
            glob(&pattern, bucket)
                || match effect {
                    Effect::Allow => overlaps(&pattern, &inside),
                    Effect::Deny => pattern.ends_with('*') && glob(&pattern, &inside),
                }
        }
    }
}

/// `*` is any text, `?` one character.
fn glob(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    match pattern.next() {
        None => text.next().is_none(),
        Some('*') => {
            glob(pattern.as_str(), text.as_str())
                || text.next().is_some() && glob(&format!("*{}", pattern.as_str()), text.as_str())
        }
        Some('?') => text.next().is_some() && glob(pattern.as_str(), text.as_str()),
        Some(letter) => text.next() == Some(letter) && glob(pattern.as_str(), text.as_str()),
    }
}

/// Whether some text that begins with `prefix` matches.
fn overlaps(pattern: &str, prefix: &str) -> bool {
    let (mut pattern, mut prefix) = (pattern.chars(), prefix.chars());
    match (pattern.next(), prefix.next()) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some('*'), Some(_)) => true,
        (Some('?'), Some(_)) => overlaps(pattern.as_str(), prefix.as_str()),
        (Some(a), Some(b)) => a == b && overlaps(pattern.as_str(), prefix.as_str()),
    }
}

fn holds(operator: &str, key: &str, values: &[String], on: On, user: &User, request: &AccessRequest<'_>) -> bool {
    let context = request.context;
    let actual: Option<String> = match key {
        "aws:SourceIp" => context.source_ip.map(|ip| ip.to_string()),
        "aws:SecureTransport" => Some(context.secure.to_string()),
        "aws:username" => Some(user.name.clone()),
        "aws:UserAgent" => context.user_agent.clone(),
        "aws:CurrentTime" => Some(context.time.rfc3339()),
        "s3:prefix" if on == On::Listing => Some(context.list.prefix.clone()),
        "s3:max-keys" if on == On::Listing => context.list.max_keys.map(|max| max.to_string()),
        "s3:x-amz-acl" => context.amz_headers.get("x-amz-acl").cloned(),
        _ => None,
    };
    if operator == "Null" {
        return values.contains(&actual.is_none().to_string());
    }
    let negated = operator.contains("Not");
    let Some(actual) = actual else { return negated || operator.ends_with("IfExists") };
    let matches = |value: &String| match operator {
        "IpAddress" | "NotIpAddress" => in_network(&actual, value),
        "StringLike" | "StringNotLike" => glob(value, &actual),
        "NumericLessThanEquals" => actual.parse::<u64>().unwrap() <= value.parse().unwrap(),
        // Both are UTC, to the second, in the same form: their order is the order of their texts.
        "DateLessThan" => actual < *value,
        _ => actual == *value,
    };
    values.iter().any(matches) != negated
}

fn in_network(address: &str, network: &str) -> bool {
    let bits =
        |text: &str| -> String { text.split('.').map(|byte| format!("{:08b}", byte.parse::<u8>().unwrap())).collect() };
    let (base, length) = network.split_once('/').unwrap_or((network, "32"));
    let length: usize = length.parse().unwrap();
    bits(address)[..length] == bits(base)[..length]
}
