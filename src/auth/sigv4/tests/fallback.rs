//! What a proxy rewrites between the signer and us: believed where the proxy is trusted, counted, and never parsed.

use super::*;

const HEADERS: [(&str, &str); 4] = [
    ("host", "s3.example.com"),
    ("accept-encoding", "identity"),
    ("x-amz-content-sha256", EMPTY),
    ("x-amz-date", "20130524T000000Z"),
];

/// The same request with another value of a header.
fn rewritten(request: &Owned, name: &str, value: &str) -> Owned {
    let signed = request.headers.iter().find(|(known, _)| known == "authorization").unwrap().clone();
    let mut other = request.clone().without(name).without("authorization").with(name, value);
    other.headers.push(signed);
    other
}

fn through(proxy: Option<Proxy<'_>>, request: &Owned) -> (bool, [(&'static str, u64); 3]) {
    let (raw, verifier) = (request.raw(), Verifier::default());
    let found = verifier.verify(&raw, Parsed::new(&raw).unwrap(), &Rules { proxy, ..rules() }, lookup);
    if let Ok(verified) = &found {
        assert_eq!(verified.key().unwrap().as_str(), "a key");
    }
    (found.is_ok(), verifier.fallbacks())
}

#[test]
fn what_a_trusted_proxy_rewrites_is_tried_and_counted() {
    let trusted = Some(Proxy { public_url: Some("https://s3.example.com/console") });
    let request = Owned::new("GET /docs/a%20key", &HEADERS).sign(now());
    assert_eq!(through(trusted, &request), (true, [("path", 0), ("host", 0), ("accept_encoding", 0)]));
    let inner = rewritten(&request, "host", "10.0.0.7:9000");
    let gzip = rewritten(&request, "accept-encoding", "gzip, br");
    let both = rewritten(&inner, "accept-encoding", "gzip, br");
    for (changed, host, encoding) in [(&inner, 1, 0), (&gzip, 0, 1), (&both, 1, 1)] {
        let counts = [("path", 0), ("host", host), ("accept_encoding", encoding)];
        assert_eq!(through(trusted, changed), (true, counts));
        assert!(!through(None, changed).0, "nobody believes a stranger");
    }
    let elsewhere = Some(Proxy { public_url: None });
    assert!(!through(elsewhere, &inner).0, "no alias is known");
    assert!(through(elsewhere, &inner.with("x-forwarded-host", "s3.example.com, inner")).0);
    assert!(!through(trusted, &rewritten(&request, "x-amz-date", "20130524T000001Z")).0);
    let mut other = request.clone();
    other.path = "/docs/another".into();
    assert!(!through(trusted, &other).0, "another key is another request");
}

#[test]
fn a_path_that_was_signed_as_it_came_is_read_as_any_other() {
    // The signer escaped the path twice, as some do that sign for other services, too.
    let mut doubled = Owned::new("GET /docs/a%2520key", &HEADERS).sign(now());
    doubled.path = "/docs/a%20key".into();
    let trusted = Some(Proxy { public_url: None });
    assert!(!through(trusted, &doubled).0);
    // The signer left a blank's escape in lower case and a plain character escaped.
    let mut odd = Owned::new("GET /docs/a%20k%65y", &HEADERS);
    odd = odd.sign_verbatim(now());
    assert_eq!(through(trusted, &odd), (true, [("path", 1), ("host", 0), ("accept_encoding", 0)]));
    assert!(!through(None, &odd).0);
}
