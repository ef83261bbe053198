//! The XML bodies: printed in many ways, spoiled, and compared with what the strict reader makes of them.

use crate::dice::{Dice, asked, report};
use crate::strict_xml::{self, Element};
use actors::domain::checksum::Checksums;
use actors::domain::object::ETag;
use deltaglider_proxy::http::s3::xml::read::{
    CreateBucketConfiguration, Delete, DeleteKey, create_bucket, delete_objects,
};
use deltaglider_proxy::http::s3::xml::read::{ListedPart, complete_multipart_upload};

pub const SCRAPS: [&[u8]; 24] = [
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
pub fn print(dice: &mut Dice, text: &str) -> String {
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

pub fn element(dice: &mut Dice, name: &str, inside: &str) -> String {
    let prefix = if dice.once_in(5) { "s3:" } else { "" };
    let space = dice.pick(&["", "", " ", "\r\n"]);
    let attribute = dice.pick(&["", "", " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"", " a='&lt;'"]);
    match inside.is_empty() && dice.once_in(2) {
        true => format!("<{prefix}{name}{attribute}{space}/>"),
        false => format!("<{prefix}{name}{attribute}{space}>{inside}</{prefix}{name}{space}>"),
    }
}

pub fn document(dice: &mut Dice, root: &str) -> String {
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

/// The elements of checksums, and the names that they are kept under.
const SUMS: [(&str, &str); 5] = [
    ("ChecksumCRC32", "CRC32"),
    ("ChecksumCRC32C", "CRC32C"),
    ("ChecksumCRC64NVME", "CRC64NVME"),
    ("ChecksumSHA1", "SHA1"),
    ("ChecksumSHA256", "SHA256"),
];

fn a_complete(dice: &mut Dice) -> (Vec<ListedPart>, String) {
    let (mut parts, mut inside) = (Vec::new(), String::new());
    for _ in 0..=dice.below(3) {
        let number = i64::try_from(dice.below(10_002)).expect("it fits") - 1;
        let tag = dice.pick(&["781e5e245d69b566979b86e28d23f2c7", "\"9dd4e461268c8034f5c8564e155c67a6\"", "a"]);
        let mut checksums = Checksums::new();
        let printed = print(dice, tag);
        let mut elements = vec![element(dice, "PartNumber", &number.to_string()), element(dice, "ETag", &printed)];
        if dice.once_in(2) {
            let (name, kept) = SUMS[dice.below(SUMS.len())];
            checksums.insert(kept.to_owned(), "poTHxg==".to_owned());
            elements.push(element(dice, name, "poTHxg=="));
        }
        if dice.once_in(2) {
            elements.reverse();
        }
        let between = dice.pick(&["", "\n  ", "<!-- b -->"]);
        inside += &element(dice, "Part", &elements.join(between));
        parts.push(ListedPart { number, etag: ETag::new(tag), checksums });
    }
    let root = element(dice, "CompleteMultipartUpload", &inside);
    (parts, document(dice, &root))
}

/// What a tree asks to be put together, by AWS's schema.
fn as_complete(root: &Element) -> Option<Vec<ListedPart>> {
    if root.name != "CompleteMultipartUpload" || !is_blank(&root.text) {
        return None;
    }
    let parts: Vec<ListedPart> = root.children.iter().map(as_part).collect::<Option<_>>()?;
    (1..=10_000).contains(&parts.len()).then_some(parts)
}

fn as_part(part: &Element) -> Option<ListedPart> {
    if part.name != "Part" || !is_blank(&part.text) {
        return None;
    }
    let (mut number, mut etag, mut checksums) = (None, None, Checksums::new());
    for child in &part.children {
        let text = child.text.trim();
        let again = match child.name.as_str() {
            _ if !child.children.is_empty() => return None,
            "PartNumber" => number.replace(text).is_some(),
            "ETag" => etag.replace(text).is_some(),
            name => {
                let (_, kept) = SUMS.iter().find(|(known, _)| *known == name)?;
                checksums.insert((*kept).to_owned(), text.to_owned()).is_some()
            }
        };
        if again {
            return None;
        }
    }
    checksums.retain(|_, value| !value.is_empty());
    Some(ListedPart { number: number?.parse().ok()?, etag: ETag::new(etag?), checksums })
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
        let kind = dice.below(6);
        let (expected, text) = match kind {
            0 => {
                let name = dice.pick(&["", "eu-west-1", "mars"]).to_owned();
                let inside = element(&mut dice, "LocationConstraint", &name);
                let root = element(&mut dice, "CreateBucketConfiguration", &inside);
                let location = (!name.is_empty()).then_some(name);
                (Asked::Bucket(CreateBucketConfiguration { location }), document(&mut dice, &root))
            }
            1 | 2 => {
                let (parts, text) = a_complete(&mut dice);
                (Asked::Complete(parts), text)
            }
            _ => {
                let (delete, text) = a_delete(&mut dice);
                (Asked::Delete(delete), text)
            }
        };
        let mut body = text.clone().into_bytes();
        let spoiled = !dice.once_in(4);
        if spoiled {
            dice.spoil(&mut body, &SCRAPS);
        }
        let read = |body: &[u8]| match kind {
            0 => create_bucket(body).ok().map(Asked::Bucket),
            1 | 2 => complete_multipart_upload(body).ok().map(Asked::Complete),
            _ => delete_objects(body).ok().map(Asked::Delete),
        };
        let told = || format!("seed {seed}, round {round}: {:?}", String::from_utf8_lossy(&body));
        let found = read(&body);
        if !spoiled {
            assert_eq!(found.as_ref(), Some(&expected), "{}", told());
            same += 1;
            continue;
        }
        let empty = kind == 0 && body.iter().all(u8::is_ascii_whitespace);
        let strict = strict_xml::read(&body).and_then(|root| match kind {
            0 => as_create_bucket(&root).map(Asked::Bucket),
            1 | 2 => as_complete(&root).map(Asked::Complete),
            _ => as_delete(&root).map(Asked::Delete),
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
    Complete(Vec<ListedPart>),
}
