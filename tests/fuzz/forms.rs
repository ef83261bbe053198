//! Forms of browsers: bodies printed, spoiled and cut into pieces, compared with a strict reader of whole bodies; and policies,
//! compared with an evaluator that looks at nothing but the document.

use crate::dice::{Dice, asked, report};
use actors::domain::clock::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use deltaglider_proxy::http::body::multipart_form::{Event, Parser};
use deltaglider_proxy::http::s3::post::fields::Fields;
use deltaglider_proxy::http::s3::post::policy::Policy;
use serde_json::{Value, json};

/// A form: its fields, and its file with the name that it had.
#[derive(Debug, PartialEq, Eq)]
struct Form {
    fields: Vec<(String, String)>,
    filename: Option<String>,
    content: Vec<u8>,
}

const SCRAPS: [&[u8]; 14] = [
    b"\r\n",
    b"\r",
    b"\n",
    b"--",
    b"\r\n--",
    b"\r\n\r\n",
    b"\"",
    b"\\",
    b";",
    b" ",
    b"name=\"a\"",
    b"filename=\"b\"",
    b"Content-Disposition: form-data; name=\"file\"\r\n\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
];

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn printed(dice: &mut Dice, boundary: &str) -> (Form, Vec<u8>) {
    let mut form = Form { fields: Vec::new(), filename: None, content: Vec::new() };
    let mut body = Vec::new();
    let clean = |text: String| text.replace(['\r', '\n'], "");
    for _ in 0..dice.below(4) {
        let (name, value) =
            (clean(format!("f{}", dice.text(5))), format!("{}{}", dice.text(8), dice.pick(&["", "\r\n", "\r\n--"])));
        let extra = dice.pick(&["", "Content-Type: text/plain\r\n", "content-transfer-encoding: 8bit\r\n"]);
        let padding = dice.pick(&["", "", " ", "\t "]);
        let head =
            format!("--{boundary}{padding}\r\n{extra}Content-Disposition: form-data; name={}\r\n\r\n", quoted(&name));
        body.extend_from_slice(format!("{head}{value}\r\n").as_bytes());
        form.fields.push((name, value));
    }
    if dice.once_in(2) {
        form.filename = Some(clean(dice.text(6)));
    }
    let named = form.filename.as_ref().map_or(String::new(), |name| format!("; filename={}", quoted(name)));
    let called = dice.pick(&["file", "File", "FILE"]);
    body.extend_from_slice(
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{called}\"{named}\r\n\r\n").as_bytes(),
    );
    for _ in 0..dice.below(30) {
        match dice.below(4) {
            0 => form.content.extend_from_slice(b"\r\n"),
            1 => form.content.extend_from_slice(format!("\r\n--{}", &boundary[..boundary.len() - 1]).as_bytes()),
            _ => form.content.push(dice.below(256) as u8),
        }
    }
    // What only looks like the end of the file would be it.
    let delimiter = format!("\r\n--{boundary}");
    while let Some(at) = find(&form.content, delimiter.as_bytes()) {
        form.content.remove(at);
    }
    body.extend_from_slice(&form.content);
    let end = dice.pick(&["--\r\n", "--", "\r\nContent-Disposition: form-data; name=\"submit\"\r\n\r\nx\r\n", " \r\n"]);
    body.extend_from_slice(format!("{delimiter}{end}").as_bytes());
    (form, body)
}

fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    within.windows(what.len()).position(|window| window == what)
}

/// A strict reader of whole bodies.
fn strict(body: &[u8], boundary: &str) -> Option<Form> {
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    let whole = [b"\r\n", body].concat();
    let mut rest = whole.strip_prefix(&delimiter[..])?;
    let mut fields = Vec::new();
    loop {
        rest = line_end(rest)?;
        let end = find(rest, b"\r\n\r\n")?;
        let (name, filename) = part_of(std::str::from_utf8(&rest[..end]).ok()?)?;
        rest = &rest[end + 4..];
        let end = find(rest, &delimiter)?;
        let (value, after) = (&rest[..end], &rest[end + delimiter.len()..]);
        if name.eq_ignore_ascii_case("file") {
            let closed = after.starts_with(b"--") || line_end(after).is_some();
            return closed.then(|| Form { fields, filename, content: value.to_vec() });
        }
        fields.push((name, std::str::from_utf8(value).ok()?.to_owned()));
        rest = after;
    }
}

/// Blanks and a line end.
fn line_end(bytes: &[u8]) -> Option<&[u8]> {
    let blanks = bytes.iter().take_while(|byte| **byte == b' ' || **byte == b'\t').count();
    bytes[blanks..].strip_prefix(b"\r\n")
}

