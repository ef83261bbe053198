//! Restores of a host with an S3 account: a clone reaches the account of its original, and only one of them may write there; what a
//! restore leaves behind in an account is counted.

use crate::support::client::Request;
use crate::support::eventually;
use crate::support::server::{Host, S3, target};
use crate::support::upload::{Upload, etag};
use actors::storage::testkit::peers::{self, Peer};
use serde_json::json;
use std::collections::BTreeMap;

const API: &str = "/_/api/admin";

fn prepared(peer: &Peer) -> Host {
    Host::prepare().config(&format!(
        "storage:\n  default_backend: cold\n  backends:\n    - {{name: hot, type: filesystem, path: ./hot}}\n    - name: cold\n      \
         type: s3\n      endpoint: {}\n      region: {}\n      access_key_id: {}\n      secret_access_key: {}\n  buckets:\n    \
         near: {{backend: hot}}\nbackup: {{to: {{bucket: photos, prefix: dgp/}}, plaintext_in_bucket: true}}\n",
        peer.url, peer.region, peer.access_key_id, peer.secret_access_key
    ))
}

fn at(host: &Host, s3: &S3) -> S3 {
    S3 { addr: host.addr(), ..s3.clone() }
}

/// The account itself, as somebody else sees it. moto believes every signature.
fn past_us(peer: &Peer, s3: &S3) -> S3 {
    S3 { addr: peer.url.trim_start_matches("http://").parse().expect("an address"), ..s3.clone() }
}

/// Everything in the account: objects with entity tag and time, and open uploads.
fn account(peer: &Peer, s3: &S3) -> BTreeMap<String, String> {
    let s3 = past_us(peer, s3);
    let get = |target: &str| s3.send(Request::new("GET", target)).expect(200).text();
    let between = |text: &str, before: &str, after: &str| -> Vec<String> {
        let pieces = text.split(before).skip(1);
        pieces.filter_map(|piece| Some(piece.split_once(after)?.0.to_owned())).collect()
    };
    let mut found = BTreeMap::new();
    for bucket in between(&get("/"), "<Bucket><Name>", "</Name>").iter().chain(&between(&get("/"), "<Name>", "</Name>"))
    {
        for object in between(&get(&format!("/{bucket}?list-type=2")), "<Contents>", "</Contents>") {
            let key = between(&object, "<Key>", "</Key>").join("");
            found.insert(format!("{bucket}/{key}"), object);
        }
        found.insert(
            bucket.clone(),
            between(&get(&format!("/{bucket}?uploads")), "<UploadId>", "</UploadId>").join(" "),
        );
    }
    found
}

fn writes(upload: &Upload, part: &str) -> Vec<Request> {
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    vec![
        Request::new("PUT", &target("photos", "new")).body("x"),
        Request::new("PUT", &target("photos", "k")).body("x"),
        Request::new("PUT", &target("photos", "copy")).header("x-amz-copy-source", "/photos/k"),
        Request::new("DELETE", &target("photos", "k")),
        Request::new("PUT", "/photos/k?tagging").body(tags),
        Request::new("POST", "/photos/other?uploads"),
        upload.part_request(1).body("y"),
        upload.complete_request(&[(1, part.to_owned())]),
        upload.abort_request(),
        Request::new("PUT", "/another"),
    ]
}

