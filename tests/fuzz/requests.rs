//! Requests: what was printed is parsed to the letter, and nothing passes that the rules of names and of the registry forbid.

use crate::dice::{Dice, asked, report};
use deltaglider_proxy::auth::sigv4::{Parsed, RawRequest, Verified, Verifier};
use deltaglider_proxy::http::s3::operation::{Operation, Verb};
use deltaglider_proxy::http::s3::registry::{Place, Standing, TABLE, standing};
use std::collections::BTreeMap;

const METHODS: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "get"];
const BUCKETS: [&str; 8] = ["bkt", "my-bucket.v2", "Bkt", "a..b", "1.2.3.4", "ab", "_", "xn--bkt"];
const SCRAPS: [&[u8]; 16] = [
    b"/",
    b"//",
    b"?",
    b"&",
    b"=",
    b"%",
    b"%2F",
    b"%2f",
    b"%00",
    b"%FF",
    b"%zz",
    b"+",
    b"acl",
    b"versionId=null",
    b"prefix=a",
    b"..",
];

/// A request that owns its parts.
#[derive(Clone, Debug)]
struct Sent {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
}

impl Sent {
    fn open(&self) -> Option<Verified> {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let (method, path, query) = (self.method.as_str(), self.path.as_str(), self.query.as_str());
        let raw = RawRequest { bucket: None, method, path, query, headers };
        Verifier::default().open(&raw, Parsed::new(&raw).ok()?).ok()
    }
}

