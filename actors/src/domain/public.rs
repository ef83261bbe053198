//! What anybody may read: the public prefixes of buckets, as rules of the principal `$anonymous`.
//!
//! A public prefix grants GetObject on what lies inside it and ListObjects of it and what lies inside it, and nothing else.
//! Whoever brings credentials is judged by its own rules alone.

use crate::domain::config::model::Storage;
use crate::domain::iam::model::{Effect, OneOrMany, Permission};
use crate::domain::names::BucketName;
use crate::domain::state::Bucket;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the id of such a rule begins with; no block of admission may have such a name.
pub const RULE_PREFIX: &str = "public-prefix:";

/// The rules of `$anonymous` by bucket; what is not here is public nowhere.
pub type PublicRules = BTreeMap<BucketName, Arc<[Permission]>>;

/// The public prefixes of a bucket: what the config pins, else what the registry says. An empty one is the whole bucket.
pub fn prefixes<'a>(
    storage: &'a Storage,
    registry: &'a BTreeMap<BucketName, Arc<Bucket>>,
    bucket: &BucketName,
) -> &'a [String] {
    let pinned = storage.buckets.get(bucket).and_then(|pin| pin.public_prefixes.as_deref());
    pinned.or(registry.get(bucket).map(|entry| entry.public_prefixes.as_slice())).unwrap_or_default()
}

/// The rules of every bucket that has any.
pub fn rules(storage: &Storage, registry: &BTreeMap<BucketName, Arc<Bucket>>) -> PublicRules {
    let registered = registry.iter().filter(|(_, entry)| !entry.public_prefixes.is_empty()).map(|(name, _)| name);
    let names: BTreeSet<&BucketName> = registered.chain(storage.buckets.keys()).collect();
    let public = names.into_iter().map(|name| (name, prefixes(storage, registry, name)));
    public
        .filter(|(_, prefixes)| !prefixes.is_empty())
        .map(|(name, prefixes)| (name.clone(), prefixes.iter().flat_map(|prefix| grants(name, prefix)).collect()))
        .collect()
}

/// The same as a bucket policy of AWS, for those who look at one; nothing where nothing is public.
pub fn policy(bucket: &BucketName, prefixes: &[String]) -> Option<Value> {
    let arn = |what: &str| format!("arn:aws:s3:::{what}");
    let statement = |number: usize, grant: Permission| {
        let list = grant.actions == ["s3:ListBucket"];
        let resources: Vec<String> = match list {
            true => vec![arn(bucket.as_str())],
            false => grant.resources.iter().map(|resource| arn(resource)).collect(),
        };
        let mut statement = json!({
            "Sid": format!("Public{}{number}", if list { "List" } else { "Read" }),
            "Effect": "Allow", "Principal": "*", "Action": grant.actions, "Resource": resources,
        });
        if !grant.conditions.is_empty() {
            statement["Condition"] = json!(grant.conditions);
        }
        statement
    };
    let grants = prefixes.iter().zip(1..).flat_map(|(prefix, number)| grants(bucket, prefix).map(|it| (number, it)));
    let statements: Vec<Value> = grants.map(|(number, grant)| statement(number, grant)).collect();
    (!statements.is_empty()).then(|| json!({"Version": "2012-10-17", "Statement": statements}))
}

/// Read, and list.
fn grants(bucket: &BucketName, prefix: &str) -> [Permission; 2] {
    let (inside, rule) = (literal(prefix), format!("{RULE_PREFIX}{prefix}"));
    let allow = |action: &str, resources: Vec<String>, prefixes: Vec<String>| Permission {
        id: rule.clone(),
        effect: Effect::Allow,
        actions: vec![action.to_owned()],
        resources,
        conditions: match prefixes.is_empty() {
            true => BTreeMap::new(),
            false => {
                let key = BTreeMap::from([("s3:prefix".to_owned(), OneOrMany::Many(prefixes))]);
                BTreeMap::from([("StringLike".to_owned(), key)])
            }
        },
    };
    let keys = format!("{bucket}/{inside}*");
    let (listed, within) = match prefix.strip_suffix('/') {
        // The whole bucket, and so the bucket itself.
        None => (vec![bucket.to_string(), keys.clone()], Vec::new()),
        Some(folder) => (vec![keys.clone()], vec![literal(folder), format!("{inside}*")]),
    };
    [allow("s3:GetObject", vec![keys], Vec::new()), allow("s3:ListBucket", listed, within)]
}