#[test]
fn a_clone_changes_nothing_in_the_account_of_its_original_before_it_goes_live() {
    let peer = peers::moto();
    let mut old = prepared(&peer);
    old.up();
    let s3 = old.admin_user("ann");
    s3.make_bucket("photos");
    s3.make_bucket("void");
    s3.put("photos", "k", "kept").expect(200);
    let upload = Upload::begin(&s3, "photos", "film");
    let part = etag(&upload.part(1, "x").expect(200));
    let archive = old.backup();
    old.stop();
    // A mark that is lost is made anew by whoever owns the account, and by nobody else.
    past_us(&peer, &s3).send(Request::new("DELETE", "/photos/.dg/backend.json")).expect(204);
    let before = account(&peer, &s3);
    assert!(before.contains_key("photos/k") && before.contains_key("void/.dg/backend.json"), "{before:?}");

    let restored = Host::start();
    restored.restore(&archive).expect(200);
    let mut copied = prepared(&peer);
    std::fs::copy(old.path("deltaglider_config.db"), copied.path("deltaglider_config.db")).expect("it is there");
    copied.up();
    let mut clones = [restored, copied];
    for (number, clone) in clones.iter_mut().enumerate() {
        for again in [false, true] {
            let s3 = at(clone, &s3);
            eventually("the clone reads the account", || {
                s3.try_get("photos", "k").is_ok_and(|reply| reply.status == 200 && reply.body == b"kept")
            });
            let listed = s3.send(Request::new("GET", "/photos?list-type=2")).expect(200).text();
            assert!(listed.contains("<Key>k</Key>"), "{listed}");
            for request in writes(&upload, &part) {
                let refused = s3.send(request).expect(403);
                assert_eq!(refused.s3_code(), "AccessDenied", "{}", refused.text());
                let text = refused.text();
                assert!(text.contains("`cold`") && text.contains("go-live"), "{text}");
            }
            let refused = clone.admin(Request::new("POST", &format!("{API}/backups"))).expect(403).json();
            assert_eq!(refused["code"], "backend_quarantined", "{refused}");
            let probe = clone.admin(Request::new("POST", &format!("{API}/backends/cold/probe"))).expect(200).json();
            assert_eq!(probe["health"]["up"], json!(true), "{probe}");
            // A directory of a clone is its own; of the one whose database was copied nobody has made it yet.
            s3.put("near", "k", "x").expect(if number == 0 { 200 } else { 503 });
            if !again {
                clone.restart();
            }
        }
    }
    // A bucket may go from the registry; its place stays.
    at(&clones[1], &s3).send(Request::new("DELETE", "/void")).expect(204);
    assert_eq!(account(&peer, &s3), before);

    let [restored, copied] = clones;
    drop(copied);
    let health = Request::new("GET", "/_/health").send(restored.addr()).expect(200).json();
    let live = json!({"instance_id": health["quarantined_from"]});
    restored.admin(Request::new("POST", &format!("{API}/backup/go-live")).json(&live)).expect(200);
    let s3 = at(&restored, &s3);
    s3.put("photos", "new", "x").expect(200);
    upload.at(&s3).complete(&[(1, part)]).expect(200);
    s3.send(Request::new("DELETE", &target("photos", "k"))).expect(204);
    let after = account(&peer, &s3);
    assert!(after.contains_key("photos/new") && after.contains_key("photos/film") && !after.contains_key("photos/k"));
    assert!(after.contains_key("photos/.dg/backend.json"), "the one that is live marks what is its own: {after:?}");
}

#[test]
fn a_plan_counts_what_stays_behind_in_an_account_without_looking_at_each_object() {
    let mut peer = peers::moto();
    let mut host = prepared(&peer);
    host.up();
    let s3 = host.admin_user("ann");
    let before = host.backup();
    s3.make_bucket("photos");
    s3.put("photos", "a", "1").expect(200);
    s3.put("photos", "/b", "2").expect(200);
    let upload = Upload::begin(&s3, "photos", "c");
    let part = etag(&upload.part(1, "3").expect(200));
    upload.complete(&[(1, part)]).expect(200);
    let plan = || {
        let target = format!("{API}/backup?dry_run=true&prune_buckets=true");
        host.admin(Request::new("POST", &target).body(before.clone())).expect(200).json()["warnings"].to_string()
    };
    let warnings = plan();
    let expected = format!("bucket `photos` goes: 3 objects stay in {}/photos", peer.url);
    assert!(warnings.contains(&expected), "{expected}: {warnings}");
    let moved = Request::new("PUT", &format!("{API}/buckets/photos?dry_run=true")).json(&json!({"backend": "hot"}));
    let moved = host.admin(moved).expect(200).json();
    assert_eq!(moved["objects_left_behind"], json!({"objects": 3, "exact": true}), "{moved}");
    peer.kill();
    let warnings = plan();
    assert!(warnings.contains("bucket `photos` goes: an unknown number of objects stay in http://"), "{warnings}");
}
