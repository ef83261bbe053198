//! The shipped policies: roles that tokens and groups are made from.

use crate::domain::iam::model::{Effect, Permission};
use std::collections::BTreeMap;

/// The names of the roles, the most powerful first.
pub const ROLES: [&str; 4] = ["admin", "operator", "viewer", "backup"];

/// The rules of a role; `None` for an unknown name.
///
/// * `admin`: everything.
/// * `operator`: all of S3, the configuration, stored backups and the system; no IAM, no secrets, no restore.
/// * `viewer`: reads everything but secrets and archives.
/// * `backup`: makes archives encrypted to `backup.recipients`.
pub fn role(name: &str) -> Option<Vec<Permission>> {
    let actions: &[&str] = match name {
        "admin" => &["*"],
        "operator" => &[
            "s3:*",
            "config:read",
            "config:write",
            "backup:read",
            "backup:export",
            "audit:read",
            "system:read",
            "system:write",
        ],
        "viewer" => &["read", "list", "config:read", "iam:read", "backup:read", "audit:read", "system:read"],
        "backup" => &["backup:read", "backup:export"],
        _ => return None,
    };
    Some(vec![Permission {
        id: "1".into(),
        effect: Effect::Allow,
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        resources: vec!["*".into()],
        conditions: BTreeMap::new(),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::iam::check;

    #[test]
    fn every_role_passes_the_check() {
        for name in ROLES {
            assert!(check::check_permissions(role(name).unwrap()).is_ok(), "{name}");
        }
        assert!(role("root").is_none());
    }
}
