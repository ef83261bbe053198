//! The whole server in front of another S3 server: what a client sees is what it sees of a directory.

use crate::crash::points::points;
use crate::support::client::Request;
use crate::support::eventually;
use crate::support::server::{Host, S3, target};
use crate::support::upload::{Upload, element, etag};
use actors::storage::testkit::peers::{self, Peer};
use serde_json::json;
use std::time::{Duration, Instant};

/// A host whose buckets go to the peer, but for `near`, which goes to a directory.
fn host(peer: &Peer) -> Host {
    Host::prepare().config(&format!(
        "storage:\n  default_backend: cold\n  backends:\n    - {{name: hot, type: filesystem, path: ./hot}}\n    - name: cold\n      \
         type: s3\n      endpoint: {}\n      region: {}\n      access_key_id: {}\n      secret_access_key: {}\n  buckets:\n    near: {{backend: hot}}\n",
        peer.url, peer.region, peer.access_key_id, peer.secret_access_key
    ))
}

fn at(host: &Host, s3: &S3) -> S3 {
    S3 { addr: host.addr(), ..s3.clone() }
}

fn body(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at / 4096 + at * 31) as u8).collect()
}

#[test]
fn an_upstream_serves_what_a_directory_serves() {
    let peer = peers::garage();
    let mut host = host(&peer);
    host.up();
    let s3 = host.admin_user("ann");
    s3.make_bucket("photos");
    let put = Request::new("PUT", &target("photos", "a/one")).header("x-amz-meta-colour", "red").body("hello");
    let put = put.header("content-type", "text/x-test").header("x-amz-tagging", "state=new");
    assert_eq!(etag(&s3.send(put).expect(200)), "5d41402abc4b2a76b9719d911017c592");
    // Longer than what is held in memory, so it goes piece by piece.
    let large = body(20 << 20);
    let tag = etag(&s3.put("photos", "a/large", large.clone()).expect(200));
    let got = s3.get("photos", "a/large").expect(200);
    assert!(got.body == large && etag(&got) == tag);
    let range = Request::new("GET", &target("photos", "a/large")).header("range", "bytes=9000000-9000009");
    let range = s3.send(range).expect(206);
    assert_eq!(range.body, large[9_000_000..9_000_010]);
    assert_eq!(range.header("content-range"), Some("bytes 9000000-9000009/20971520"));
    let listed = s3.send(Request::new("GET", "/photos?list-type=2&delimiter=%2F&prefix=a%2F")).expect(200).text();
    assert!(listed.contains("<Key>a/large</Key>") && listed.contains(&tag), "{listed}");
    assert!(listed.contains("<Size>20971520</Size>") && !listed.contains(".dg"), "{listed}");
    // A copy keeps what was stored with the object.
    let copy = Request::new("PUT", &target("photos", "copy")).header("x-amz-copy-source", "/photos/a/one");
    s3.send(copy).expect(200);
    let copied = s3.get("photos", "copy").expect(200);
    assert_eq!((copied.text().as_str(), copied.header("x-amz-meta-colour")), ("hello", Some("red")));
    assert_eq!(copied.header("content-type"), Some("text/x-test"));
    let tags =
        |key: &str| s3.send(Request::new("GET", &format!("{}?tagging", target("photos", key)))).expect(200).text();
    assert!(tags("copy").contains("<Value>new</Value>"));
    let other = "<Tagging><TagSet><Tag><Key>state</Key><Value>old</Value></Tag></TagSet></Tagging>";
    s3.send(Request::new("PUT", &format!("{}?tagging", target("photos", "copy"))).body(other)).expect(200);
    assert!(tags("copy").contains("<Value>old</Value>"));
    assert_eq!(s3.get("photos", "copy").expect(200).header("x-amz-meta-colour"), Some("red"));
    // Conditions are decided here.
    let absent = Request::new("PUT", &target("photos", "copy")).header("if-none-match", "*").body("no");
    assert_eq!(s3.send(absent).expect(412).s3_code(), "PreconditionFailed");
    s3.send(Request::new("DELETE", &target("photos", "copy"))).expect(204);
    s3.get("photos", "copy").expect(404);
    assert_eq!(s3.send(Request::new("DELETE", "/photos")).expect(409).s3_code(), "BucketNotEmpty");
}

