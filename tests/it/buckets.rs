//! What is set of a bucket: kept over restarts and restores, pinned by the file, given to those who may.

use crate::support::client::{Reply, Request};
use crate::support::server::{Host, S3};
use serde_json::json;

const CORS: &str = "<CORSConfiguration><CORSRule><ID>a \"b\"</ID><AllowedOrigin>https://*.example.com</AllowedOrigin>\
                    <AllowedMethod>PUT</AllowedMethod><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></CORSConfiguration>";
const TAGS: &str = "<Tagging><TagSet><Tag><Key>größe</Key><Value>1</Value></Tag></TagSet></Tagging>";
const RULES: &str = "<LifecycleConfiguration><Rule><ID>${env:HOME}$$</ID><Filter><And><Prefix>a: b/</Prefix><Tag><Key>k</Key>\
                     <Value/></Tag></And></Filter><Status>Disabled</Status><Expiration><Date>2030-01-01T00:00:00Z</Date>\
                     </Expiration></Rule></LifecycleConfiguration>";

fn put(s3: &S3, bucket: &str, what: &str, document: &str) -> Reply {
    s3.send(Request::new("PUT", &format!("/{bucket}?{what}")).body(document))
}

fn shown(s3: &S3, bucket: &str) -> Vec<String> {
    ["tagging", "cors", "lifecycle"]
        .map(|what| s3.send(Request::new("GET", &format!("/{bucket}?{what}"))).text())
        .to_vec()
}

fn set_all(s3: &S3, bucket: &str) -> Vec<String> {
    for (what, document) in [("tagging", TAGS), ("cors", CORS), ("lifecycle", RULES)] {
        assert!((200..300).contains(&put(s3, bucket, what, document).status), "{what}");
    }
    let shown = shown(s3, bucket);
    assert!(
        shown[0].contains("größe") && shown[1].contains("example.com") && shown[2].contains("${env:HOME}$$"),
        "{shown:?}"
    );
    shown
}

#[test]
fn settings_outlive_a_restart_and_come_back_with_a_restore() {
    let mut host = Host::start();
    let s3 = host.admin_user("root");
    s3.make_bucket("kept");
    s3.make_bucket("later");
    let before = set_all(&s3, "kept");
    host.restart();
    let s3 = S3 { addr: host.addr(), ..s3 };
    assert_eq!(shown(&s3, "kept"), before);
    let archive = host.backup();
    for what in ["tagging", "cors", "lifecycle"] {
        s3.send(Request::new("DELETE", &format!("/kept?{what}"))).expect(204);
    }
    set_all(&s3, "later");
    assert!(shown(&s3, "kept").iter().all(|text| text.contains("<Code>NoSuch")));
    host.restore(&archive).expect(200);
    assert_eq!(shown(&s3, "kept"), before);
    assert!(shown(&s3, "later").iter().all(|text| text.contains("<Code>NoSuch")), "the bucket is as it was captured");
}

#[test]
fn what_the_file_declares_no_call_changes() {
    let mut host = Host::prepare().config(
        "storage:\n  buckets:\n    pinned: {tags: {team: red}, cors: [{allowed_origins: [\"*\"], allowed_methods: [GET]}]}\n",
    );
    host.up();
    let s3 = host.admin_user("root");
    let declared = |reply: Reply| {
        let text = reply.expect(409).text();
        assert!(
            text.contains("<Code>OperationAborted</Code>") && text.contains("declared in the config file"),
            "{text}"
        );
    };
    assert!(s3.send(Request::new("GET", "/pinned?tagging")).expect(200).text().contains("<Value>red</Value>"));
    declared(put(&s3, "pinned", "tagging", TAGS));
    declared(put(&s3, "pinned", "cors", CORS));
    declared(s3.send(Request::new("DELETE", "/pinned?cors")));
    declared(s3.send(Request::new("DELETE", "/pinned")));
    // What it does not pin is set; objects that were there stay.
    s3.put("pinned", "k", "x").expect(200);
    put(&s3, "pinned", "lifecycle", RULES).expect(200);
    s3.get("pinned", "k").expect(200);
    host.restart();
    let s3 = S3 { addr: host.addr(), ..s3 };
    assert!(s3.send(Request::new("GET", "/pinned?lifecycle")).expect(200).text().contains("a: b/"));
    assert!(s3.send(Request::new("GET", "/pinned?tagging")).expect(200).text().contains("<Value>red</Value>"));
    let archive = host.exported();
    let config = String::from_utf8_lossy(archive.entry("config.yaml"));
    assert!(config.contains("origin: config") && config.contains("registered:"), "{config}");
}

#[test]
fn each_configuration_needs_its_own_right() {
    let host = Host::start();
    let root = host.admin_user("root");
    root.make_bucket("ruled");
    set_all(&root, "ruled");
    let allow =
        |actions: &[&str]| json!([{ "effect": "Allow", "actions": actions, "resources": ["ruled", "ruled/*"] }]);
    let writer = host.user("writer", allow(&["read", "write", "list", "delete"]));
    for (what, document) in [("tagging", TAGS), ("cors", CORS), ("lifecycle", RULES)] {
        writer.send(Request::new("GET", &format!("/ruled?{what}"))).expect(403);
        put(&writer, "ruled", what, document).expect(403);
        writer.send(Request::new("DELETE", &format!("/ruled?{what}"))).expect(403);
    }
    let cors = host.user("cors", allow(&["s3:PutBucketCORS", "s3:GetBucketTagging"]));
    put(&cors, "ruled", "cors", CORS).expect(200);
    cors.send(Request::new("GET", "/ruled?cors")).expect(403);
    cors.send(Request::new("GET", "/ruled?tagging")).expect(200);
    put(&cors, "ruled", "tagging", TAGS).expect(403);
    let rows = host.admin(Request::new("GET", "/_/api/admin/audit?limit=1000")).expect(200).json();
    for action in ["bucket.tagging", "bucket.cors", "bucket.lifecycle"] {
        assert!(
            rows.as_array().unwrap().iter().any(|row| row["action"] == action && row["target"] == "ruled"),
            "{action}"
        );
    }
}
