//! The policy of a form: until when it may be used, and what its fields must say.
//!
//! Source: AWS, "Creating a POST policy" and "Browser-based uploads using POST (AWS signature version 4)".

use super::fields::Fields;
use crate::http::s3::error::S3Error;
use actix_web::http::StatusCode;
use actors::domain::clock::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

/// A policy that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    expiration: Timestamp,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    /// The field, in lower case, has this value.
    Equal(String, String),
    /// It begins with this.
    StartsWith(String, String),
    /// The file has so many bytes, at least and at most.
    Length(u64, u64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    expiration: String,
    conditions: Vec<Value>,
}

impl Policy {
    /// Reads the field `policy`.
    pub fn parse(field: &str) -> Result<Self, S3Error> {
        let bytes = STANDARD.decode(field).map_err(|_| invalid("Invalid base64 encoding."))?;
        let document: Document = serde_json::from_slice(&bytes).map_err(|error| invalid(&error.to_string()))?;
        let expiration = Timestamp::parse_rfc3339(&document.expiration)
            .ok_or_else(|| invalid(&format!("Invalid 'expiration' value: '{}'", document.expiration)))?;
        let conditions = document.conditions.iter().map(condition).collect::<Result<Vec<_>, _>>()?;
        if conditions.is_empty() {
            return Err(invalid("The list of conditions is empty."));
        }
        Ok(Self { expiration, conditions })
    }

    /// Refuses a form that the policy does not allow. Every field must be named by a condition, the bucket too.
    pub fn check(&self, fields: &Fields, bucket: &str, now: Timestamp) -> Result<(), S3Error> {
        if now >= self.expiration {
            return Err(denied("Policy expired."));
        }
        let value = |name: &str| match name {
            "bucket" => Some(bucket),
            name => fields.get(name),
        };
        for condition in &self.conditions {
            let holds = match condition {
                Condition::Equal(name, expected) => value(name).unwrap_or_default() == expected,
                Condition::StartsWith(name, start) => begins(name, value(name).unwrap_or_default(), start),
                Condition::Length(..) => true,
            };
            if !holds {
                return Err(denied(&format!("Policy Condition failed: {}", condition.shown())));
            }
        }
        let named = |name: &str| self.conditions.iter().any(|condition| condition.field() == Some(name));
        let extra: Vec<&str> = fields.names().chain(["bucket"]).filter(|name| !is_free(name) && !named(name)).collect();
        match extra.is_empty() {
            true => Ok(()),
            false => Err(denied(&format!("Extra input fields: {}", extra.join(", ")))),
        }
    }

    /// How many bytes the file may have, at least and at most.
    pub fn length(&self) -> (u64, u64) {
        let all = self.conditions.iter().filter_map(|condition| match condition {
            Condition::Length(least, most) => Some((*least, *most)),
            _ => None,
        });
        all.fold((0, u64::MAX), |(least, most), (one, other)| (least.max(one), most.min(other)))
    }
}

impl Condition {
    fn field(&self) -> Option<&str> {
        match self {
            Self::Equal(name, _) | Self::StartsWith(name, _) => Some(name),
            Self::Length(..) => None,
        }
    }

    fn shown(&self) -> Value {
        match self {
            Self::Equal(name, value) => serde_json::json!(["eq", format!("${name}"), value]),
            Self::StartsWith(name, value) => serde_json::json!(["starts-with", format!("${name}"), value]),
            Self::Length(least, most) => serde_json::json!(["content-length-range", least, most]),
        }
    }
}

/// A list of types begins with a text where each of them does (AWS).
fn begins(name: &str, value: &str, start: &str) -> bool {
    match name == "content-type" {
        true => value.split(',').all(|one| one.trim().starts_with(start)),
        false => value.starts_with(start),
    }
}

/// What no condition must name: the proof itself, the file, and what says that it is to be ignored.
fn is_free(name: &str) -> bool {
    ["policy", "x-amz-signature", "signature", "awsaccesskeyid", "file"].contains(&name)
        || name.starts_with("x-ignore-")
}

