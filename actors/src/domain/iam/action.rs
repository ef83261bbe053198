//! What can be allowed: AWS's action names, the friendly verbs as sets of them, and the rights of the admin API.
//!
//! The verbs, in full, are the table [`S3_ACTIONS`]: `read` reads objects and their sub-resources; `write` makes and changes
//! them, multipart uploads included; `delete` removes them; `list` lists buckets, keys, versions and uploads; `admin` is
//! everything about buckets themselves (and, on the resource `*`, the whole admin API); `*` is everything.

use crate::domain::iam::model::Effect;
use crate::domain::iam::pattern;
use std::collections::HashMap;
use std::sync::LazyLock;

const R: u8 = 1;
const W: u8 = 2;
const D: u8 = 4;
const L: u8 = 8;
const A: u8 = 16;

/// The friendly verbs and their bit in [`S3_ACTIONS`].
const VERBS: [(&str, u8); 5] = [("read", R), ("write", W), ("delete", D), ("list", L), ("admin", A)];

/// Every S3 action that a rule may name, with the verbs that include it
/// (names: AWS, *Actions, resources, and condition keys for Amazon S3*).
const S3_ACTIONS: &[(&str, u8)] = &[
    ("s3:GetObject", R),
    ("s3:GetObjectAcl", R),
    ("s3:GetObjectAttributes", R),
    ("s3:GetObjectLegalHold", R),
    ("s3:GetObjectRetention", R),
    ("s3:GetObjectTagging", R),
    ("s3:GetObjectTorrent", R),
    ("s3:GetObjectVersion", R),
    ("s3:GetObjectVersionAcl", R),
    ("s3:GetObjectVersionAttributes", R),
    ("s3:GetObjectVersionTagging", R),
    ("s3:ListMultipartUploadParts", R | W),
    ("s3:PutObject", W),
    ("s3:PutObjectAcl", W),
    ("s3:PutObjectTagging", W),
    ("s3:PutObjectVersionAcl", W),
    ("s3:PutObjectVersionTagging", W),
    ("s3:RestoreObject", W),
    ("s3:AbortMultipartUpload", W | D),
    ("s3:DeleteObject", D),
    ("s3:DeleteObjectVersion", D),
    ("s3:DeleteObjectTagging", W | D),
    ("s3:DeleteObjectVersionTagging", W | D),
    ("s3:ListBucket", L),
    ("s3:ListBucketVersions", L),
    ("s3:ListBucketMultipartUploads", L),
    ("s3:ListAllMyBuckets", L),
    ("s3:GetBucketLocation", L),
    ("s3:CreateBucket", A),
    ("s3:DeleteBucket", A),
    ("s3:PutObjectLegalHold", A),
    ("s3:PutObjectRetention", A),
    ("s3:BypassGovernanceRetention", A),
    ("s3:ObjectOwnerOverrideToBucketOwner", A),
    ("s3:DeleteBucketOwnershipControls", A),
    ("s3:DeleteBucketPolicy", A),
    ("s3:DeleteBucketTagging", A),
    ("s3:DeleteBucketWebsite", A),
    ("s3:GetAccelerateConfiguration", A),
    ("s3:GetAnalyticsConfiguration", A),
    ("s3:GetBucketAcl", A),
    ("s3:GetBucketCORS", A),
    ("s3:GetBucketLogging", A),
    ("s3:GetBucketNotification", A),
    ("s3:GetBucketObjectLockConfiguration", A),
    ("s3:GetBucketOwnershipControls", A),
    ("s3:GetBucketPolicy", A),
    ("s3:GetBucketPolicyStatus", A),
    ("s3:GetBucketPublicAccessBlock", A),
    ("s3:GetBucketRequestPayment", A),
    ("s3:GetBucketTagging", A),
    ("s3:GetBucketVersioning", A),
    ("s3:GetBucketWebsite", A),
    ("s3:GetEncryptionConfiguration", A),
    ("s3:GetIntelligentTieringConfiguration", A),
    ("s3:GetInventoryConfiguration", A),
    ("s3:GetLifecycleConfiguration", A),
    ("s3:GetMetricsConfiguration", A),
    ("s3:GetReplicationConfiguration", A),
    ("s3:PutAccelerateConfiguration", A),
    ("s3:PutAnalyticsConfiguration", A),
    ("s3:PutBucketAcl", A),
    ("s3:PutBucketCORS", A),
    ("s3:PutBucketLogging", A),
    ("s3:PutBucketNotification", A),
    ("s3:PutBucketObjectLockConfiguration", A),
    ("s3:PutBucketOwnershipControls", A),
    ("s3:PutBucketPolicy", A),
    ("s3:PutBucketPublicAccessBlock", A),
    ("s3:PutBucketRequestPayment", A),
    ("s3:PutBucketTagging", A),
    ("s3:PutBucketVersioning", A),
    ("s3:PutBucketWebsite", A),
    ("s3:PutEncryptionConfiguration", A),
    ("s3:PutIntelligentTieringConfiguration", A),
    ("s3:PutInventoryConfiguration", A),
    ("s3:PutLifecycleConfiguration", A),
    ("s3:PutMetricsConfiguration", A),
    ("s3:PutReplicationConfiguration", A),
];