#[test]
fn an_upload_survives_the_server_and_the_upstream() {
    let peer = peers::garage();
    let mut host = host(&peer);
    host.up();
    let s3 = host.admin_user("ann");
    s3.make_bucket("photos");
    let upload = Upload::begin(&s3, "photos", "dir/film");
    let first = body(5 << 20);
    let one = etag(&upload.part(1, first.clone()).expect(200));
    host.kill();
    host.up();
    let upload = upload.at(&at(&host, &s3));
    let two = etag(&upload.part(2, "the end").expect(200));
    let parts = [(1, one), (2, two)];
    let answer = upload.complete(&parts).expect(200).text();
    host.kill();
    host.up();
    let s3 = at(&host, &s3);
    let again = upload.at(&s3).complete(&parts).expect(200).text();
    assert_eq!(element(&again, "ETag"), element(&answer, "ETag"));
    let got = s3.get("photos", "dir/film").expect(200);
    assert!(got.body == [first, b"the end".to_vec()].concat());
}

#[test]
fn an_upload_begun_on_one_host_is_finished_on_another() {
    let peer = peers::moto();
    let (mut first, mut second) = (host(&peer), host(&peer));
    first.up();
    let s3 = first.admin_user("ann");
    s3.make_bucket("photos");
    // With the database come the keys that vouch for what is stored.
    std::fs::copy(first.path("deltaglider_config.db"), second.path("deltaglider_config.db")).unwrap();
    second.up();
    let status = second.admin(Request::new("GET", "/_/api/admin/status")).expect(200).json();
    let live = json!({"instance_id": status["instance_id"]});
    second.admin(Request::new("POST", "/_/api/admin/backup/go-live").json(&live)).expect(200);

    let upload = Upload::begin(&s3, "photos", "dir/film");
    let start = body(5 << 20);
    let one = etag(&upload.part(1, start.clone()).expect(200));
    let there = upload.at(&at(&second, &s3));
    let two = etag(&there.part(2, "the end").expect(200));
    // Either lists what the other took.
    let shown = s3.send(Request::new("GET", &format!("{}?uploadId={}", upload.target, upload.id))).expect(200).text();
    assert_eq!(shown.matches("<PartNumber>").count(), 2, "{shown}");
    let parts = [(1, one), (2, two)];
    let answer = there.complete(&parts).expect(200).text();
    assert!(s3.get("photos", "dir/film").expect(200).body == [start, b"the end".to_vec()].concat());
    let again = upload.complete(&parts).expect(200).text();
    assert_eq!(element(&again, "ETag"), element(&answer, "ETag"));
}

#[test]
fn killed_at_any_point_nothing_acknowledged_is_lost_and_nothing_is_half_there() {
    let peer = peers::garage();
    for (number, point) in points("s3.").iter().enumerate() {
        let mut host = host(&peer);
        host.set_env("DGP_FAULT", &format!("{point}=kill"));
        host.up();
        let (s3, bucket) = (host.admin_user("ann"), format!("killed-{number}"));
        s3.make_bucket(&bucket);
        let upload = Upload::begin(&s3, &bucket, "film");
        let parts = [(1, etag(&upload.part(1, "whole").expect(200)))];
        let put = s3.try_send(Request::new("PUT", &target(&bucket, "k")).body("whole"));
        let completed = put.is_ok().then(|| s3.try_send(upload.complete_request(&parts)).is_ok());
        assert!(completed != Some(true), "{point} was never reached");
        host.ended();
        host.set_env("DGP_FAULT", "");
        host.up();
        let s3 = at(&host, &s3);
        let there = s3.get(&bucket, "k");
        match there.status {
            200 => assert_eq!(there.text(), "whole", "{point}"),
            404 => assert!(put.is_err(), "{point}: what was acknowledged is gone"),
            other => panic!("{point}: {other}"),
        }
        // Asked again, the answer is that of a completion, whatever the first one came to.
        let upload = upload.at(&s3);
        for _ in 0..2 {
            upload.complete(&parts).expect(200);
        }
        assert_eq!(upload.object().expect(200).text(), "whole", "{point}");
        let open = s3.send(Request::new("GET", &format!("/{bucket}?uploads"))).expect(200).text();
        assert!(!open.contains("<UploadId>"), "{point}: {open}");
    }
}

