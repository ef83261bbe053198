//! Forms of browsers: who may send them, what their policies allow, and what comes of them.

use crate::support::client::{Reply, Request};
use crate::support::server::{Host, S3};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;

const BOUNDARY: &str = "----WebKitFormBoundary7MA4YWxk";

/// A form that is on its way to be signed and sent.
#[derive(Clone)]
struct Form {
    fields: Vec<(String, String)>,
    conditions: Vec<Value>,
    expiration: String,
    file: Vec<u8>,
    filename: &'static str,
}

impl Form {
    /// A form for anything under `up/`.
    fn new() -> Self {
        Self {
            fields: vec![("key".into(), "up/k".into())],
            conditions: vec![json!({"bucket": "forms"}), json!(["starts-with", "$key", "up/"])],
            expiration: "2099-01-01T00:00:00.000Z".into(),
            file: b"from a browser".to_vec(),
            filename: "a photo.jpg",
        }
    }

    /// A field that the policy names.
    fn field(mut self, name: &str, value: &str) -> Self {
        self.conditions.push(json!({ name: value }));
        self.bare(name, value)
    }

    /// A field that it does not.
    fn bare(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.into(), value.into()));
        self
    }

    fn condition(mut self, condition: Value) -> Self {
        self.conditions.push(condition);
        self
    }

    fn policy(&self, more: &[(String, String)]) -> String {
        let named = more.iter().map(|(name, value)| json!({ name: value }));
        let conditions: Vec<Value> = self.conditions.iter().cloned().chain(named).collect();
        STANDARD.encode(json!({"expiration": self.expiration, "conditions": conditions}).to_string())
    }

    /// Signed in version 4.
    fn signed(mut self, s3: &S3) -> Self {
        let proof = s3.signer.form();
        let policy = self.policy(&proof);
        let signature = s3.signer.sign_policy(&policy);
        self.fields.extend(proof);
        self.bare("policy", &policy).bare("x-amz-signature", &signature)
    }

    /// Signed in version 2.
    fn signed_2(self, s3: &S3) -> Self {
        let policy = self.policy(&[]);
        let mut mac = Hmac::<Sha1>::new_from_slice(s3.signer.secret.as_bytes()).unwrap();
        mac.update(policy.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        self.bare("policy", &policy).bare("AWSAccessKeyId", &s3.signer.key_id).bare("signature", &signature)
    }

    fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\nContent-Type: image/jpeg\r\n\r\n",
            self.filename
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&self.file);
        let submit = "Content-Disposition: form-data; name=\"submit\"\r\n\r\nUpload";
        body.extend_from_slice(format!("\r\n--{BOUNDARY}\r\n{submit}\r\n--{BOUNDARY}--\r\n").as_bytes());
        body
    }

    fn send(&self, host: &Host) -> Reply {
        self.request(self.body()).send(host.addr())
    }

    fn request(&self, body: Vec<u8>) -> Request {
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        Request::new("POST", "/forms").header("Content-Type", &kind).body(body)
    }
}

fn host() -> (Host, S3) {
    with_bucket(Host::start())
}

fn with_bucket(host: Host) -> (Host, S3) {
    let s3 = host.admin_user("root");
    s3.make_bucket("forms");
    (host, s3)
}

#[test]
fn a_form_becomes_an_object_with_what_its_fields_say() {
    forms(Host::start());
}

/// The same, wherever the buckets lie.
pub(crate) fn forms(host: Host) {
    let (host, s3) = with_bucket(host);
    let tagging = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
    let form = Form::new()
        .bare("key", "up/${filename}")
        .field("Content-Type", "text/x")
        .field("Cache-Control", "no-store")
        .field("x-amz-meta-Colour", "red")
        .field("tagging", tagging)
        .field("acl", "private")
        .bare("x-ignore-this", "anything");
    let reply = form.signed(&s3).send(&host).expect(204);
    assert_eq!(reply.text(), "");
    let location = format!("http://{}/forms/up/a%20photo.jpg", host.addr());
    assert_eq!(reply.header("location"), Some(location.as_str()));
    let object = s3.get("forms", "up/a photo.jpg").expect(200);
    assert_eq!(object.text(), "from a browser");
    for (name, value) in [
        ("content-type", "text/x"),
        ("cache-control", "no-store"),
        ("x-amz-meta-colour", "red"),
        ("x-amz-tagging-count", "1"),
    ] {
        assert_eq!(object.header(name), Some(value), "{name}");
    }
    assert_eq!(object.header("etag"), reply.header("etag"));
}

