//! Signatures from outside: what is refused, with which code, and that nothing gets around a Deny.

use crate::support::client::Request;
use crate::support::server::{Host, S3, target};
use serde_json::json;

fn host_with_object() -> (Host, S3) {
    let host = Host::start();
    let s3 = host.admin_user("owner");
    s3.make_bucket("docs");
    s3.put("docs", "public/a", "open").expect(200);
    s3.put("docs", "secret/a", "hidden").expect(200);
    (host, s3)
}

#[test]
fn nobody_gets_in_without_credentials() {
    let (host, _) = host_with_object();
    for path in ["/", "/docs", "/docs/public/a"] {
        let reply = Request::new("GET", path).send(host.addr()).expect(403);
        assert_eq!(reply.s3_code(), "AccessDenied", "{path}");
    }
}

#[test]
fn wrong_credentials_get_the_codes_of_aws() {
    let (host, s3) = host_with_object();
    let code = |change: &dyn Fn(&mut S3)| {
        let mut other = s3.clone();
        change(&mut other);
        other.get("docs", "public/a").expect(403).s3_code()
    };
    assert_eq!(code(&|s3| s3.signer.secret.push('x')), "SignatureDoesNotMatch");
    assert_eq!(code(&|s3| s3.signer.key_id = "AKIDUNKNOWN0000000000".to_owned()), "InvalidAccessKeyId");
    assert_eq!(code(&|s3| s3.signer.skew = 16 * 60), "RequestTimeTooSkewed");
    assert_eq!(code(&|s3| s3.signer.skew = -16 * 60), "RequestTimeTooSkewed");
    drop(host);
}

#[test]
fn two_sets_of_credentials_are_refused() {
    let (host, s3) = host_with_object();
    let request = Request::new("GET", &target("docs", "public/a"));
    let signed = s3.signer.sign(request.clone(), host.addr());
    let again = signed.get("authorization").expect("it is signed").to_owned();
    signed.clone().header("Authorization", &again).send(host.addr()).expect(400);
    let presigned = s3.signer.presign(request, host.addr(), 60);
    presigned.send(host.addr()).expect(200);
    let both = s3.signer.sign(presigned, host.addr());
    both.send(host.addr()).expect(400);
}

#[test]
fn an_amz_header_that_is_not_signed_is_refused() {
    let (host, s3) = host_with_object();
    let signed = s3.signer.sign(Request::new("PUT", &target("docs", "public/b")).body("x"), host.addr());
    let reply = signed.header("x-amz-meta-added", "later").send(host.addr()).expect(403);
    assert_eq!(reply.s3_code(), "AccessDenied");
    s3.get("docs", "public/b").expect(404);
}

#[test]
fn a_presigned_request_holds_for_what_it_was_made_for() {
    let (host, s3) = host_with_object();
    let presigned = s3.signer.presign(Request::new("GET", &target("docs", "public/a")), host.addr(), 60);
    assert_eq!(presigned.send(host.addr()).expect(200).text(), "open");
    for (from, to) in [("public", "secret"), ("Expires=60", "Expires=61"), ("public/a", "public/a2")] {
        let mut other = presigned.clone();
        other.target = other.target.replacen(from, to, 1);
        assert_eq!(other.send(host.addr()).expect(403).s3_code(), "SignatureDoesNotMatch", "{to}");
    }
    let mut put = presigned.clone();
    put.method = "PUT".to_owned();
    put.send(host.addr()).expect(403);
    let mut late = s3.signer.clone();
    late.skew = -120;
    let expired = late.presign(Request::new("GET", &target("docs", "public/a")), host.addr(), 60);
    assert_eq!(expired.send(host.addr()).expect(403).s3_code(), "AccessDenied");
    let week = s3.signer.presign(Request::new("GET", &target("docs", "public/a")), host.addr(), 7 * 86_400 + 1);
    assert!(week.send(host.addr()).status >= 400, "no signature holds for more than seven days");
}

