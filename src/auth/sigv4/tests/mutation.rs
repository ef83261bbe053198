//! Whatever is done to a signed request on its way: it is refused, or it means exactly the same.

use super::{Owned, lookup, now, rules};
use crate::auth::sigv4::{Denied, Parsed, RawRequest, Verifier};

/// xorshift64*: seeded, so that a failure can be run again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).unwrap() % end.max(1)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const SCRAPS: [&str; 24] = [
    "a",
    "B",
    "/",
    "//",
    "/../",
    "%2F",
    "%2f",
    "%61",
    "%",
    "+",
    "%20",
    " ",
    "&",
    "=",
    "?",
    "prefix=x",
    "&versionId=null",
    "&x-id=y",
    "&acl",
    "\t",
    ",",
    ";",
    "0",
    "ü",
];

fn at_character(dice: &mut Dice, text: &str) -> usize {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    places[dice.below(places.len())]
}

fn edit(dice: &mut Dice, text: &mut String) {
    let at = at_character(dice, text);
    match dice.below(4) {
        0 => text.insert_str(at, dice.pick(&SCRAPS)),
        1 if at < text.len() => drop(text.remove(at)),
        2 if at < text.len() => {
            let old = text.remove(at);
            let mut escaped = String::new();
            for byte in old.to_string().bytes() {
                escaped.push_str(&format!("%{byte:02x}"));
            }
            text.insert_str(at, &escaped);
        }
        _ => {
            let cased: String =
                text.chars().map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c }).collect();
            *text = if dice.below(8) == 0 {
                cased
            } else {
                format!("{}{}", &text[..at], &text[at..].replacen('a', "b", 1))
            };
        }
    }
}

/// Takes a parameter out of the query and makes a header of it, or the other way round.
fn move_over(dice: &mut Dice, request: &mut Owned) {
    let mut pieces: Vec<&str> = request.query.split('&').collect();
    if dice.below(2) == 0 {
        let (name, value) = pieces.remove(dice.below(pieces.len())).split_once('=').unwrap_or_default();
        request.headers.push((name.to_ascii_lowercase(), value.as_bytes().to_vec()));
        request.query = pieces.join("&");
    } else {
        let (name, value) = request.headers.remove(dice.below(request.headers.len()));
        let joint = if request.query.is_empty() { "" } else { "&" };
        request.query += &format!("{joint}{name}={}", String::from_utf8_lossy(&value));
    }
}

fn mutate(dice: &mut Dice, request: &mut Owned) {
    if request.headers.is_empty() {
        return;
    }
    match dice.below(13) {
        9 => {
            let (a, b) = (dice.below(request.headers.len()), dice.below(request.headers.len()));
            request.headers.swap(a, b);
        }
        10 => move_over(dice, request),
        11 => {
            let mut pieces: Vec<&str> = request.query.split('&').collect();
            let at = dice.below(pieces.len());
            if dice.below(2) == 0 {
                pieces.remove(at);
            } else {
                pieces.push(pieces[at]);
            }
            request.query = pieces.join("&");
        }
        12 => {
            let at = dice.below(request.headers.len());
            let value = &mut request.headers[at].1;
            let place = dice.below(value.len() + 1);
            value.insert(place, b" \t,\xff\x80"[dice.below(5)]);
        }
        0 => request.method = dice.pick(&["GET", "HEAD", "PUT", "DELETE", "POST"]).to_owned(),
        1 | 2 => edit(dice, &mut request.path),
        3 | 4 => edit(dice, &mut request.query),
        5 => {
            let mut pieces: Vec<&str> = request.query.split('&').collect();
            let (a, b) = (dice.below(pieces.len()), dice.below(pieces.len()));
            pieces.swap(a, b);
            request.query = pieces.join("&");
        }
        6 => {
            let at = dice.below(request.headers.len());
            let mut value = String::from_utf8_lossy(&request.headers[at].1).into_owned();
            edit(dice, &mut value);
            request.headers[at].1 = value.into_bytes();
        }
        7 => {
            let at = dice.below(request.headers.len());
            if dice.below(2) == 0 {
                request.headers.remove(at);
            } else {
                let again = request.headers[at].clone();
                request.headers.push(again);
            }
        }
        _ => {
            let name = dice.pick(&["x-amz-meta-evil", "x-amz-acl", "range", "x-amz-date", "host", "x-amz-copy-source"]);
            let value = dice.pick(&["private", "bytes=0-1", "s3.local", "", "/b/k"]);
            request.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        }
    }
}

