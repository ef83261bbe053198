//! What S3 gives to nobody but an admin, whatever a policy says: the place in which backups are stored. Each is a keystore, or worth
//! as much to whoever may delete it.

use crate::domain::config::model::BackupTarget;
use crate::domain::iam::model::{Effect, Permission};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// How explanations and the audit log name the rule.
pub const BACKUPS: &str = "stored-backups";

/// What principals with full rights on S3 have where something is reserved.
pub(super) static FULL: LazyLock<[Permission; 1]> =
    LazyLock::new(|| [rule("full-rights", Effect::Allow, vec!["*".into()])]);

/// The rules that keep everybody out of where backups go; `None` where that is no bucket.
pub fn rules(target: Option<&BackupTarget>) -> Option<Arc<[Permission]>> {
    let Some(BackupTarget::Bucket { bucket, prefix }) = target else { return None };
    // Names and prefixes hold no character that a pattern would read.
    let resources = match prefix.as_str() {
        "" => vec![bucket.to_string(), format!("{bucket}/*")],
        prefix => vec![format!("{bucket}/{prefix}*")],
    };
    Some([rule(BACKUPS, Effect::Deny, resources)].into())
}

fn rule(id: &str, effect: Effect, resources: Vec<String>) -> Permission {
    Permission { id: id.into(), effect, actions: vec!["s3:*".into()], resources, conditions: BTreeMap::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::iam::context::{AccessRequest, RequestContext, Resource};
    use crate::domain::iam::evaluate::decide;
    use crate::domain::iam::evaluate::tests::{user, world};
    use crate::domain::iam::principal::Principal;
    use crate::domain::iam::scope::list_scope;
    use crate::domain::names::BucketName;
    use crate::domain::state::State;

    fn context(prefix: &str) -> RequestContext {
        let target = BackupTarget::Bucket { bucket: BucketName::new("ops").unwrap(), prefix: prefix.into() };
        RequestContext { reserved: rules(Some(&target)), ..RequestContext::default() }
    }

    fn people() -> State {
        let mut state = world();
        user(&mut state, "all", &[], r#"[{"id": "1", "effect": "Allow", "actions": ["s3:*"], "resources": ["*"]}]"#);
        state
    }

    fn may(state: &State, principal: &Principal, action: &str, resource: Resource<'_>, prefix: &str) -> bool {
        decide(state, principal, &AccessRequest { action, resource, context: &context(prefix) }).allowed
    }

    #[test]
    fn nobody_but_an_admin_reaches_the_backups() {
        let (state, all) = (people(), Principal::User("all".into()));
        let (admins, admin) = (world(), Principal::User("admin".into()));
        for action in ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"] {
            for prefix in ["", "dgp/"] {
                let backup = Resource::object("ops", "dgp/dgp-backup-v1.zip");
                for principal in [&all, &Principal::ConfigKey, &Principal::Open] {
                    assert!(!may(&state, principal, action, backup, prefix), "{principal:?} {action} {prefix}");
                    let beside = Resource::object("photos", "dgp/x");
                    assert!(may(&state, principal, action, beside, prefix));
                    assert_eq!(
                        may(&state, principal, action, Resource::object("ops", "x"), prefix),
                        !prefix.is_empty()
                    );
                }
                assert!(may(&admins, &admin, action, backup, prefix), "an admin has them over the admin API anyway");
            }
        }
        for principal in [&all, &Principal::ConfigKey] {
            assert!(!may(&state, principal, "s3:DeleteBucket", Resource::bucket("ops"), ""));
            assert!(may(&state, principal, "s3:ListAllMyBuckets", Resource::NONE, ""));
        }
    }

    #[test]
    fn a_listing_leaves_them_out() {
        let (state, all) = (people(), Principal::User("all".into()));
        for principal in [&all, &Principal::ConfigKey] {
            let scope = list_scope(&state, principal, "s3:ListBucket", "ops", &context("dgp/")).unwrap();
            assert!(scope.admits("photo.jpg") && !scope.admits("dgp/dgp-backup-v1.zip") && !scope.may_contain("dgp/"));
            assert!(list_scope(&state, principal, "s3:ListBucket", "ops", &context("")).is_err());
            let other = list_scope(&state, principal, "s3:ListBucket", "photos", &context("")).unwrap();
            assert!(other.admits("a"));
        }
    }
}