#[test]
fn an_upstream_that_dies_is_named_and_takes_no_other_backend_along() {
    let mut peer = peers::garage();
    let mut host = host(&peer);
    host.up();
    let s3 = host.admin_user("ann");
    s3.make_bucket("remote");
    s3.put("remote", "k", "x").expect(200);
    s3.put("near", "k", "x").expect(200);
    peer.kill();
    for request in [Request::new("GET", "/remote/k"), Request::new("PUT", "/remote/k").body("y")] {
        let refused = s3.send(request).expect(503);
        assert!(refused.text().contains("`cold`"), "{}", refused.text());
    }
    s3.get("near", "k").expect(200);
    s3.put("near", "k", "y").expect(200);
    // A start asks nothing of it either.
    host.restart();
    at(&host, &s3).get("near", "k").expect(200);
    at(&host, &s3).get("remote", "k").expect(503);
}

#[test]
fn the_secret_of_an_account_travels_in_the_keystore_and_in_nothing_else() {
    let peer = peers::moto();
    let mut old = host(&peer);
    old.up();
    let s3 = old.admin_user("ann");
    s3.make_bucket("photos");
    s3.put("photos", "k", "kept").expect(200);
    let archive = old.exported();
    assert!(!String::from_utf8_lossy(archive.entry("config.yaml")).contains(&peer.secret_access_key));
    let kept = archive.json("secrets.json")["storage_backends"]["cold"].clone();
    assert_eq!(kept, json!({ "secret_access_key": peer.secret_access_key }));
    drop(old);
    let new = Host::start();
    new.restore(&archive.zip()).expect(200);
    eventually("the restored host reads the upstream", || {
        at(&new, &s3).try_get("photos", "k").is_ok_and(|reply| reply.status == 200 && reply.body == b"kept")
    });
    let config = std::fs::read_to_string(new.path("config.yaml")).expect("the restore wrote a config");
    assert!(!config.contains(&peer.secret_access_key) && config.contains("stored:"), "{config}");
}

#[test]
fn an_upstream_that_hangs_is_closed_by_name_and_comes_back_by_itself() {
    let peer = peers::moto();
    let mut host = host(&peer);
    host.up();
    let s3 = host.admin_user("ann");
    s3.make_bucket("remote");
    s3.put("remote", "k", "x").expect(200);
    s3.put("near", "k", "x").expect(200);
    let reads = |bucket: &str| s3.try_get(bucket, "k").is_ok_and(|reply| reply.status == 200);
    let shown = || host.admin(Request::new("GET", "/_/api/admin/backends/cold")).expect(200).json()["health"].clone();
    within_minutes("the upstream is up", || shown()["up"] == json!(true));
    peer.freeze(true);
    // It takes connections and says nothing. A request under way would wait for it; once that is known, none does.
    within_minutes("requests are refused by name", || {
        s3.try_get("remote", "k").is_ok_and(|reply| {
            let text = reply.text();
            reply.status == 503 && text.contains("`cold`") && text.contains("does not answer")
        })
    });
    within_minutes("the directory is read", || reads("near"));
    let put =
        || s3.try_send(Request::new("PUT", &target("near", "k")).body("y")).is_ok_and(|reply| reply.status == 200);
    within_minutes("the directory is written", put);
    peer.freeze(false);
    within_minutes("objects are read again", || reads("remote"));
    within_minutes("the upstream is up again", || shown()["up"] == json!(true));
}

/// Waits for what takes as long as it takes; the limit only ends what never comes about.
#[track_caller]
fn within_minutes(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(180);
    while !holds() {
        assert!(Instant::now() < deadline, "it did not come about that {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
