//! SigV4 as a client does it, written apart from the server's own: so that one mistake is not made twice.

use super::client::Request;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

/// A key pair and what a signature says beside it.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The public half.
    pub key_id: String,
    /// The secret half.
    pub secret: String,
    /// The region in the scope.
    pub region: String,
    /// Added to the clock, in seconds.
    pub skew: i64,
}

impl Signer {
    /// A signer for `us-east-1` with a right clock.
    pub fn new(key_id: &str, secret: &str) -> Self {
        Self { key_id: key_id.to_owned(), secret: secret.to_owned(), region: "us-east-1".to_owned(), skew: 0 }
    }

    /// Signs every header there is, in the `Authorization` header. Query names and values must be encoded as AWS does it.
    pub fn sign(&self, request: Request, host: SocketAddr) -> Request {
        let (stamp, day) = self.stamp();
        let payload = hex::encode(Sha256::digest(&request.body));
        let payload = request.get("x-amz-content-sha256").map_or(payload, str::to_owned);
        let mut request = with_host(request, host);
        if request.get("x-amz-date").is_none() {
            request = request.header("x-amz-date", &stamp);
        }
        if request.get("x-amz-content-sha256").is_none() {
            request = request.header("x-amz-content-sha256", &payload);
        }
        let (path, query) = split(&request.target);
        let (signed, signature) = self.signature(&request, path, &sorted(query), &payload, &stamp, &day);
        let scope = self.scope(&day);
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
            self.key_id
        );
        request.header("Authorization", &value)
    }

    /// Puts the signature into the query.
    pub fn presign(&self, request: Request, host: SocketAddr, expires: u64) -> Request {
        let (stamp, day) = self.stamp();
        let mut request = with_host(request, host);
        let signed: Vec<String> = signed_headers(&request).into_iter().map(|(name, _)| name).collect();
        let credential = format!("{}/{}", self.key_id, self.scope(&day)).replace('/', "%2F");
        let joint = if request.target.contains('?') { '&' } else { '?' };
        request.target += &format!(
            "{joint}X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={stamp}\
             &X-Amz-Expires={expires}&X-Amz-SignedHeaders={}",
            signed.join("%3B")
        );
        let (path, query) = split(&request.target);
        let (_, signature) = self.signature(&request, path, &sorted(query), "UNSIGNED-PAYLOAD", &stamp, &day);
        request.target += &format!("&X-Amz-Signature={signature}");
        request
    }

    fn signature(
        &self,
        request: &Request,
        path: &str,
        query: &str,
        payload: &str,
        stamp: &str,
        day: &str,
    ) -> (String, String) {
        let headers = signed_headers(request);
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!("{}\n{path}\n{query}\n{lines}\n{names}\n{payload}", request.method);
        let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
        let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{}\n{digest}", self.scope(day));
        (names, hex::encode(hmac(&self.key(day), &text)))
    }

    /// The fields that say who signs a form. Its policy names them, too.
    pub fn form(&self) -> Vec<(String, String)> {
        let (stamp, day) = self.stamp();
        let credential = format!("{}/{}", self.key_id, self.scope(&day));
        let field = |name: &str, value: String| (name.to_owned(), value);
        vec![
            field("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
            field("x-amz-credential", credential),
            field("x-amz-date", stamp),
        ]
    }

    /// The signature over a policy in base64.
    pub fn sign_policy(&self, policy: &str) -> String {
        hex::encode(hmac(&self.key(&self.stamp().1), policy))
    }

    /// The signing key of a day.
    pub fn key(&self, day: &str) -> Vec<u8> {
        let mut key = hmac(format!("AWS4{}", self.secret).as_bytes(), day);
        for part in [self.region.as_str(), "s3", "aws4_request"] {
            key = hmac(&key, part);
        }
        key
    }

    fn scope(&self, day: &str) -> String {
        format!("{day}/{}/s3/aws4_request", self.region)
    }

    fn stamp(&self) -> (String, String) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970").as_secs();
        let now = now.checked_add_signed(self.skew).expect("the skew stays after 1970");
        let (year, month, day) = civil(now / 86_400);
        let day = format!("{year:04}{month:02}{day:02}");
        let (hour, minute, second) = (now / 3_600 % 24, now / 60 % 60, now % 60);
        (format!("{day}T{hour:02}{minute:02}{second:02}Z"), day)
    }
}

