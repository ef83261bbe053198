//! Bodies in chunks: framed by the tests' own signer, spoiled, cut anywhere.

use crate::client::Request;
use crate::dice::{Dice, asked, report};
use crate::signer::{Signer, sign_chunks};
use crate::strict_chunks::{Seal, read};
use actors::domain::clock::Timestamp;
use actors::domain::iam::principal::Principal;
use actors::domain::secret::Secret;
use bytes::Bytes;
use deltaglider_proxy::auth::sigv4::chunked::Chunked;
use deltaglider_proxy::auth::sigv4::{Parsed, PayloadHash, RawRequest, Rules, Verifier};
use std::net::SocketAddr;
use std::time::Duration;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TRAILER: &str = "x-amz-checksum-crc32";
const SCRAPS: [&[u8]; 12] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"0\r\n\r\n",
    b"0",
    b"a\r\n",
    b";chunk-signature=",
    b";a=b",
    b"x-amz-checksum-crc32:AAAAAA==\r\n",
    b"x-amz-trailer-signature:",
    b"\xff",
    b" ",
];

/// A form of body, and a signed request that begins it.
struct Form {
    signer: Signer,
    request: Request,
    chunked: Chunked,
    seal: Option<Seal>,
    trailer: Option<&'static str>,
}

impl Form {
    fn new(name: &str) -> Self {
        let host = SocketAddr::from(([127, 0, 0, 1], 80));
        let signer = Signer::new("AKIAIOSFODNN7EXAMPLE", SECRET);
        let trailer = name.ends_with("-TRAILER").then_some(TRAILER);
        let mut request = Request::new("PUT", "/bkt/k")
            .header("x-amz-content-sha256", name)
            .header("x-amz-decoded-content-length", "0");
        if trailer.is_some() {
            request = request.header("x-amz-trailer", TRAILER).header("x-trailer-value", "poTHxg==");
        }
        let request = signer.sign(request, host);
        let names: Vec<String> = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        let headers = names.iter().zip(&request.headers).map(|(name, (_, value))| (name.as_str(), value.as_bytes()));
        let raw = RawRequest { bucket: None, method: "PUT", path: "/bkt/k", query: "", headers: headers.collect() };
        let stamp = request.get("x-amz-date").expect("it is signed").to_owned();
        let now = Timestamp::parse_compact(&stamp).expect("the signer's time is a time");
        let rules = Rules { now, skew: Duration::from_secs(900), region: None, proxy: None };
        let known = |_: &str| Some((Principal::ConfigKey, Secret::new(SECRET)));
        let parsed = Parsed::new(&raw).expect("the URI decodes");
        let verified = Verifier::default().verify(&raw, parsed, &rules, known).expect("the request verifies");
        let PayloadHash::Chunked(chunked) = verified.payload().clone() else { panic!("{name} is a form of chunks") };
        let seed =
            request.get("authorization").and_then(|text| text.rsplit_once("Signature=")).expect("it is signed").1;
        let scope = format!("{}/us-east-1/s3/aws4_request", &stamp[..8]);
        let seal = name.starts_with("STREAMING-AWS4").then(|| Seal {
            key: signer.key(&stamp[..8]),
            seed: seed.to_owned(),
            stamp,
            scope,
        });
        Self { signer, request, chunked, seal, trailer }
    }

    fn decode(&self, dice: &mut Dice, body: &[u8], length: usize) -> Option<(Vec<u8>, Option<String>)> {
        let mut decoder = self.chunked.decoder(length as u64, self.trailer);
        let (mut content, mut rest) = (Vec::new(), Bytes::copy_from_slice(body));
        while !rest.is_empty() {
            let step = 1 + dice.below(rest.len().min(64));
            let mut input = rest.split_to(step);
            while let Some(piece) = decoder.decode(&mut input).ok()? {
                content.extend_from_slice(&piece);
            }
            assert!(input.is_empty(), "all input is taken");
        }
        Some((content, decoder.finish().ok()?))
    }
}

#[test]
fn a_body_in_chunks_is_decoded_as_the_strict_reader_does_or_refused() {
    let (count, seed) = asked(20_000);
    let mut dice = Dice::new(seed);
    let forms = [
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    ]
    .map(Form::new);
    let (mut whole, mut same, mut refused) = (0, 0, 0);
    for round in 0..count {
        let form = &forms[dice.below(forms.len())];
        let sizes: Vec<usize> = (0..dice.below(4)).map(|_| 1 + dice.below(40)).collect();
        let length: usize = sizes.iter().sum();
        let content: Vec<u8> = (0..length).map(|_| b"abc\r\n0;"[dice.below(7)]).collect();
        let sent = sign_chunks(&form.signer, form.request.clone().body(content.clone()), &sizes).body;
        let expected = Some((content, form.trailer.map(|_| "poTHxg==".to_owned())));
        let mut body = sent.clone();
        if !dice.once_in(8) {
            dice.spoil(&mut body, &SCRAPS);
        }
        let told = || format!("seed {seed}, round {round}: {:?}", String::from_utf8_lossy(&body));
        let decoded = form.decode(&mut dice, &body, length);
        let strict = read(&body, form.seal.as_ref(), length, form.trailer);
        assert_eq!(decoded, strict, "{}", told());
        match &decoded {
            None => refused += 1,
            Some(_) if body == sent => {
                assert_eq!(decoded, expected, "{}", told());
                whole += 1;
            }
            Some(_) => {
                // Where chunks are signed, what is accepted is what was sent.
                assert!(form.seal.is_none() || decoded == expected, "{}", told());
                same += 1;
            }
        }
        assert!(body != sent || decoded.is_some(), "{}", told());
    }
    assert!(whole > count / 20 && refused > count / 3, "{whole} whole, {same} spoiled and accepted, {refused} refused");
    report(&format!("{whole} whole, {same} spoiled and accepted as the strict reader does, {refused} refused"));
}
