//! Key ↔ path inside a bucket's directory: pure, injective and reversible (layout 1).
//!
//! Each `/`-component of a key is one path component, verbatim where it is harmless. Otherwise it is percent-encoded:
//! `%`, control characters and a first dot that would make a reserved name. An empty component is `%00`, the character
//! U+0000 is `%C0%80` (which is no UTF-8, so it cannot mean anything else), and what is longer than 200 bytes goes on
//! in a directory whose name ends in `%+`. An object that is also a prefix lies at `<dir>/%self`.

/// What begins the names that are the store's own; a key's component of that kind is stored escaped.
pub(super) const RESERVED: &str = ".dg";
/// What begins the names of files and directories in the making; they are swept at start.
pub(super) const TEMP_PREFIX: &str = ".dg-tmp-";
/// The file of an object that is also a prefix.
pub(super) const SELF_NAME: &str = "%self";

const CONTINUED: &str = "%+";
const EMPTY: &str = "%00";
const NUL: &str = "%C0%80";
const MAX_NAME: usize = 200;

/// The path components of a key.
pub(super) fn encode(key: &str) -> Vec<String> {
    let mut names = Vec::new();
    for component in key.split('/') {
        encode_component(component, &mut names);
    }
    names
}

/// The key of a path, where the path is the canonical one (without a final `%self`).
pub(super) fn decode<S: AsRef<str>>(names: &[S]) -> Option<String> {
    let mut key = String::new();
    let mut rest = names;
    while !rest.is_empty() {
        let last = rest.iter().position(|n| !n.as_ref().ends_with(CONTINUED))?;
        let (component, after) = rest.split_at(last + 1);
        key.push_str(&decode_component(component)?);
        rest = after;
        if !rest.is_empty() {
            key.push('/');
        }
    }
    Some(key)
}

/// The key's component that these names spell, where they are its canonical spelling.
pub(super) fn decode_component<S: AsRef<str>>(names: &[S]) -> Option<String> {
    let mut component = String::new();
    for (i, name) in names.iter().enumerate() {
        let name = name.as_ref();
        let piece = if i + 1 == names.len() { name } else { name.strip_suffix(CONTINUED)? };
        component.push_str(&decode_piece(piece)?);
    }
    let mut again = Vec::new();
    encode_component(&component, &mut again);
    let canonical = again.len() == names.len() && again.iter().zip(names).all(|(a, b)| a == b.as_ref());
    canonical.then_some(component)
}

/// The beginning of a component, where the name is that of a directory in which a long component goes on.
pub(super) fn decode_continued(name: &str) -> Option<String> {
    decode_piece(name.strip_suffix(CONTINUED)?)
}

fn encode_component(component: &str, names: &mut Vec<String>) {
    if component.is_empty() {
        names.push(EMPTY.to_owned());
        return;
    }
    let mut rest = component;
    loop {
        let (mut name, taken) = encode_piece(rest);
        rest = &rest[taken..];
        if rest.is_empty() {
            names.push(name);
            return;
        }
        name.push_str(CONTINUED);
        names.push(name);
    }
}

/// Encodes as many characters as fit into one name; returns the name and the bytes taken.
fn encode_piece(text: &str) -> (String, usize) {
    let escape_dot = text.starts_with(RESERVED) || text == "." || text == "..";
    let mut name = String::with_capacity(text.len().min(MAX_NAME));
    for (at, c) in text.char_indices() {
        let before = name.len();
        if c == '\0' {
            name.push_str(NUL);
        } else if c == '%' || c.is_control() || (at == 0 && escape_dot) {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                name.push('%');
                name.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
                name.push(char::from(b"0123456789ABCDEF"[usize::from(byte & 15)]));
            }
        } else {
            name.push(c);
        }
        if name.len() > MAX_NAME {
            name.truncate(before);
            return (name, at);
        }
    }
    (name, text.len())
}

/// Undoes [`encode_piece`] leniently; the caller compares with the canonical form.
fn decode_piece(name: &str) -> Option<String> {
    if name == EMPTY {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
        } else if let Some(after) = rest.strip_prefix(NUL.as_bytes()) {
            bytes.push(0);
            rest = after;
        } else {
            let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
            bytes.push(digit(*after.first()?)? << 4 | digit(*after.get(1)?)?);
            rest = &after[2..];
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_golden_table_holds() {
        let long = "x".repeat(201);
        let table: &[(&str, &str)] = &[
            ("a", "a"),
            ("a/b", "a/b"),
            ("a/", "a/%00"),
            ("/", "%00/%00"),
            ("//a", "%00/%00/a"),
            ("a//b", "a/%00/b"),
            (".", "%2E"),
            ("..", "%2E."),
            ("../../etc/passwd", "%2E./%2E./etc/passwd"),
            ("...", "..."),
            (".dgx", "%2Edgx"),
            (".dg/refs/x", "%2Edg/refs/x"),
            ("a/.dg-tmp-1", "a/%2Edg-tmp-1"),
            (".hidden", ".hidden"),
            ("50%", "50%25"),
            ("%self", "%25self"),
            ("%+", "%25+"),
            ("a%2Fb", "a%252Fb"),
            ("tab\there", "tab%09here"),
            ("\u{7f}\u{85}", "%7F%C2%85"),
            ("\0", "%C0%80"),
            ("back\\slash", "back\\slash"),
            ("ä b+c", "ä b+c"),
            ("reference.bin", "reference.bin"),
            (&long, &format!("{}%+/x", "x".repeat(200))),
        ];
        for (key, path) in table {
            assert_eq!(encode(key).join("/"), *path, "{key:?}");
            assert_eq!(decode(&encode(key)).as_deref(), Some(*key));
        }
    }

    #[test]
    fn a_name_that_is_not_canonical_is_no_object() {
        for path in
            ["%61", "%2f", "%2F", "a%", "%zz", ".dg-tmp-x", "a%+", "%00x", "%self", ".", "%2edg", "x%+/y", "%80"]
        {
            let names: Vec<_> = path.split('/').collect();
            assert_eq!(decode(&names), None, "{path}");
        }
    }

    #[test]
    fn every_key_has_one_path_and_the_path_gives_it_back() {
        let pieces =
            ["/", "%", ".", ".dg", "..", "\0", "\u{1}", "\u{9f}", "é", "€", "😀", "a", "b", "%00", "%+", "%self"];
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = move |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed >> 33).unwrap_or(0) % below
        };
        let mut paths = std::collections::HashMap::new();
        for _ in 0..20_000 {
            let mut key = String::new();
            let longest = if random(4) == 0 { 1024 } else { 12 };
            let (target, run) = (1 + random(longest), 1 + random(40));
            while key.len() < target {
                let piece = pieces[random(pieces.len())];
                for _ in 0..1 + random(run) {
                    key.push_str(piece);
                }
            }
            let names = encode(&key);
            for name in &names {
                assert!((1..=MAX_NAME + CONTINUED.len()).contains(&name.len()), "{key:?}");
                assert!(!name.starts_with(RESERVED) && name != "." && name != ".." && name != SELF_NAME, "{key:?}");
                assert!(!name.contains('/') && !name.chars().any(char::is_control), "{key:?}");
            }
            assert_eq!(decode(&names).as_deref(), Some(key.as_str()));
            let path = names.join("/");
            assert_eq!(*paths.entry(path).or_insert_with(|| key.clone()), key);
        }
    }
}