/// Frames the body of a signed request in chunks of these sizes, as the form that its `x-amz-content-sha256` names wants them
/// signed. A trailer that was announced is sent: the value is what the request's `x-trailer-value` says.
pub fn sign_chunks(signer: &Signer, mut request: Request, sizes: &[usize]) -> Request {
    let form = request.get("x-amz-content-sha256").expect("the form is named").to_owned();
    let stamp = request.get("x-amz-date").expect("it is signed").to_owned();
    let authorization = request.get("authorization").expect("it is signed");
    let mut last = authorization.rsplit_once("Signature=").expect("it has a signature").1.to_owned();
    let day = &stamp[..8];
    let key = signer.key(day);
    let start = |kind: &str, last: &str| format!("AWS4-HMAC-SHA256-{kind}\n{stamp}\n{}\n{last}\n", signer.scope(day));
    let signed = form.starts_with("STREAMING-AWS4-HMAC-SHA256");
    let (mut out, mut rest) = (Vec::new(), request.body.as_slice());
    for size in sizes.iter().copied().chain([0]) {
        let (piece, left) = rest.split_at(size);
        rest = left;
        out.extend_from_slice(format!("{size:x}").as_bytes());
        if signed {
            let (none, some) = (Sha256::digest(b""), Sha256::digest(piece));
            let text = format!("{}{}\n{}", start("PAYLOAD", &last), hex::encode(none), hex::encode(some));
            last = hex::encode(hmac(&key, &text));
            out.extend_from_slice(format!(";chunk-signature={last}").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(piece);
        if size > 0 {
            out.extend_from_slice(b"\r\n");
        }
    }
    assert!(rest.is_empty(), "the chunks hold the whole body");
    if let (true, Some(name)) = (form.ends_with("-TRAILER"), request.get("x-amz-trailer")) {
        let value = request.get("x-trailer-value").expect("the trailer has a value");
        out.extend_from_slice(format!("{name}:{value}\r\n").as_bytes());
        if signed {
            let digest = hex::encode(Sha256::digest(format!("{name}:{value}\n")));
            let signature = hex::encode(hmac(&key, &format!("{}{digest}", start("TRAILER", &last))));
            out.extend_from_slice(format!("x-amz-trailer-signature:{signature}\r\n").as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
    request.body = out;
    request
}

/// Everything AWS encodes in a query value or key component is encoded.
pub fn encode(text: &str, keep_slash: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || (keep_slash && byte == b'/');
        if plain { out.push(byte as char) } else { out += &format!("%{byte:02X}") }
    }
    out
}

fn with_host(request: Request, host: SocketAddr) -> Request {
    if request.get("host").is_some() { request } else { request.header("Host", &host.to_string()) }
}

fn signed_headers(request: &Request) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        match headers.iter_mut().find(|(n, _)| *n == name) {
            Some((_, list)) => *list = format!("{list},{value}"),
            None => headers.push((name, value)),
        }
    }
    headers.sort();
    headers
}

fn split(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

fn sorted(query: &str) -> String {
    let with_value = |p: &str| if p.contains('=') { p.to_owned() } else { format!("{p}=") };
    let mut pairs: Vec<String> = query.split('&').filter(|p| !p.is_empty()).map(with_value).collect();
    pairs.sort_by(|a, b| a.split_once('=').cmp(&b.split_once('=')));
    pairs.join("&")
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The date of a number of days after 1970-01-01 (Howard Hinnant's `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let of_era = z % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[test]
fn the_signer_agrees_with_the_published_example() {
    // "GET Object" of the S3 API reference, "Authenticating Requests: Using the Authorization Header".
    let signer = Signer::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let request = Request::new("GET", "/test.txt")
        .header("Host", "examplebucket.s3.amazonaws.com")
        .header("Range", "bytes=0-9")
        .header("x-amz-content-sha256", empty)
        .header("x-amz-date", "20130524T000000Z");
    let (_, signature) = signer.signature(&request, "/test.txt", "", empty, "20130524T000000Z", "20130524");
    assert_eq!(signature, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

#[test]
fn days_become_dates() {
    assert_eq!(civil(0), (1970, 1, 1));
    assert_eq!(civil(11_016), (2000, 2, 29));
    assert_eq!(civil(20_779), (2026, 11, 22));
}