/// The rights of the admin API: what each route asks for. Each is granted on the resource `*` only.
pub const ADMIN_RIGHTS: &[(&str, &str)] = &[
    (ADMIN, "everything; granted by `admin` or `*` on the resource `*`"),
    ("config:read", "read the configuration, secrets redacted"),
    ("config:write", "change the configuration where no secret, path or endpoint is touched"),
    (CONFIG_SECRETS, "change backend paths and endpoints, secret references, recipients and webhook targets"),
    ("iam:read", "read users, groups, policies, providers, tokens and sessions, without secrets"),
    ("iam:write", "change them, as far as the caller has the rights that are given; never an admin"),
    ("backup:read", "list stored backups, restores and the schedule"),
    (BACKUP_EXPORT, "make archives encrypted to `backup.recipients`"),
    (BACKUP_EXPORT_SECRETS, "make plaintext archives, or archives for a chosen recipient or passphrase"),
    (BACKUP_RESTORE, "restore, undo and go live"),
    ("audit:read", "read the audit log"),
    ("system:read", "read status, metrics, jobs and diagnostics"),
    ("system:write", "run jobs and scans, drain backends"),
];

/// The right that includes all others.
pub const ADMIN: &str = "admin";
/// See [`ADMIN_RIGHTS`].
pub const CONFIG_SECRETS: &str = "config:secrets";
/// See [`ADMIN_RIGHTS`].
pub const BACKUP_EXPORT: &str = "backup:export";
/// See [`ADMIN_RIGHTS`].
pub const BACKUP_EXPORT_SECRETS: &str = "backup:export-secrets";
/// See [`ADMIN_RIGHTS`].
pub const BACKUP_RESTORE: &str = "backup:restore";

/// Rights that amount to admin: an Allow must name them in full (or be `admin` or `*`); no other glob reaches them.
const GUARDED: [&str; 5] = [ADMIN, "iam:write", CONFIG_SECRETS, BACKUP_EXPORT_SECRETS, BACKUP_RESTORE];

static VERBS_OF: LazyLock<HashMap<&'static str, u8>> = LazyLock::new(|| S3_ACTIONS.iter().copied().collect());

/// The action of one request, looked up once and then compared with many rules.
#[derive(Clone, Copy, Debug)]
pub struct Requested<'a> {
    name: &'a str,
    verbs: u8,
    right: bool,
}

impl<'a> Requested<'a> {
    /// From an AWS name (`s3:GetObject`) or the name of an admin right.
    pub fn new(name: &'a str) -> Self {
        let verbs = VERBS_OF.get(name).copied().unwrap_or(0);
        Self { name, verbs, right: verbs == 0 && is_admin_right(name) }
    }

    /// A right of the admin API, not an S3 action.
    pub fn is_admin_right(&self) -> bool {
        self.right
    }

    /// `ListBuckets`: about no bucket.
    pub fn is_list_buckets(&self) -> bool {
        self.name == "s3:ListAllMyBuckets"
    }

    /// An action whose answer is a listing under a prefix.
    pub fn is_listing(&self) -> bool {
        matches!(self.name, "s3:ListBucket" | "s3:ListBucketVersions" | "s3:ListBucketMultipartUploads")
    }

    /// Whether an action of a rule includes this one.
    pub fn included_in(&self, rule: &str, effect: Effect) -> bool {
        if rule == "*" {
            return true;
        }
        if let Some((_, bit)) = VERBS.iter().find(|(verb, _)| rule.eq_ignore_ascii_case(verb)) {
            return self.verbs & bit != 0 || (*bit == A && self.right);
        }
        if rule.eq_ignore_ascii_case(self.name) {
            return true;
        }
        if effect == Effect::Allow && GUARDED.contains(&self.name) {
            return false;
        }
        (rule.contains('*') || rule.contains('?')) && pattern::glob_ignoring_case(rule, self.name)
    }
}

