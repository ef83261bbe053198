//! What becomes of a bucket's objects with time: the rules of a lifecycle configuration, and which of them AWS accepts.
//!
//! The rules are kept and served; no job carries them out yet.

use crate::domain::clock::Timestamp;
use crate::domain::tags::{self, Tags};
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most rules of a bucket (AWS).
pub const MOST_RULES: usize = 1000;
/// The longest id of a rule (AWS).
const LONGEST_ID: usize = 255;
/// The most newer versions that are kept (AWS).
const MOST_VERSIONS: u32 = 100;
/// The longest prefix: that of a key.
const LONGEST_PREFIX: usize = 1024;

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifecycleRule {
    /// Its name, of no other rule of the bucket.
    pub id: String,
    /// Whether it holds.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
    /// Which objects it is about.
    #[serde(default, skip_serializing_if = "Filter::is_default")]
    pub filter: Filter,
    /// Objects expire so many days after they were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_days: Option<u32>,
    /// Objects expire at this midnight (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_date: Option<Timestamp>,
    /// Whether delete markers without versions expire, where something was said of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_delete_markers: Option<bool>,
    /// Noncurrent versions expire so many days after they became that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent_days: Option<u32>,
    /// So many newer noncurrent versions are kept anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent_keep: Option<u32>,
    /// Uploads that nobody completed are given up after so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_uploads_days: Option<u32>,
}

/// Which objects a rule is about: those that every part is true of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// What their keys begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Tags that they have.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// They are larger than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_greater_than: Option<u64>,
    /// They are smaller than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_less_than: Option<u64>,
    /// The prefix was given by the rule itself, in the older form, and is given back so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub older_form: bool,
}

impl Filter {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// How many parts there are; with two and more S3 writes `<And>` around them.
    pub fn parts(&self) -> usize {
        usize::from(self.prefix.is_some())
            + self.tags.len()
            + usize::from(self.size_greater_than.is_some())
            + usize::from(self.size_less_than.is_some())
    }
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

/// Refuses rules that AWS refuses (PutBucketLifecycleConfiguration; "Lifecycle configuration elements").
pub fn check(rules: &[LifecycleRule]) -> Result<()> {
    if rules.len() > MOST_RULES {
        return Err(request(format!("A lifecycle configuration has at most {MOST_RULES} rules.")));
    }
    let mut ids = BTreeSet::new();
    for rule in rules {
        if !ids.insert(&rule.id) {
            return Err(argument("Rule ID must be unique. Found same ID for one or more rules"));
        }
        check_rule(rule)?;
    }
    Ok(())
}

fn check_rule(rule: &LifecycleRule) -> Result<()> {
    let length = rule.id.chars().count();
    if length == 0 || length > LONGEST_ID {
        return Err(argument(format!("The ID of a rule has 1 to {LONGEST_ID} characters")));
    }
    check_filter(&rule.filter)?;
    let expirations = usize::from(rule.expire_days.is_some())
        + usize::from(rule.expire_date.is_some())
        + usize::from(rule.expire_delete_markers.is_some());
    if expirations > 1 {
        return Err(request("An expiration has Days, Date or ExpiredObjectDeleteMarker, and only one of them"));
    }
    if rule.noncurrent_keep.is_some() && rule.noncurrent_days.is_none() {
        return Err(request("NewerNoncurrentVersions needs NoncurrentDays"));
    }
    if expirations == 0 && rule.noncurrent_days.is_none() && rule.abort_uploads_days.is_none() {
        return Err(request("At least one action needs to be specified in a rule"));
    }
    for (days, what) in [
        (rule.expire_days, "'Days' for Expiration action"),
        (rule.noncurrent_days, "'NoncurrentDays' for NoncurrentVersionExpiration action"),
        (rule.abort_uploads_days, "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action"),
    ] {
        if days == Some(0) {
            return Err(argument(format!("{what} must be a positive integer")));
        }
    }
    if rule.noncurrent_keep.is_some_and(|keep| keep == 0 || keep > MOST_VERSIONS) {
        return Err(argument(format!("'NewerNoncurrentVersions' must be 1 to {MOST_VERSIONS}")));
    }
    if rule.expire_date.is_some_and(|date| date.millis().rem_euclid(86_400_000) != 0) {
        return Err(argument("'Date' must be at midnight GMT"));
    }
    let sized = rule.filter.size_greater_than.is_some() || rule.filter.size_less_than.is_some();
    for (there, what) in [
        (rule.abort_uploads_days.is_some(), "AbortIncompleteMultipartUpload"),
        (rule.expire_delete_markers.is_some(), "ExpiredObjectDeleteMarker"),
    ] {
        if there && !rule.filter.tags.is_empty() {
            return Err(request(format!("{what} cannot be specified with Tags")));
        }
        if there && sized {
            return Err(request(format!("{what} cannot be specified with Object Size")));
        }
    }
    Ok(())
}

fn check_filter(filter: &Filter) -> Result<()> {
    if filter.prefix.as_ref().is_some_and(|prefix| prefix.len() > LONGEST_PREFIX) {
        return Err(request(format!("The maximum size of a prefix is {LONGEST_PREFIX}")));
    }
    tags::checked(filter.tags.clone(), usize::MAX).map_err(|fault| request(fault.to_string()))?;
    if let (Some(least), Some(most)) = (filter.size_greater_than, filter.size_less_than)
        && most <= least
    {
        return Err(request("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'"));
    }
    if filter.older_form && (filter.prefix.is_none() || filter.parts() != 1) {
        return Err(request("The older form of a rule has a prefix and nothing else"));
    }
    Ok(())
}

fn argument(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, "set lifecycle rules", message).with_code("invalid_lifecycle")
}

