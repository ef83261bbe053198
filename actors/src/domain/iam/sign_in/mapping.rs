//! Mapping rules: which groups a person's claims give.

use super::claims::Claims;
use crate::domain::iam::model::{GroupId, MappingRule};
use crate::domain::iam::pattern::glob_ignoring_case;
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};
use regex::RegexBuilder;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The kinds of rules.
pub const MATCH_TYPES: [&str; 5] = ["email_exact", "email_domain", "email_glob", "email_regex", "claim_value"];

/// The longest value or name of a claim that a rule compares with.
const LONGEST: usize = 512;
/// The most memory that a compiled expression takes.
const REGEX_BYTES: usize = 256 << 10;

/// Checks a rule; that its provider and group exist is the change's to see.
pub fn check_rule(rule: &MappingRule) -> Result<()> {
    let value = rule.match_value.as_str();
    if value.is_empty() || value.len() > LONGEST || value.chars().any(char::is_control) {
        return Err(invalid(format!("`match_value` has 1 to {LONGEST} characters and none of control")));
    }
    match rule.match_type.as_str() {
        "claim_value" => {
            let name = rule.match_field.as_str();
            if name.is_empty() || name.len() > LONGEST || name.chars().any(char::is_control) {
                let hint =
                    "name the claim that has the person's groups or roles, such as `groups` or `realm_access.roles`";
                return Err(invalid("a rule by claim names one in `match_field`").with_hint(hint));
            }
            return Ok(());
        }
        "email_exact" if Claims::of_email(value).email().is_none() => {
            return Err(invalid(format!("`{value}` is no e-mail address")));
        }
        "email_domain" if !is_domain(value.strip_prefix('@').unwrap_or(value)) => {
            return Err(invalid(format!("`{value}` is no domain")).with_hint("write it as in `example.com`"));
        }
        "email_regex" => {
            // By itself first: it must not reach beyond the brackets that are put around it.
            let problem = compile(value).and_then(|_| compile(&whole(value))).err();
            if let Some(error) = problem {
                return Err(invalid(format!("the regular expression cannot be used: {error}"))
                    .with_hint("it must match the whole address, such as `.*@(eu|us)\\.example\\.com`"));
            }
        }
        "email_exact" | "email_domain" | "email_glob" => {}
        other => {
            return Err(invalid(format!("`{other}` is no kind of rule; there are {}", MATCH_TYPES.join(", "))));
        }
    }
    match rule.match_field.as_str() {
        "email" => Ok(()),
        other => Err(invalid(format!("a rule by e-mail has the `match_field` email, not `{other}`"))
            .with_hint("use the kind claim_value for other claims")),
    }
}

/// What the rules give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// The rules that match, by priority.
    pub rules: Vec<Arc<MappingRule>>,
    /// The groups that they give.
    pub group_ids: BTreeSet<GroupId>,
}

/// The rules that match a person of a provider; of any provider where none is named. Every rule that matches counts.
pub fn evaluate(state: &State, provider_id: Option<&str>, claims: &Claims) -> Matched {
    let mut rules: Vec<Arc<MappingRule>> = state
        .mapping_rules
        .values()
        .filter(|rule| is_about(rule, provider_id) && state.groups.contains_key(&rule.group_id))
        .filter(|rule| matches(rule, claims))
        .cloned()
        .collect();
    rules.sort_by(|a, b| (a.priority, &a.id).cmp(&(b.priority, &b.id)));
    let group_ids = rules.iter().map(|rule| rule.group_id.clone()).collect();
    Matched { rules, group_ids }
}

/// Whether a rule gives its group to a person of a provider.
pub fn gives(rule: &MappingRule, provider_id: &str, claims: &Claims) -> bool {
    is_about(rule, Some(provider_id)) && matches(rule, claims)
}

/// Whether a rule counts for people of this provider; of any where none is named.
fn is_about(rule: &MappingRule, provider_id: Option<&str>) -> bool {
    rule.enabled
        && match (&rule.provider_id, provider_id) {
            (Some(own), Some(asked)) => own == asked,
            (Some(_), None) => false,
            (None, _) => true,
        }
}

