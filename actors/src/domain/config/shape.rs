//! Data of a fixed shape that one key holds as a whole: read by serde, checked by the rules of what it is.

use super::check::Form;
use super::iam;
use super::problem::Complaint;
use super::tree::{Node, Value};
use crate::domain::bucket::settings::Setting;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value as Json, json};

/// What a key of data holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Keys and values.
    Tags,
    /// CORS rules.
    Cors,
    /// Lifecycle rules.
    Lifecycle,
}

impl Shape {
    /// Reads a node. What an archive has of the registry is taken to the letter; a file holds no variables here.
    pub(super) fn read(self, node: &Node, form: Form) -> Result<Json, Complaint> {
        let json = match form {
            Form::File => iam::json(node)?,
            Form::Archive => literal(node),
        };
        self.check(&json)?;
        Ok(json)
    }

    fn check(self, json: &Json) -> Result<(), Complaint> {
        let setting = match self {
            Self::Tags => Setting::Tags(of(json, "a map of tags; a value that looks like a number needs quotes")?),
            Self::Cors => Setting::Cors(of(json, "a list of CORS rules")?),
            Self::Lifecycle => Setting::Lifecycle(of(json, "a list of lifecycle rules")?),
        };
        setting.check().map_err(|error| Complaint::new(error.message()))
    }

    /// The shape as a JSON Schema.
    pub(super) fn schema(self) -> Json {
        let text = || json!({ "type": "string" });
        let texts = || json!({ "type": "array", "items": { "type": "string" } });
        let tags = || json!({ "type": "object", "additionalProperties": { "type": "string" } });
        let number = |least: u64| json!({ "type": "integer", "minimum": least });
        let list = |required: Json, properties: Json| {
            json!({ "type": "array", "items": {
            "type": "object", "additionalProperties": false, "required": required, "properties": properties,
        } })
        };
        match self {
            Self::Tags => tags(),
            Self::Cors => list(
                json!(["allowed_origins", "allowed_methods"]),
                json!({
                    "id": text(), "allowed_origins": texts(), "allowed_methods": texts(), "allowed_headers": texts(),
                    "expose_headers": texts(), "max_age_seconds": number(0),
                }),
            ),
            Self::Lifecycle => list(
                json!(["id"]),
                json!({
                    "id": text(), "enabled": { "type": "boolean" }, "expire_days": number(1), "expire_date": text(),
                    "expire_delete_markers": { "type": "boolean" }, "noncurrent_days": number(1),
                    "noncurrent_keep": number(1), "abort_uploads_days": number(1),
                    "filter": { "type": "object", "additionalProperties": false, "properties": {
                        "prefix": text(), "tags": tags(), "size_greater_than": number(0), "size_less_than": number(0),
                        "older_form": { "type": "boolean" },
                    } },
                }),
            ),
        }
    }
}

fn of<T: DeserializeOwned>(json: &Json, what: &str) -> Result<T, Complaint> {
    T::deserialize(json).map_err(|error| Complaint::new(format!("is not {what}: {error}")))
}

/// A tree as JSON, by the core schema of YAML 1.2; texts are what they are.
fn literal(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::List(items) => Json::Array(items.iter().map(literal).collect()),
        Value::Map(entries) => {
            let pairs = entries.iter().map(|entry| (entry.key.clone(), literal(&entry.node)));
            Json::Object(pairs.collect::<Map<_, _>>())
        }
        Value::Scalar { text, plain: true } => match text.as_str() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            _ => text.parse::<Number>().map_or_else(|_| Json::from(text.as_str()), Json::Number),
        },
        Value::Scalar { text, plain: false } => Json::from(text.as_str()),
    }
}
