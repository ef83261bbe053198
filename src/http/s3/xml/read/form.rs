//! What the XML reader leaves unchecked and the recommendation demands: characters, names, attributes, the declaration.

/// The blanks of XML.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// True where a text holds no character that XML forbids. Keys that do are sent as references.
pub(super) fn has_legal_characters(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..))
}

/// True where the inside of a tag is a name and then attributes.
pub(super) fn is_tag(content: &str) -> bool {
    let (name, rest) = content.split_at(content.find(BLANKS).unwrap_or(content.len()));
    is_name(name) && attributes(rest).is_some()
}

/// True for the inside of `<?xml version="…" encoding="…" standalone="…"?>`, of which the last two may be missing.
pub(super) fn is_declaration(content: &str) -> bool {
    let names = content.strip_prefix("xml").and_then(attributes);
    names.is_some_and(|names| {
        matches!(
            names.as_slice(),
            ["version"] | ["version", "encoding" | "standalone"] | ["version", "encoding", "standalone"]
        )
    })
}

/// The names of attributes, each of which follows a blank, has a quoted value and comes once.
fn attributes(content: &str) -> Option<Vec<&str>> {
    let (mut rest, mut names) = (content, Vec::new());
    loop {
        let next = rest.trim_start_matches(BLANKS);
        if next.is_empty() {
            return Some(names);
        }
        if next.len() == rest.len() {
            return None;
        }
        let (name, value) = next.split_once('=')?;
        let name = name.trim_end_matches(BLANKS);
        let value = value.trim_start_matches(BLANKS);
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, after) = value[1..].split_once(quote)?;
        if !is_name(name) || names.contains(&name) || !is_value(value) {
            return None;
        }
        names.push(name);
        rest = after;
    }
}

fn is_name(name: &str) -> bool {
    let start = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':') || !c.is_ascii();
    name.starts_with(start) && name.chars().all(|c| start(c) || c.is_ascii_digit() || matches!(c, '-' | '.'))
}

fn is_value(value: &str) -> bool {
    !value.contains('<')
        && value
            .split('&')
            .skip(1)
            .all(|rest| rest.split_once(';').is_some_and(|(name, _)| super::referred(name).is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_names_and_attributes() {
        for good in ["a", "a ", "s3:Key\n", "a b='c'", "a b = \"'&lt;&#10;\"  c='d' ", "é-1._"] {
            assert!(is_tag(good), "{good}");
        }
        for bad in
            ["", " a", "1a", "a<", "a b", "a b=c", "a b='c", "a b='c'd='e'", "a b='<'", "a b='&lp;'", "a b='c' b='d'"]
        {
            assert!(!is_tag(bad), "{bad}");
        }
    }

    #[test]
    fn a_declaration_says_which_version() {
        assert!(is_declaration("xml version=\"1.0\" encoding='UTF-8'"));
        for bad in ["xml", "xml encoding='UTF-8'", "xml version='1.0' version='1.0'", "xmlversion='1.0'"] {
            assert!(!is_declaration(bad), "{bad}");
        }
    }
}
