//! JSON as a tree that keeps lines: for what is small, or must be looked at before its type is known.

use crate::Error;
use crate::domain::archive::lexer::{Keys, Kind, Reader};
use std::io::Read;

/// A JSON value and the line it begins on.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// 1 for the first line.
    pub line: usize,
    /// The value.
    pub value: Value,
}

/// What a node holds. Numbers keep their text, so that nothing is rounded.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written.
    Number(String),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Node>),
    /// An object in document order, each key once.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The member of an object.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(members) => members.iter().find(|(name, _)| name == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }
}

/// Reads the bytes of the part `part`.
pub fn parse(part: &str, bytes: &[u8]) -> Result<Node, Error> {
    let mut reader = Reader::new(part, bytes);
    let node = node(&mut reader)?;
    reader.end()?;
    Ok(node)
}

fn node<R: Read>(reader: &mut Reader<'_, R>) -> Result<Node, Error> {
    let kind = reader.begin()?;
    let line = reader.line();
    let value = match kind {
        Kind::Map => {
            let (mut members, mut keys) = (Vec::new(), Keys::default());
            while let Some(key) = reader.next_key(&mut keys)? {
                members.push((key, node(reader)?));
            }
            Value::Map(members)
        }
        Kind::List => {
            let (mut items, mut first) = (Vec::new(), true);
            while reader.next_item(&mut first)? {
                items.push(node(reader)?);
            }
            Value::List(items)
        }
        Kind::Text => Value::Text(reader.text()?),
        Kind::Number => Value::Number(reader.number()?),
        Kind::Word => reader.word()?.map_or(Value::Null, Value::Bool),
    };
    Ok(Node { line, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<&'static str> {
        parse("x.json", text.as_bytes()).err().and_then(|e| e.code())
    }

    #[test]
    fn what_is_not_plain_json_is_refused() {
        for bad in
            ["", "{", "[1,]", "{\"a\":1,}", "nul", "01", "\"\\", "\"\\x\"", "{a:1}", "1 2", "\"a\nb\"", "\"\\\"", "+1"]
        {
            assert_eq!(code(bad), Some("json_syntax"), "{bad}");
        }
        assert_eq!(code("{\"a\":1,\"a\":2}"), Some("json_duplicate_key"));
        assert_eq!(code("{\"a\":1,\"\\u0061\":2}"), Some("json_duplicate_key"));
        assert_eq!(code(&"[".repeat(200)), Some("json_too_deep"));
    }

    #[test]
    fn a_node_knows_its_line() {
        let node = parse("x.json", b"{\n \"a\": [1,\n 2]\n}").unwrap();
        assert_eq!(node.get("a").unwrap().list().unwrap()[1].line, 3);
    }
}
