//! Tree → YAML text: block style, two spaces, quotes only where another reader would take a text for something else.

use super::tree::{Entry, Node, Value};

/// Writes a tree; an empty map is an empty text.
pub fn emit(tree: &Node) -> String {
    let mut out = String::new();
    match &tree.value {
        Value::Map(entries) => map(&mut out, entries, 0),
        Value::List(items) => list(&mut out, items, 0),
        Value::Null | Value::Scalar { .. } => value(&mut out, tree, 0),
    }
    out
}

/// A text as a scalar: plain where that is safe, else in double quotes.
pub fn scalar_text(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

fn map(out: &mut String, entries: &[Entry], depth: usize) {
    for entry in entries {
        out.push_str(&"  ".repeat(depth));
        field(out, entry, depth);
    }
}

fn field(out: &mut String, entry: &Entry, depth: usize) {
    out.push_str(&scalar_text(&entry.key));
    out.push(':');
    value(out, &entry.node, depth + 1);
}

/// A value after its key, to the end of the line or in lines of its own.
fn value(out: &mut String, node: &Node, depth: usize) {
    let inline = match &node.value {
        Value::Null => String::new(),
        Value::Scalar { text, plain: true } => format!(" {text}"),
        Value::Scalar { text, plain: false } => format!(" {}", scalar_text(text)),
        Value::List(items) if items.is_empty() => " []".to_owned(),
        Value::Map(entries) if entries.is_empty() => " {}".to_owned(),
        Value::List(_) | Value::Map(_) => String::new(),
    };
    out.push_str(&inline);
    if let Some(comment) = &node.comment {
        out.push_str(" # ");
        out.push_str(&comment.replace(char::is_control, " "));
    }
    out.push('\n');
    match &node.value {
        Value::List(items) => list(out, items, depth),
        Value::Map(entries) => map(out, entries, depth),
        Value::Null | Value::Scalar { .. } => {}
    }
}

fn list(out: &mut String, items: &[Node], depth: usize) {
    for item in items {
        out.push_str(&"  ".repeat(depth));
        out.push('-');
        match &item.value {
            Value::Map(entries) if !entries.is_empty() => {
                for (index, entry) in entries.iter().enumerate() {
                    out.push_str(&if index == 0 { " ".to_owned() } else { "  ".repeat(depth + 1) });
                    field(out, entry, depth + 1);
                }
            }
            _ => value(out, item, depth + 1),
        }
    }
}

/// True for a text that every YAML reader, 1.1 or 1.2, takes for the same text without quotes.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 11] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "~", "nan"];
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-' | '+' | '=' | ':' | '@');
    let number =
        |c: char| c.is_ascii_digit() || matches!(c, '.' | '_' | '+' | '-' | ':' | 'x' | 'o' | 'a'..='f' | 'A'..='F');
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/') || text.starts_with("./");
    let like_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '.') && text.chars().all(number);
    begins
        && text.chars().all(safe)
        && !text.ends_with(':')
        && !like_number
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::config::reader::read;

    #[test]
    fn every_text_comes_back_for_us_and_for_another_reader() {
        for text in [
            "plain",
            "./data",
            "127.0.0.1:9000",
            "true",
            "No",
            "12",
            "1e3",
            "0x1f",
            "1:30",
            "",
            " lead",
            "a: b",
            "a #b",
            "quo\"te",
            "back\\slash",
            "tab\t",
            "ünï",
            "{env: X}",
            "- x",
            "*a",
            "&a",
            "!t",
            "%d",
            "@at",
            "`b`",
            "$2b$12$x",
            "null",
            "~",
            "2026-11-22",
            "line\nbreak",
            "\u{85}\u{2028}",
            "key:",
            "?",
            "[",
            "a,b",
            "-",
            ".5",
            ".inf",
        ] {
            let yaml = emit(&Node::map().with("k", Node::text(text)));
            assert_eq!(read(&yaml).unwrap().get("k").and_then(Node::as_text), Some(text), "{yaml}");
            let other: serde_json::Value = serde_yaml::from_str(&yaml).unwrap();
            assert_eq!(other["k"], serde_json::Value::from(text), "{yaml}");
        }
    }

    #[test]
    fn the_form_of_maps_lists_and_comments_is_fixed() {
        let item = Node::map().with("name", Node::text("hot")).with("path", Node::text("/h"));
        let mut level = Node::text("info");
        level.comment = Some("from DGP_LOG_LEVEL".to_owned());
        let tree = Node::map()
            .with("backends", Node::new(Value::List(vec![item])))
            .with("roots", Node::new(Value::List(vec![Node::text("/a")])))
            .with("none", Node::map())
            .with("level", level)
            .with("count", Node::plain(3));
        let expected = "backends:\n  - name: hot\n    path: /h\nroots:\n  - /a\nnone: {}\nlevel: info # from DGP_LOG_LEVEL\ncount: 3\n";
        assert_eq!(emit(&tree), expected);
        assert_eq!(emit(&read(&emit(&tree)).unwrap()), expected.replace(" # from DGP_LOG_LEVEL", ""));
    }
}
