//! Listings to the letter: pages through HTTP, of random odd keys, against a small oracle of our own.

use crate::support::client::Request;
use crate::support::server::{Host, S3, target};
use crate::support::signer::encode;
use std::collections::BTreeSet;

/// xorshift64*: seeded, so that a failure can be run again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).expect("31 bits fit") % end
    }

    fn piece(&mut self) -> &'static str {
        const PIECES: [&str; 24] = [
            "a", "a", "b", "/", "/", "//", ".", "..", "-", "+", " ", "%", "%2F", "&", "<", "ü", "€", "😀", "\u{1}",
            "\n", "\\", "~", "a/b", "\u{ffff}",
        ];
        PIECES[self.below(PIECES.len())]
    }

    fn text(&mut self, most: usize) -> String {
        (0..self.below(most + 1)).map(|_| self.piece()).collect()
    }
}

/// What is asked for, whatever the version of the listing.
#[derive(Debug)]
struct Asked {
    prefix: String,
    delimiter: String,
    after: String,
    most: usize,
}

/// A line of a listing: a key, or a rolled-up prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    name: String,
    rolled: bool,
}

/// Everything that a listing holds from its first page to its last.
///
/// AWS: keys after the start that begin with the prefix; those that hold the delimiter after it are rolled up into what ends
/// with it. A rolled-up prefix is listed where a key after the start is under it, but not where the start is the prefix itself
/// or inside it: pages would not move on.
fn oracle(keys: &BTreeSet<String>, asked: &Asked) -> Vec<Line> {
    let mut lines: BTreeSet<Line> = BTreeSet::new();
    for key in keys.iter().filter(|key| key.as_str() > asked.after.as_str()) {
        let Some(rest) = key.strip_prefix(asked.prefix.as_str()) else { continue };
        let at = if asked.delimiter.is_empty() { None } else { rest.find(&asked.delimiter) };
        match at {
            None => lines.insert(Line { name: key.clone(), rolled: false }),
            Some(at) => {
                let name = key[..asked.prefix.len() + at + asked.delimiter.len()].to_owned();
                name.as_str() > asked.after.as_str() && lines.insert(Line { name, rolled: true })
            }
        };
    }
    lines.into_iter().collect()
}

/// The three listings.
#[derive(Clone, Copy, Debug)]
enum Form {
    V1,
    V2,
    Versions,
}

/// Reads all pages and checks each: full but for the last, and marked truncated but for the last.
fn pages(s3: &S3, asked: &Asked, form: Form, encoded: bool) -> Vec<Line> {
    let (mut lines, mut mark) = (Vec::new(), None::<String>);
    loop {
        let mut query = match form {
            Form::V1 => String::new(),
            Form::V2 => "list-type=2".to_owned(),
            Form::Versions => "versions=".to_owned(),
        };
        let mut add = |name: &str, value: &str| query += &format!("&{name}={}", encode(value, false));
        add("max-keys", &asked.most.to_string());
        add("prefix", &asked.prefix);
        add("delimiter", &asked.delimiter);
        if encoded {
            add("encoding-type", "url");
        }
        match (form, &mark) {
            (Form::V1, mark) => add("marker", mark.as_ref().unwrap_or(&asked.after)),
            (Form::Versions, mark) => add("key-marker", mark.as_ref().unwrap_or(&asked.after)),
            (Form::V2, None) => add("start-after", &asked.after),
            (Form::V2, Some(token)) => add("continuation-token", token),
        }
        let text = s3.send(Request::new("GET", &format!("/odd?{}", query.trim_start_matches('&')))).expect(200).text();
        let mut page = Vec::new();
        let text_of = |inside: &str, name: &str| between(inside, name).first().map(|text| plain(text, encoded));
        for name in ["Contents", "Version"] {
            for inside in between(&text, name) {
                page.push(Line { name: text_of(inside, "Key").expect("an object has a key"), rolled: false });
            }
        }
        for inside in between(&text, "CommonPrefixes") {
            page.push(Line { name: text_of(inside, "Prefix").expect("a prefix has a name"), rolled: true });
        }
        page.sort();
        let truncated = between(&text, "IsTruncated") == ["true"];
        assert!(page.len() <= asked.most && (!truncated || page.len() == asked.most), "{asked:?} {form:?}: {text}");
        if matches!(form, Form::V2) {
            assert_eq!(between(&text, "KeyCount"), [page.len().to_string()], "{asked:?}: {text}");
        }
        let last = page.last().map(|line| line.name.clone());
        lines.extend(page);
        if !truncated {
            return lines;
        }
        mark = match form {
            // AWS gives a marker with a delimiter only; else the last key is the marker.
            Form::V1 if asked.delimiter.is_empty() => last,
            Form::V1 => text_of(&text, "NextMarker"),
            Form::V2 => Some(between(&text, "NextContinuationToken")[0].to_owned()),
            Form::Versions => text_of(&text, "NextKeyMarker"),
        };
        assert!(mark.is_some(), "{asked:?} {form:?}: a truncated page leads on: {text}");
    }
}

/// The insides of all elements of a name.
fn between<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    text.split(open.as_str())
        .skip(1)
        .filter_map(|rest| rest.split_once(close.as_str()))
        .map(|(inside, _)| inside)
        .collect()
}