fn part_of(head: &str) -> Option<(String, Option<String>)> {
    let mut found = None;
    for line in head.split("\r\n") {
        let at = line.find(':')?;
        let (name, value) = (line[..at].to_ascii_lowercase(), &line[at + 1..]);
        if name == "content-transfer-encoding" {
            let value = value.trim().to_ascii_lowercase();
            ["7bit", "8bit", "binary"].contains(&value.as_str()).then_some(())?;
        }
        if name == "content-disposition" && found.replace(value).is_some() {
            return None;
        }
    }
    let (kind, parameters) = found?.split_once(';')?;
    kind.trim().eq_ignore_ascii_case("form-data").then_some(())?;
    let (mut name, mut filename) = (None, None);
    for (parameter, value) in pairs(parameters)? {
        let slot = match parameter.to_ascii_lowercase().as_str() {
            "name" => &mut name,
            "filename" => &mut filename,
            _ => return None,
        };
        if slot.replace(value).is_some() {
            return None;
        }
    }
    Some((name.filter(|name: &String| !name.is_empty())?, filename))
}

/// Parameters, character by character.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let chars: Vec<char> = text.trim().chars().collect();
    let (mut at, mut found) = (0, Vec::new());
    let blank = |at: usize| chars.get(at).is_some_and(|c| c.is_whitespace());
    while at < chars.len() {
        while blank(at) {
            at += 1;
        }
        let begin = at;
        while *chars.get(at)? != '=' {
            at += 1;
        }
        let name: String = chars[begin..at].iter().collect();
        let name = name.trim().to_owned();
        let token = |c: char| c.is_ascii_graphic() && !"\"(),;=".contains(c);
        if name.is_empty() || !name.chars().all(token) {
            return None;
        }
        at += 1;
        while blank(at) {
            at += 1;
        }
        let mut value = String::new();
        if chars.get(at) == Some(&'"') {
            at += 1;
            loop {
                match (*chars.get(at)?, chars.get(at + 1)) {
                    ('"', _) => break,
                    ('\\', Some(next @ ('"' | '\\'))) => {
                        value.push(*next);
                        at += 1;
                    }
                    ('\r' | '\n' | '\0', _) => return None,
                    (c, _) => value.push(c),
                }
                at += 1;
            }
            at += 1;
        } else {
            while chars.get(at).is_some_and(|c| *c != ';') {
                value.push(chars[at]);
                at += 1;
            }
            value = value.trim_end().to_owned();
            if value.is_empty() || value.contains(['"', ' ', '\t']) {
                return None;
            }
        }
        while blank(at) {
            at += 1;
        }
        match chars.get(at) {
            None => {}
            Some(';') => at += 1,
            Some(_) => return None,
        }
        found.push((name, value));
    }
    Some(found)
}

/// What the server's parser makes of a body that comes in pieces.
fn parsed(dice: &mut Dice, body: &[u8], boundary: &str) -> Option<Form> {
    let (mut parser, mut rest) = (Parser::new(boundary), body);
    let mut form = Form { fields: Vec::new(), filename: None, content: Vec::new() };
    loop {
        match parser.poll().ok()? {
            Some(Event::Field { name, value }) => form.fields.push((name, value)),
            Some(Event::File { filename }) => form.filename = filename,
            Some(Event::Piece(bytes)) => form.content.extend_from_slice(&bytes),
            Some(Event::Done) => return Some(form),
            Some(Event::NoFile) => return None,
            None if rest.is_empty() => return None,
            None => {
                let (now, later) = rest.split_at((1 + dice.below(40)).min(rest.len()));
                parser.push(now);
                rest = later;
            }
        }
    }
}

#[test]
fn a_form_is_what_was_printed_and_what_the_strict_reader_reads() {
    let (count, seed) = asked(20_000);
    let mut dice = Dice::new(seed);
    let (mut same, mut accepted, mut refused) = (0, 0, 0);
    for round in 0..count {
        let boundary = dice.pick(&["x", "----WebKitFormBoundaryAbC123", "a b", "--"]).to_owned();
        let (form, mut body) = printed(&mut dice, &boundary);
        let spoiled = !dice.once_in(4);
        if spoiled {
            dice.spoil(&mut body, &SCRAPS);
        }
        let found = parsed(&mut dice, &body, &boundary);
        let told = || format!("seed {seed}, round {round}: {boundary:?} {:?}", String::from_utf8_lossy(&body));
        if !spoiled {
            assert_eq!(found, Some(form), "{}", told());
            same += 1;
            continue;
        }
        match &found {
            Some(_) => accepted += 1,
            None => refused += 1,
        }
        assert_eq!(found, strict(&body, &boundary), "{}", told());
    }
    assert!(same > count / 6 && accepted > count / 50 && refused > count / 10, "{same} {accepted} {refused}");
    report(&format!(
        "{same} printed and read, {accepted} spoiled and read as the strict reader does, {refused} refused"
    ));
}

const NAMES: [&str; 7] =
    ["key", "acl", "Content-Type", "x-amz-meta-a", "bucket", "x-ignore-a", "success_action_status"];
const VALUES: [&str; 6] = ["a", "ab", "a/b", "", "a,ab", "A"];

