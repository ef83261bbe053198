//! Buckets by host name, and what may run in the console's origin.

use crate::support::client::{Reply, Request, exchange};
use crate::support::server::{Host, PASSWORD, S3};
use crate::support::signer::Signer;

fn host_with_bucket() -> (Host, S3) {
    let mut host = Host::prepare().env("DGP_DOMAINS", "s3.test, alias.test");
    host.up();
    let s3 = host.admin_user("owner");
    for bucket in ["photos", "with.dots"] {
        s3.make_bucket(bucket);
    }
    (host, s3)
}

fn at(host: &str, method: &str, target: &str) -> Request {
    Request::new(method, target).header("Host", host)
}

#[test]
fn a_bucket_is_found_by_host_name_and_by_path_alike() {
    let (_host, s3) = host_with_bucket();
    s3.send(at("photos.s3.test", "PUT", "/a/b%20c").body("by host")).expect(200);
    assert_eq!(s3.get("photos", "a/b c").expect(200).text(), "by host");
    for (host, target) in [
        ("photos.s3.test:9000", "/a/b%20c"),
        ("Photos.S3.TEST", "/a/b%20c"),
        ("photos.alias.test.", "/a/b%20c"),
        ("s3.test", "/photos/a/b%20c"),
        ("alias.test:80", "/photos/a/b%20c"),
        ("localhost", "/photos/a/b%20c"),
        ("anything.else", "/photos/a/b%20c"),
    ] {
        assert_eq!(s3.send(at(host, "GET", target)).expect(200).text(), "by host", "{host} {target}");
    }
    s3.send(at("with.dots.s3.test", "PUT", "/k").body("dots")).expect(200);
    assert_eq!(s3.get("with.dots", "k").expect(200).text(), "dots");
    let presigned = s3.signer.presign(at("photos.s3.test", "GET", "/a/b%20c"), s3.addr, 60);
    assert_eq!(presigned.send(s3.addr).expect(200).text(), "by host");
    let elsewhere = Request { headers: vec![("Host".to_owned(), "with.dots.s3.test".to_owned())], ..presigned };
    assert_eq!(elsewhere.send(s3.addr).expect(403).s3_code(), "SignatureDoesNotMatch");
}

#[test]
fn on_the_host_of_a_bucket_every_path_is_a_key() {
    let (_host, s3) = host_with_bucket();
    for key in ["_/health", "_/api/admin/backup", "_/", "_", "/leading", "/", "photos/x"] {
        let target = format!("/{key}");
        let sent = s3.send(at("photos.s3.test", "PUT", &target).body(key)).expect(200);
        assert!(sent.header("etag").is_some(), "{key}");
        assert_eq!(s3.send(at("photos.s3.test", "GET", &target)).expect(200).text(), key);
        assert_eq!(s3.get("photos", key).expect(200).text(), key);
    }
    let listed = s3.send(at("photos.s3.test", "GET", "/?list-type=2")).expect(200).text();
    assert!(listed.contains("<Name>photos</Name>") && listed.contains("<Key>_/api/admin/backup</Key>"), "{listed}");
    s3.send(at("photos.s3.test", "HEAD", "/")).expect(200);
    // A session of the console counts for nothing there.
    assert_eq!(at("photos.s3.test", "GET", "/_/health").send(s3.addr).expect(403).s3_code(), "AccessDenied");
    let login = at("photos.s3.test", "POST", "/_/api/admin/login").json(&serde_json::json!({ "password": PASSWORD }));
    assert_eq!(login.send(s3.addr).status, 403);
    let missing = s3.send(at("photos.s3.test", "GET", "/gone")).expect(404).text();
    assert!(missing.contains("<BucketName>photos</BucketName>") && missing.contains("<Key>gone</Key>"), "{missing}");
    assert_eq!(s3.send(at("nobody.s3.test", "GET", "/")).expect(404).s3_code(), "NoSuchBucket");
    assert_eq!(s3.send(at("_.s3.test", "GET", "/")).expect(400).s3_code(), "InvalidBucketName");
    s3.send(at("made.s3.test", "PUT", "/")).expect(200);
    s3.send(at("made.s3.test", "DELETE", "/")).expect(204);
}