/// Every S3 action and every right of the admin API: all that a rule can be about.
pub fn all() -> impl Iterator<Item = &'static str> {
    S3_ACTIONS.iter().map(|(name, _)| *name).chain(ADMIN_RIGHTS.iter().map(|(name, _)| *name))
}

/// Whether this is the name of an admin right.
pub fn is_admin_right(name: &str) -> bool {
    ADMIN_RIGHTS.iter().any(|(right, _)| name.eq_ignore_ascii_case(right))
}

/// Whether a rule's action reaches a right of the admin API other than through `admin` and `*`, which bucket admins have too.
pub fn names_admin_right(rule: &str) -> bool {
    !rule.eq_ignore_ascii_case(ADMIN) && is_admin_right(rule)
}

/// Whether this names one action that a request can ask for: an AWS name or an admin right, no glob, and no verb (of the words
/// that are both, `admin` is the right).
pub fn is_single(name: &str) -> bool {
    VERBS_OF.contains_key(name) || ADMIN_RIGHTS.iter().any(|(right, _)| *right == name)
}

/// Whether a rule may name this action: a verb, `*`, an admin right, or an AWS name or glob that reaches at least one of them.
pub fn is_known(rule: &str) -> bool {
    is_s3(rule) || ADMIN_RIGHTS.iter().any(|(name, _)| pattern::glob_ignoring_case(rule, name))
}

/// Whether this names what S3 requests ask for: a verb, `*`, or an AWS name or glob that reaches at least one of them.
pub fn is_s3(rule: &str) -> bool {
    rule == "*"
        || VERBS.iter().any(|(verb, _)| rule.eq_ignore_ascii_case(verb))
        || S3_ACTIONS.iter().any(|(name, _)| pattern::glob_ignoring_case(rule, name))
}

/// The AWS names that a verb includes: for documentation and the console.
pub fn expand_verb(verb: &str) -> Vec<&'static str> {
    let mask = match VERBS.iter().find(|(name, _)| *name == verb) {
        Some((_, bit)) => *bit,
        None if verb == "*" => u8::MAX,
        None => 0,
    };
    S3_ACTIONS.iter().filter(|(_, bits)| bits & mask != 0).map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_is_the_set_in_the_table() {
        let get = Requested::new("s3:GetObject");
        assert!(get.included_in("read", Effect::Allow));
        assert!(get.included_in("s3:get*", Effect::Allow));
        assert!(!get.included_in("write", Effect::Allow));
        assert!(!get.included_in("admin", Effect::Allow));
        assert!(Requested::new("s3:AbortMultipartUpload").included_in("write", Effect::Allow));
        assert!(expand_verb("list").contains(&"s3:ListBucket"));
        assert_eq!(expand_verb("*").len(), S3_ACTIONS.len());
    }

    #[test]
    fn the_page_on_access_lists_what_each_verb_is() {
        let page = include_str!("../../../../web/docs/access.md");
        for (verb, _) in VERBS {
            let names: Vec<String> = expand_verb(verb).into_iter().map(|name| format!("`{name}`")).collect();
            let row = format!("| `{verb}` | {} |", names.join(", "));
            assert!(page.contains(&row), "web/docs/access.md lacks the row\n{row}");
        }
    }

    #[test]
    fn rights_that_amount_to_admin_are_reached_by_no_partial_glob() {
        for right in GUARDED {
            let right = Requested::new(right);
            assert!(!right.included_in("*:*", Effect::Allow));
            assert!(!right.included_in("backup:*", Effect::Allow));
            assert!(right.included_in("admin", Effect::Allow));
            assert!(right.included_in("*", Effect::Allow));
        }
        assert!(Requested::new("backup:export").included_in("backup:*", Effect::Allow));
        assert!(Requested::new("backup:restore").included_in("backup:*", Effect::Deny));
        assert!(!Requested::new("backup:export").included_in("s3:*", Effect::Allow));
    }

    #[test]
    fn one_action_is_neither_a_verb_nor_a_glob() {
        for good in ["s3:GetObject", "admin", "backup:export"] {
            assert!(is_single(good), "{good}");
        }
        for bad in ["read", "*", "s3:Get*", "s3:getobject", "s3:Frobnicate", ""] {
            assert!(!is_single(bad), "{bad}");
        }
    }

    #[test]
    fn an_unknown_action_is_known_as_such() {
        for good in ["read", "*", "s3:GetObject", "s3:Get*", "s3:*", "backup:export", "iam:*"] {
            assert!(is_known(good), "{good}");
        }
        for bad in ["", "reed", "s3:Frobnicate", "ec2:*", "s3"] {
            assert!(!is_known(bad), "{bad}");
        }
    }
}
