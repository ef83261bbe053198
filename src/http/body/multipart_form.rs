//! `multipart/form-data` (RFC 7578) as the form of a browser upload has it: small fields, then one file that is never held as a whole.
//!
//! Pure: bytes go in with [`Parser::push`], events come out of [`Parser::poll`].

use bytes::{Buf, Bytes, BytesMut};

/// What all that stands before the file may have (AWS, "POST Object": 20 KB).
pub const BEFORE_FILE: usize = 20 * 1024;
/// The longest boundary (RFC 2046 §5.1.1).
const LONGEST_BOUNDARY: usize = 70;

/// Why a body is no such form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It does not follow the grammar.
    Grammar,
    /// What stands before the file is too much.
    TooMuch,
    /// A part is encoded in a way that this server does not undo.
    Encoding,
}

/// What comes next in a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A field, whole.
    Field {
        /// Its name as it was sent.
        name: String,
        /// Its text.
        value: String,
    },
    /// The field `file` begins.
    File {
        /// The name that the file had at its sender.
        filename: Option<String>,
    },
    /// Some of the file; never empty.
    Piece(Bytes),
    /// The file is complete. Nothing after it counts.
    Done,
    /// The form ended, and there was no file.
    NoFile,
}

/// Where in a form the parser is.
#[derive(Debug)]
enum State {
    Start,
    AfterDelimiter,
    Headers,
    /// In the value of the field of this name.
    Field(String),
    File,
    AfterFile,
    Ended,
}

enum Step {
    /// More of the body is needed.
    Wait,
    Go,
    Out(Event),
}

/// The parser of one form.
#[derive(Debug)]
pub struct Parser {
    /// `\r\n--boundary`.
    delimiter: Vec<u8>,
    state: State,
    buffer: BytesMut,
    /// What of the buffer was searched in vain.
    searched: usize,
    /// Bytes that came before the file.
    before: usize,
    /// Bytes that came after it, together with its end.
    after: usize,
}

/// The boundary that a `Content-Type` names; `None` where it is not of a form.
pub fn boundary(content_type: &str) -> Option<String> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let named: Vec<String> =
        parameters(rest)?.into_iter().filter(|(name, _)| name == "boundary").map(|(_, value)| value).collect();
    let byte = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
    match <[String; 1]>::try_from(named) {
        Ok([boundary])
            if (1..=LONGEST_BOUNDARY).contains(&boundary.len())
                && boundary.bytes().all(byte)
                && !boundary.ends_with(' ') =>
        {
            Some(boundary)
        }
        _ => None,
    }
}

impl Parser {
    /// A parser for this boundary.
    pub fn new(boundary: &str) -> Self {
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        // As if a line had ended before the first delimiter.
        Self { delimiter, state: State::Start, buffer: BytesMut::from("\r\n"), searched: 0, before: 0, after: 0 }
    }

