//! Whatever is done to a signed request on its way: it is refused, or it means exactly the same.

use super::{Owned, lookup, now, rules};
use crate::auth::sigv4::Verifier;

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

fn mutate(dice: &mut Dice, request: &mut Owned) {
    if request.headers.is_empty() {
        return;
    }
    match dice.below(9) {
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
            let mut value = String::from_utf8(request.headers[at].1.clone()).unwrap();
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

#[test]
fn any_mutation_is_refused_or_yields_the_identical_verified() {
    let (host, stamp) = (("host", "s3.local"), now().compact());
    let date = ("x-amz-date", stamp.as_str());
    let payload = ("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    let metas = [("x-amz-meta-a", "1  2"), ("x-amz-meta-a", "3"), ("x-amz-meta-empty", ""), ("content-type", "text/a")];
    let put: Vec<(&str, &str)> = [host, date, payload].into_iter().chain(metas).collect();
    let samples = [
        Owned::new(
            "GET /bkt/a%2Fb+c//d/../e?response-content-type=text%2Fplain&versionId=null",
            &[host, date, payload],
        )
        .sign(now()),
        Owned::new("PUT /bkt/key%20with%2520escapes?x-id=PutObject", &put).sign(now()),
        Owned::new("GET /bkt?list-type=2&prefix=a%2Bb&delimiter=%2F&max-keys=7", &[host, date, payload]).sign(now()),
        Owned::new("GET /bkt/k?response-content-type=text%2Fhtml", &[host]).presign(now(), 600),
        Owned::new("PUT /bkt/k?x-amz-meta-colour=red&x-amz-acl=private", &[host]).presign(now(), 600),
    ];
    let verifier = Verifier::default();
    let mut dice = Dice(0x5EED_0002);
    let (mut same, mut refused) = (0, 0);
    for round in 0..10_000 {
        let sample = &samples[round % samples.len()];
        let expected = verifier.verify(&sample.raw(), &rules(), lookup).expect("the sample verifies");
        let mut request = sample.clone();
        for _ in 0..=dice.below(3) {
            mutate(&mut dice, &mut request);
        }
        match verifier.verify(&request.raw(), &rules(), lookup) {
            Ok(verified) if verified == expected => same += 1,
            Ok(verified) => panic!("round {round}: {request:?} became {verified:?}"),
            Err(_) => refused += 1,
        }
    }
    assert!(same > 100 && refused > 5_000, "{same} identical, {refused} refused: the mutations are not worth much");
}
