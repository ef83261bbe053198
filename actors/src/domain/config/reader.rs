//! YAML text → tree, strictly: one document, text keys, no duplicate keys, no custom tags, bounded aliases and depth.

use super::problem::{Problem, Problems, nearest};
use super::tree::{Entry, Node, Origin, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How many aliases a document may use.
const MAX_ALIASES: usize = 100;
/// How many nodes all aliases together may stand for, so that aliases of aliases cannot explode.
const MAX_ALIASED_NODES: usize = 10_000;
/// How deep maps and lists may nest.
const MAX_DEPTH: usize = 32;

/// Reads a document. An empty one is an empty map.
pub fn read(text: &str) -> Result<Node, Problems> {
    let mut reader = Reader::default();
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => {
                if reader.event(event, span).is_err() {
                    break;
                }
            }
            Err(error) => {
                let (line, column) = (error.marker().line(), error.marker().col() + 1);
                reader.problem("", (line, column), format!("this is not valid YAML: {}", error.info()), None);
                break;
            }
        }
    }
    if reader.problems.is_empty() { Ok(reader.root.unwrap_or_else(Node::map)) } else { Err(Problems(reader.problems)) }
}

/// Reading on makes no sense.
struct Stop;

/// A map or list that is not closed yet.
struct Open {
    anchor: usize,
    origin: Origin,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, Origin)> },
}

#[derive(Default)]
struct Reader {
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Node, usize)>,
    aliases: usize,
    aliased_nodes: usize,
    documents: usize,
    root: Option<Node>,
    problems: Vec<Problem>,
}

impl Reader {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let place = (span.start.line(), span.start.col() + 1);
        let origin = Origin::File { line: place.0, column: place.1 };
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.problem("", place, "the file holds more than one document", Some("keep one, without `---`"));
                    return Err(Stop);
                }
            }
            Event::Alias(anchor) => return self.alias(anchor, place),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag, place);
                let plain = style == ScalarStyle::Plain;
                let null = plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if null { Value::Null } else { Value::Scalar { text: text.into_owned(), plain } };
                self.put(Node { value, origin, comment: None }, anchor);
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag, place);
                self.push(anchor, origin, OpenKind::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag, place);
                self.push(anchor, origin, OpenKind::Map { entries: Vec::new(), key: None })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, place: (usize, usize)) -> Result<(), Stop> {
        self.aliases += 1;
        let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
            self.problem("", place, "an alias inside the value that it names", None);
            return Err(Stop);
        };
        self.aliased_nodes += size;
        if self.aliases > MAX_ALIASES || self.aliased_nodes > MAX_ALIASED_NODES {
            let message = format!("more than {MAX_ALIASES} aliases, or aliases that stand for too much");
            self.problem("", place, message, Some("write the values out"));
            return Err(Stop);
        }
        self.put(node, 0);
        Ok(())
    }

    fn push(&mut self, anchor: usize, origin: Origin, kind: OpenKind) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            self.problem("", origin.place(), format!("maps and lists nest deeper than {MAX_DEPTH}"), None);
            return Err(Stop);
        }
        self.open.push(Open { anchor, origin, kind });
        Ok(())
    }

    fn close(&mut self) {
        if let Some(Open { anchor, origin, kind }) = self.open.pop() {
            let value = match kind {
                OpenKind::List(items) => Value::List(items),
                OpenKind::Map { entries, .. } => Value::Map(entries),
            };
            self.put(Node { value, origin, comment: None }, anchor);
        }
    }

    /// A finished node goes where it belongs: the document, a list, a key, or the value of a key.
    fn put(&mut self, node: Node, anchor: usize) {
        if anchor > 0 {
            let size = weight(&node);
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let path = self.path();
        match self.open.last_mut() {
            None => self.root = Some(if matches!(node.value, Value::Null) { Node::map() } else { node }),
            Some(Open { kind: OpenKind::List(items), .. }) => items.push(node),
            Some(Open { kind: OpenKind::Map { entries, key }, .. }) => match key.take() {
                Some((name, origin)) => {
                    let first = entries.iter().find(|entry| entry.key == name).map(|entry| entry.origin.place().0);
                    match first {
                        None => entries.push(Entry { key: name, origin, node }),
                        Some(line) => {
                            let message = format!("the key is here twice, first on line {line}");
                            self.problem(&path, origin.place(), message, Some("keep one of them"));
                        }
                    }
                }
                None => {
                    let place = node.place();
                    let origin = node.origin.clone();
                    match node.value {
                        Value::Scalar { text, .. } => *key = Some((text, origin)),
                        _ => {
                            // The key is given a name that no table knows, so that its value still has a place to go.
                            *key = Some((String::from("?"), origin));
                            self.problem(&path, place, "a key must be a text", None);
                        }
                    }
                }
            },
        }
    }

    /// The path of the node that is being read.
    fn path(&self) -> String {
        let mut path = String::new();
        for open in &self.open {
            match &open.kind {
                OpenKind::List(items) => path.push_str(&format!("[{}]", items.len())),
                OpenKind::Map { key: Some((key, _)), .. } => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(key);
                }
                OpenKind::Map { key: None, .. } => {}
            }
        }
        path
    }

    fn refuse_tag(&mut self, tag: Option<Cow<'_, Tag>>, place: (usize, usize)) {
        if let Some(tag) = tag {
            let path = self.path();
            let hint = nearest(&tag.suffix, ["env", "file", "stored"]).map(|near| format!("write `{{{near}: …}}`"));
            self.problem(
                &path,
                place,
                format!("the tag `{}{}` is not used here", tag.handle, tag.suffix),
                hint.as_deref(),
            );
        }
    }

    fn problem(&mut self, path: &str, place: (usize, usize), message: impl Into<String>, suggestion: Option<&str>) {
        self.problems.push(Problem {
            path: path.to_owned(),
            line: place.0,
            column: place.1,
            message: message.into(),
            suggestion: suggestion.map(str::to_owned),
        });
    }
}

