//! From a JSON tree to a typed part: serde's derives, with the path and the line in every error.

use crate::Error;
use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::json::{Node, Value};
use serde::de::value::StringDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use std::fmt;

/// Why a tree has not the shape of its type.
#[derive(Debug)]
pub struct ShapeError {
    path: Vec<String>,
    line: Option<usize>,
    message: String,
    /// Why it is no JSON at all, which is another matter than its shape.
    fault: Option<Box<Error>>,
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: String = self.path.iter().rev().map(String::as_str).collect();
        let path = path.trim_start_matches('.');
        let path = if path.is_empty() { "the document" } else { path };
        write!(f, "line {}, {path}: {}", self.line.unwrap_or(1), self.message)
    }
}

impl std::error::Error for ShapeError {}

impl de::Error for ShapeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: Vec::new(), line: None, message: message.to_string(), fault: None }
    }

    // serde's own text repeats the value, which may be a secret in the wrong place; only its kind is told.
    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format!("{} where {expected} was expected", kind(found)))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format!("{} that is not {expected}", kind(found)))
    }
}

fn kind(found: de::Unexpected<'_>) -> &'static str {
    match found {
        de::Unexpected::Bool(_) => "a boolean",
        de::Unexpected::Unsigned(_) | de::Unexpected::Signed(_) | de::Unexpected::Float(_) => "a number",
        de::Unexpected::Str(_) => "a string",
        de::Unexpected::Seq => "an array",
        de::Unexpected::Map => "an object",
        _ => "null",
    }
}

impl ShapeError {
    fn at(self, segment: String, node: &Node) -> Self {
        self.on(node.line).within(segment)
    }

    /// The same on a line, where none is known yet.
    pub(super) fn on(mut self, line: usize) -> Self {
        self.line.get_or_insert(line);
        self
    }

    /// The same below a key or in a list.
    pub(super) fn within(mut self, segment: String) -> Self {
        self.path.push(segment);
        self
    }

    /// What is no JSON has no shape.
    pub(super) fn because_of(fault: Error) -> Self {
        Self { path: Vec::new(), line: None, message: String::new(), fault: Some(Box::new(fault)) }
    }

    /// The error of the part `part`, whose wrong shape is the fault `shape`.
    pub(super) fn into_error(self, part: &str, shape: ArchiveFault) -> Error {
        match self.fault {
            Some(fault) => *fault,
            None => shape.error(format!("{part}, {self}")),
        }
    }
}

/// Reads `node` as a `T`.
pub fn decode<T: DeserializeOwned>(node: &Node) -> Result<T, ShapeError> {
    T::deserialize(node).map_err(|error: ShapeError| error.on(node.line))
}

impl<'de> de::Deserializer<'de> for &'de Node {
    type Error = ShapeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(text) => number(text, visitor),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(items) => visitor.visit_seq(Items { items, at: 0 }),
            Value::Map(members) => visitor.visit_map(Members { members, at: 0 }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        match &self.value {
            Value::Text(text) => visitor.visit_enum(Word(text)),
            _ => Err(de::Error::custom("a string was expected")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// A number as the narrowest type that holds it.
pub(super) fn number<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, ShapeError> {
    if let Ok(n) = text.parse::<u64>() {
        return visitor.visit_u64(n);
    }
    if let Ok(n) = text.parse::<i64>() {
        return visitor.visit_i64(n);
    }
    match text.parse::<f64>() {
        Ok(n) if n.is_finite() => visitor.visit_f64(n),
        _ => Err(de::Error::custom("a number out of range")),
    }
}

struct Items<'de> {
    items: &'de [Node],
    at: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = ShapeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ShapeError> {
        let Some(node) = self.items.get(self.at) else { return Ok(None) };
        let index = self.at;
        self.at += 1;
        seed.deserialize(node).map(Some).map_err(|e| e.at(format!("[{index}]"), node))
    }
}

struct Members<'de> {
    members: &'de [(String, Node)],
    at: usize,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = ShapeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ShapeError> {
        let Some((key, node)) = self.members.get(self.at) else { return Ok(None) };
        let text: StringDeserializer<ShapeError> = key.clone().into_deserializer();
        seed.deserialize(text).map(Some).map_err(|e| e.at(format!(".{key}"), node))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, ShapeError> {
        let Some((key, node)) = self.members.get(self.at) else {
            return Err(de::Error::custom("a value without its key"));
        };
        self.at += 1;
        seed.deserialize(node).map_err(|e| e.at(format!(".{key}"), node))
    }
}

struct Word<'de>(&'de str);

impl<'de> EnumAccess<'de> for Word<'de> {
    type Error = ShapeError;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), ShapeError> {
        let text: de::value::StrDeserializer<'_, ShapeError> = self.0.into_deserializer();
        Ok((seed.deserialize(text)?, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'de> {
    type Error = ShapeError;

    fn unit_variant(self) -> Result<(), ShapeError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, ShapeError> {
        Err(de::Error::custom("a plain word was expected"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, ShapeError> {
        Err(de::Error::custom("a plain word was expected"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, ShapeError> {
        Err(de::Error::custom("a plain word was expected"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::archive::json;

    #[derive(serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only the shape matters here")]
    struct Inner {
        flag: bool,
    }

    #[derive(serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only the shape matters here")]
    struct Outer {
        list: Vec<Inner>,
    }

    fn message(text: &str) -> String {
        decode::<Outer>(&json::parse("x", text.as_bytes()).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn an_error_names_line_and_path_but_no_value() {
        assert_eq!(
            message("{\"list\": [{\"flag\": true},\n{\"flag\": \"hush\"}]}"),
            "line 2, list[1].flag: a string where a boolean was expected"
        );
        assert!(message("{\"list\": [],\n\"more\": 1}").starts_with("line 2, more: unknown field"));
        assert!(message("{\n\"list\": [{}]}").starts_with("line 2, list[0]: missing field `flag`"));
        assert!(message("[]").starts_with("line 1, the document: "));
    }
}
