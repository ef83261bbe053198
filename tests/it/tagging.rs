//! Rules that are about tags: of the object that is there, and of the request.

use crate::support::client::Request;
use crate::support::server::{Host, S3, target};
use serde_json::json;

fn rule(actions: &[&str], conditions: serde_json::Value) -> serde_json::Value {
    json!({ "effect": "Allow", "actions": actions, "resources": ["tagged/*"], "conditions": conditions })
}

fn tagged(s3: &S3, key: &str, tags: &str) -> u16 {
    s3.send(Request::new("PUT", &target("tagged", key)).header("x-amz-tagging", tags).body("x")).status
}

fn retag(s3: &S3, key: &str, name: &str, value: &str) -> u16 {
    let body = format!("<Tagging><TagSet><Tag><Key>{name}</Key><Value>{value}</Value></Tag></TagSet></Tagging>");
    s3.send(Request::new("PUT", &format!("{}?tagging", target("tagged", key))).body(body)).status
}

#[test]
fn a_rule_about_the_tags_of_an_object_follows_them_at_once() {
    rules_follow_tags(Host::start());
}

/// The same, wherever the buckets lie.
pub(crate) fn rules_follow_tags(host: Host) {
    let admin = host.admin_user("root");
    admin.send(Request::new("PUT", "/tagged")).expect(200);
    let reader = host.user(
        "reader",
        json!([rule(&["read", "delete"], json!({ "StringEquals": { "s3:ExistingObjectTag/team": "red" } }))]),
    );
    assert_eq!((tagged(&admin, "ours", "team=red"), tagged(&admin, "theirs", "team=blue")), (200, 200));
    assert_eq!(reader.get("tagged", "ours").status, 200);
    assert_eq!(reader.get("tagged", "theirs").status, 403);
    assert_eq!(reader.get("tagged", "none").status, 403);
    assert_eq!(retag(&admin, "ours", "team", "blue"), 200);
    assert_eq!(reader.get("tagged", "ours").status, 403);
    assert_eq!(retag(&admin, "theirs", "team", "red"), 200);
    assert_eq!(reader.get("tagged", "theirs").status, 200);
    // A copy reads its source under the source's tags, a batch decides key by key.
    let batch = "<Delete><Object><Key>ours</Key></Object><Object><Key>theirs</Key></Object></Delete>";
    let reply = reader.send(Request::new("POST", "/tagged?delete").body(batch)).expect(200);
    assert!(reply.text().contains("<Deleted><Key>theirs</Key></Deleted>"), "{}", reply.text());
    assert!(reply.text().contains("<Key>ours</Key><Code>AccessDenied</Code>"), "{}", reply.text());
    assert_eq!(admin.get("tagged", "ours").status, 200);
}

#[test]
fn a_rule_about_the_tags_of_a_request_holds_for_headers_and_documents() {
    rules_of_requests(Host::start());
}

/// The same, wherever the buckets lie.
pub(crate) fn rules_of_requests(host: Host) {
    let admin = host.admin_user("root");
    admin.send(Request::new("PUT", "/tagged")).expect(200);
    let red = json!({ "StringEquals": { "s3:RequestObjectTag/team": "red" } });
    let writer = host.user("writer", json!([rule(&["s3:PutObject", "s3:PutObjectTagging"], red)]));
    assert_eq!(tagged(&writer, "k", "team=red"), 200);
    assert_eq!(tagged(&writer, "k", "team=blue"), 403);
    assert_eq!(writer.put("tagged", "k", "untagged").status, 403);
    assert_eq!(retag(&writer, "k", "team", "red"), 200);
    assert_eq!(retag(&writer, "k", "team", "blue"), 403);
    assert_eq!(retag(&writer, "k", "", "red"), 403, "who may set no tags does not learn what was wrong with them");
    // Whoever may write, but not set tags, writes without them.
    let plain = host.user("plain", json!([rule(&["s3:PutObject"], json!({}))]));
    assert_eq!(plain.put("tagged", "p", "x").status, 200);
    assert_eq!(tagged(&plain, "p", "team=red"), 403);
}

#[test]
fn who_copies_tags_must_be_allowed_to_read_and_to_set_them() {
    copied_tags(Host::start());
}

/// The same, wherever the buckets lie.
pub(crate) fn copied_tags(host: Host) {
    let admin = host.admin_user("root");
    admin.send(Request::new("PUT", "/tagged")).expect(200);
    assert_eq!((tagged(&admin, "with", "a=1"), admin.put("tagged", "without", "x").status), (200, 200));
    let copier = host.user("copier", json!([rule(&["s3:PutObject", "s3:GetObject"], json!({}))]));
    let copy = |from: &str, directive: &str| {
        let request = Request::new("PUT", &target("tagged", "to"))
            .header("x-amz-copy-source", &target("tagged", from))
            .header("x-amz-tagging-directive", directive);
        copier.send(request).status
    };
    assert_eq!(copy("without", "COPY"), 200);
    assert_eq!(copy("with", "COPY"), 403);
    assert_eq!(copy("with", "REPLACE"), 200);
}
