//! Compares every answer of the API with what its OpenAPI document promises: the status, and the shape of the body.

use super::client::{Reply, Request};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// The document that the console's client is generated from; a test beside the handlers keeps it true to them.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../web/openapi.json")).expect("web/openapi.json is JSON")
});

/// What a schema may hold that says nothing about a value's shape.
const REMARKS: [&str; 6] = ["description", "title", "format", "example", "uniqueItems", "minimum"];

/// Panics where an answer is not as the document says. What is outside the document (S3, an unknown path) is none of its business.
#[track_caller]
pub fn check(request: &Request, reply: &Reply) {
    // Under a host name of its own the same path may be an object's.
    if request.get("host").is_some() {
        return;
    }
    let path = request.target.split('?').next().unwrap_or_default();
    let Some(operation) = operation(&request.method, path) else { return };
    if let Err(why) = conforms(operation, reply) {
        panic!("{} {} → {}: {why}\n{}", request.method, request.target, reply.status, reply.text());
    }
}

/// The operation of a request, where the document has it.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let fits = |template: &str| {
        let (mut wanted, mut given) = (template.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(wanted), Some(given)) if wanted == given || (wanted.starts_with('{') && !given.is_empty()) => {}
                _ => return false,
            }
        }
    };
    let paths = DOCUMENT["paths"].as_object().expect("the document has paths");
    // A path without parameters is meant before one with them.
    let exact = paths.get(path);
    exact.or_else(|| paths.iter().find(|(path, _)| fits(path)).map(|(_, item)| item))?.get(method.to_ascii_lowercase())
}

fn conforms(operation: &'static Value, reply: &Reply) -> Result<(), String> {
    let response = operation["responses"].get(reply.status.to_string()).ok_or("the document has no such status")?;
    let response = resolve(response);
    let Some(contents) = response.get("content").and_then(Value::as_object) else {
        return if reply.body.is_empty() { Ok(()) } else { Err("the document has no body here".into()) };
    };
    let sent = reply.header("content-type").unwrap_or_default();
    let sent = sent.split(';').next().unwrap_or_default();
    let content = contents.get(sent).ok_or_else(|| format!("the document has no {sent:?} here"))?;
    if sent != "application/json" && !sent.ends_with("+json") {
        return Ok(());
    }
    let body: Value = serde_json::from_slice(&reply.body).map_err(|error| format!("the body is no JSON: {error}"))?;
    fits(&content["schema"], &body).map_err(|why| format!("the body is not as documented: {why}"))
}

fn resolve(value: &'static Value) -> &'static Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(name) => DOCUMENT.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} is not there")),
        None => value,
    }
}

/// Whether a value has the shape of a schema; a field that the schema does not name is a fault, too.
fn fits(schema: &'static Value, value: &Value) -> Result<(), String> {
    let schema = resolve(schema);
    let words = schema.as_object().expect("a schema is an object");
    for (word, rule) in words.iter().filter(|(word, _)| !REMARKS.contains(&word.as_str())) {
        match word.as_str() {
            "$ref" => {}
            "type" => has_type(rule, value)?,
            "enum" => {
                let known = rule.as_array().is_some_and(|all| all.contains(value));
                known.then_some(()).ok_or_else(|| format!("{value} is not on the list"))?;
            }
            "oneOf" | "anyOf" => one_of(rule, value)?,
            "items" => {
                for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                    fits(rule, item).map_err(|why| format!("[{at}]: {why}"))?;
                }
            }
            "propertyNames" => {
                for name in value.as_object().into_iter().flat_map(Map::keys) {
                    fits(rule, &Value::String(name.clone())).map_err(|why| format!("the name `{name}`: {why}"))?;
                }
            }
            "required" | "properties" | "additionalProperties" => {}
            other => panic!("this check does not know the word `{other}` of a schema: teach it"),
        }
    }
    match value.as_object() {
        Some(object) if words.contains_key("properties") || words.contains_key("additionalProperties") => {
            fields_fit(words, object)
        }
        _ => Ok(()),
    }
}

fn has_type(rule: &Value, value: &Value) -> Result<(), String> {
    let is = |name: &Value| match name.as_str() {
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some("null") => value.is_null(),
        _ => false,
    };
    let good = rule.as_array().map_or_else(|| is(rule), |all| all.iter().any(is));
    good.then_some(()).ok_or_else(|| format!("{value} is no {rule}"))
}

fn one_of(rule: &'static Value, value: &Value) -> Result<(), String> {
    let mut whys = Vec::new();
    for schema in rule.as_array().expect("a choice is a list") {
        match fits(schema, value) {
            Ok(()) => return Ok(()),
            Err(why) => whys.push(why),
        }
    }
    Err(format!("no choice fits: {}", whys.join("; or ")))
}

fn fields_fit(words: &'static Map<String, Value>, object: &Map<String, Value>) -> Result<(), String> {
    for name in words.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        object.get(name).ok_or_else(|| format!("`{name}` is missing"))?;
    }
    for (name, value) in object {
        let known = words.get("properties").and_then(|properties| properties.get(name));
        let rest = words.get("additionalProperties").filter(|rest| rest.is_object());
        let schema = known.or(rest).ok_or_else(|| format!("`{name}` is not documented"))?;
        fits(schema, value).map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(())
}

#[test]
fn an_answer_that_is_not_as_documented_is_caught() {
    let answer = |status: u16, body: &str| Reply {
        status,
        headers: vec![("content-type".into(), "application/json".into())],
        body: body.into(),
    };
    let get = operation("GET", "/_/api/admin/groups/g1").expect("the document has it");
    let group = r#"{"id":"g1","name":"n","description":"","permissions":[],"member_ids":[],"created_at":"x"}"#;
    assert_eq!(conforms(get, &answer(200, group)), Ok(()));
    for (status, body, why) in [
        (418, group.to_owned(), "no such status"),
        (200, group.replace("\"name\":\"n\",", ""), "`name` is missing"),
        (200, group.replace("\"n\"", "1"), "name: 1 is no"),
        (200, group.replace("{\"id\"", "{\"idd\":1,\"id\""), "`idd` is not documented"),
        (200, group.replace("[],\"member", "[{}],\"member"), "permissions: [0]: `effect` is missing"),
    ] {
        let fault = conforms(get, &answer(status, &body)).expect_err(why);
        assert!(fault.contains(why), "{fault}");
    }
}
