//! The XML bodies: printed in many ways, spoiled, and compared with what the strict reader makes of them.

use crate::dice::{Dice, asked, report};
use crate::strict_xml::{self, Element};
use deltaglider_proxy::http::s3::xml::read::{
    CreateBucketConfiguration, Delete, DeleteKey, create_bucket, delete_objects,
};

const SCRAPS: [&[u8]; 24] = [
    b"<",
    b">",
    b"/>",
    b"</Key>",
    b"<Key>",
    b"<Object>",
    b"</Object>",
    b"<Quiet>true</Quiet>",
    b"&amp;",
    b"&",
    b";",
    b"&#x41;",
    b"&#0;",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<?xml version=\"1.0\"?>",
    b"<!DOCTYPE a>",
    b" a='b'",
    b"\x01",
    b"\xff",
    b"\r\n",
    b"o:",
];

/// Text as XML, each character in one of the ways that XML has for it.
fn print(dice: &mut Dice, text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let plain = !matches!(c, '&' | '<' | '>' | '\r') && (c >= ' ' || matches!(c, '\t' | '\n'));
        match (dice.below(8), c) {
            (0, _) => out += &format!("&#{};", u32::from(c)),
            (1, _) => out += &format!("&#x{:X};", u32::from(c)),
            (2, '"') => out += "&quot;",
            (2, '\'') => out += "&apos;",
            (3, c) if plain => out += &format!("<![CDATA[{c}]]>"),
            (4, c) if plain => out += &format!("{c}<!-- - -->"),
            (_, '&') => out += "&amp;",
            (_, '<') => out += "&lt;",
            (_, '>') => out += "&gt;",
            (_, c) if plain => out.push(c),
            (_, c) => out += &format!("&#x{:x};", u32::from(c)),
        }
    }
    out
}