fn weight(node: &Node) -> usize {
    1 + node.items().iter().map(weight).sum::<usize>()
        + node.entries().iter().map(|entry| weight(&entry.node)).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> String {
        read(text).err().map(|problems| problems.0[0].to_string()).unwrap_or_default()
    }

    #[test]
    fn nodes_know_their_line_and_column() {
        let tree = read("access:\n  region: eu\nlist:\n  - a\n").unwrap();
        assert_eq!(tree.find(&["access", "region"]).map(Node::place), Some((2, 11)));
        assert_eq!(tree.entries()[1].origin.place(), (3, 1));
        assert_eq!(tree.get("list").unwrap().items()[0].place(), (4, 5));
    }

    #[test]
    fn what_is_not_strict_is_refused_with_its_place() {
        assert!(
            first("a:\n  b: 1\n  b: 2\n").starts_with("line 3, column 3: a.b: the key is here twice, first on line 2")
        );
        assert!(first("a: 1\n---\nb: 2\n").starts_with("line 2, column 1: the file holds more than one document"));
        assert!(first("? [a, b]\n: 1\n").contains("a key must be a text"));
        assert!(
            first("a: !env HOME\n").starts_with("line 1, column 9: a: the tag `!env` is not used here (write `{env")
        );
        assert!(first("a: [1, 2\n").contains("not valid YAML"));
        assert!(first("a: *nothing\n").contains("not valid YAML"));
        assert!(first(&"[".repeat(100)).contains("nest deeper than 32"));
    }

    #[test]
    fn aliases_are_followed_and_bounded() {
        let tree = read("a: &x {b: 1}\nc: *x\n").unwrap();
        assert_eq!(tree.find(&["c", "b"]).and_then(Node::as_text), Some("1"));
        let many = format!("a: &x 1\nb: [{}]\n", vec!["*x"; 101].join(", "));
        assert!(first(&many).contains("more than 100 aliases"));
        let mut bomb = String::from("a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n");
        for level in 1..9 {
            let item = format!("*a{}", level - 1);
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![item; 10].join(", ")));
        }
        assert!(first(&bomb).contains("stand for too much"));
    }

    #[test]
    fn an_empty_file_is_an_empty_map() {
        for text in ["", "# only a comment\n", "---\n", "\u{feff}"] {
            assert_eq!(read(text).map(|tree| tree.entries().len()), Ok(0), "{text:?}");
        }
    }
}
