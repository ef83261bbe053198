//! Requests that touch several objects: each object is decided for itself, under the circumstances of the one request.

use crate::support::client::{Reply, Request};
use crate::support::server::{Host, S3, target};
use serde_json::json;

/// May do all under `mine/`, and read nothing else.
fn confined(host: &Host) -> S3 {
    let all = ["read", "write", "delete", "list"];
    host.user("confined", json!([{"effect": "Allow", "actions": all, "resources": ["shared/mine/*"]}]))
}

fn delete(s3: &S3, bucket: &str, keys: &[&str]) -> Reply {
    let objects: String = keys.iter().map(|key| format!("<Object><Key>{key}</Key></Object>")).collect();
    s3.send(Request::new("POST", &format!("/{bucket}?delete")).body(format!("<Delete>{objects}</Delete>")))
}

fn copy(s3: &S3, from: &str, to: &str) -> Reply {
    s3.send(Request::new("PUT", &target("shared", to)).header("x-amz-copy-source", &format!("shared/{from}")))
}

#[test]
fn a_batch_deletes_what_may_be_deleted_and_says_what_may_not() {
    batch(Host::start());
}

/// The same, wherever the buckets lie.
pub(crate) fn batch(host: Host) {
    let admin = host.admin_user("owner");
    let confined = confined(&host);
    admin.make_bucket("shared");
    for key in ["mine/", "mine/a", "mine/b", "theirs"] {
        admin.put("shared", key, "content").expect(200);
    }
    let answer = delete(&confined, "shared", &["mine/", "theirs", "mine/none"]).expect(200).text();
    assert!(answer.contains("<Deleted><Key>mine/</Key></Deleted>"), "{answer}");
    assert!(answer.contains("<Deleted><Key>mine/none</Key></Deleted>"), "{answer}");
    assert!(answer.contains("<Error><Key>theirs</Key><Code>AccessDenied</Code>"), "{answer}");
    for kept in ["mine/a", "mine/b", "theirs"] {
        admin.get("shared", kept).expect(200);
    }
    admin.get("shared", "mine/").expect(404);
    let nowhere = delete(&confined, "nowhere", &["mine/a"]).expect(200).text();
    assert!(nowhere.contains("AccessDenied"), "whether there is a bucket is not told: {nowhere}");
    assert_eq!(delete(&admin, "nowhere", &["mine/a"]).expect(404).s3_code(), "NoSuchBucket");
}

#[test]
fn a_copy_needs_the_source_and_the_destination() {
    copies(Host::start());
}

/// The same, wherever the buckets lie.
pub(crate) fn copies(host: Host) {
    let admin = host.admin_user("owner");
    let confined = confined(&host);
    admin.make_bucket("shared");
    admin.put("shared", "mine/a", "content").expect(200);
    admin.put("shared", "theirs", "secret").expect(200);
    let copied = copy(&confined, "mine/a", "mine/b").expect(200).text();
    assert!(copied.contains("<ETag>&quot;9a0364b9e99bb480dd25e1f0284c8555&quot;</ETag>"), "{copied}");
    assert_eq!(admin.get("shared", "mine/b").expect(200).text(), "content");
    assert_eq!(copy(&confined, "theirs", "mine/c").expect(403).s3_code(), "AccessDenied");
    assert_eq!(copy(&confined, "mine/a", "theirs").expect(403).s3_code(), "AccessDenied");
    assert_eq!(copy(&confined, "mine%2Fnone", "mine/c").expect(404).s3_code(), "NoSuchKey");
    assert_eq!(copy(&confined, "theirs-not", "mine/c").expect(403).s3_code(), "AccessDenied");
    assert_eq!(admin.get("shared", "theirs").text(), "secret");
    admin.get("shared", "mine/c").expect(404);
}

#[test]
fn a_configuration_that_nothing_configures_is_told_to_whoever_may_know() {
    let host = Host::start();
    let admin = host.admin_user("owner");
    admin.make_bucket("shared");
    let ask = |s3: &S3, method: &str, what: &str| s3.send(Request::new(method, &format!("/shared?{what}")));
    assert!(ask(&admin, "GET", "versioning").expect(200).text().contains("<VersioningConfiguration"));
    assert_eq!(ask(&admin, "GET", "policy").expect(404).s3_code(), "NoSuchBucketPolicy");
    assert_eq!(ask(&admin, "PUT", "policy").expect(501).s3_code(), "NotImplemented");
    assert_eq!(ask(&admin, "DELETE", "replication").expect(501).s3_code(), "NotImplemented");
    assert_eq!(ask(&confined(&host), "GET", "policy").expect(403).s3_code(), "AccessDenied");
}
