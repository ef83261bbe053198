//! Uploads in parts, from outside: what survives, who wins, who may, and what a crowd of them costs.
//!
//! Requests and their answers one by one: `table/multipart.txt`.

use crate::support::client::Request;
use crate::support::eventually;
use crate::support::server::{Host, S3};
use crate::support::upload::{Upload, element, etag};
use serde_json::json;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::Barrier;

/// The least that a part before the last may have.
const PART: usize = 5 << 20;

/// A body that tells where each of its bytes belongs.
fn body(of: usize, size: usize) -> Vec<u8> {
    (0..size).map(|at| (at / 4096 + at * 31 + of * 7) as u8).collect()
}

/// Three parts, the last one short, and what they make.
fn three(upload: &Upload) -> (Vec<(u32, String)>, Vec<u8>) {
    let mut listed = Vec::new();
    let mut whole = Vec::new();
    for (number, size) in [(1, PART), (2, PART + 1), (9, 11)] {
        let body = body(number as usize, size);
        listed.push((number, etag(&upload.part(number, body.clone()).expect(200))));
        whole.extend(body);
    }
    (listed, whole)
}

fn at(host: &Host, s3: &S3) -> S3 {
    S3 { addr: host.addr(), ..s3.clone() }
}

#[test]
fn an_upload_and_its_end_survive_whatever_ends_the_server() {
    let mut host = Host::start();
    let s3 = host.admin_user("uploader");
    s3.make_bucket("parts");
    let upload = Upload::begin(&s3, "parts", "a/ü b");
    let first = body(1, PART);
    let one = etag(&upload.part(1, first.clone()).expect(200));
    host.kill();
    host.up();
    let upload = upload.at(&at(&host, &s3));
    let listed = upload.parts().expect(200).text();
    assert_eq!(element(&listed, "Size").as_deref(), Some("5242880"), "{listed}");
    let two = etag(&upload.part(2, "the end").expect(200));
    host.restart();
    let upload = upload.at(&at(&host, &s3));
    let parts = [(1, one), (2, two)];
    let answer = upload.complete(&parts).expect(200).text();
    host.kill();
    host.up();
    let upload = upload.at(&at(&host, &s3));
    let again = upload.complete(&parts).expect(200).text();
    assert_eq!(element(&again, "ETag"), element(&answer, "ETag"));
    assert_eq!(upload.complete(&parts[..1]).expect(400).s3_code(), "InvalidPart");
    assert_eq!(upload.abort().expect(404).s3_code(), "NoSuchUpload");
    let got = upload.object().expect(200);
    assert!(got.body == [&first[..], b"the end"].concat(), "the object is another");
    assert_eq!(got.header("etag").map(|tag| tag.replace('"', "&quot;")), element(&answer, "ETag"));
}

#[test]
fn an_object_of_parts_is_one_object_however_it_is_read_and_after_it_was_put_together() {
    let host = Host::start();
    let s3 = host.admin_user("reader");
    s3.make_bucket("parts");
    let upload = Upload::begin(&s3, "parts", "k");
    let (listed, whole) = three(&upload);
    upload.complete(&listed).expect(200);
    let read = || {
        assert!(upload.object().expect(200).body == whole, "the whole is another");
        for (first, last) in [(0, 0), (PART - 1, PART), (PART, 2 * PART + 1), (2 * PART, whole.len() - 1), (7, 7)] {
            let range = Request::new("GET", "/parts/k").header("Range", &format!("bytes={first}-{last}"));
            let got = s3.send(range).expect(206);
            assert!(got.body == whole[first..=last], "bytes {first} to {last} are others");
        }
    };
    read();
    // Upkeep makes one file of the parts and must change nothing that a reader sees; then the file has the object's own size.
    let file = host.path("data/parts/k");
    eventually("the parts are put together", || std::fs::metadata(&file).is_ok_and(|m| m.len() == whole.len() as u64));
    read();
    s3.send(Request::new("PUT", "/parts/copy").header("x-amz-copy-source", "/parts/k")).expect(200);
    assert!(s3.get("parts", "copy").expect(200).body == whole, "the copy is another");
}

#[test]
fn a_completion_does_not_need_its_client() {
    completed_without_client(Host::start());
}

/// The same, wherever the buckets lie.
pub(crate) fn completed_without_client(host: Host) {
    let s3 = host.admin_user("gone");
    s3.make_bucket("parts");
    for round in 0..8 {
        let upload = Upload::begin(&s3, "parts", &format!("k{round}"));
        let parts = [(1, etag(&upload.part(1, "content").expect(200)))];
        let request = s3.signer.sign(upload.complete_request(&parts), s3.addr).bytes(s3.addr);
        let mut stream = TcpStream::connect(s3.addr).expect("the server listens");
        stream.write_all(&request).expect("the server takes the request");
        let _ = stream.shutdown(Shutdown::Both);
        drop(stream);
        // Whether the server read the request before the connection went is not ours to say; that it is whole or not at all is.
        match upload.object().status {
            200 => {}
            404 => drop(upload.complete(&parts).expect(200)),
            other => panic!("the object answers {other}"),
        }
        assert_eq!(upload.object().expect(200).text(), "content");
    }
}