/// The claims that the rules of a provider ask for.
pub fn claims_named<'a>(state: &'a State, provider_id: &'a str) -> impl Iterator<Item = &'a str> {
    let rules = state.mapping_rules.values().filter(|rule| rule.enabled && rule.match_type == "claim_value");
    let own = rules.filter(move |rule| rule.provider_id.as_deref().is_none_or(|id| id == provider_id));
    own.map(|rule| rule.match_field.as_str())
}

/// A rule that cannot be read matches nobody: it could only have come with an archive.
fn matches(rule: &MappingRule, claims: &Claims) -> bool {
    let value = rule.match_value.as_str();
    if rule.match_type == "claim_value" {
        return claims.get(&rule.match_field).is_some_and(|claim| holds(claim, value));
    }
    let Some(email) = claims.email().filter(|_| rule.match_field == "email") else { return false };
    match rule.match_type.as_str() {
        "email_exact" => email.eq_ignore_ascii_case(value),
        "email_domain" => {
            let domain = value.strip_prefix('@').unwrap_or(value);
            claims.domain().is_some_and(|own| own.eq_ignore_ascii_case(domain))
        }
        "email_glob" => glob_ignoring_case(value, email),
        "email_regex" => compile(value).and_then(|_| compile(&whole(value))).is_ok_and(|regex| regex.is_match(email)),
        _ => false,
    }
}

/// Whether a claim is the value, or a list that has it.
fn holds(claim: &Value, value: &str) -> bool {
    match claim {
        Value::String(text) => text == value,
        Value::Bool(flag) => flag.to_string() == value,
        Value::Number(number) => number.to_string() == value,
        Value::Array(list) => list.iter().any(|item| !item.is_array() && holds(item, value)),
        Value::Null | Value::Object(_) => false,
    }
}

/// The whole address must match: an expression that is looked for anywhere lets in whoever owns a longer domain.
fn whole(expression: &str) -> String {
    format!("^(?:{expression})$")
}

fn compile(expression: &str) -> std::result::Result<regex::Regex, regex::Error> {
    RegexBuilder::new(expression)
        .case_insensitive(true)
        .size_limit(REGEX_BYTES)
        .dfa_size_limit(REGEX_BYTES)
        .nest_limit(32)
        .build()
}

