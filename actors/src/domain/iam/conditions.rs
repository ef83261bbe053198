//! The condition operators of a rule, with AWS's semantics (*IAM JSON policy elements: Condition operators*).
//!
//! All operators and all keys of a rule must hold. Several values of one key are alternatives; of a negated operator,
//! *none* may match. A key that the request lacks fails every operator but the negated ones and those ending in `IfExists`.

use crate::domain::clock::Timestamp;
use crate::domain::iam::context::{Asked, ContextKey};
use crate::domain::iam::model::OneOrMany;
use crate::domain::iam::pattern::{self, PatternError, Variables};
use crate::domain::network::Network;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The conditions of a rule: operator → key → values.
pub type Conditions = BTreeMap<String, BTreeMap<String, OneOrMany>>;

/// An operator, without `IfExists` and negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Equals,
    EqualsIgnoreCase,
    Like,
    Numeric(Order),
    Date(Order),
    Bool,
    Ip,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Operator {
    compare: Compare,
    negated: bool,
    if_exists: bool,
}

/// Whether every condition holds. A condition that cannot be read (none is ever saved) is an error, for the caller to
/// treat so that nobody gains by it.
pub fn hold(conditions: &Conditions, asked: &Asked<'_>) -> Result<bool, String> {
    for (operator, keys) in conditions {
        let operator = Operator::parse(operator)?;
        for (key, values) in keys {
            let key = ContextKey::parse(key).ok_or_else(|| unknown_key(key))?;
            if !operator.holds(&key, values, asked)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Checks operators, keys and values as they are written.
pub fn check(conditions: &Conditions) -> Result<(), String> {
    for (name, keys) in conditions {
        let operator = Operator::parse(name)?;
        for (key, values) in keys {
            ContextKey::parse(key).ok_or_else(|| unknown_key(key))?;
            if values.as_slice().is_empty() {
                return Err(format!("condition `{name}` on `{key}` has no value"));
            }
            for value in values.as_slice() {
                operator.check(value).map_err(|why| format!("condition `{name}` on `{key}`: {why}"))?;
            }
        }
    }
    Ok(())
}

/// True where a condition is about the tags of the object that is there.
pub fn ask_tags(conditions: &Conditions) -> bool {
    let mut keys = conditions.values().flat_map(|keys| keys.keys());
    keys.any(|key| matches!(ContextKey::parse(key), Some(ContextKey::ExistingTag(_))))
}

fn unknown_key(key: &str) -> String {
    format!(
        "`{key}` is no condition key; there are aws:SourceIp, aws:CurrentTime, aws:EpochTime, aws:SecureTransport, \
         aws:UserAgent, aws:Referer, aws:username, aws:userid, s3:prefix, s3:delimiter, s3:max-keys, \
         s3:ExistingObjectTag/…, s3:RequestObjectTag/… and s3:x-amz-…"
    )
}

impl OneOrMany {
    /// The values.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

impl Operator {
    fn parse(text: &str) -> Result<Self, String> {
        let (base, if_exists) = match text.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (text, false),
        };
        let (compare, negated) = match base {
            "StringEquals" => (Compare::Equals, false),
            "StringNotEquals" => (Compare::Equals, true),
            "StringEqualsIgnoreCase" => (Compare::EqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Compare::EqualsIgnoreCase, true),
            "StringLike" => (Compare::Like, false),
            "StringNotLike" => (Compare::Like, true),
            "NumericEquals" => (Compare::Numeric(Order::Equal), false),
            "NumericNotEquals" => (Compare::Numeric(Order::Equal), true),
            "NumericLessThan" => (Compare::Numeric(Order::Less), false),
            "NumericLessThanEquals" => (Compare::Numeric(Order::LessOrEqual), false),
            "NumericGreaterThan" => (Compare::Numeric(Order::Greater), false),
            "NumericGreaterThanEquals" => (Compare::Numeric(Order::GreaterOrEqual), false),
            "DateEquals" => (Compare::Date(Order::Equal), false),
            "DateNotEquals" => (Compare::Date(Order::Equal), true),
            "DateLessThan" => (Compare::Date(Order::Less), false),
            "DateLessThanEquals" => (Compare::Date(Order::LessOrEqual), false),
            "DateGreaterThan" => (Compare::Date(Order::Greater), false),
            "DateGreaterThanEquals" => (Compare::Date(Order::GreaterOrEqual), false),
            "Bool" => (Compare::Bool, false),
            "IpAddress" => (Compare::Ip, false),
            "NotIpAddress" => (Compare::Ip, true),
            "Null" if !if_exists => (Compare::Null, false),
            _ => {
                return Err(format!(
                    "`{text}` is no condition operator; there are String…, Numeric…, Date…, Bool, IpAddress, NotIpAddress \
                     (each also with IfExists) and Null"
                ));
            }
        };
        Ok(Self { compare, negated, if_exists })
    }

    fn check(&self, value: &str) -> Result<(), String> {
        let good = match self.compare {
            Compare::Equals | Compare::EqualsIgnoreCase | Compare::Like => {
                return pattern::check_variables(value).map_err(|error| error.to_string());
            }
            Compare::Numeric(_) => number(value).is_some(),
            Compare::Date(_) => date(value).is_some(),
            Compare::Bool | Compare::Null => boolean(value).is_some(),
            Compare::Ip => Network::parse(value).is_some(),
        };
        let what = match self.compare {
            Compare::Numeric(_) => "a number",
            Compare::Date(_) => "a time such as 2026-11-22T09:00:00Z or seconds since 1970",
            Compare::Ip => "an address or a network such as 10.0.0.0/8",
            _ => "`true` or `false`",
        };
        if good { Ok(()) } else { Err(format!("`{value}` is not {what}")) }
    }

    fn holds(&self, key: &ContextKey, values: &OneOrMany, asked: &Asked<'_>) -> Result<bool, String> {
        let actual = key.value(asked);
        if self.compare == Compare::Null {
            let missing = actual.is_none();
            return Ok(values.as_slice().iter().any(|value| boolean(value) == Some(missing)));
        }
        let Some(actual) = actual else { return Ok(self.if_exists || self.negated) };
        let mut any = false;
        for value in values.as_slice() {
            any |= self.equal(&actual, value, asked)?;
        }
        Ok(any != self.negated)
    }

    fn equal(&self, actual: &str, value: &str, asked: &Asked<'_>) -> Result<bool, String> {
        let variables =
            Variables { username: asked.username, user_id: asked.user_id, access_key_id: asked.access_key_id };
        let unreadable = |_| format!("`{value}` cannot be read");
        Ok(match self.compare {
            Compare::Equals => pattern::substitute(value, &variables).map_err(unreadable)? == actual,
            Compare::EqualsIgnoreCase => {
                pattern::substitute(value, &variables).map_err(unreadable)?.to_lowercase() == actual.to_lowercase()
            }
            Compare::Like => pattern::matches(value, actual, &variables).map_err(unreadable)?,
            Compare::Numeric(order) => order.of(number(actual), number(value)),
            Compare::Date(order) => order.of(date(actual), date(value)),
            Compare::Bool => boolean(actual).is_some() && boolean(actual) == boolean(value),
            Compare::Ip => match (Network::parse(value), actual.parse()) {
                (Some(network), Ok(ip)) => network.contains(ip),
                _ => return Err(format!("`{value}` cannot be read")),
            },
            Compare::Null => false,
        })
    }
}

impl Order {
    fn of<T: PartialOrd>(self, actual: Option<T>, value: Option<T>) -> bool {
        let (Some(actual), Some(value)) = (actual, value) else { return false };
        let Some(ordering) = actual.partial_cmp(&value) else { return false };
        match self {
            Self::Equal => ordering == Ordering::Equal,
            Self::Less => ordering == Ordering::Less,
            Self::LessOrEqual => ordering != Ordering::Greater,
            Self::Greater => ordering == Ordering::Greater,
            Self::GreaterOrEqual => ordering != Ordering::Less,
        }
    }
}

impl std::fmt::Display for PatternError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unclosed => f.write_str("`${` is not closed"),
            Self::UnknownVariable(name) => write!(
                f,
                "`${{{name}}}` is no variable; there are ${{iam:username}}, ${{iam:userid}} and ${{iam:access_key_id}}, \
                 also spelt aws:"
            ),
            Self::NoValue => f.write_str("a variable has no value"),
        }
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// RFC 3339, a date alone, or seconds since 1970.
fn date(text: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(text)
        .or_else(|| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")))
        .or_else(|| text.parse().ok().filter(|secs: &i64| secs.abs() < 1 << 40).map(Timestamp::from_secs))
}

#[cfg(test)]
mod tests;
