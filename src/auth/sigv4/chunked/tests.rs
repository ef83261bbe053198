//! AWS's published bodies in chunks, and what is wrong with others.

use super::super::signing_key::SigningKeys;
use super::*;
use actors::domain::secret::Secret;

const CRC32C: &str = "x-amz-checksum-crc32c";

/// The request of AWS's examples, whose own signature is `seed`.
fn aws(seed: &str, trailer: bool) -> Chunked {
    let name = ("AKIAIOSFODNN7EXAMPLE".to_owned(), "20130524".to_owned(), "us-east-1".to_owned());
    let key = SigningKeys::default().get(&name, &Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
    let scope = "20130524/us-east-1/s3/aws4_request".to_owned();
    let chain = Chain { key, last: seed.to_owned(), timestamp: "20130524T000000Z".to_owned(), scope };
    Chunked::signed(Some(chain), trailer)
}

/// Decodes a body that comes in pieces of `step` bytes.
fn decode(mut decoder: Decoder, body: &[u8], step: usize) -> Result<(Vec<u8>, Option<String>), Broken> {
    let mut content = Vec::new();
    for piece in body.chunks(step) {
        let mut input = Bytes::copy_from_slice(piece);
        while let Some(piece) = decoder.decode(&mut input)? {
            content.extend_from_slice(&piece);
        }
        assert!(input.is_empty(), "all input is taken");
    }
    Ok((content, decoder.finish()?))
}

fn chunk(size: usize, signature: &str) -> Vec<u8> {
    let mut out = format!("{size:x};chunk-signature={signature}\r\n").into_bytes();
    out.extend(std::iter::repeat_n(b'a', size));
    if size > 0 {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// AWS: "Examples: Authenticating requests using chunked upload".
fn published() -> Vec<u8> {
    let mut body = chunk(65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
    body.extend(chunk(1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"));
    body.extend(chunk(0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"));
    body.extend_from_slice(b"\r\n");
    body
}

const SEED: &str = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

/// AWS: the same with a trailing checksum.
fn published_with_trailer(end_of_line: &str) -> Vec<u8> {
    let mut body = chunk(65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2");
    body.extend(chunk(1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"));
    body.extend(chunk(0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"));
    body.extend(
        format!(
            "{CRC32C}:sOO8/Q=={end_of_line}x-amz-trailer-signature:\
             d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
        )
        .into_bytes(),
    );
    body
}

const SEED_WITH_TRAILER: &str = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";

#[test]
fn the_published_body_verifies_however_it_is_cut() {
    for step in [1, 7, 86, 8192, 1 << 20] {
        let (content, trailer) = decode(aws(SEED, false).decoder(66560, None), &published(), step).unwrap();
        assert_eq!((content.len(), trailer), (66560, None));
        assert!(content.iter().all(|byte| *byte == b'a'));
    }
}

#[test]
fn the_published_body_with_a_trailer_verifies() {
    for end_of_line in ["\r\n", "\n", "\n\r\n"] {
        let decoder = aws(SEED_WITH_TRAILER, true).decoder(66560, Some(CRC32C));
        let (content, trailer) = decode(decoder, &published_with_trailer(end_of_line), 4096).unwrap();
        assert_eq!((content.len(), trailer.as_deref()), (66560, Some("sOO8/Q==")));
    }
}

#[test]
fn a_byte_that_changed_anywhere_is_noticed() {
    let body = published();
    let places = [0, 5, 20, 85, 90, 40_000, 65_620, 65_624, 66_000, body.len() - 70, body.len() - 1];
    for place in places {
        let mut changed = body.clone();
        changed[place] ^= 1;
        let outcome = decode(aws(SEED, false).decoder(66560, None), &changed, 4096);
        assert!(outcome.is_err(), "the byte at {place} may be changed");
    }
    let other_seed = decode(aws(&SEED.replace('4', "5"), false).decoder(66560, None), &body, 4096);
    assert_eq!(other_seed.unwrap_err(), Broken::Signature);
    let mut changed = published_with_trailer("\r\n");
    let at = changed.windows(8).position(|window| window == b"sOO8/Q==").unwrap();
    changed[at] = b't';
    let decoder = aws(SEED_WITH_TRAILER, true).decoder(66560, Some(CRC32C));
    assert_eq!(decode(decoder, &changed, 4096).unwrap_err(), Broken::Signature);
}

#[test]
fn chunks_without_signatures_end_in_the_announced_trailer() {
    let body = b"5\r\nhello\r\n06\r\n world\r\n0\r\nX-Amz-Checksum-CRC32C: yZRlqg==\r\n\r\n";
    let (content, trailer) = decode(Chunked::unsigned().decoder(11, Some(CRC32C)), body, 3).unwrap();
    assert_eq!((content.as_slice(), trailer.as_deref()), (&b"hello world"[..], Some("yZRlqg==")));
    let (content, trailer) = decode(Chunked::unsigned().decoder(0, None), b"0\r\n\r\n", 1).unwrap();
    assert_eq!((content.len(), trailer), (0, None));
}

#[test]
fn malformed_bodies_are_refused() {
    let long_line = format!("{}\r\n", "0".repeat(2000));
    let rows: &[(&str, Broken)] = &[
        ("", Broken::Framing),
        ("5", Broken::Framing),
        ("5\r\n", Broken::Framing),
        ("5\r\nhel", Broken::Framing),
        ("5\r\nhello", Broken::Framing),
        ("5\r\nhello\r\n", Broken::Framing),
        ("5\r\nhello\r\n0\r\n", Broken::Framing),
        ("5\nhello\r\n0\r\n\r\n", Broken::Framing),
        ("5\r\nhello\n0\r\n\r\n", Broken::Framing),
        ("5\r\nhello0\r\n\r\n", Broken::Framing),
        ("5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:a\r\n\r\nmore", Broken::Framing),
        ("5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:a\r\n\n", Broken::Framing),
        ("\r\nhello\r\n0\r\n\r\n", Broken::Framing),
        ("-5\r\nhello\r\n0\r\n\r\n", Broken::Framing),
        ("+5\r\nhello\r\n0\r\n\r\n", Broken::Framing),
        (" 5\r\nhello\r\n0\r\n\r\n", Broken::Framing),
        ("0x5\r\nhello\r\n0\r\n\r\n", Broken::Framing),
        ("5;a=b\r\nhello\r\n0\r\n\r\n", Broken::Framing),
        ("5;chunk-signature=a\r\nhello\r\n0\r\n\r\n", Broken::Framing),
        ("00000000000000005\r\nhello\r\n0\r\n\r\n", Broken::Framing),
        ("ffffffffffffffff\r\nhello\r\n0\r\n\r\n", Broken::Length),
        ("6\r\nhello!\r\n0\r\n\r\n", Broken::Length),
        ("4\r\nhell\r\n0\r\n\r\n", Broken::Length),
        ("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", Broken::Length),
        ("0\r\n\r\n", Broken::Length),
        (&long_line, Broken::Framing),
        ("5\r\nhello\r\n0\r\n\r\n", Broken::Trailer),
        ("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:a\r\n\r\n", Broken::Trailer),
        ("5\r\nhello\r\n0\r\nx-amz-checksum-crc32c\r\n\r\n", Broken::Trailer),
        ("5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:a\r\nx-amz-checksum-crc32c:a\r\n\r\n", Broken::Trailer),
        ("5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:a\r\nx-amz-trailer-signature:a\r\n\r\n", Broken::Trailer),
    ];
    for (body, broken) in rows {
        let decoder = Chunked::unsigned().decoder(5, Some(CRC32C));
        assert_eq!(decode(decoder, body.as_bytes(), 4).unwrap_err(), *broken, "{body:?}");
    }
    let unsigned = decode(aws(SEED, false).decoder(5, None), b"5\r\nhello\r\n0\r\n\r\n", 4).unwrap_err();
    assert_eq!(unsigned, Broken::Framing, "chunks of a signed form carry signatures");
    let mut body = published_with_trailer("\r\n");
    let at = body.windows(8).position(|window| window == b"sOO8/Q==").unwrap();
    body.truncate(at + 10);
    body.extend_from_slice(b"\r\n");
    let decoder = aws(SEED_WITH_TRAILER, true).decoder(66560, Some(CRC32C));
    assert_eq!(decode(decoder, &body, 4096).unwrap_err(), Broken::Trailer, "a signed trailer carries its signature");
    let mut body = published();
    body.truncate(body.len() - 2);
    body.extend_from_slice(b"a:b\r\n\r\n");
    assert_eq!(decode(aws(SEED, false).decoder(66560, None), &body, 4096).unwrap_err(), Broken::Framing);
}

#[test]
fn what_is_shown_of_a_chain_holds_no_key() {
    let shown = format!("{:?}", aws(SEED, false));
    assert!(!shown.contains("key"), "{shown}");
}
