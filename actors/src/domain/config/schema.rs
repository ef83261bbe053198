//! The JSON Schema of the config file, made from the table of keys.

use super::table::{self, Key, Kind};
use serde_json::{Map, Value, json};

/// A text with a variable in it is accepted wherever a scalar is.
const INTERPOLATED: &str = r"\$\{env:";

/// The schema (draft 2020-12) of the sectioned shape.
pub fn schema() -> Value {
    let mut schema = object("");
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("DeltaGlider Proxy configuration");
    schema
}

/// The keys of a section or item as an object that knows no others.
fn object(parent: &str) -> Value {
    let properties: Map<String, Value> =
        table::children(parent).map(|key| (key.name().to_owned(), described(key))).collect();
    let mut object = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if parent == "storage" {
        let pairs = [["filesystem", "backend"], ["filesystem", "backends"], ["backend", "backends"]];
        object["not"] = json!({ "anyOf": pairs.map(|pair| json!({ "required": pair })) });
    }
    if parent == "storage.backend" {
        object["required"] = json!(["type"]);
    }
    if parent == "advanced.audit.webhook.headers[]" {
        object["required"] = json!(["name", "value"]);
    }
    if let Some(required) = required_of_iam(parent) {
        object["required"] = json!(required);
    }
    if parent == "storage.backends[]" {
        object["required"] = json!(["name", "type"]);
    }
    if parent == "admission.blocks[]" {
        object["required"] = json!(["name", "action"]);
    }
    if parent == "admission.blocks[].action" {
        object["required"] = json!(["type"]);
    }
    object
}

/// What an entry of a list of IAM must have.
fn required_of_iam(parent: &str) -> Option<&'static [&'static str]> {
    match parent {
        "access.iam_users[]" | "access.iam_groups[]" | "access.auth_providers[]" => Some(&["name"]),
        "access.iam_users[].access_keys[]" => Some(&["access_key_id"]),
        "access.group_mapping_rules[]" => Some(&["match_type", "match_value", "group"]),
        _ => None,
    }
}

fn described(key: &Key) -> Value {
    let mut schema = typed(key);
    schema["description"] = json!(key.doc);
    if !key.is_container() {
        schema["x-reload"] = json!(key.reload.as_str());
    }
    if let Some(default) = key.default {
        schema["default"] = match key.kind {
            Kind::Count(..) | Kind::Integer => default.parse::<i64>().map_or(json!(default), |number| json!(number)),
            Kind::Flag => json!(default == "true"),
            _ => json!(default),
        };
    }
    if key.host_setting {
        schema["x-host-setting"] = json!(true);
    }
    if !key.env.is_empty() {
        schema["x-env"] = json!(key.env);
    }
    schema
}

fn typed(key: &Key) -> Value {
    let interpolated = json!({ "type": "string", "pattern": INTERPOLATED });
    let reference = |kind: &str| json!({ "type": "object", "additionalProperties": false, "required": [kind], "properties": { kind: { "type": "string" } } });
    match key.kind {
        Kind::Section => nullable(object(key.path)),
        Kind::Items => {
            // A file without a backend has nowhere to put an object; other lists may be empty.
            let least = usize::from(key.path == "storage.backends");
            json!({ "type": "array", "minItems": least, "items": object(&format!("{}[]", key.path)) })
        }
        Kind::Named(_) => {
            json!({ "type": "object", "additionalProperties": nullable(object(&format!("{}.*", key.path))) })
        }
        Kind::Choice(words) => json!({ "anyOf": [{ "enum": words }, interpolated] }),
        Kind::Variant(words) => json!({ "anyOf": [{ "enum": words }, interpolated, object(key.path)] }),
        Kind::Text(rule) => text(rule.pattern()),
        Kind::Texts(rule) => json!({ "type": "array", "items": text(rule.pattern()) }),
        Kind::Flag => json!({ "anyOf": [{ "type": "boolean" }, interpolated] }),
        Kind::Address => text(Some(r"^.+:[0-9]{1,5}$|\$\{env:")),
        Kind::Count(from, to) => {
            json!({ "anyOf": [{ "type": "integer", "minimum": from, "maximum": to }, interpolated] })
        }
        Kind::Duration(..) => text(Some(r"^([0-9]+(ms|s|m|h|d))+$|^0$|\$\{env:")),
        Kind::Size(from, to) => json!({ "anyOf": [
            { "type": "integer", "minimum": from, "maximum": to },
            { "type": "string", "pattern": r"^[0-9]+ ?([kKmMgGtT]i?)?[bB]?$|\$\{env:" },
        ] }),
        Kind::Secret(_) => {
            json!({ "anyOf": [{ "type": "string" }, reference("env"), reference("file"), reference("stored")] })
        }
        Kind::Integer => json!({ "anyOf": [{ "type": "integer" }, interpolated] }),
        Kind::Rules => json!({ "type": "array", "items": rule() }),
        Kind::Data(shape) => shape.schema(),
        Kind::Json => json!({ "type": "object" }),
    }
}

/// A rule of IAM.
fn rule() -> Value {
    let texts = json!({ "type": "array", "items": { "type": "string", "minLength": 1 } });
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["effect", "actions", "resources"],
        "properties": {
            "id": { "type": "string" },
            "effect": { "enum": ["Allow", "Deny"] },
            "actions": texts,
            "resources": texts,
            "conditions": { "type": "object" },
        },
    })
}

fn text(pattern: Option<&str>) -> Value {
    match pattern {
        Some(pattern) => json!({ "type": "string", "pattern": pattern }),
        None => json!({ "type": "string", "minLength": 1 }),
    }
}

/// A section whose keys are all commented out is nothing, and that is fine.
fn nullable(mut object: Value) -> Value {
    object["type"] = json!(["object", "null"]);
    object
}