#[test]
fn a_part_that_breaks_off_is_none() {
    broken_part(Host::start());
}

/// The same, wherever the buckets lie.
pub(crate) fn broken_part(host: Host) {
    let s3 = host.admin_user("broken");
    s3.make_bucket("parts");
    let upload = Upload::begin(&s3, "parts", "k");
    let request = s3.signer.sign(upload.part_request(1).body(body(1, 100_000)), s3.addr).bytes(s3.addr);
    let mut stream = TcpStream::connect(s3.addr).expect("the server listens");
    stream.write_all(&request[..request.len() - 1]).expect("the server takes what comes");
    drop(stream);
    let listed = upload.parts().expect(200).text();
    assert_eq!(element(&listed, "PartNumber"), None, "{listed}");
    upload.part(1, "whole").expect(200);
}

#[test]
fn of_part_complete_and_abort_at_once_the_outcome_is_one_story() {
    one_story(Host::start());
}

/// The same, wherever the buckets lie.
pub(crate) fn one_story(host: Host) {
    let s3 = host.admin_user("racer");
    s3.make_bucket("race");
    let (mut completed, mut aborted) = (0, 0);
    for round in 0..40 {
        let upload = Upload::begin(&s3, "race", &format!("k{round}"));
        let parts = [(1, etag(&upload.part(1, "first").expect(200)))];
        let requests = [
            upload.complete_request(&parts),
            upload.abort_request(),
            upload.part_request(1).body("first"),
            upload.complete_request(&parts),
            upload.part_request(2).body("second"),
        ];
        let barrier = Barrier::new(requests.len());
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let client = |request: Request| {
                let (barrier, s3) = (&barrier, &s3);
                let request = s3.signer.sign(request, s3.addr);
                scope.spawn(move || {
                    barrier.wait();
                    request.send(s3.addr).status
                })
            };
            // All of them are begun before one is waited for.
            let clients: Vec<_> = requests.into_iter().map(client).collect();
            clients.into_iter().map(|client| client.join().expect("a client does not panic")).collect()
        });
        let object = upload.object();
        match statuses[1] {
            204 => {
                aborted += 1;
                assert_eq!((statuses[0], statuses[3], object.status), (404, 404, 404), "round {round}: {statuses:?}");
            }
            404 => {
                completed += 1;
                assert_eq!((statuses[0], statuses[3]), (200, 200), "round {round}: {statuses:?}");
                assert_eq!(object.expect(200).text(), "first", "round {round}");
            }
            other => panic!("round {round}: the abort answers {other}: {statuses:?}"),
        }
        assert!(statuses.iter().all(|status| matches!(status, 200 | 204 | 404)), "round {round}: {statuses:?}");
        assert_eq!(upload.parts().expect(404).s3_code(), "NoSuchUpload", "round {round}");
    }
    assert_eq!(completed + aborted, 40);
}

#[test]
fn of_sixteen_completions_that_want_a_free_key_one_wins() {
    one_completion_wins(Host::start());
}

/// The same, wherever the buckets lie.
pub(crate) fn one_completion_wins(host: Host) {
    const CROWD: usize = 16;
    let s3 = host.admin_user("racer");
    s3.make_bucket("race");
    for round in 0..10 {
        let key = format!("k{round}");
        let begin = |n: usize| {
            let upload = Upload::begin(&s3, "race", &key);
            let parts = [(1, etag(&upload.part(1, format!("writer {n:02}")).expect(200)))];
            s3.signer.sign(upload.complete_request(&parts).header("If-None-Match", "*"), s3.addr)
        };
        let requests: Vec<Request> = (0..CROWD).map(begin).collect();
        let barrier = Barrier::new(CROWD);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let client = |request: Request| {
                let (barrier, addr) = (&barrier, s3.addr);
                scope.spawn(move || {
                    barrier.wait();
                    request.send(addr).status
                })
            };
            let clients: Vec<_> = requests.into_iter().map(client).collect();
            clients.into_iter().map(|client| client.join().expect("a client does not panic")).collect()
        });
        let winner = statuses.iter().position(|status| *status == 200);
        assert_eq!(statuses.iter().filter(|status| **status == 412).count(), CROWD - 1, "round {round}: {statuses:?}");
        let content = s3.get("race", &key).expect(200).text();
        assert_eq!(Some(content), winner.map(|n| format!("writer {n:02}")), "round {round}");
    }
}

