//! AWS's published examples, each refusal, and mutations of signed requests.

use super::*;
use sha2::{Digest, Sha256};

mod fallback;
mod mutation;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A request that owns its parts, for tests to change.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
}

impl Owned {
    pub(super) fn new(line: &str, headers: &[(&str, &str)]) -> Self {
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = headers.iter().map(|(name, value)| ((*name).into(), value.as_bytes().to_vec())).collect();
        Self { method: method.into(), path: path.into(), query: query.into(), headers }
    }

    pub(super) fn raw(&self) -> RawRequest<'_> {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        RawRequest { bucket: None, method: &self.method, path: &self.path, query: &self.query, headers }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.as_bytes().to_vec()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// Signs all headers in header form.
    pub(super) fn sign(self, at: Timestamp) -> Self {
        self.sign_as(at, &Instead::default())
    }

    /// The same over the path as it stands there, whatever its escapes.
    pub(super) fn sign_verbatim(self, at: Timestamp) -> Self {
        self.sign_as(at, &Instead { raw_path: true, ..Instead::default() })
    }

    fn sign_as(mut self, at: Timestamp, instead: &Instead<'_>) -> Self {
        let mut names: Vec<String> = self.headers.iter().map(|(name, _)| name.clone()).collect();
        names.sort();
        names.dedup();
        let stamp = at.compact();
        let scope = format!("{}/us-east-1/s3/aws4_request", &stamp[..8]);
        let raw = self.raw();
        let payload = raw.once("x-amz-content-sha256").unwrap().unwrap_or("UNSIGNED-PAYLOAD");
        let signed = canonical::Signed { headers: &names, payload, timestamp: &stamp, scope: &scope };
        let text = canonical::string_to_sign(
            &raw,
            &raw.decoded_path().unwrap(),
            &raw.decoded_query().unwrap(),
            &signed,
            instead,
        );
        let name = (KEY.to_owned(), stamp[..8].to_owned(), "us-east-1".to_owned());
        let key = SigningKeys::default().get(&name, &Secret::new(SECRET));
        let signature = hex::encode(signing_key::hmac(&key, text.as_bytes()));
        let value =
            format!("{ALGORITHM} Credential={KEY}/{scope}, SignedHeaders={}, Signature={signature}", names.join(";"));
        self.headers.push(("authorization".into(), value.into_bytes()));
        self
    }

    /// Signs the query and `host`.
    pub(super) fn presign(mut self, at: Timestamp, seconds: u32) -> Self {
        let stamp = at.compact();
        let scope = format!("{}/us-east-1/s3/aws4_request", &stamp[..8]);
        let join = if self.query.is_empty() { "" } else { "&" };
        self.query.push_str(&format!(
            "{join}X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={KEY}%2F{}&X-Amz-Date={stamp}&X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host",
            scope.replace('/', "%2F")
        ));
        let raw = self.raw();
        let signed = canonical::Signed {
            headers: &["host".to_owned()],
            payload: "UNSIGNED-PAYLOAD",
            timestamp: &stamp,
            scope: &scope,
        };
        let text = canonical::string_to_sign(
            &raw,
            &raw.decoded_path().unwrap(),
            &raw.decoded_query().unwrap(),
            &signed,
            &Instead::default(),
        );
        let name = (KEY.to_owned(), stamp[..8].to_owned(), "us-east-1".to_owned());
        let key = SigningKeys::default().get(&name, &Secret::new(SECRET));
        let signature = hex::encode(signing_key::hmac(&key, text.as_bytes()));
        self.query.push_str(&format!("&X-Amz-Signature={signature}"));
        self
    }
}

use super::canonical::Instead;
use super::claim::ALGORITHM;

pub(super) fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2013-05-24T00:00:00Z").unwrap()
}

pub(super) fn rules() -> Rules<'static> {
    Rules { now: now(), skew: Duration::from_secs(900), region: None, proxy: None }
}

pub(super) fn lookup(key: &str) -> Option<(Principal, Secret)> {
    (key == KEY).then(|| (Principal::User("u1".into()), Secret::new(SECRET)))
}

/// Only the signature: AWS's examples are virtual-hosted, and some of their operations are refused here.
fn check(request: &Owned) -> Result<(), Refusal> {
    let raw = request.raw();
    let parsed = Parsed::new(&raw)?;
    let claim = read_claim(&raw, &parsed.query)?;
    Verifier::default().check(&raw, &parsed, &claim, &rules(), lookup).map(|_| ())
}

