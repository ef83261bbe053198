//! A strict reader of small XML documents, written from the XML 1.0 recommendation and apart from the server's.
//!
//! It knows no document types and no processing instructions, and takes references to control characters, which AWS writes.

/// An element: its local name, its own text, its children.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    pub text: String,
    pub children: Vec<Element>,
}

/// The root of a document, or `None` where anything is wrong with it.
pub fn read(document: &[u8]) -> Option<Element> {
    let text = std::str::from_utf8(document).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let legal = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if !text.chars().all(legal) {
        return None;
    }
    let mut reader = Reader { rest: text };
    if text.starts_with("<?xml") && text[5..].starts_with(BLANKS) {
        reader.declaration()?;
    }
    reader.between()?;
    let root = reader.element(0)?;
    reader.between()?;
    reader.rest.is_empty().then_some(root)
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn until(&mut self, token: &str) -> Option<&'a str> {
        let (before, after) = self.rest.split_once(token)?;
        self.rest = after;
        Some(before)
    }

    fn blanks(&mut self) -> bool {
        let trimmed = self.rest.trim_start_matches(BLANKS);
        let some = trimmed.len() < self.rest.len();
        self.rest = trimmed;
        some
    }

    /// `<?xml version="1.0" encoding="…" standalone="…"?>`.
    fn declaration(&mut self) -> Option<()> {
        self.take("<?xml")?;
        let attributes = self.attributes()?;
        let names: Vec<&str> = attributes.iter().map(|(name, _)| *name).collect();
        let known = [
            &["version"][..],
            &["version", "encoding"],
            &["version", "encoding", "standalone"],
            &["version", "standalone"],
        ];
        if !known.contains(&names.as_slice()) {
            return None;
        }
        self.take("?>")
    }

    /// Comments and blanks around the root.
    fn between(&mut self) -> Option<()> {
        loop {
            self.blanks();
            if !self.rest.starts_with("<!--") {
                return Some(());
            }
            self.comment()?;
        }
    }

    fn comment(&mut self) -> Option<()> {
        self.take("<!--")?;
        self.until("--")?;
        self.take(">")
    }

    fn name(&mut self) -> Option<&'a str> {
        let start = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':') || !c.is_ascii();
        let end = self.rest.find(|c: char| !(start(c) || c.is_ascii_digit() || matches!(c, '-' | '.')));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        name.starts_with(start).then_some(name)
    }

    fn attributes(&mut self) -> Option<Vec<(&'a str, &'a str)>> {
        let mut found: Vec<(&str, &str)> = Vec::new();
        loop {
            let apart = self.blanks();
            if self.rest.starts_with(['>', '/', '?']) {
                return Some(found);
            }
            let name = self.name().filter(|_| apart)?;
            self.blanks();
            self.take("=")?;
            self.blanks();
            let quote = if self.rest.starts_with('"') { "\"" } else { "'" };
            self.take(quote)?;
            let value = self.until(quote)?;
            if value.contains('<') || found.iter().any(|(known, _)| *known == name) {
                return None;
            }
            references(value)?;
            found.push((name, value));
        }
    }

    fn element(&mut self, depth: usize) -> Option<Element> {
        self.take("<")?;
        let name = self.name()?;
        let local = name.split_once(':').map_or(name, |(_, local)| local);
        let mut element = Element { name: local.to_owned(), ..Element::default() };
        self.attributes()?;
        if self.take("/>").is_some() {
            return Some(element);
        }
        self.take(">")?;
        if depth > 100 {
            return None;
        }
        loop {
            let (text, rest) = self.rest.split_at(self.rest.find('<')?);
            if text.contains("]]>") {
                return None;
            }
            element.text.push_str(&references(text)?);
            self.rest = rest;
            if rest.starts_with("</") {
                self.take("</")?;
                if self.name()? != name {
                    return None;
                }
                self.blanks();
                self.take(">")?;
                return Some(element);
            } else if rest.starts_with("<!--") {
                self.comment()?;
            } else if self.take("<![CDATA[").is_some() {
                element.text.push_str(&line_ends(self.until("]]>")?));
            } else {
                element.children.push(self.element(depth + 1)?);
            }
        }
    }
}

/// Text with its references put in.
fn references(text: &str) -> Option<String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(&line_ends(before));
        let (name, after) = after.split_once(';')?;
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => number(name.strip_prefix('#')?)?,
        });
        rest = after;
    }
    Some(out + &line_ends(rest))
}

fn number(text: &str) -> Option<char> {
    let (digits, radix) = text.strip_prefix('x').map_or((text, 10), |digits| (digits, 16));
    let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    char::from_u32(u32::from_str_radix(digits, radix).ok().filter(|_| plain)?)
}

fn line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}
