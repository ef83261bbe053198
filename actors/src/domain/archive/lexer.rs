//! A strict JSON reader over a stream: duplicate keys, odd numbers and deep nesting are faults, not surprises, and no more of a document
//! is in memory than the text that is being looked at.

use crate::domain::archive::fault::ArchiveFault;
use crate::{Error, Result};
use std::collections::HashSet;
use std::io::{ErrorKind, Read};

const MAX_DEPTH: usize = 64;
const BUFFER: usize = 64 << 10;

/// What a value is, by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{`: go on with [`Reader::next_key`].
    Map,
    /// `[`: go on with [`Reader::next_item`].
    List,
    /// `"`: go on with [`Reader::text`].
    Text,
    /// A digit or `-`: go on with [`Reader::number`].
    Number,
    /// Anything else: go on with [`Reader::word`].
    Word,
}

/// The keys of one object so far.
#[derive(Debug, Default)]
pub struct Keys(HashSet<String>);

/// Reads the values of the part `part`, one after the other.
pub struct Reader<'a, R> {
    part: &'a str,
    input: R,
    buffer: Vec<u8>,
    /// What of the buffer is looked at next, and how much of it is whole characters.
    at: usize,
    whole: usize,
    /// How many bytes came before the buffer.
    before: u64,
    line: usize,
    depth: usize,
}

impl<'a, R: Read> Reader<'a, R> {
    /// Begins.
    pub fn new(part: &'a str, input: R) -> Self {
        Self { part, input, buffer: Vec::new(), at: 0, whole: 0, before: 0, line: 1, depth: 0 }
    }

    /// The line that is being read, 1 for the first.
    pub fn line(&self) -> usize {
        self.line
    }

    /// A fault at this place.
    pub fn fault(&self, fault: ArchiveFault, what: &str) -> Error {
        fault.error(format!("{}, line {}: {what}", self.part, self.line))
    }

    fn syntax(&self, what: &str) -> Error {
        self.fault(ArchiveFault::JsonSyntax, what)
    }

    /// Looks at the value that comes next. What opens an object or a list is taken.
    pub fn begin(&mut self) -> Result<Kind> {
        if self.depth > MAX_DEPTH {
            return Err(self.fault(ArchiveFault::JsonTooDeep, "nested too deeply"));
        }
        let kind = match self.after_space()? {
            Some(b'{') => Kind::Map,
            Some(b'[') => Kind::List,
            Some(b'"') => return Ok(Kind::Text),
            Some(b'-' | b'0'..=b'9') => return Ok(Kind::Number),
            _ => return Ok(Kind::Word),
        };
        self.at += 1;
        self.depth += 1;
        Ok(kind)
    }