    /// Takes more of the body.
    pub fn push(&mut self, bytes: &[u8]) {
        // What comes after the file does not count, and is not kept.
        if !matches!(self.state, State::Ended) {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// How many bytes came after the file, together with its end.
    pub fn came_after(&self) -> usize {
        self.after
    }

    /// The next event; `None` where more of the body is needed.
    pub fn poll(&mut self) -> Result<Option<Event>, Broken> {
        loop {
            let step = match &self.state {
                State::Start => self.start()?,
                State::AfterDelimiter => self.after_delimiter()?,
                State::Headers => self.headers()?,
                State::Field(_) => self.field()?,
                State::File => self.file(),
                State::AfterFile => self.after_file()?,
                State::Ended => Step::Wait,
            };
            match step {
                Step::Out(event) => return Ok(Some(event)),
                Step::Go => {}
                Step::Wait => {
                    let is_before = !matches!(self.state, State::File | State::AfterFile | State::Ended);
                    if is_before && self.before + self.buffer.len() > BEFORE_FILE + self.delimiter.len() {
                        return Err(Broken::TooMuch);
                    }
                    return Ok(None);
                }
            }
        }
    }

    fn start(&mut self) -> Result<Step, Broken> {
        if self.buffer.starts_with(&self.delimiter) {
            self.take(self.delimiter.len())?;
            self.state = State::AfterDelimiter;
            return Ok(Step::Go);
        }
        if self.delimiter.starts_with(&self.buffer) { Ok(Step::Wait) } else { Err(Broken::Grammar) }
    }

    fn after_delimiter(&mut self) -> Result<Step, Broken> {
        Ok(match self.line_after_delimiter()? {
            None => Step::Wait,
            Some((len, true)) => {
                self.take(len)?;
                self.state = State::Ended;
                Step::Out(Event::NoFile)
            }
            Some((len, false)) => {
                self.take(len)?;
                self.state = State::Headers;
                Step::Go
            }
        })
    }

    /// The rest of a delimiter's line, and whether it was the last delimiter.
    fn line_after_delimiter(&self) -> Result<Option<(usize, bool)>, Broken> {
        let padding = self.buffer.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        match (padding, self.buffer.get(padding..padding + 2)) {
            (_, None) if padding < LONGEST_BOUNDARY => Ok(None),
            (_, Some(b"\r\n")) => Ok(Some((padding + 2, false))),
            (0, Some(b"--")) => Ok(Some((2, true))),
            _ => Err(Broken::Grammar),
        }
    }

    fn headers(&mut self) -> Result<Step, Broken> {
        let Some(end) = self.find(b"\r\n\r\n") else { return Ok(Step::Wait) };
        let head = self.take(end + 4)?;
        let text = std::str::from_utf8(&head[..end]).map_err(|_| Broken::Grammar)?;
        let (name, filename) = disposition(text)?;
        if name.eq_ignore_ascii_case("file") {
            self.state = State::File;
            return Ok(Step::Out(Event::File { filename }));
        }
        self.state = State::Field(name);
        // A value may be nothing: then its delimiter begins with the line end of the empty line.
        Ok(Step::Go)
    }

    fn field(&mut self) -> Result<Step, Broken> {
        let delimiter = std::mem::take(&mut self.delimiter);
        let end = self.find(&delimiter);
        self.delimiter = delimiter;
        let Some(end) = end else { return Ok(Step::Wait) };
        let taken = self.take(end + self.delimiter.len())?;
        let value = std::str::from_utf8(&taken[..end]).map_err(|_| Broken::Grammar)?.to_owned();
        match std::mem::replace(&mut self.state, State::AfterDelimiter) {
            State::Field(name) => Ok(Step::Out(Event::Field { name, value })),
            _ => Err(Broken::Grammar),
        }
    }

    fn file(&mut self) -> Step {
        let delimiter = std::mem::take(&mut self.delimiter);
        let end = self.find(&delimiter);
        self.delimiter = delimiter;
        match end {
            Some(0) => {
                self.buffer.advance(self.delimiter.len());
                (self.searched, self.state) = (0, State::AfterFile);
                Step::Go
            }
            Some(end) => self.piece(end),
            // The delimiter may have begun.
            None => match self.buffer.len().saturating_sub(self.delimiter.len() - 1) {
                0 => Step::Wait,
                safe => self.piece(safe),
            },
        }
    }

    fn piece(&mut self, len: usize) -> Step {
        self.searched = 0;
        Step::Out(Event::Piece(self.buffer.split_to(len).freeze()))
    }

    /// The line of the delimiter after the file must be one: else the body only looked like that here.
    fn after_file(&mut self) -> Result<Step, Broken> {
        Ok(match self.line_after_delimiter()? {
            None => Step::Wait,
            Some(_) => {
                self.after = self.buffer.len();
                self.buffer.clear();
                self.state = State::Ended;
                Step::Out(Event::Done)
            }
        })
    }

    fn take(&mut self, len: usize) -> Result<Bytes, Broken> {
        self.before += len;
        if self.before > BEFORE_FILE + self.delimiter.len() {
            return Err(Broken::TooMuch);
        }
        self.searched = 0;
        Ok(self.buffer.split_to(len).freeze())
    }

    /// Where a text that begins with a line end begins in the buffer.
    fn find(&mut self, text: &[u8]) -> Option<usize> {
        let mut at = self.searched;
        while let Some(step) = self.buffer.get(at..)?.iter().position(|byte| *byte == b'\r') {
            at += step;
            let rest = &self.buffer[at..];
            if rest.starts_with(text) {
                return Some(at);
            }
            if text.starts_with(rest) {
                // It may go on in what is still to come.
                self.searched = at;
                return None;
            }
            at += 1;
        }
        self.searched = self.buffer.len();
        None
    }
}

/// The name of a part, and the name that its file had.
fn disposition(head: &str) -> Result<(String, Option<String>), Broken> {
    let mut found = None;
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':').ok_or(Broken::Grammar)?;
        match name.to_ascii_lowercase().as_str() {
            "content-disposition" if found.is_some() => return Err(Broken::Grammar),
            "content-disposition" => found = Some(value),
            "content-transfer-encoding" => {
                let known = ["7bit", "8bit", "binary"];
                if !known.iter().any(|known| value.trim().eq_ignore_ascii_case(known)) {
                    return Err(Broken::Encoding);
                }
            }
            _ => {}
        }
    }
    let (kind, rest) = found.and_then(|value| value.split_once(';')).ok_or(Broken::Grammar)?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return Err(Broken::Grammar);
    }
    let (mut name, mut filename) = (None, None);
    for (parameter, value) in parameters(rest).ok_or(Broken::Grammar)? {
        let slot = match parameter.as_str() {
            "name" => &mut name,
            "filename" => &mut filename,
            _ => return Err(Broken::Grammar),
        };
        if slot.replace(value).is_some() {
            return Err(Broken::Grammar);
        }
    }
    match name {
        Some(name) if !name.is_empty() => Ok((name, filename)),
        _ => Err(Broken::Grammar),
    }
}

/// `name=value; name="value"`, names in lower case.
fn parameters(text: &str) -> Option<Vec<(String, String)>> {
    let (mut rest, mut found) = (text.trim(), Vec::new());
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let token =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"\"(),;=".contains(&b));
        let name = name.trim();
        if !token(name) {
            return None;
        }
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('"') {
            Some(inside) => quoted(inside)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                let value = after[..end].trim_end();
                let plain = !value.is_empty() && !value.contains(['"', ' ', '\t']);
                (plain.then(|| value.to_owned())?, &after[end..])
            }
        };
        found.push((name.to_ascii_lowercase(), value));
        rest = match after.trim_start().strip_prefix(';') {
            Some(next) => next.trim_start(),
            None if after.trim().is_empty() => "",
            None => return None,
        };
    }
    Some(found)
}

/// A quoted text, and what follows it. Browsers leave a backslash as it is; only before a quote or another one it is an escape.
fn quoted(text: &str) -> Option<(String, &str)> {
    let (mut value, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' if text[at + 1..].starts_with(['"', '\\']) => value.push(chars.next()?.1),
            '\r' | '\n' | '\0' => return None,
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests;