#[test]
fn the_answer_is_the_one_that_the_form_asks_for() {
    let (host, s3) = host();
    let created = Form::new().field("success_action_status", "201").signed(&s3).send(&host).expect(201).text();
    assert!(
        created.contains("<PostResponse><Location>http://")
            && created.contains("<Bucket>forms</Bucket><Key>up/k</Key><ETag>"),
        "{created}"
    );
    Form::new().field("success_action_status", "200").signed(&s3).send(&host).expect(200);
    Form::new().field("success_action_status", "404").signed(&s3).send(&host).expect(204);
    let away = Form::new()
        .field("success_action_redirect", "https://a.example/done?x=1#end")
        .signed(&s3)
        .send(&host)
        .expect(303);
    let to = away.header("location").unwrap();
    assert!(
        to.starts_with("https://a.example/done?x=1&bucket=forms&key=up%2Fk&etag=%22") && to.ends_with("%22#end"),
        "{to}"
    );
    Form::new().field("success_action_redirect", "javascript:alert(1)").signed(&s3).send(&host).expect(204);
}

#[test]
fn what_the_policy_does_not_allow_is_refused_and_leaves_nothing() {
    let (host, s3) = host();
    let rows: Vec<(&str, Form, u16, &str)> = vec![
        ("another prefix", Form::new().bare("key", "down/k"), 403, "AccessDenied"),
        ("an extra field", Form::new().bare("x-amz-meta-a", "1"), 403, "AccessDenied"),
        (
            "another value",
            Form::new().condition(json!({"acl": "private"})).bare("acl", "bucket-owner-read"),
            403,
            "AccessDenied",
        ),
        ("a missing field", Form::new().condition(json!(["eq", "$x-amz-meta-a", "1"])), 403, "AccessDenied"),
        ("an old policy", Form { expiration: "2020-01-01T00:00:00Z".into(), ..Form::new() }, 403, "AccessDenied"),
        ("a policy without end", Form { expiration: "soon".into(), ..Form::new() }, 400, "InvalidPolicyDocument"),
        ("too long", Form::new().condition(json!(["content-length-range", 0, 5])), 400, "EntityTooLarge"),
        ("too short", Form::new().condition(json!(["content-length-range", 500, 600])), 400, "EntityTooSmall"),
        ("an unknown condition", Form::new().condition(json!(["near", "$key", "a"])), 400, "InvalidPolicyDocument"),
        ("no key", Form::new().field("key", ""), 400, "InvalidArgument"),
        ("a public object", Form::new().field("acl", "public-read"), 400, "AccessControlListNotSupported"),
        ("encryption", Form::new().field("x-amz-server-side-encryption", "AES256"), 501, "NotImplemented"),
        ("a wrong checksum", Form::new().field("x-amz-checksum-crc32", "AAAAAA=="), 400, "BadDigest"),
        ("a line in a header", Form::new().field("x-amz-meta-a", "1\r\n2"), 400, "InvalidArgument"),
        ("a token", Form::new().field("x-amz-security-token", "t"), 400, "InvalidToken"),
    ];
    for (what, form, status, code) in rows {
        let reply = form.signed(&s3).send(&host);
        assert_eq!((reply.status, reply.s3_code().as_str()), (status, code), "{what}: {}", reply.text());
    }
    let listed = s3.send(Request::new("GET", "/forms?list-type=2")).expect(200).text();
    assert!(listed.contains("<KeyCount>0</KeyCount>"), "{listed}");
}