/// Percent-encoding in one of the many ways that mean the same.
fn escape(dice: &mut Dice, text: &str, keep: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || keep.as_bytes().contains(&byte);
        match dice.below(12) {
            0 => out += &format!("%{byte:02x}"),
            1 => out += &format!("%{byte:02X}"),
            _ if plain => out.push(char::from(byte)),
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

/// A request that must be parsed, with what must come out of it.
fn printed(dice: &mut Dice) -> (Sent, Verb, String, String, BTreeMap<String, String>) {
    let bucket = dice.pick(&BUCKETS[..2]).to_owned();
    let key = format!("k{}", dice.text(20));
    let (method, verb, wanted): (&str, Verb, &[&str]) = match dice.below(9) {
        0 => ("GET", Verb::ListObjectsV2, &["prefix", "delimiter", "start-after", "encoding-type"]),
        1 => ("GET", Verb::ListObjects, &["prefix", "delimiter", "marker"]),
        2 => ("GET", Verb::ListObjectVersions, &["prefix", "delimiter", "key-marker"]),
        3 => ("GET", Verb::GetObject, &["response-content-type", "versionId"]),
        4 => ("HEAD", Verb::HeadObject, &["response-expires"]),
        5 => ("PUT", Verb::PutObject, &[]),
        6 => ("DELETE", Verb::DeleteObject, &["versionId"]),
        7 => ("POST", Verb::DeleteObjects, &[]),
        _ => ("GET", Verb::GetBucketLocation, &[]),
    };
    let mut query: BTreeMap<String, String> = BTreeMap::new();
    for name in wanted {
        if dice.once_in(2) {
            continue;
        }
        let value = match *name {
            "versionId" => "null".to_owned(),
            "encoding-type" => "url".to_owned(),
            _ => dice.text(10),
        };
        query.insert((*name).to_owned(), value);
    }
    match verb {
        Verb::ListObjectsV2 => drop(query.insert("list-type".to_owned(), "2".to_owned())),
        Verb::ListObjectVersions => drop(query.insert("versions".to_owned(), String::new())),
        Verb::DeleteObjects => drop(query.insert("delete".to_owned(), String::new())),
        Verb::GetBucketLocation => drop(query.insert("location".to_owned(), String::new())),
        _ => {}
    }
    let of_object = matches!(verb, Verb::GetObject | Verb::HeadObject | Verb::PutObject | Verb::DeleteObject);
    let key = if of_object { key } else { String::new() };
    let path = format!("/{}/{}", escape(dice, &bucket, ""), escape(dice, &key, "/+=,;"));
    let mut pieces: Vec<String> = Vec::new();
    for (name, value) in &query {
        let (name, value) = (escape(dice, name, ""), escape(dice, value, "/+,;"));
        pieces.push(if value.is_empty() && dice.once_in(2) { name } else { format!("{name}={value}") });
    }
    if dice.once_in(2) {
        pieces.reverse();
    }
    let sent = Sent { method: method.to_owned(), path, query: pieces.join("&"), headers: Vec::new() };
    (sent, verb, bucket, key, query)
}

/// Anything: names of the registry where they do not belong, odd buckets, odd escapes.
fn wild(dice: &mut Dice) -> Sent {
    let (mut sent, ..) = printed(dice);
    if dice.once_in(3) {
        sent.method = dice.pick(&METHODS).to_owned();
    }
    if dice.once_in(3) {
        sent.path = format!("/{}/{}", dice.pick(&BUCKETS), dice.text(6));
    }
    for _ in 0..dice.below(3) {
        let row = &TABLE[dice.below(TABLE.len())];
        let (name, value) =
            (row.name.replace('*', "x"), dice.pick(&["", "1", "null", "url", "/bkt/k", "private", "true"]));
        match row.place {
            Place::Query => sent.query += &format!("&{name}={value}"),
            Place::Header => sent.headers.push((name, value.to_owned())),
        }
    }
    for text in [&mut sent.path, &mut sent.query] {
        if dice.once_in(2) {
            let mut bytes = std::mem::take(text).into_bytes();
            dice.spoil(&mut bytes, &SCRAPS);
            *text = String::from_utf8_lossy(&bytes).into_owned();
        }
    }
    if !sent.path.starts_with('/') {
        sent.path.insert(0, '/');
    }
    sent
}

/// Each escape undone once; `None` where one is none.
fn decode(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                let plain = digits.iter().all(u8::is_ascii_hexdigit);
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok().filter(|_| plain)?
            }
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

/// What is wrong with an accepted request, by rules that the parser does not share.
fn fault(sent: &Sent, verified: &Verified) -> Option<String> {
    let Some(path) = decode(&sent.path) else { return Some("the path decodes".to_owned()) };
    let (bucket, key) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    if verified.bucket().map_or("", |name| name.as_str()) != bucket {
        return Some(format!("the bucket is not {bucket}"));
    }
    if verified.key().map_or("", |key| key.as_str()) != key || key.len() > 1024 {
        return Some(format!("the key is not {key}"));
    }
    let rule = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
    if !bucket.is_empty() && (!(3..=63).contains(&bucket.len()) || !bucket.bytes().all(rule) || bucket.contains("..")) {
        return Some("the bucket has no bucket's name".to_owned());
    }
    let verb = verified.operation().verb();
    let method = match verb {
        Verb::CreateBucket | Verb::PutObject | Verb::CopyObject => "PUT",
        Verb::DeleteBucket | Verb::DeleteObject => "DELETE",
        Verb::HeadBucket | Verb::HeadObject | Verb::HeadService => "HEAD",
        Verb::DeleteObjects => "POST",
        _ if matches!(verified.operation(), Operation::ListObjects(_)) => "GET",
        _ => sent.method.as_str(),
    };
    if method != sent.method {
        return Some(format!("{} became {verb:?}", sent.method));
    }
    names(sent, verified, verb)
}

/// Every name that was sent is there, once, and the registry honours it for this operation.
fn names(sent: &Sent, verified: &Verified, verb: Verb) -> Option<String> {
    let mut seen = Vec::new();
    for piece in sent.query.split('&').filter(|piece| !piece.is_empty()) {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let (Some(name), Some(value)) = (decode(name), decode(value)) else { return Some(format!("{piece} decodes")) };
        let lower = name.to_ascii_lowercase();
        let (place, name, kept) = match lower.starts_with("x-amz-") {
            true => (Place::Header, lower.clone(), verified.amz_headers().get(&lower)),
            false => (Place::Query, name.clone(), verified.query().get(&name)),
        };
        let credential = ["x-amz-content-sha256", "x-amz-date", "x-amz-algorithm", "x-amz-credential", "x-amz-expires"];
        if credential.contains(&name.as_str()) || name == "x-amz-signedheaders" || name == "x-amz-signature" {
            continue;
        }
        if kept != Some(&value) || seen.contains(&name) {
            return Some(format!("{name} is not kept as it was sent"));
        }
        let honoured = match standing(place, &name) {
            Some(Standing::Honoured(verbs) | Standing::Echoed(verbs)) => verbs.contains(&verb),
            Some(Standing::Unconfigured(probe, _)) => verb == Verb::Probe(probe),
            Some(Standing::Noise) => true,
            Some(Standing::Refused(_)) | None => false,
        };
        if !honoured {
            return Some(format!("{verb:?} took {name}, which it does not honour"));
        }
        seen.push(name);
    }
    None
}

#[test]
fn a_request_means_what_was_printed_and_nothing_is_taken_that_is_not_honoured() {
    let (count, seed) = asked(20_000);
    let mut dice = Dice::new(seed);
    let (mut same, mut accepted, mut refused) = (0, 0, 0);
    for round in 0..count {
        if dice.once_in(3) {
            let (sent, verb, bucket, key, query) = printed(&mut dice);
            let told = || format!("seed {seed}, round {round}: {sent:?}");
            let verified = sent.open().unwrap_or_else(|| panic!("refused: {}", told()));
            assert_eq!(verified.operation().verb(), verb, "{}", told());
            assert_eq!(verified.bucket().map(|name| name.as_str()), Some(bucket.as_str()), "{}", told());
            assert_eq!(verified.key().map_or("", |key| key.as_str()), key, "{}", told());
            assert_eq!(*verified.query(), query, "{}", told());
            if let Operation::ListObjects(list) = verified.operation() {
                let asked = |name: &str| query.get(name).cloned().unwrap_or_default();
                assert_eq!((&list.prefix, &list.delimiter), (&asked("prefix"), &asked("delimiter")), "{}", told());
            }
            same += 1;
            continue;
        }
        let sent = wild(&mut dice);
        let told = || format!("seed {seed}, round {round}: {sent:?}");
        match sent.open() {
            Some(verified) => {
                assert_eq!(fault(&sent, &verified), None, "{}", told());
                let mut turned = sent.clone();
                turned.query = sent.query.split('&').rev().collect::<Vec<_>>().join("&");
                assert_eq!(turned.open(), Some(verified), "the order of parameters means nothing: {}", told());
                accepted += 1;
            }
            None => refused += 1,
        }
    }
    assert!(same > count / 6 && accepted > count / 50 && refused > count / 10, "{same} {accepted} {refused}");
    report(&format!("{same} printed and read, {accepted} wild and honoured, {refused} refused"));
}