fn element(dice: &mut Dice, name: &str, inside: &str) -> String {
    let prefix = if dice.once_in(5) { "s3:" } else { "" };
    let space = dice.pick(&["", "", " ", "\r\n"]);
    let attribute = dice.pick(&["", "", " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"", " a='&lt;'"]);
    match inside.is_empty() && dice.once_in(2) {
        true => format!("<{prefix}{name}{attribute}{space}/>"),
        false => format!("<{prefix}{name}{attribute}{space}>{inside}</{prefix}{name}{space}>"),
    }
}

fn document(dice: &mut Dice, root: &str) -> String {
    let before = dice.pick(&["", "", "\u{feff}", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "<!-- a -->\n"]);
    format!("{before}{root}{}", dice.pick(&["", "", "\n", "<!-- z -->"]))
}

fn a_key(dice: &mut Dice) -> String {
    let mut key = dice.text(12);
    if dice.once_in(3) {
        key.insert(0, char::from_u32(1 + dice.below(31) as u32).expect("a control character"));
    }
    key
}

fn a_delete(dice: &mut Dice) -> (Delete, String) {
    let mut asked = Delete { quiet: dice.once_in(2), keys: Vec::new() };
    let mut inside = String::new();
    if asked.quiet || dice.once_in(2) {
        let word = if asked.quiet { dice.pick(&["true", "1", " true "]) } else { dice.pick(&["false", "0", ""]) };
        inside += &element(dice, "Quiet", word);
    }
    for _ in 0..=dice.below(3) {
        let key = DeleteKey {
            key: a_key(dice),
            version: dice.once_in(3).then(|| dice.text(5)),
            etag: dice.once_in(3).then(|| dice.text(5)),
        };
        let mut parts = Vec::new();
        for (name, text) in [("Key", Some(&key.key)), ("VersionId", key.version.as_ref()), ("ETag", key.etag.as_ref())]
        {
            if let Some(text) = text {
                let printed = print(dice, text);
                parts.push(element(dice, name, &printed));
            }
        }
        if dice.once_in(2) {
            parts.reverse();
        }
        let between = dice.pick(&["", "\n  ", "<!-- b -->"]);
        inside += &element(dice, "Object", &parts.join(between));
        asked.keys.push(key);
    }
    let root = element(dice, "Delete", &inside);
    (asked, document(dice, &root))
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_whitespace())
}

/// What a tree asks to be deleted, by AWS's schema.
fn as_delete(root: &Element) -> Option<Delete> {
    if root.name != "Delete" || !is_blank(&root.text) {
        return None;
    }
    let (mut quiet, mut keys) = (None, Vec::new());
    for child in &root.children {
        match child.name.as_str() {
            "Quiet" if quiet.is_none() && child.children.is_empty() => quiet = Some(child.text.trim()),
            "Object" if is_blank(&child.text) => keys.push(as_key(child)?),
            _ => return None,
        }
    }
    let quiet = match quiet {
        None | Some("" | "false" | "0") => false,
        Some("true" | "1") => true,
        Some(_) => return None,
    };
    (1..=1000).contains(&keys.len()).then_some(Delete { quiet, keys })
}

fn as_key(object: &Element) -> Option<DeleteKey> {
    let mut slots = [None, None, None];
    for part in &object.children {
        let at = ["Key", "VersionId", "ETag"].iter().position(|name| *name == part.name)?;
        if !part.children.is_empty() || slots[at].replace(part.text.clone()).is_some() {
            return None;
        }
    }
    let [key, version, etag] = slots;
    Some(DeleteKey { key: key?, version, etag })
}

fn as_create_bucket(root: &Element) -> Option<CreateBucketConfiguration> {
    if root.name != "CreateBucketConfiguration" || !is_blank(&root.text) {
        return None;
    }
    let mut location = None;
    for child in &root.children {
        if child.name != "LocationConstraint" || !child.children.is_empty() || location.is_some() {
            return None;
        }
        location = Some(child.text.trim().to_owned());
    }
    Some(CreateBucketConfiguration { location: location.filter(|name| !name.is_empty()) })
}

#[test]
fn a_document_means_what_was_printed_and_what_the_strict_reader_reads() {
    let (count, seed) = asked(20_000);
    let mut dice = Dice::new(seed);
    let (mut same, mut accepted, mut refused) = (0, 0, 0);
    for round in 0..count {
        let create = dice.once_in(5);
        let (expected, text) = if create {
            let name = dice.pick(&["", "eu-west-1", "mars"]).to_owned();
            let inside = element(&mut dice, "LocationConstraint", &name);
            let root = element(&mut dice, "CreateBucketConfiguration", &inside);
            let location = (!name.is_empty()).then_some(name);
            (Asked::Bucket(CreateBucketConfiguration { location }), document(&mut dice, &root))
        } else {
            let (delete, text) = a_delete(&mut dice);
            (Asked::Delete(delete), text)
        };
        let mut body = text.clone().into_bytes();
        let spoiled = !dice.once_in(4);
        if spoiled {
            dice.spoil(&mut body, &SCRAPS);
        }
        let read = |body: &[u8]| match create {
            true => create_bucket(body).ok().map(Asked::Bucket),
            false => delete_objects(body).ok().map(Asked::Delete),
        };
        let told = || format!("seed {seed}, round {round}: {:?}", String::from_utf8_lossy(&body));
        let found = read(&body);
        if !spoiled {
            assert_eq!(found.as_ref(), Some(&expected), "{}", told());
            same += 1;
            continue;
        }
        let empty = create && body.iter().all(u8::is_ascii_whitespace);
        let strict = strict_xml::read(&body).and_then(|root| match create {
            true => as_create_bucket(&root).map(Asked::Bucket),
            false => as_delete(&root).map(Asked::Delete),
        });
        match found {
            Some(_) if empty => accepted += 1,
            Some(found) => {
                assert_eq!(Some(found), strict, "{}", told());
                accepted += 1;
            }
            None => refused += 1,
        }
    }
    assert!(same > count / 6 && accepted > count / 50 && refused > count / 4, "{same} {accepted} {refused}");
    report(&format!(
        "{same} printed and read, {accepted} spoiled and read as the strict reader does, {refused} refused"
    ));
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Delete(Delete),
    Bucket(CreateBucketConfiguration),
}