/// Whether a text can be the domain of an address.
pub(super) fn is_domain(text: &str) -> bool {
    text.contains('.')
        && text.len() <= 253
        && text.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte >= 0x80)
        })
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, "check mapping rule", message).with_code("invalid_mapping_rule")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::iam::model::Group;
    use serde_json::json;

    fn rule(match_type: &str, match_field: &str, match_value: &str) -> MappingRule {
        MappingRule {
            id: "r1".into(),
            provider_id: None,
            priority: 0,
            match_type: match_type.into(),
            match_field: match_field.into(),
            match_value: match_value.into(),
            group_id: "g1".into(),
            created_at: Timestamp::default(),
            enabled: true,
        }
    }

    fn fits(rule: &MappingRule, claims: &Value) -> bool {
        check_rule(rule).unwrap();
        matches(rule, &Claims::new(claims.as_object().unwrap().clone()))
    }

    #[test]
    fn each_kind_compares_the_whole_value() {
        let table: [(&str, &str, &[&str], &[&str]); 6] = [
            (
                "email_exact",
                "ann@example.com",
                &["ANN@example.com"],
                &["joann@example.com", "ann@example.com.evil.org"],
            ),
            (
                "email_domain",
                "example.com",
                &["a@example.com", "b@EXAMPLE.com"],
                &["a@sub.example.com", "a@notexample.com"],
            ),
            ("email_domain", "@example.com", &["a@example.com"], &["a@example.org"]),
            ("email_glob", "*@*.example.com", &["a@eu.example.com"], &["a@example.com", "a@eu.example.com.evil.org"]),
            (
                "email_regex",
                r".*@(eu|us)\.example\.com",
                &["a@EU.example.com"],
                &["a@eu.example.com.evil.org", "a@de.example.com"],
            ),
            ("email_regex", "ann@a.org|bob@b.org", &["ann@a.org", "bob@b.org"], &["ann@a.organic", "xbob@b.org"]),
        ];
        for (kind, value, good, bad) in table {
            let rule = rule(kind, "email", value);
            for email in good {
                assert!(fits(&rule, &json!({"email": email})), "{kind} {value} {email}");
            }
            for email in bad {
                assert!(!fits(&rule, &json!({"email": email})), "{kind} {value} {email}");
            }
        }
    }

    #[test]
    fn a_claim_is_a_value_or_a_list_of_values() {
        let admins = rule("claim_value", "groups", "admins");
        assert!(fits(&admins, &json!({"groups": ["users", "admins"]})));
        assert!(fits(&admins, &json!({"groups": "admins"})));
        for bad in [json!(["Admins"]), json!("users,admins"), json!({"admins": true}), json!([["admins"]]), Value::Null]
        {
            assert!(!fits(&admins, &json!({"groups": bad})), "{bad}");
        }
        assert!(fits(&rule("claim_value", "level", "7"), &json!({"level": 7})));
        assert!(fits(&rule("claim_value", "staff", "true"), &json!({"staff": true})));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let bad = [
            ("email_exact", "email", "ann"),
            ("email_domain", "email", "example"),
            ("email_domain", "email", "a@b.c"),
            ("email_regex", "email", "("),
            ("email_regex", "email", "a)|(?:.*"),
            ("email_regex", "email", "(?x)a #"),
            ("email_regex", "email", r"(\w{100}){100}"),
            ("email_glob", "name", "*"),
            ("claim_value", "", "x"),
            ("claim_value", "groups", ""),
            ("email", "email", "x@y.z"),
        ];
        for (kind, field, value) in bad {
            let refused = check_rule(&rule(kind, field, value)).unwrap_err();
            assert_eq!(refused.code(), Some("invalid_mapping_rule"), "{kind} {field} {value}");
            assert!(!matches(&rule(kind, field, value), &Claims::of_email("x@y.z")), "{kind} {value}");
        }
        assert!(check_rule(&rule("email_glob", "email", &"x".repeat(LONGEST + 1))).is_err());
    }

    #[test]
    fn rules_of_other_providers_of_lost_groups_and_switched_off_ones_give_nothing() {
        let mut state = State::default();
        let group = |id: &str| Group {
            id: id.into(),
            name: id.into(),
            description: String::new(),
            created_at: Timestamp::default(),
            permissions: Vec::new(),
        };
        for id in ["g1", "g2", "g3"] {
            state.groups.insert(id.into(), Arc::new(group(id)));
        }
        let all = rule("email_domain", "email", "b.c");
        let rules = [
            MappingRule { id: "all".into(), priority: 5, ..all.clone() },
            MappingRule { id: "own".into(), provider_id: Some("p1".into()), group_id: "g2".into(), ..all.clone() },
            MappingRule { id: "other".into(), provider_id: Some("p2".into()), group_id: "g3".into(), ..all.clone() },
            MappingRule { id: "off".into(), enabled: false, group_id: "g3".into(), ..all.clone() },
            MappingRule { id: "lost".into(), group_id: "gone".into(), ..all },
        ];
        for rule in rules {
            state.mapping_rules.insert(rule.id.clone(), Arc::new(rule));
        }
        let claims = Claims::of_email("a@b.c");
        let found = evaluate(&state, Some("p1"), &claims);
        assert_eq!(found.rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>(), ["own", "all"]);
        assert_eq!(found.group_ids, ["g1", "g2"].map(str::to_owned).into());
        assert_eq!(evaluate(&state, None, &claims).group_ids, ["g1".to_owned()].into());
        assert!(evaluate(&state, Some("p1"), &Claims::of_email("a@c.b")).rules.is_empty());
    }
}