fn request(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidRequest, "set lifecycle rules", message).with_code("invalid_lifecycle")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(changes: serde_json::Value) -> LifecycleRule {
        let mut whole = json!({"id": "r", "expire_days": 1});
        for (key, value) in changes.as_object().unwrap() {
            whole[key] = value.clone();
        }
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn a_rule_is_written_short_and_comes_back() {
        let whole = json!({"id": "r", "enabled": false, "filter": {"prefix": "logs/", "tags": {"a": "b"},
            "size_greater_than": 1, "size_less_than": 9}, "expire_date": "2027-01-01T00:00:00Z",
            "noncurrent_days": 3, "noncurrent_keep": 2});
        let rule: LifecycleRule = serde_json::from_value(whole.clone()).unwrap();
        assert_eq!(serde_json::to_value(&rule).unwrap(), whole);
        check(&[rule]).unwrap();
        assert!(serde_json::from_value::<LifecycleRule>(json!({"id": "r", "transition_days": 3})).is_err());
    }

    #[test]
    fn what_aws_accepts_is_accepted() {
        for good in [
            json!({}),
            json!({"filter": {"prefix": "", "older_form": true}}),
            json!({"abort_uploads_days": 7, "filter": {"prefix": "tmp/"}}),
            json!({"expire_days": null, "expire_delete_markers": true}),
            json!({"noncurrent_days": 1, "noncurrent_keep": 100}),
        ] {
            check(&[rule(good.clone())]).unwrap_or_else(|error| panic!("{good}: {error}"));
        }
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        for bad in [
            json!({"id": ""}),
            json!({"id": "x".repeat(256)}),
            json!({"expire_days": null}),
            json!({"expire_days": 0}),
            json!({"expire_date": "2027-01-01T00:00:00Z"}),
            json!({"expire_days": null, "expire_date": "2027-01-01T00:00:01Z"}),
            json!({"expire_delete_markers": false}),
            json!({"noncurrent_days": 0}),
            json!({"noncurrent_keep": 1}),
            json!({"noncurrent_days": 1, "noncurrent_keep": 101}),
            json!({"abort_uploads_days": 0}),
            json!({"abort_uploads_days": 1, "filter": {"tags": {"a": "b"}}}),
            json!({"abort_uploads_days": 1, "filter": {"size_less_than": 3}}),
            json!({"filter": {"size_greater_than": 3, "size_less_than": 3}}),
            json!({"filter": {"prefix": "x".repeat(1025)}}),
            json!({"filter": {"tags": {"aws:a": "b"}}}),
            json!({"filter": {"older_form": true}}),
        ] {
            let error = check(&[rule(bad.clone())]).expect_err(&bad.to_string());
            assert_eq!(error.code(), Some("invalid_lifecycle"), "{bad}");
        }
        assert!(check(&[rule(json!({})), rule(json!({}))]).unwrap_err().message().contains("unique"));
    }
}