fn verify(request: &Owned) -> Result<Verified, Refusal> {
    let raw = request.raw();
    Verifier::default().verify(&raw, Parsed::new(&raw)?, &rules(), lookup).map_err(|denied| match denied {
        Denied::Credentials(refusal) => refusal,
        Denied::Request(_, error) => panic!("{error:?}"),
    })
}

fn aws(signed: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={KEY}/20130524/us-east-1/s3/aws4_request,SignedHeaders={signed},Signature={signature}"
    )
}

#[test]
fn the_examples_of_aws_verify() {
    let host = ("host", "examplebucket.s3.amazonaws.com");
    let date = ("x-amz-date", "20130524T000000Z");
    let empty = ("x-amz-content-sha256", EMPTY);
    let get = Owned::new("GET /test.txt", &[host, ("range", "bytes=0-9"), empty, date]).with(
        "authorization",
        &aws(
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
    );
    assert_eq!(check(&get), Ok(()));
    let body = hex::encode(Sha256::digest(b"Welcome to Amazon S3."));
    let put = Owned::new(
        "PUT /test%24file.text",
        &[
            host,
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            date,
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", &body),
        ],
    )
    .with(
        "authorization",
        &aws(
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
    );
    assert_eq!(check(&put), Ok(()));
    let named = "host;x-amz-content-sha256;x-amz-date";
    let lifecycle = Owned::new("GET /?lifecycle", &[host, empty, date])
        .with("authorization", &aws(named, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
    assert_eq!(check(&lifecycle), Ok(()));
    let list = Owned::new("GET /?max-keys=2&prefix=J", &[host, empty, date])
        .with("authorization", &aws(named, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
    assert_eq!(check(&list), Ok(()));
    let presigned = Owned::new(
        "GET /test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
        &[host],
    );
    assert_eq!(check(&presigned), Ok(()));
}

fn plain(line: &str) -> Owned {
    Owned::new(line, &[("host", "s3.local"), ("x-amz-date", &now().compact()), ("x-amz-content-sha256", EMPTY)])
}

#[test]
fn a_verified_request_shows_what_was_signed_and_no_more() {
    let verified =
        verify(&plain("GET /bkt/a%2Fb?versionId=null").with("x-amz-checksum-mode", " ENABLED ").sign(now())).unwrap();
    assert_eq!(verified.principal(), &Principal::User("u1".into()));
    assert_eq!(verified.key().map(ObjectKey::as_str), Some("a/b"));
    assert_eq!(verified.amz_headers()["x-amz-checksum-mode"], "ENABLED");
    assert_eq!(verified.payload(), &PayloadHash::Sha256(EMPTY.into()));
    let hoisted = Owned::new("PUT /bkt/k?X-Amz-Meta-Colour=red", &[("host", "s3.local")]).presign(now(), 60);
    let verified = verify(&hoisted).unwrap();
    assert_eq!(verified.amz_headers()["x-amz-meta-colour"], "red");
    assert!(verified.query().is_empty());
    assert_eq!(verified.payload(), &PayloadHash::Unsigned);
}

#[test]
fn each_refusal_has_its_code() {
    let signed = || plain("GET /bkt/k").sign(now());
    let value = |request: &Owned, name: &str| {
        let raw = request.raw();
        String::from_utf8(raw.values(name).next().unwrap().to_vec()).unwrap()
    };
    let authorization = value(&signed(), "authorization");
    let edited = |from: &str, to: &str| {
        signed().without("authorization").with("authorization", &authorization.replacen(from, to, 1))
    };
    let presigned = |seconds| Owned::new("GET /bkt/k", &[("host", "s3.local")]).presign(now(), seconds);
    let mut twice_in_query = presigned(60);
    twice_in_query.query.push_str("&X-Amz-Expires=70");
    let mut version_2 = plain("GET /bkt/k");
    version_2.query = "AWSAccessKeyId=a&Signature=b&Expires=1".into();
    let mut both = signed();
    both.query = presigned(60).query;
    let rows = [
        (plain("GET /bkt/k"), "AccessDenied"),
        (signed().with("authorization", &authorization), "InvalidRequest"),
        (both, "InvalidRequest"),
        (plain("GET /bkt/k").with("authorization", "AWS key:signature"), "InvalidRequest"),
        (plain("GET /bkt/k").with("authorization", "Bearer token"), "InvalidRequest"),
        (version_2, "InvalidRequest"),
        (signed().with("host", "other"), "InvalidArgument"),
        (signed().with("x-amz-date", &now().compact()), "InvalidArgument"),
        (signed().with("x-amz-content-sha256", EMPTY), "InvalidArgument"),
        (signed().with("x-amz-meta-added", "later"), "AccessDenied"),
        (edited("Credential=AKIA", "Credential=BKIA"), "InvalidAccessKeyId"),
        (edited("/s3/", "/ec2/"), "AuthorizationHeaderMalformed"),
        (edited("/20130524/", "/20130525/"), "AuthorizationHeaderMalformed"),
        (edited("Signature=", "Signature=0, Signature="), "AuthorizationHeaderMalformed"),
        (edited("host;", ""), "AccessDenied"),
        (edited("SignedHeaders=host;", "SignedHeaders=accept;host;"), "SignatureDoesNotMatch"),
        (plain("GET /bkt/k").without("x-amz-content-sha256").sign(now()), "InvalidRequest"),
        (plain("GET /bkt/k").with("x-amz-security-token", "t").sign(now()), "InvalidToken"),
        (
            plain("GET /bkt/k")
                .without("x-amz-date")
                .with("x-amz-date", "20130523T000000Z")
                .sign(Timestamp::parse_rfc3339("2013-05-23T00:00:00Z").unwrap()),
            "RequestTimeTooSkewed",
        ),
        (twice_in_query, "InvalidArgument"),
        (presigned(604_801), "AuthorizationQueryParametersError"),
        (presigned(0), "AccessDenied"),
    ];
    for (request, code) in rows {
        let refusal = verify(&request).expect_err(code);
        assert_eq!(S3Error::from(refusal.clone()).code(), code, "{refusal:?} of {request:?}");
    }
    let unsigned = verify(&signed().with("x-amz-meta-added", "later")).unwrap_err();
    assert!(unsigned.to_string().contains("x-amz-meta-added"), "{unsigned}");
    let wrong = edited("Signature=", "Signature=").headers.len();
    assert_eq!(wrong, signed().headers.len());
}

#[test]
fn a_wrong_secret_does_not_match_and_a_pinned_region_is_named() {
    let request = plain("GET /bkt/k").sign(now());
    let verifier = Verifier::default();
    let other = |_: &str| Some((Principal::User("u1".into()), Secret::new("another secret")));
    let parsed = || Parsed::new(&request.raw()).unwrap();
    assert!(verifier.verify(&request.raw(), parsed(), &rules(), lookup).is_ok());
    let refusal = verifier.verify(&request.raw(), parsed(), &rules(), other).unwrap_err();
    assert_eq!(S3Error::from(refusal).code(), "SignatureDoesNotMatch", "a rotated secret signs nothing from the cache");
    let pinned = Rules { region: Some("eu-west-1"), ..rules() };
    let refusal = verifier.verify(&request.raw(), parsed(), &pinned, lookup).unwrap_err();
    assert_eq!(S3Error::from(refusal).code(), "AuthorizationHeaderMalformed");
}

#[test]
fn the_forms_of_chunked_bodies_that_are_known_are_taken_in_header_form_only() {
    let form = |name: &str| plain("PUT /bkt/k").without("x-amz-content-sha256").with("x-amz-content-sha256", name);
    for name in [
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    ] {
        let verified = verify(&form(name).sign(now())).unwrap();
        let PayloadHash::Chunked(chunked) = verified.payload() else { panic!("{name}: {:?}", verified.payload()) };
        assert_eq!(chunked.has_trailer(), name.ends_with("-TRAILER"), "{name}");
        let query = format!("PUT /bkt/k?X-Amz-Content-Sha256={name}");
        let presigned = Owned::new(&query, &[("host", "s3.local")]).presign(now(), 60);
        assert_eq!(verify(&presigned).unwrap_err(), Refusal::PayloadForm(name.into()));
    }
    let other = verify(&form("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD").sign(now())).unwrap_err();
    assert_eq!(S3Error::from(other).status().as_u16(), 501);
}
