//! A strict JSON reader that keeps lines: duplicate keys, odd numbers and deep nesting are faults, not surprises.

use crate::Error;
use crate::domain::archive::fault::ArchiveFault;

const MAX_DEPTH: usize = 64;

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
    let text = std::str::from_utf8(bytes)
        .map_err(|e| ArchiveFault::NotUtf8.error(format!("{part}, byte {}", e.valid_up_to())))?;
    let mut reader = Reader { part, text, at: 0, line: 1 };
    let node = reader.value(0)?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.syntax("text after the end of the document"));
    }
    Ok(node)
}

struct Reader<'a> {
    part: &'a str,
    text: &'a str,
    at: usize,
    line: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                _ => return,
            }
            self.at += 1;
        }
    }

    fn fault(&self, fault: ArchiveFault, what: &str) -> Error {
        fault.error(format!("{}, line {}: {what}", self.part, self.line))
    }

    fn syntax(&self, what: &str) -> Error {
        self.fault(ArchiveFault::JsonSyntax, what)
    }

    fn eat(&mut self, byte: u8, what: &str) -> Result<(), Error> {
        self.space();
        if self.peek() != Some(byte) {
            return Err(self.syntax(what));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Node, Error> {
        if depth > MAX_DEPTH {
            return Err(self.fault(ArchiveFault::JsonTooDeep, "nested too deeply"));
        }
        self.space();
        let line = self.line;
        let value = match self.peek() {
            Some(b'{') => self.map(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node { line, value })
    }

    fn word(&mut self) -> Result<Value, Error> {
        let rest = &self.text.as_bytes()[self.at..];
        for (word, value) in [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))] {
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.syntax("a value was expected"))
    }

    fn number(&mut self) -> Result<Value, Error> {
        let begin = self.at;
        while self.peek().is_some_and(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) {
            self.at += 1;
        }
        let text = &self.text[begin..self.at];
        // The grammar of RFC 8259 is stricter than the characters; serde_json knows it.
        serde_json::from_str::<serde_json::Number>(text).map_err(|_| self.syntax("not a number"))?;
        Ok(Value::Number(text.to_owned()))
    }

    /// Finds the end of the string here and leaves its escapes to serde_json.
    fn string(&mut self) -> Result<String, Error> {
        let begin = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(self.syntax("a string does not end")),
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let raw = self.text.get(begin..self.at).ok_or_else(|| self.syntax("a string has a bad escape"))?;
        serde_json::from_str(raw).map_err(|_| self.syntax("a string has a bad escape or a control character"))
    }

    fn list(&mut self, depth: usize) -> Result<Value, Error> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.eat(b']', "`,` or `]` was expected")?;
            return Ok(Value::List(items));
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Error> {
        self.at += 1;
        let mut members: Vec<(String, Node)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(members));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a key in quotes was expected"));
            }
            let key = self.string()?;
            if !seen.insert(key.clone()) {
                return Err(self.fault(ArchiveFault::JsonDuplicateKey, &format!("`{key}`")));
            }
            self.eat(b':', "`:` was expected")?;
            members.push((key, self.value(depth + 1)?));
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.eat(b'}', "`,` or `}` was expected")?;
            return Ok(Value::Map(members));
        }
    }
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
