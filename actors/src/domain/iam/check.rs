//! Whether a rule may be saved: one that cannot be read is refused here, so that none is ever dropped at evaluation.

use crate::domain::iam::model::{Effect, Permission};
use crate::domain::iam::{action, conditions, pattern};
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeSet;

/// The most rules that one user, group or token has.
pub const MAX_RULES: usize = 100;
/// The most actions, resources or values in one list of a rule.
const MAX_LIST: usize = 256;
/// A bucket name, a slash and a key, and some room for wildcards.
const MAX_RESOURCE: usize = 2048;
/// The prefix of AWS's own spelling of a resource; accepted and skipped.
pub const ARN_PREFIX: &str = "arn:aws:s3:::";

/// Checks the rules of one user, group or token and gives each an id of its own.
pub fn check_permissions(mut permissions: Vec<Permission>) -> Result<Vec<Permission>> {
    if permissions.len() > MAX_RULES {
        return Err(invalid(format!("{} rules are more than {MAX_RULES}", permissions.len()))
            .with_hint("put common rules into a group"));
    }
    for (index, permission) in permissions.iter().enumerate() {
        check_permission(permission).map_err(|why| invalid(format!("permissions[{index}]: {why}")))?;
    }
    let mut seen = BTreeSet::new();
    for permission in &mut permissions {
        if permission.id.is_empty() || seen.contains(&permission.id) {
            let free = (1..).map(|n: u32| n.to_string()).find(|id| !seen.contains(id));
            permission.id = free.unwrap_or_default();
        }
        seen.insert(permission.id.clone());
    }
    Ok(permissions)
}

/// Checks one rule; the error says what is wrong with it.
pub fn check_permission(permission: &Permission) -> Result<(), String> {
    check_list("actions", &permission.actions)?;
    check_list("resources", &permission.resources)?;
    for name in &permission.actions {
        if !action::is_known(name) {
            return Err(format!(
                "`{name}` is no action; use read, write, delete, list, admin, *, an AWS name such as s3:GetObject, or an \
                 admin right such as backup:export"
            ));
        }
        let everywhere = permission.resources.iter().any(|resource| is_everything(resource));
        if action::names_admin_right(name) && permission.effect == Effect::Allow && !everywhere {
            return Err(format!("`{name}` is a right of the admin API: it needs the resource `*`"));
        }
    }
    for resource in &permission.resources {
        check_resource(resource).map_err(|why| format!("resource `{resource}`: {why}"))?;
    }
    if permission.id.len() > 128 {
        return Err("an id has at most 128 bytes".into());
    }
    for values in permission.conditions.values().flat_map(|keys| keys.values()) {
        if values.as_slice().len() > MAX_LIST {
            return Err(format!("a condition has at most {MAX_LIST} values"));
        }
    }
    conditions::check(&permission.conditions)
}

/// `*`, also in AWS's spelling.
pub fn is_everything(resource: &str) -> bool {
    let resource = resource.strip_prefix(ARN_PREFIX).unwrap_or(resource);
    !resource.is_empty() && resource.bytes().all(|byte| byte == b'*')
}

fn check_list(name: &str, list: &[String]) -> Result<(), String> {
    match list.len() {
        0 => Err(format!("`{name}` is empty")),
        len if len > MAX_LIST => Err(format!("`{name}` has more than {MAX_LIST} entries")),
        _ => Ok(()),
    }
}

fn check_resource(resource: &str) -> Result<(), String> {
    let resource = resource.strip_prefix(ARN_PREFIX).unwrap_or(resource);
    if resource.is_empty() {
        return Err("it is empty; use `*` for everything".into());
    }
    if resource.len() > MAX_RESOURCE {
        return Err(format!("it has more than {MAX_RESOURCE} bytes"));
    }
    if resource.chars().any(char::is_control) {
        return Err("it has a control character".into());
    }
    pattern::check_variables(resource).map_err(|error| error.to_string())?;
    let bucket = resource.split('/').next().unwrap_or_default();
    if bucket.is_empty() {
        return Err("it begins with a slash; write `bucket/prefix/*`".into());
    }
    let mut rest = bucket.to_owned();
    while let (Some(start), Some(end)) = (rest.find("${"), rest.find('}')) {
        if end < start {
            break;
        }
        rest.replace_range(start..=end, "");
    }
    let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '*' | '?');
    match rest.chars().find(|c| !name(*c)) {
        Some(bad) => Err(format!("`{bad}` is in no bucket name; write `bucket`, `bucket/prefix/*` or `*`")),
        None => Ok(()),
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, "check permissions", message).with_code("invalid_permission")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> Permission {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_operators_write_is_accepted() {
        for good in [
            r#"{"effect": "Allow", "actions": ["read", "list"], "resources": ["builds", "builds/ci/*"]}"#,
            r#"{"effect": "Deny", "actions": ["s3:*"], "resources": ["arn:aws:s3:::logs-*/2026/??/x y"]}"#,
            r#"{"effect": "Allow", "actions": ["*"], "resources": ["${iam:username}", "home/${aws:username}/*"]}"#,
            r#"{"effect": "Allow", "actions": ["backup:export"], "resources": ["*"]}"#,
            r#"{"effect": "Allow", "actions": ["admin"], "resources": ["team-*"]}"#,
        ] {
            assert_eq!(check_permission(&rule(good)), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for bad in [
            r#"{"effect": "Allow", "actions": [], "resources": ["*"]}"#,
            r#"{"effect": "Allow", "actions": ["read"], "resources": []}"#,
            r#"{"effect": "Allow", "actions": ["reed"], "resources": ["*"]}"#,
            r#"{"effect": "Allow", "actions": ["read"], "resources": [""]}"#,
            r#"{"effect": "Allow", "actions": ["read"], "resources": ["/x"]}"#,
            r#"{"effect": "Allow", "actions": ["read"], "resources": ["Bucket"]}"#,
            r#"{"effect": "Allow", "actions": ["read"], "resources": ["b/${iam:nobody}/*"]}"#,
            r#"{"effect": "Allow", "actions": ["read"], "resources": ["b/${iam:username"]}"#,
            r#"{"effect": "Allow", "actions": ["audit:read"], "resources": ["b/*"]}"#,
            r#"{"effect": "Deny", "actions": ["read"], "resources": ["*"], "conditions": {"Nope": {"s3:prefix": "x"}}}"#,
        ] {
            assert!(check_permission(&rule(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn rules_get_ids_of_their_own_and_are_at_most_a_hundred() {
        let one = rule(r#"{"effect": "Allow", "actions": ["read"], "resources": ["*"]}"#);
        let named = Permission { id: "2".into(), ..one.clone() };
        let checked = check_permissions(vec![named.clone(), one.clone(), named, one.clone()]).unwrap();
        let ids: Vec<_> = checked.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(ids, ["2", "1", "3", "4"]);
        assert_eq!(check_permissions(vec![one; 101]).map_err(|e| e.kind()), Err(ErrorKind::Invalid));
    }
}