#[test]
fn a_host_that_is_none_is_refused() {
    let (host, s3) = host_with_bucket();
    for wrong in ["a b", "a/b", "photos.s3.test:port", ""] {
        let reply = s3.send(at(wrong, "GET", "/photos")).expect(400);
        assert_eq!(reply.s3_code(), "InvalidHostHeader", "{wrong:?}");
    }
    let old = |path: &str| exchange(host.addr(), format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes(), false);
    assert_eq!(old("/photos").expect("an answer").s3_code(), "InvalidHostHeader");
    assert_eq!(old("/_/health").expect("an answer").status, 200);
    let twice = exchange(host.addr(), b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", false);
    assert_eq!(twice.expect("an answer").status, 400);
    let none = exchange(host.addr(), b"GET / HTTP/1.1\r\n\r\n", false);
    assert_eq!(none.expect("an answer").status, 400);
}

fn policy(reply: &Reply) -> (Option<&str>, Option<&str>) {
    (reply.header("x-content-type-options"), reply.header("content-security-policy"))
}

const SANDBOX: (Option<&str>, Option<&str>) = (Some("nosniff"), Some("sandbox"));
const INERT: (Option<&str>, Option<&str>) = (Some("nosniff"), None);

#[test]
fn what_a_browser_could_run_is_sandboxed_where_the_console_is() {
    let (_host, s3) = host_with_bucket();
    for (key, kind, expected) in [
        ("evil.html", "text/html", SANDBOX),
        ("evil.svg", "image/svg+xml", SANDBOX),
        ("evil.xml", "application/xml", SANDBOX),
        ("evil.js", "text/javascript", SANDBOX),
        ("odd", "text/plain, text/html", SANDBOX),
        ("good.png", "image/png", INERT),
        ("good.txt", "text/plain; charset=utf-8", INERT),
        ("good.pdf", "application/pdf", INERT),
    ] {
        let target = format!("/photos/{key}");
        s3.send(Request::new("PUT", &target).header("Content-Type", kind).body("x")).expect(200);
        assert_eq!(policy(&s3.send(Request::new("GET", &target)).expect(200)), expected, "{key}");
        assert_eq!(policy(&s3.send(Request::new("HEAD", &target)).expect(200)), expected, "HEAD {key}");
        let part = s3.send(Request::new("GET", &target).header("Range", "bytes=0-0")).expect(206);
        assert_eq!(policy(&part), expected, "a part of {key}");
        assert_eq!(policy(&s3.send(at("photos.s3.test", "GET", &format!("/{key}"))).expect(200)), (None, None));
    }
    for (kind, expected) in [("text%2Fhtml", SANDBOX), ("image%2Fpng", INERT), ("%F6", SANDBOX)] {
        let target = format!("/photos/good.png?response-content-type={kind}");
        let reply = s3.signer.presign(Request::new("GET", &target), s3.addr, 60).send(s3.addr);
        assert!(reply.status == 400 || policy(&reply) == expected, "{kind}: {reply:?}");
    }
    assert_eq!(policy(&s3.send(Request::new("GET", "/photos/gone")).expect(404)), SANDBOX);
    assert_eq!(policy(&Request::new("GET", "/photos/evil.html").send(s3.addr).expect(403)), SANDBOX);
}

#[test]
fn a_console_with_a_host_of_its_own_is_nowhere_else() {
    let (key_id, secret) = ("AKIDCONFIG", "config-secret-1");
    let keys = Host::prepare().env("DGP_ACCESS_KEY_ID", key_id).env("DGP_SECRET_ACCESS_KEY", secret);
    let mut host = keys.env("DGP_DOMAINS", "s3.test").env("DGP_CONSOLE_HOST", "console.test");
    host.up();
    let s3 = S3 { addr: host.addr(), signer: Signer::new(key_id, secret) };
    s3.make_bucket("photos");
    let get = |host: &str, path: &str| at(host, "GET", path).header("Accept", "text/html").send(s3.addr).status;
    for (path, at_home) in [("/_/", 200), ("/_/api/admin/users", 401), ("/_/api/nothing", 404)] {
        assert_eq!(get("console.test:9000", path), at_home, "{path}");
        assert_eq!((get("s3.test", path), get("127.0.0.1", path)), (403, 403), "{path}");
    }
    for (name, status) in [("console.test", 200), ("127.0.0.1:9000", 200), ("photos.s3.test", 403)] {
        assert_eq!(get(name, "/_/health"), status, "{name}");
    }
    let html = at("s3.test", "PUT", "/photos/a.html").header("Content-Type", "text/html");
    s3.send(html.body("x")).expect(200);
    assert_eq!(policy(&s3.send(at("s3.test", "GET", "/photos/a.html")).expect(200)), (None, None));
    assert_eq!(policy(&s3.send(at("console.test", "GET", "/photos/a.html")).expect(200)), SANDBOX);
}
