//! What browsers of other origins may do with a bucket: AWS's rules, and which of them is for a request.

use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// The most rules of a bucket (AWS).
pub const MOST_RULES: usize = 100;
/// The methods that a rule may name (AWS).
pub const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];
/// The longest id of a rule (AWS).
const LONGEST_ID: usize = 255;

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorsRule {
    /// What its author calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Origins, each with at most one `*`.
    pub allowed_origins: Vec<String>,
    /// Of [`METHODS`].
    pub allowed_methods: Vec<String>,
    /// Names of headers that a request may have, each with at most one `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_headers: Vec<String>,
    /// Names of headers that scripts may read of the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// How many seconds a browser may remember the answer to a preflight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<u32>,
}

/// A rule that is for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// The rule.
    pub rule: &'a CorsRule,
    /// It names every origin alike, so the answer is the same for all of them.
    pub any_origin: bool,
}

/// The first rule for a request; the headers are those that a preflight asks for.
pub fn find<'a>(rules: &'a [CorsRule], origin: &str, method: &str, headers: &[&str]) -> Option<Match<'a>> {
    rules.iter().find_map(|rule| {
        let pattern = rule.allowed_origins.iter().find(|pattern| matches(pattern, origin))?;
        let allowed = |header: &&str| {
            rule.allowed_headers
                .iter()
                .any(|pattern| matches(&pattern.to_ascii_lowercase(), &header.to_ascii_lowercase()))
        };
        let good = rule.allowed_methods.iter().any(|one| one == method) && headers.iter().all(allowed);
        good.then_some(Match { rule, any_origin: pattern == "*" })
    })
}

/// Whether a text is of a pattern with at most one `*`.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end),
    }
}

/// Refuses rules that AWS refuses (PutBucketCors; "Elements of a CORS configuration").
pub fn check(rules: &[CorsRule]) -> Result<()> {
    if rules.len() > MOST_RULES {
        return Err(refused(format!(
            "The number of CORS rules should not exceed allowed limit of {MOST_RULES} rules."
        )));
    }
    rules.iter().try_for_each(check_rule)
}

fn check_rule(rule: &CorsRule) -> Result<()> {
    if rule.id.as_ref().is_some_and(|id| id.chars().count() > LONGEST_ID) {
        return Err(refused(format!("The ID of a CORS rule has at most {LONGEST_ID} characters.")));
    }
    if rule.allowed_origins.is_empty() || rule.allowed_methods.is_empty() {
        return Err(refused("A CORS rule needs at least one AllowedOrigin and one AllowedMethod."));
    }
    if let Some(method) = rule.allowed_methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
        return Err(refused(format!("Found unsupported HTTP method in CORS config. Unsupported method is {method}")));
    }
    for origin in &rule.allowed_origins {
        if origin.is_empty() || origin.matches('*').count() > 1 {
            return Err(refused(format!("AllowedOrigin \"{origin}\" can not have more than one wildcard.")));
        }
    }
    for header in &rule.allowed_headers {
        if header.matches('*').count() > 1 {
            return Err(refused(format!("AllowedHeader \"{header}\" can not have more than one wildcard.")));
        }
        if !is_name(&header.replace('*', "x")) {
            return Err(refused(format!("AllowedHeader \"{header}\" is no name of a header.")));
        }
    }
    for header in &rule.expose_headers {
        if header.contains('*') {
            return Err(refused(format!(
                "ExposeHeader \"{header}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
            )));
        }
        if !is_name(header) {
            return Err(refused(format!("ExposeHeader \"{header}\" is no name of a header.")));
        }
    }
    Ok(())
}

/// A token (RFC 9110 §5.6.2): what is sent back stands in a header.
fn is_name(text: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(token)
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidRequest, "set CORS rules", message).with_code("invalid_cors")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(origins: &[&str], methods: &[&str], headers: &[&str]) -> CorsRule {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        CorsRule {
            allowed_origins: texts(origins),
            allowed_methods: texts(methods),
            allowed_headers: texts(headers),
            ..CorsRule::default()
        }
    }

    #[test]
    fn the_first_rule_that_has_origin_method_and_every_header_is_for_a_request() {
        let rules = [
            rule(&["https://a.example", "http://*.b.example"], &["PUT"], &["x-amz-*", "Content-Type"]),
            rule(&["*"], &["GET"], &[]),
        ];
        let found = |origin, method, headers: &[&str]| {
            find(&rules, origin, method, headers).map(|found| (std::ptr::eq(found.rule, &rules[0]), found.any_origin))
        };
        assert_eq!(found("https://a.example", "PUT", &["content-TYPE", "X-Amz-Date"]), Some((true, false)));
        assert_eq!(found("http://x.b.example", "PUT", &[]), Some((true, false)));
        assert_eq!(found("http://.b.example", "PUT", &[]), Some((true, false)), "a star is also nothing");
        assert_eq!(found("http://b.example", "PUT", &[]), None);
        assert_eq!(found("https://a.example", "PUT", &["x-other"]), None);
        assert_eq!(found("https://a.example", "GET", &[]), Some((false, true)));
        assert_eq!(found("https://a.example", "GET", &["range"]), None);
        assert_eq!(found("https://a.example", "get", &[]), None);
    }

    #[test]
    fn a_star_does_not_let_its_two_halves_overlap() {
        assert!(matches("ab*ba", "abba") && matches("ab*ba", "abxba"));
        assert!(!matches("ab*ba", "aba"));
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        assert!(check(&[rule(&["*"], &["GET", "PUT", "HEAD", "POST", "DELETE"], &["*", "x-*"])]).is_ok());
        for bad in [
            rule(&[], &["GET"], &[]),
            rule(&["*"], &[], &[]),
            rule(&["http://*.*"], &["GET"], &[]),
            rule(&["*"], &["get"], &[]),
            rule(&["*"], &["OPTIONS"], &[]),
            rule(&["*"], &["GET"], &["*-*"]),
            rule(&["*"], &["GET"], &["a b"]),
            CorsRule { id: Some("x".repeat(256)), ..rule(&["*"], &["GET"], &[]) },
            CorsRule { expose_headers: vec!["*".into()], ..rule(&["*"], &["GET"], &[]) },
            CorsRule { expose_headers: vec!["a\r\nb".into()], ..rule(&["*"], &["GET"], &[]) },
        ] {
            assert_eq!(check(std::slice::from_ref(&bad)).unwrap_err().code(), Some("invalid_cors"), "{bad:?}");
        }
        assert!(check(&vec![rule(&["*"], &["GET"], &[]); 101]).is_err());
    }
}