#[test]
fn a_body_that_is_not_the_signed_one_is_refused() {
    let (host, s3) = host_with_object();
    let mut signed = s3.signer.sign(Request::new("PUT", &target("docs", "public/c")).body("signed"), host.addr());
    signed.body = b"forged".to_vec();
    let reply = signed.send(host.addr()).expect(400);
    assert_eq!(reply.s3_code(), "XAmzContentSHA256Mismatch");
    s3.get("docs", "public/c").expect(404);
}

#[test]
fn no_spelling_of_a_path_escapes_a_deny() {
    let (host, _) = host_with_object();
    let reader = host.user(
        "reader",
        json!([
            { "effect": "Allow", "actions": ["read", "write", "delete", "list"], "resources": ["docs", "docs/*"] },
            { "effect": "Deny", "actions": ["*"], "resources": ["docs/secret/*"] },
        ]),
    );
    assert_eq!(reader.get("docs", "public/a").expect(200).text(), "open");
    let same_key = [
        "/docs/secret/a",
        "/docs/%73ecret/a",
        "/docs/%73%65%63%72%65%74/a",
        "/docs/secret%2Fa",
        "/docs/secret%2fa",
        "/%64ocs/secret/a",
        "/docs/secret/a?x-id=GetObject",
    ];
    let other_key = [
        "/docs%2Fsecret%2Fa",
        "/docs/./secret/a",
        "/docs/public/../secret/a",
        "/docs//secret/a",
        "//docs/secret/a",
        "/docs/secret%5Ca",
        "/docs/%2573ecret/a",
        "/docs/secret/a%00",
    ];
    for spelling in same_key.iter().chain(&other_key) {
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            let canonical = reader.signer.sign(Request::new(method, &target("docs", "public/a")), host.addr());
            let swapped = Request { target: (*spelling).to_owned(), ..canonical };
            for request in [swapped, reader.signer.sign(Request::new(method, spelling), host.addr())] {
                let reply = request.send(host.addr());
                assert!(!reply.text().contains("hidden"), "{method} {spelling}: {}", reply.text());
                assert!(reply.status == 403 || other_key.contains(spelling), "{method} {spelling}: {}", reply.status);
            }
        }
    }
    let owner = host.admin_user("second-owner");
    assert_eq!(owner.get("docs", "secret/a").expect(200).text(), "hidden", "nothing overwrote or removed it");
}

#[test]
fn a_disabled_or_removed_user_is_out_on_the_very_next_request() {
    let (host, _) = host_with_object();
    let user = host.admin_user("leaver");
    user.get("docs", "public/a").expect(200);
    let users = host.admin(Request::new("GET", "/_/api/admin/users")).expect(200).json();
    let users = users.as_array().expect("users are an array");
    let id = users.iter().find(|u| u["name"] == "leaver").expect("the user is listed")["id"]
        .as_str()
        .expect("ids are texts");
    let path = format!("/_/api/admin/users/{id}");
    host.admin(Request::new("PUT", &path).json(&json!({ "enabled": false }))).expect(200);
    user.get("docs", "public/a").expect(403);
    host.admin(Request::new("PUT", &path).json(&json!({ "enabled": true }))).expect(200);
    user.get("docs", "public/a").expect(200);
    host.admin(Request::new("DELETE", &path)).expect(204);
    assert_eq!(user.get("docs", "public/a").expect(403).s3_code(), "InvalidAccessKeyId");
}

#[test]
fn the_region_and_the_skew_of_the_config_are_the_ones_that_count() {
    let mut host = Host::prepare().config("advanced: {region: eu-west-1, clock_skew_seconds: 60}\n");
    host.up();
    let mut s3 = host.admin_user("root");
    let list = |s3: &S3| s3.send(Request::new("GET", "/"));
    assert_eq!(list(&s3).expect(400).s3_code(), "AuthorizationHeaderMalformed");
    s3.signer.region = "eu-west-1".to_owned();
    list(&s3).expect(200);
    // Within the fifteen minutes that hold where nothing is configured.
    s3.signer.skew = -300;
    let late = list(&s3).expect(403);
    assert_eq!(late.s3_code(), "RequestTimeTooSkewed");
    assert!(late.text().contains("<ServerTime>"), "{}", late.text());
}