fn condition(value: &Value) -> Result<Condition, S3Error> {
    let wrong = || invalid(&format!("Invalid condition: {value}"));
    match value {
        Value::Object(map) => match map.iter().next() {
            Some((name, Value::String(value))) if map.len() == 1 && !name.is_empty() => {
                Ok(Condition::Equal(name.to_ascii_lowercase(), value.clone()))
            }
            _ => Err(wrong()),
        },
        Value::Array(items) => match items.as_slice() {
            [Value::String(kind), Value::String(field), Value::String(value)] => {
                let name = field.strip_prefix('$').filter(|name| !name.is_empty()).ok_or_else(wrong)?;
                let (name, value) = (name.to_ascii_lowercase(), value.clone());
                match kind.as_str() {
                    "eq" => Ok(Condition::Equal(name, value)),
                    "starts-with" => Ok(Condition::StartsWith(name, value)),
                    _ => Err(wrong()),
                }
            }
            [Value::String(kind), least, most] if kind == "content-length-range" => {
                match (least.as_u64(), most.as_u64()) {
                    (Some(least), Some(most)) if least <= most => Ok(Condition::Length(least, most)),
                    _ => Err(wrong()),
                }
            }
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

fn invalid(what: &str) -> S3Error {
    S3Error::new("InvalidPolicyDocument", StatusCode::BAD_REQUEST, format!("Invalid Policy: {what}"))
}

fn denied(what: &str) -> S3Error {
    S3Error::new("AccessDenied", StatusCode::FORBIDDEN, format!("Invalid according to Policy: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn policy(conditions: Value) -> Result<Policy, S3Error> {
        let document = json!({"expiration": "2030-01-01T00:00:00.000Z", "conditions": conditions});
        Policy::parse(&STANDARD.encode(document.to_string()))
    }

    fn check(conditions: Value, fields: &[(&str, &str)]) -> Result<(), String> {
        let mut all = Fields::default();
        for (name, value) in fields {
            all.add(name, value).unwrap();
        }
        let outcome = policy(conditions).unwrap().check(&all, "bkt", Timestamp::from_secs(1_800_000_000));
        outcome.map_err(|error| error.message().to_owned())
    }

    #[test]
    fn every_condition_must_hold_and_name_every_field() {
        let conditions = json!([{"bucket": "bkt"}, ["starts-with", "$key", "user/"], ["eq", "$ACL", "private"], ["starts-with", "$name", ""]]);
        let good =
            [("key", "user/a"), ("Acl", "private"), ("policy", "p"), ("x-amz-signature", "s"), ("x-ignore-me", "1")];
        check(conditions.clone(), &good).unwrap();
        for (name, value, why) in [
            ("key", "other/a", "Policy Condition failed: [\"starts-with\",\"$key\",\"user/\"]"),
            ("Acl", "public-read", "Policy Condition failed: [\"eq\",\"$acl\",\"private\"]"),
            ("x-amz-meta-a", "1", "Extra input fields: x-amz-meta-a"),
        ] {
            let mut fields: Vec<_> = good.iter().copied().filter(|(known, _)| *known != name).collect();
            fields.push((name, value));
            assert_eq!(check(conditions.clone(), &fields).unwrap_err(), format!("Invalid according to Policy: {why}"));
        }
        assert!(check(json!([["starts-with", "$key", ""]]), &[("key", "a")]).unwrap_err().ends_with("fields: bucket"));
    }

    #[test]
    fn a_list_of_types_must_begin_so_one_by_one() {
        let conditions = json!([{"bucket": "bkt"}, ["starts-with", "$Content-Type", "image/"]]);
        check(conditions.clone(), &[("content-type", "image/png, image/gif")]).unwrap();
        assert!(check(conditions, &[("content-type", "image/png,text/html")]).is_err());
    }

    #[test]
    fn a_policy_ends() {
        let policy = policy(json!([{"bucket": "bkt"}])).unwrap();
        let at = |text: &str| policy.check(&Fields::default(), "bkt", Timestamp::parse_rfc3339(text).unwrap());
        at("2029-12-31T23:59:59.999Z").unwrap();
        assert!(at("2030-01-01T00:00:00Z").unwrap_err().message().contains("Policy expired"));
    }

    #[test]
    fn lengths_are_bounded_by_all_conditions_together() {
        let of = |conditions| policy(conditions).unwrap().length();
        assert_eq!(of(json!([{"bucket": "b"}])), (0, u64::MAX));
        assert_eq!(of(json!([["content-length-range", 1, 9], ["content-length-range", 3, 12]])), (3, 9));
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for bad in [
            json!([]),
            json!({}),
            json!([{}]),
            json!([{"a": "1", "b": "2"}]),
            json!([{"a": 1}]),
            json!([["eq", "key", "a"]]),
            json!([["eq", "$", "a"]]),
            json!([["ends-with", "$key", "a"]]),
            json!([["eq", "$key"]]),
            json!([["content-length-range", -1, 1]]),
            json!([["content-length-range", "0", "1"]]),
            json!([["content-length-range", 2, 1]]),
            json!([["content-length-range", 2]]),
            json!(["eq"]),
        ] {
            assert_eq!(policy(bad.clone()).unwrap_err().code(), "InvalidPolicyDocument", "{bad}");
        }
        for text in [
            "{}",
            "x",
            "{\"expiration\": \"2030-01-01T00:00:00Z\"}",
            "{\"conditions\": [{\"bucket\": \"b\"}]}",
            "{\"Expiration\": \"2030-01-01T00:00:00Z\", \"conditions\": [{\"bucket\": \"b\"}]}",
            "{\"expiration\": \"2030-01-01\", \"conditions\": [{\"bucket\": \"b\"}]}",
            "{\"expiration\": \"2030-01-01T00:00:00Z\", \"conditions\": [{\"bucket\": \"b\"}], \"more\": 1}",
            "{\"expiration\": \"2030-01-01T00:00:00Z\", \"conditions\": [{\"bucket\": \"b\"}]} ",
        ] {
            let outcome = Policy::parse(&STANDARD.encode(text));
            match text.ends_with(' ') {
                true => assert!(outcome.is_ok(), "{text}"),
                false => assert_eq!(outcome.unwrap_err().code(), "InvalidPolicyDocument", "{text}"),
            }
        }
        assert_eq!(Policy::parse("%%%").unwrap_err().code(), "InvalidPolicyDocument");
    }
}