#[test]
fn only_who_may_write_sends_a_form() {
    let (host, s3) = host();
    let rule = json!([{ "effect": "Allow", "actions": ["write"], "resources": ["forms/up/mine/*"] }]);
    let user = host.user("poster", rule);
    Form::new().bare("key", "up/mine/a").signed(&user).send(&host).expect(204);
    assert_eq!(Form::new().signed(&user).send(&host).expect(403).s3_code(), "AccessDenied");
    let mut forged = user.clone();
    forged.signer.secret = "not-the-secret-of-anybody".into();
    assert_eq!(Form::new().signed(&forged).send(&host).expect(403).s3_code(), "SignatureDoesNotMatch");
    forged.signer.key_id = "AKNOBODY".into();
    assert_eq!(Form::new().signed(&forged).send(&host).expect(403).s3_code(), "InvalidAccessKeyId");
    // A policy that was changed after it was signed, a form without credentials, one that is signed twice over.
    let mut changed = Form::new().signed(&s3);
    let wider = Form::new().condition(json!(["starts-with", "$acl", ""])).policy(&s3.signer.form());
    changed = changed.bare("policy", &wider);
    assert_eq!(changed.send(&host).expect(403).s3_code(), "SignatureDoesNotMatch");
    assert_eq!(Form::new().send(&host).expect(403).s3_code(), "AccessDenied");
    let form = Form::new().signed(&s3);
    let twice = s3.send(form.request(form.body())).expect(400);
    assert_eq!(twice.s3_code(), "InvalidArgument");
    s3.get("forms", "up/k").expect(404);
}

#[test]
fn version_2_is_taken_only_where_the_config_says_so() {
    let (host, s3) = host();
    assert_eq!(Form::new().signed_2(&s3).send(&host).expect(400).s3_code(), "InvalidRequest");
    drop(host);
    let mut host = Host::prepare().config("advanced:\n  auth_sigv2_post: true\n");
    host.up();
    let s3 = host.admin_user("root");
    s3.make_bucket("forms");
    Form::new().signed_2(&s3).send(&host).expect(204);
    let mut forged = s3.clone();
    forged.signer.secret = "not-the-secret-of-anybody".into();
    assert_eq!(Form::new().signed_2(&forged).send(&host).expect(403).s3_code(), "SignatureDoesNotMatch");
    s3.get("forms", "up/k").expect(200);
}

#[test]
fn rules_of_admission_look_at_the_key_of_a_form() {
    let blocks = "admission:\n  blocks:\n    - {name: closed, match: {operation: [\"s3:PutObject\"], path_glob: \"up/closed/*\"}, action: deny}\n";
    let mut host = Host::prepare().config(blocks);
    host.up();
    let s3 = host.admin_user("root");
    s3.make_bucket("forms");
    Form::new().signed(&s3).send(&host).expect(204);
    assert_eq!(Form::new().bare("key", "up/closed/k").signed(&s3).send(&host).expect(403).s3_code(), "AccessDenied");
    let metrics = Request::new("GET", "/_/metrics").send(host.addr()).text();
    assert!(metrics.contains("dgp_admission_total{rule=\"closed\",action=\"deny\"} 1\n"), "{metrics}");
}

#[test]
fn a_body_that_is_no_form_is_refused_and_a_large_file_streams() {
    large_forms(Host::start());
}

/// The same, wherever the buckets lie.
pub(crate) fn large_forms(host: Host) {
    let (host, s3) = with_bucket(host);
    let form = Form::new().signed(&s3);
    let whole = form.body();
    let mut nothing = Form::new().signed(&s3);
    nothing.fields.push(("long".into(), "v".repeat(21 * 1024)));
    let end = format!("--{BOUNDARY}--\r\n").into_bytes();
    let at = whole.windows(4).position(|piece| piece == b"from").unwrap();
    let cut = whole[..at + 9].to_vec();
    for (body, code) in [
        (b"no form".to_vec(), "MalformedPOSTRequest"),
        (end, "IncorrectNumberOfFilesInPostRequest"),
        (nothing.body(), "MaxPostPreDataLengthExceeded"),
        (cut, "MalformedPOSTRequest"),
        ([whole.clone(), vec![b'x'; 30 * 1024]].concat(), "MalformedPOSTRequest"),
    ] {
        assert_eq!(form.request(body).send(host.addr()).expect(400).s3_code(), code);
    }
    s3.get("forms", "up/k").expect(404);
    let text = s3.send(Request::new("POST", "/forms").header("Content-Type", "text/plain").body("x"));
    assert_eq!(text.expect(412).s3_code(), "PreconditionFailed");
    let large = Form { file: (0..20_000_000_u32).map(|at| (at % 251) as u8).collect(), ..Form::new() };
    large.signed(&s3).send(&host).expect(204);
    assert_eq!(s3.get("forms", "up/k").expect(200).body.len(), 20_000_000);
}