#[test]
fn sixty_four_uploads_at_once_are_taken_in_bounded_memory() {
    const CROWD: usize = 64;
    let host = Host::start();
    // As many users as it takes for none to have more than its share of the transfers.
    let users: Vec<S3> = (0..8).map(|n| host.admin_user(&format!("user{n}"))).collect();
    users[0].make_bucket("crowd");
    let barrier = Barrier::new(CROWD);
    std::thread::scope(|scope| {
        let client = |n: usize| {
            let (s3, barrier) = (&users[n % users.len()], &barrier);
            scope.spawn(move || {
                let upload = Upload::begin(s3, "crowd", &format!("k{n}"));
                barrier.wait();
                let (one, two) = (body(n, PART), body(n + 1, 1000 + n));
                let parts = [(1, patient(&upload, 1, &one)), (2, patient(&upload, 2, &two))];
                upload.complete(&parts).expect(200);
                assert!(upload.object().expect(200).body == [one, two].concat(), "object {n} is another");
            })
        };
        let clients: Vec<_> = (0..CROWD).map(client).collect();
        clients.into_iter().for_each(|client| client.join().expect("a client does not panic"));
    });
    let peak = host.peak_memory();
    assert!(peak < 300 << 20, "the peak was {} MiB", peak >> 20);
}

/// Sends a part until it is taken: a full server says when it is full.
fn patient(upload: &Upload, number: u32, body: &[u8]) -> String {
    loop {
        let reply = upload.part(number, body);
        if reply.status == 200 {
            return etag(&reply);
        }
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")), "{}", reply.text());
    }
}

#[test]
fn each_step_needs_its_own_right() {
    let host = Host::start();
    let root = host.admin_user("root");
    root.make_bucket("rights");
    let allow = |actions: &[&str], resource: &str| json!([{ "effect": "Allow", "actions": actions, "resources": [format!("arn:aws:s3:::{resource}")] }]);
    let writer = host.user("writer", allow(&["s3:PutObject"], "rights/w/*"));
    let upload = Upload::begin(&writer, "rights", "w/k");
    let parts = [(1, etag(&upload.part(1, "x").expect(200)))];
    for refused in [upload.parts(), upload.abort()] {
        assert_eq!(refused.expect(403).s3_code(), "AccessDenied");
    }
    assert_eq!(writer.send(Request::new("POST", "/rights/other?uploads")).expect(403).s3_code(), "AccessDenied");
    // A copy reads: what may be written only may not be copied from.
    root.put("rights", "w/source", "x").expect(200);
    let copy = upload.part_request(2).header("x-amz-copy-source", "/rights/w/source");
    assert_eq!(writer.send(copy).expect(403).s3_code(), "AccessDenied");
    let lister = host.user("lister", allow(&["s3:ListMultipartUploadParts"], "rights/*"));
    upload.at(&lister).parts().expect(200);
    assert_eq!(upload.at(&lister).part(1, "y").expect(403).s3_code(), "AccessDenied");
    let janitor = host.user("janitor", allow(&["s3:AbortMultipartUpload"], "rights/*"));
    let doomed = Upload::begin(&root, "rights", "w/doomed");
    doomed.at(&janitor).abort().expect(204);
    upload.complete(&parts).expect(200);
}

#[test]
fn a_list_of_uploads_shows_what_the_caller_may_see() {
    let host = Host::start();
    let root = host.admin_user("root");
    root.make_bucket("seen");
    for key in ["a/1", "mine/1", "mine/2", "z"] {
        Upload::begin(&root, "seen", key);
    }
    let rule = json!([
        { "effect": "Allow", "actions": ["s3:ListBucketMultipartUploads"], "resources": ["arn:aws:s3:::seen/mine/*"] },
    ]);
    let user = host.user("user", rule);
    let list = |query: &str| user.send(Request::new("GET", &format!("/seen?uploads{query}"))).text();
    let keys = |text: &str| -> Vec<String> {
        text.split("<Key>").skip(1).filter_map(|rest| Some(rest.split_once("</Key>")?.0.to_owned())).collect()
    };
    let all = list("");
    assert_eq!(keys(&all), ["mine/1", "mine/2"], "{all}");
    let page = list("&max-uploads=1");
    assert_eq!((keys(&page), element(&page, "IsTruncated").as_deref()), (vec!["mine/1".to_owned()], Some("true")));
    let id = element(&page, "NextUploadIdMarker").expect("a page that goes on has a marker");
    let next = list(&format!("&key-marker=mine%2F1&upload-id-marker={id}"));
    assert_eq!((keys(&next), element(&next, "IsTruncated").as_deref()), (vec!["mine/2".to_owned()], Some("false")));
    let rolled = list("&delimiter=%2F");
    assert!(rolled.contains("<Prefix>mine/</Prefix>") && !rolled.contains("a/"), "{rolled}");
    let none = host.user("none", json!([]));
    assert_eq!(none.send(Request::new("GET", "/seen?uploads")).expect(403).s3_code(), "AccessDenied");
}
