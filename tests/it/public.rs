//! What anybody may read: public prefixes, without credentials.

use crate::admission::{anonymous, host};
use crate::support::client::Request;
use serde_json::{Value, json};

const PUBLIC: &str =
    "storage:\n  buckets:\n    docs: {public_prefixes: [releases/, \"a b/\"]}\n    open: {public: true}\n";

#[test]
fn what_anybody_may_read_is_shown_as_the_policy_of_the_bucket() {
    let (host, s3) = host(PUBLIC);
    let ask = |target: &str| s3.send(Request::new("GET", target));
    let policy = ask("/docs?policy").expect(200).json();
    let sids: Vec<_> = policy["Statement"].as_array().unwrap().iter().map(|it| it["Sid"].clone()).collect();
    assert_eq!(sids, ["PublicRead1", "PublicList1", "PublicRead2", "PublicList2"], "{policy}");
    assert_eq!(policy["Statement"][2]["Resource"][0], "arn:aws:s3:::docs/releases/*", "{policy}");
    assert!(ask("/open?policyStatus").expect(200).text().contains("<IsPublic>true</IsPublic>"));
    assert_eq!(ask("/other?policy").expect(404).s3_code(), "NoSuchBucketPolicy");
    assert_eq!(ask("/other?policyStatus").expect(404).s3_code(), "NoSuchBucketPolicy");
    // It is shown, and set by the bucket's public prefixes only.
    let put = s3.send(Request::new("PUT", "/docs?policy").body(policy.to_string()));
    assert_eq!(put.expect(501).s3_code(), "NotImplemented");
    anonymous(&host, "GET", "/docs?policy").expect(403);
}

#[test]
fn anybody_reads_a_public_prefix_and_nothing_else() {
    let (host, s3) = host(PUBLIC);
    s3.put("docs", "a b/ü+c", "spaces").expect(200);
    assert_eq!(anonymous(&host, "GET", "/docs/releases/1.0").expect(200).text(), "releases/1.0");
    assert_eq!(anonymous(&host, "HEAD", "/docs/releases/1.0").expect(200).header("content-length"), Some("12"));
    assert_eq!(anonymous(&host, "GET", "/docs/a%20b/%C3%BC%2Bc").expect(200).text(), "spaces");
    assert_eq!(anonymous(&host, "GET", "/docs/%72eleases%2f1.0").expect(200).text(), "releases/1.0");
    let part = Request::new("GET", "/docs/releases/1.0").header("Range", "bytes=0-3").send(host.addr());
    assert_eq!(part.expect(206).text(), "rele");
    // Dots in a key are dots: this names an object inside, which is not there.
    for missing in ["none", "../private/x", "..%2Fprivate%2Fx", ".%2E/private/x"] {
        let reply = anonymous(&host, "GET", &format!("/docs/releases/{missing}")).expect(404);
        assert_eq!(reply.s3_code(), "NoSuchKey", "{missing}");
    }
    for target in [
        "/",
        "/docs",
        "/docs/private/x",
        "/docs/private/none",
        "/docs/releases",
        "/docs/releases-internal",
        "/docs//releases/1.0",
        "/other/k",
        "/nowhere/k",
        "/docs?location",
        "/docs?uploads",
        "/docs?versions&prefix=releases/",
        "/docs?acl",
        "/docs/releases/1.0?acl",
        "/docs/releases/1.0?tagging",
        "/docs/releases/1.0?uploadId=x",
        "/docs/releases/1.0?attributes",
        "/docs?list-type=2",
        "/docs?list-type=2&prefix=",
        "/docs?list-type=2&prefix=r",
        "/docs?list-type=2&prefix=private/",
        "/docs?list-type=2&prefix=releases-",
    ] {
        assert_eq!(anonymous(&host, "GET", target).expect(403).s3_code(), "AccessDenied", "{target}");
    }
    for method in ["PUT", "POST", "DELETE", "PATCH"] {
        anonymous(&host, method, "/docs/releases/1.0").expect(403);
        anonymous(&host, method, "/docs?delete").expect(403);
    }
    s3.get("docs", "releases/1.0").expect(200);
    let rows = host.admin(Request::new("GET", "/_/api/admin/audit?limit=1000")).expect(200).json();
    let denied = |row: &&Value| row["actor"] == "$anonymous" && row["outcome"] == "denied" && row["target"] == "docs";
    assert!(rows.as_array().unwrap().iter().find(denied).is_some(), "{rows}");
}

#[test]
fn anybody_lists_inside_a_public_prefix_alone() {
    let (host, s3) = host(PUBLIC);
    for prefix in ["releases/", "releases"] {
        let list = anonymous(&host, "GET", &format!("/docs?list-type=2&prefix={prefix}")).expect(200).text();
        assert!(list.contains("<Key>releases/1.0</Key>") && !list.contains("internal"), "{list}");
        assert!(!list.contains("Owner"), "{list}");
    }
    s3.put("open", "k", "x").expect(200);
    let list = anonymous(&host, "GET", "/open").expect(200).text();
    assert!(list.contains("<Key>k</Key>") && !list.contains("Owner"), "{list}");
    anonymous(&host, "HEAD", "/open").expect(200);
    assert_eq!(anonymous(&host, "GET", "/open/none").expect(404).s3_code(), "NoSuchKey");
    anonymous(&host, "PUT", "/open/k").expect(403);
    anonymous(&host, "GET", "/open?versions").expect(403);
}

#[test]
fn nobody_in_particular_sets_headers_of_an_answer() {
    let (host, s3) = host(PUBLIC);
    let overridden = "/docs/releases/1.0?response-content-type=text%2Fhtml";
    let refused = anonymous(&host, "GET", overridden).expect(400);
    assert_eq!(refused.s3_code(), "InvalidRequest");
    assert_eq!(
        anonymous(&host, "GET", "/docs/private/x?response-content-type=a").expect(403).s3_code(),
        "AccessDenied"
    );
    let signed = s3.send(Request::new("GET", overridden)).expect(200);
    assert_eq!(signed.header("content-type"), Some("text/html"));
}

#[test]
fn whoever_brings_credentials_is_judged_by_its_own_rules() {
    let (host, _) = host(PUBLIC);
    let stranger = host.user("stranger", json!([]));
    assert_eq!(stranger.get("docs", "releases/1.0").expect(403).s3_code(), "AccessDenied");
    let request = Request::new("GET", "/docs/releases/1.0").header("Authorization", "Basic eDp5");
    assert!(request.send(host.addr()).status >= 400, "bad credentials are worse than none");
}