    /// The next key of an object, its value coming next; `None` where the object ends.
    pub fn next_key(&mut self, keys: &mut Keys) -> Result<Option<String>> {
        let first = keys.0.is_empty();
        match self.after_space()? {
            Some(b'}') if first => return Ok(self.close()),
            Some(b',') if !first => self.at += 1,
            Some(b'}') => return Ok(self.close()),
            _ if first => {}
            _ => return Err(self.syntax("`,` or `}` was expected")),
        }
        if self.after_space()? != Some(b'"') {
            return Err(self.syntax("a key in quotes was expected"));
        }
        let key = self.text()?;
        if !keys.0.insert(key.clone()) {
            return Err(self.fault(ArchiveFault::JsonDuplicateKey, &format!("`{key}`")));
        }
        if self.after_space()? != Some(b':') {
            return Err(self.syntax("`:` was expected"));
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Whether a list has one more value, which comes next. `first` is true before the first one.
    pub fn next_item(&mut self, first: &mut bool) -> Result<bool> {
        let begins = std::mem::take(first);
        match self.after_space()? {
            Some(b']') => Ok(self.close::<()>().is_some()),
            Some(b',') if !begins => {
                self.at += 1;
                Ok(true)
            }
            _ if begins => Ok(true),
            _ => Err(self.syntax("`,` or `]` was expected")),
        }
    }

    fn close<T>(&mut self) -> Option<T> {
        self.at += 1;
        self.depth -= 1;
        None
    }

    /// A string: its end is found here, its escapes are left to serde_json.
    pub fn text(&mut self) -> Result<String> {
        let mut raw = vec![b'"'];
        self.at += 1;
        loop {
            if self.peek()?.is_none() {
                return Err(self.syntax("a string does not end"));
            }
            let rest = &self.buffer[self.at..self.whole];
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(rest.len());
            raw.extend_from_slice(&rest[..plain]);
            self.at += plain;
            match self.peek()? {
                Some(b'"') => break,
                Some(b'\\') => {
                    raw.push(b'\\');
                    self.at += 1;
                    let escaped = self.peek()?.ok_or_else(|| self.syntax("a string does not end"))?;
                    raw.push(escaped);
                    self.at += 1;
                }
                _ => {}
            }
        }
        self.at += 1;
        raw.push(b'"');
        serde_json::from_slice(&raw).map_err(|_| self.syntax("a string has a bad escape or a control character"))
    }

    /// A number as it is written.
    pub fn number(&mut self) -> Result<String> {
        let mut text = String::new();
        while let Some(byte @ (b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) = self.peek()? {
            text.push(char::from(byte));
            self.at += 1;
        }
        // The grammar of RFC 8259 is stricter than the characters; serde_json knows it.
        serde_json::from_str::<serde_json::Number>(&text).map_err(|_| self.syntax("not a number"))?;
        Ok(text)
    }

    /// Takes a `null`, where there is one.
    pub fn null(&mut self) -> Result<bool> {
        match self.after_space()? {
            Some(b'n') => self.word().map(|_| true),
            _ => Ok(false),
        }
    }

    /// `true`, `false`, or `null`, which is `None`.
    pub fn word(&mut self) -> Result<Option<bool>> {
        let (word, value) = match self.peek()? {
            Some(b'n') => ("null", None),
            Some(b't') => ("true", Some(true)),
            _ => ("false", Some(false)),
        };
        for byte in word.bytes() {
            if self.peek()? != Some(byte) {
                return Err(self.syntax("a value was expected"));
            }
            self.at += 1;
        }
        Ok(value)
    }

    /// Makes sure that nothing but white space follows.
    pub fn end(&mut self) -> Result<()> {
        match self.after_space()? {
            None => Ok(()),
            Some(_) => Err(self.syntax("text after the end of the document")),
        }
    }

    /// The next byte that is no white space, not taken yet.
    fn after_space(&mut self) -> Result<Option<u8>> {
        while let Some(byte) = self.peek()? {
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                _ => return Ok(Some(byte)),
            }
            self.at += 1;
        }
        Ok(None)
    }

    fn peek(&mut self) -> Result<Option<u8>> {
        if self.at == self.whole {
            self.fill()?;
        }
        Ok(self.buffer[..self.whole].get(self.at).copied())
    }

    /// Reads on. A character of which only the beginning came waits for the rest.
    fn fill(&mut self) -> Result<()> {
        self.buffer.drain(..self.whole);
        self.before += self.whole as u64;
        (self.at, self.whole) = (0, 0);
        loop {
            let begun = self.buffer.len();
            self.buffer.resize(begun + BUFFER, 0);
            let read = loop {
                match self.input.read(&mut self.buffer[begun..]) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    read => break read.map_err(|error| Error::io("read archive", error))?,
                }
            };
            self.buffer.truncate(begun + read);
            let (whole, bad) = match std::str::from_utf8(&self.buffer) {
                Ok(text) => (text.len(), false),
                Err(error) => (error.valid_up_to(), error.error_len().is_some() || read == 0),
            };
            // What comes before the bad byte may be wrong in a way of its own, and is looked at first.
            if bad && whole == 0 {
                return Err(ArchiveFault::NotUtf8.error(format!("{}, byte {}", self.part, self.before)));
            }
            self.whole = whole;
            if whole > 0 || read == 0 {
                return Ok(());
            }
        }
    }
}