/// The pattern that matches this text alone.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '*' | '?' | '$' => {
                out.push_str("${");
                out.push(c);
                out.push('}');
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::config::load::load;
    use crate::domain::config::scalar::Environment;
    use crate::domain::iam::context::{AccessRequest, ListParameters, RequestContext, Resource};
    use crate::domain::iam::evaluate::decide;
    use crate::domain::iam::principal::Principal;
    use crate::domain::iam::scope::{list_scope, may_see_missing};
    use crate::domain::names::BackendName;
    use crate::domain::state::State;

    fn of(buckets: &str, registered: &[&str]) -> PublicRules {
        let config = load(&format!("storage:\n  filesystem: /d\n  buckets: {buckets}\n"), &Environment::new()).unwrap();
        let bucket = Bucket {
            name: BucketName::new("registered").unwrap(),
            backend: BackendName::new("default").unwrap(),
            alias: None,
            owner: "$config".into(),
            created_at: Default::default(),
            public_prefixes: registered.iter().map(|prefix| (*prefix).to_owned()).collect(),
            settings: Default::default(),
        };
        let registry = BTreeMap::from([(bucket.name.clone(), Arc::new(bucket))]);
        rules(&config.config.storage, &registry)
    }

    /// Whether anybody may do this; `text` is a key, or the prefix of a listing.
    fn may(rules: &PublicRules, action: &str, bucket: &str, text: &str) -> bool {
        let listing = action.starts_with("s3:List");
        let list =
            ListParameters { prefix: if listing { text.to_owned() } else { String::new() }, ..Default::default() };
        let public = rules.get(&BucketName::new(bucket).unwrap()).cloned();
        let context = RequestContext { list, public, ..RequestContext::default() };
        let resource = if listing { Resource::bucket(bucket) } else { Resource::object(bucket, text) };
        decide(&State::default(), &Principal::Anonymous, &AccessRequest { action, resource, context: &context }).allowed
    }

    #[test]
    fn a_policy_says_what_the_rules_grant() {
        let name = BucketName::new("docs").unwrap();
        assert_eq!(policy(&name, &[]), None);
        let shown = policy(&name, &["a/*/".to_owned(), String::new()]).unwrap();
        assert_eq!(
            shown["Statement"],
            json!([
                {"Sid": "PublicRead1", "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"],
                 "Resource": ["arn:aws:s3:::docs/a/${*}/*"]},
                {"Sid": "PublicList1", "Effect": "Allow", "Principal": "*", "Action": ["s3:ListBucket"],
                 "Resource": ["arn:aws:s3:::docs"], "Condition": {"StringLike": {"s3:prefix": ["a/${*}", "a/${*}/*"]}}},
                {"Sid": "PublicRead2", "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"],
                 "Resource": ["arn:aws:s3:::docs/*"]},
                {"Sid": "PublicList2", "Effect": "Allow", "Principal": "*", "Action": ["s3:ListBucket"],
                 "Resource": ["arn:aws:s3:::docs"]},
            ])
        );
    }

    #[test]
    fn a_prefix_is_read_and_listed_inside_and_nowhere_else() {
        let rules = of("{docs: {public_prefixes: [releases/, \"a b/\"]}}", &[]);
        for key in ["releases/1.0", "releases/", "releases/a/b", "a b/ü"] {
            assert!(may(&rules, "s3:GetObject", "docs", key), "{key}");
        }
        for key in ["releases", "release/1", "Releases/1", "x/releases/1", "a", "a%20b/x"] {
            assert!(!may(&rules, "s3:GetObject", "docs", key), "{key}");
        }
        for prefix in ["releases/", "releases", "releases/1"] {
            assert!(may(&rules, "s3:ListBucket", "docs", prefix), "{prefix}");
        }
        for prefix in ["", "r", "release", "releasesx", "private/"] {
            assert!(!may(&rules, "s3:ListBucket", "docs", prefix), "{prefix}");
        }
        for action in [
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:GetObjectTagging",
            "s3:GetObjectAcl",
            "s3:ListMultipartUploadParts",
            "s3:ListBucketVersions",
            "s3:ListBucketMultipartUploads",
        ] {
            assert!(!may(&rules, action, "docs", "releases/1"), "{action}");
        }
        assert!(!may(&rules, "s3:GetObject", "other", "releases/1.0"));
    }

    #[test]
    fn a_listing_of_the_folder_shows_what_is_inside_alone() {
        let rules = of("{docs: {public_prefixes: [releases/]}}", &[]);
        let list = ListParameters { prefix: "releases".into(), ..Default::default() };
        let public = rules.values().next().cloned();
        let context = RequestContext { list, public, ..RequestContext::default() };
        let anybody = Principal::Anonymous;
        let scope = list_scope(&State::default(), &anybody, "s3:ListBucket", "docs", &context).unwrap();
        assert!(scope.admits("releases/1") && !scope.admits("releases-internal/1"));
        assert!(may_see_missing(&State::default(), &anybody, "docs", "releases/none", &context));
        assert!(!may_see_missing(&State::default(), &anybody, "docs", "private/none", &context));
    }

    #[test]
    fn a_whole_bucket_is_public_with_all_that_is_in_it() {
        for text in ["{docs: {public: true}}", "{docs: {public_prefixes: [\"\"]}}"] {
            let rules = of(text, &[]);
            assert!(may(&rules, "s3:GetObject", "docs", "any") && may(&rules, "s3:ListBucket", "docs", ""), "{text}");
            assert!(!may(&rules, "s3:PutObject", "docs", "any"), "{text}");
        }
    }

    #[test]
    fn wildcards_in_a_prefix_stand_for_themselves() {
        let rules = of("{docs: {public_prefixes: [\"a*?$x/\"]}}", &[]);
        assert!(may(&rules, "s3:GetObject", "docs", "a*?$x/1") && may(&rules, "s3:ListBucket", "docs", "a*?$x/"));
        assert!(!may(&rules, "s3:GetObject", "docs", "abc$x/1") && !may(&rules, "s3:ListBucket", "docs", "abc$x/"));
    }

    #[test]
    fn the_config_wins_over_the_registry() {
        assert!(may(&of("{}", &["pub/"]), "s3:GetObject", "registered", "pub/x"));
        assert!(may(&of("{registered: {backend: default}}", &["pub/"]), "s3:GetObject", "registered", "pub/x"));
        assert!(!may(&of("{registered: {public: false}}", &["pub/"]), "s3:GetObject", "registered", "pub/x"));
        let other = of("{registered: {public_prefixes: [web/]}}", &["pub/"]);
        assert!(
            !may(&other, "s3:GetObject", "registered", "pub/x") && may(&other, "s3:GetObject", "registered", "web/x")
        );
    }

    #[test]
    fn without_public_prefixes_nobody_in_particular_may_nothing() {
        let rules = of("{docs: {backend: default}}", &[]);
        assert!(rules.is_empty());
        assert!(!may(&rules, "s3:GetObject", "docs", "x") && !may(&rules, "s3:ListAllMyBuckets", "docs", ""));
        assert!(!may(&of("{docs: {public: true}}", &[]), "s3:ListAllMyBuckets", "docs", ""));
    }
}