/// A number that the long command sets.
fn asked(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn samples() -> Vec<Owned> {
    let (host, stamp) = (("host", "s3.local"), now().compact());
    let date = ("x-amz-date", stamp.as_str());
    let payload = ("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    let hosted = ("host", "bkt.s3.local");
    let signed = |line: &str, more: &[(&str, &str)]| {
        let headers: Vec<(&str, &str)> = [host, date, payload].into_iter().chain(more.iter().copied()).collect();
        Owned::new(line, &headers).sign(now())
    };
    let streaming = [
        host,
        date,
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "5"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];
    vec![
        signed("GET /bkt/a%2Fb+c//d/../e?response-content-type=text%2Fplain&versionId=null", &[]),
        signed(
            "PUT /bkt/key%20with%2520escapes?x-id=PutObject",
            &[("x-amz-meta-a", "1  2"), ("x-amz-meta-a", "3"), ("x-amz-meta-empty", ""), ("content-type", "text/a")],
        ),
        signed("GET /bkt?list-type=2&prefix=a%2Bb&delimiter=%2F&max-keys=7", &[]),
        signed("GET /bkt?versions&key-marker=k&version-id-marker=null", &[("range", "bytes=0-1")]),
        signed("PUT /bkt/k", &[("x-amz-copy-source", "/bkt/a%2Fb"), ("x-amz-metadata-directive", "REPLACE")]),
        signed(
            "POST /bkt?delete",
            &[("x-amz-checksum-crc32", "AAAAAA=="), ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")],
        ),
        signed("DELETE /bkt/k?versionId=null", &[("if-match", "\"a\"")]),
        signed("GET /?prefix=b&max-buckets=2", &[]),
        Owned::new("PUT /bkt/k", &streaming).sign(now()),
        Owned::new("GET /k?x-id=GetObject", &[hosted, date, payload]).sign(now()),
        Owned::new("GET /?acl", &[hosted]).presign(now(), 600),
        Owned::new("GET /bkt/k?response-content-type=text%2Fhtml", &[host]).presign(now(), 600),
        Owned::new("PUT /bkt/k?x-amz-meta-colour=red&x-amz-acl=private", &[host]).presign(now(), 600),
    ]
}

/// As the server reads it: a host below `s3.local` names a bucket.
fn raw(request: &Owned) -> RawRequest<'_> {
    let mut raw = request.raw();
    let host = raw.values("host").next().and_then(|host| std::str::from_utf8(host).ok());
    raw.bucket = host.and_then(|host| host.trim_matches([' ', '\t']).strip_suffix(".s3.local"));
    raw
}

/// `tests/long signatures` runs it a million times.
#[test]
fn any_mutation_is_refused_or_yields_the_identical_verified() {
    let (count, seed) = (asked("FUZZ_COUNT", 10_000), asked("FUZZ_SEED", 0x5EED_0002));
    let samples = samples();
    let verifier = Verifier::default();
    let verify = |request: &Owned| {
        let raw = raw(request);
        verifier.verify(&raw, Parsed::new(&raw).map_err(Denied::Credentials)?, &rules(), lookup)
    };
    let expected: Vec<_> = samples.iter().map(|sample| verify(sample).expect("the sample verifies")).collect();
    let mut dice = Dice(seed);
    let (mut same, mut refused) = (0, 0);
    for round in 0..count {
        let which = dice.below(samples.len());
        let mut request = samples[which].clone();
        for _ in 0..=dice.below(3) {
            mutate(&mut dice, &mut request);
        }
        match verify(&request) {
            Ok(verified) if verified == expected[which] => same += 1,
            Ok(verified) => panic!("seed {seed}, round {round}: {request:?} became {verified:?}"),
            Err(_) => refused += 1,
        }
    }
    assert!(
        same > count / 100 && refused > count / 2,
        "{same} identical, {refused} refused: the mutations are not worth much"
    );
    if let Ok(path) = std::env::var("FUZZ_REPORT") {
        std::fs::write(path, format!("{same} identical, {refused} refused")).expect("the report can be written");
    }
}