fn a_condition(dice: &mut Dice) -> Value {
    let (name, value) = (dice.pick(&NAMES).to_owned(), dice.pick(&VALUES).to_owned());
    match dice.below(8) {
        0 | 1 => {
            let mut map = serde_json::Map::new();
            map.insert(name, Value::from(value));
            Value::Object(map)
        }
        2 | 3 => json!(["eq", format!("${name}"), value]),
        4 | 5 => json!(["starts-with", format!("${name}"), value]),
        6 => json!(["content-length-range", dice.below(9), dice.below(9)]),
        _ => [json!(["eq", name, value]), json!({}), json!(["near", "$key", "a"]), json!(3)][dice.below(4)].clone(),
    }
}

/// The verdict of somebody who reads the rules of AWS and nothing of ours; `None` for what is no policy.
fn verdict(document: &Value, fields: &[(String, String)], now: Timestamp) -> Option<bool> {
    let document = document.as_object().filter(|map| map.len() == 2)?;
    let expiration = Timestamp::parse_rfc3339(document.get("expiration")?.as_str()?)?;
    let conditions = document.get("conditions")?.as_array().filter(|list| !list.is_empty())?;
    let (mut named, mut good) = (Vec::new(), now < expiration);
    let value_of = |name: &str| match name {
        "bucket" => "bkt".to_owned(),
        _ => fields.iter().find(|(known, _)| known.to_lowercase() == name).map_or(String::new(), |(_, v)| v.clone()),
    };
    for condition in conditions {
        let (kind, field, value) = match condition {
            Value::Object(map) if map.len() == 1 => {
                let (name, value) = map.iter().next()?;
                ("eq", name.clone(), value.as_str()?.to_owned())
            }
            Value::Array(items) if items.len() == 3 && items[0] == "content-length-range" => {
                (items[1].as_u64()? <= items[2].as_u64()?).then_some(())?;
                continue;
            }
            Value::Array(items) if items.len() == 3 => {
                let field = items[1].as_str()?.strip_prefix('$')?.to_owned();
                (items[0].as_str()?, field, items[2].as_str()?.to_owned())
            }
            _ => return None,
        };
        let field = field.to_lowercase();
        let found = value_of(&field);
        good &= match kind {
            "eq" => found == value,
            "starts-with" if field == "content-type" => found.split(',').all(|one| one.trim().starts_with(&value)),
            "starts-with" => found.starts_with(&value),
            _ => return None,
        };
        named.push(field);
    }
    let covered = |name: &str| named.iter().any(|one| one == name) || name.starts_with("x-ignore-");
    Some(good && covered("bucket") && fields.iter().all(|(name, _)| covered(&name.to_lowercase())))
}

#[test]
fn a_policy_allows_what_its_conditions_say_and_nothing_else() {
    let (count, seed) = asked(20_000);
    let mut dice = Dice::new(seed);
    let (mut allowed, mut denied, mut refused) = (0, 0, 0);
    for round in 0..count {
        let mut fields: Vec<(String, String)> = Vec::new();
        for _ in 0..dice.below(4) {
            let name = dice.pick(&NAMES).to_owned();
            if !fields.iter().any(|(known, _)| *known == name) {
                fields.push((name, dice.pick(&VALUES).to_owned()));
            }
        }
        fields.retain(|(name, _)| name != "bucket");
        let mut conditions: Vec<Value> = (0..dice.below(4)).map(|_| a_condition(&mut dice)).collect();
        if !dice.once_in(4) {
            // Mostly one that could hold.
            conditions.retain(|_| dice.once_in(2));
            conditions.push(json!({"bucket": "bkt"}));
            conditions.extend(fields.iter().map(|(name, value)| json!(["starts-with", format!("${name}"), value])));
        }
        let expiration = dice.pick(&["2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "2020-01-01T00:00:00Z"]);
        let document = json!({"expiration": expiration, "conditions": conditions});
        let mut text = document.to_string().into_bytes();
        let spoiled = dice.once_in(4);
        if spoiled {
            dice.spoil(
                &mut text,
                &[b"{", b"}", b"[", b"]", b"\"", b",", b"$", b"1", b"-", b"null", b"\"expiration\":"],
            );
        }
        let mut all = Fields::default();
        for (name, value) in &fields {
            all.add(name, value).expect("each name once");
        }
        let now = Timestamp::parse_rfc3339("2027-01-01T00:00:00Z").expect("a time");
        let found = Policy::parse(&STANDARD.encode(&text)).ok().map(|policy| policy.check(&all, "bkt", now).is_ok());
        let told = || format!("seed {seed}, round {round}: {:?} {fields:?}", String::from_utf8_lossy(&text));
        let strict = serde_json::from_slice::<Value>(&text).ok().and_then(|document| verdict(&document, &fields, now));
        // A document that repeats itself may be refused; what is allowed is so by the evaluator, too.
        assert!(found == strict || spoiled && found != Some(true), "{}", told());
        match found {
            Some(true) => allowed += 1,
            Some(false) => denied += 1,
            None => refused += 1,
        }
    }
    assert!(allowed > count / 50 && denied > count / 10 && refused > count / 20, "{allowed} {denied} {refused}");
    report(&format!("{allowed} allowed, {denied} denied, {refused} refused, as the strict evaluator says"));
}