/// Text without references, and without escapes where there are some.
fn plain(text: &str, encoded: bool) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (name, after) = after.split_once(';').expect("a reference ends");
        out += before;
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            _ => {
                let code = name.strip_prefix("#x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
                code.and_then(char::from_u32).expect("a reference is a character")
            }
        });
        rest = after;
    }
    out += rest;
    if !encoded {
        return out;
    }
    let mut bytes = Vec::new();
    let mut from = out.bytes();
    while let Some(byte) = from.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [from.next(), from.next()].map(|digit| char::from(digit.expect("two digits follow")));
                let digit = |c: char| u8::try_from(c.to_digit(16).expect("a hex digit")).expect("a digit fits");
                digit(digits[0]) << 4 | digit(digits[1])
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).expect("names are UTF-8")
}

/// `tests/long listing` runs more of them.
#[test]
fn pages_are_what_the_oracle_says_whatever_the_keys_are() {
    let number = |name, otherwise| std::env::var(name).map_or(otherwise, |text| text.parse::<u64>().expect("a number"));
    agrees_with_the_oracle(&Host::start(), number("FUZZ_COUNT", 150), number("FUZZ_SEED", 0x5EED_0004));
}

/// So many listings, wherever the buckets lie.
pub(crate) fn agrees_with_the_oracle(host: &Host, count: u64, seed: u64) {
    let mut dice = Dice(seed | 1);
    let s3 = host.admin_user("lister");
    s3.make_bucket("odd");
    let mut keys: BTreeSet<String> = (0..160).map(|_| format!("{}{}", dice.piece(), dice.text(6))).collect();
    for key in &keys {
        s3.send(Request::new("PUT", &target("odd", key))).expect(200);
    }
    let mut lines = 0;
    for round in 0..count {
        let some = keys.iter().nth(dice.below(keys.len())).expect("there are keys").clone();
        let cut = |dice: &mut Dice, text: &str| text.chars().take(dice.below(4)).collect::<String>();
        let asked = Asked {
            prefix: if dice.below(2) == 0 { String::new() } else { cut(&mut dice, &some) },
            delimiter: ["", "/", "/", "a", "//", "ü", "%2F", "/b"][dice.below(8)].to_owned(),
            after: match dice.below(4) {
                0 => some,
                1 => dice.text(3),
                2 => cut(&mut dice, &some),
                _ => String::new(),
            },
            most: [1, 2, 3, 7, 50, 1000][dice.below(6)],
        };
        let form = [Form::V1, Form::V2, Form::Versions][dice.below(3)];
        let found = pages(&s3, &asked, form, dice.below(2) == 0);
        assert_eq!(found, oracle(&keys, &asked), "seed {seed}, round {round}: {asked:?} {form:?}");
        lines += found.len();
        if dice.below(10) == 0 {
            let gone = keys.iter().nth(dice.below(keys.len())).expect("there are keys").clone();
            s3.send(Request::new("DELETE", &target("odd", &gone))).expect(204);
            keys.remove(&gone);
            let new = format!("{}{}", dice.piece(), dice.text(6));
            s3.send(Request::new("PUT", &target("odd", &new))).expect(200);
            keys.insert(new);
        }
    }
    if let Ok(path) = std::env::var("FUZZ_REPORT") {
        std::fs::write(path, format!("{lines} lines in {count} listings")).expect("the report can be written");
    }
}

/// More files than are read live with every page, laid out behind the server's back, before and after it is killed.
#[test]
fn a_wide_directory_is_listed_whole_while_it_changes_and_after_a_kill() {
    let mut host = Host::start();
    let mut s3 = host.admin_user("lister");
    s3.make_bucket("odd");
    let file = |number: usize| host.path(format!("data/odd/wide/{number:05}"));
    std::fs::create_dir(host.path("data/odd/wide")).expect("the bucket's directory is there");
    let mut keys = BTreeSet::new();
    for number in (0..10_000).step_by(2) {
        std::fs::write(file(number), b"laid out").expect("the file can be written");
        keys.insert(format!("wide/{number:05}"));
    }
    let asked = |after: &str, most| Asked {
        prefix: "wide/".to_owned(),
        delimiter: String::new(),
        after: after.to_owned(),
        most,
    };
    let check = |s3: &S3, keys: &BTreeSet<String>, most| {
        let asked = asked("", most);
        assert_eq!(pages(s3, &asked, Form::V2, false), oracle(keys, &asked));
    };
    check(&s3, &keys, 1000);
    for number in (1..600).step_by(2) {
        let key = format!("wide/{number:05}");
        match number % 6 {
            1 => {
                s3.put("odd", &key, "put").expect(200);
            }
            3 => std::fs::write(file(number), b"laid out").expect("the file can be written"),
            _ => std::fs::rename(file(number + 1), file(number)).expect("the file has a name"),
        }
        if number % 6 == 5 {
            keys.remove(&format!("wide/{:05}", number + 1));
        }
        keys.insert(key);
        let near = asked(&format!("wide/{:05}", number.saturating_sub(3)), 1000);
        let first = oracle(&keys, &near).into_iter().take(5).collect::<Vec<_>>();
        let target = format!("/odd?list-type=2&max-keys=5&start-after=wide%2F{:05}", number.saturating_sub(3));
        let page = s3.send(Request::new("GET", &target)).expect(200).text();
        assert_eq!(between(&page, "Key"), first.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), "{number}");
    }
    check(&s3, &keys, 1000);
    let late = host.path("data/odd/wide/late");
    host.kill();
    std::fs::write(late, b"while nobody looked").expect("the file can be written");
    keys.insert("wide/late".to_owned());
    host.up();
    s3.addr = host.addr();
    check(&s3, &keys, 999);
    s3.put("odd", "wide/later", "put").expect(200);
    keys.insert("wide/later".to_owned());
    check(&s3, &keys, 1000);
}
