//! Quotas: never a byte over, whoever races; what goes gives its bytes back; what is not known is counted first.

use crate::bucket_api::usage;
use crate::support::client::{Reply, Request};
use crate::support::server::{Host, S3};
use serde_json::json;

/// Sets a bucket's quota, and waits until it is counted.
#[track_caller]
fn quota(host: &Host, bucket: &str, bytes: u64) {
    let request = Request::new("PUT", &format!("/_/api/admin/buckets/{bucket}"));
    host.admin(request.json(&json!({"quota_bytes": bytes}))).expect(200);
    // What is not counted yet takes no write under a quota.
    usage(host, bucket);
}

#[track_caller]
fn full(reply: Reply) {
    assert_eq!((reply.status, reply.s3_code().as_str()), (403, "QuotaExceeded"), "{}", reply.text());
}

/// The bytes that lie in a bucket, as its listing says.
fn listed(s3: &S3, bucket: &str) -> u64 {
    let page = s3.send(Request::new("GET", &format!("/{bucket}?list-type=2"))).expect(200).text();
    let sizes = page.split("<Size>").skip(1).filter_map(|rest| rest.split('<').next());
    sizes.map(|size| size.parse::<u64>().expect("sizes are numbers")).sum()
}

#[test]
fn sixty_four_writers_never_go_over_by_one_byte() {
    never_over(&Host::start(), 64);
}

/// So many writers at once, wherever the buckets lie.
pub(crate) fn never_over(host: &Host, writers: usize) {
    let s3 = host.admin_user("ann");
    s3.make_bucket("small");
    quota(host, "small", 1000);
    let stored = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..writers)
            .map(|n| {
                let s3 = &s3;
                scope.spawn(move || {
                    // Some race for one key: what they replace goes.
                    let key = if n % 4 == 0 { "shared".to_owned() } else { format!("own-{n}") };
                    let reply = s3.put("small", &key, vec![b'x'; 1920 / writers + n % 7]);
                    assert!(matches!(reply.status, 200 | 403 | 503), "{}", reply.text());
                    reply.status == 200
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).filter(|stored| *stored).count()
    });
    let there = listed(&s3, "small");
    assert!(there <= 1000 && stored * 3 >= writers, "{there} bytes in {stored} writes");
    assert_eq!(usage(host, "small").1, there);
    full(s3.put("small", "rest", vec![0; usize::try_from(1001 - there).unwrap()]));
    s3.put("small", "rest", vec![0; usize::try_from(1000 - there).unwrap()]).expect(200);
    full(s3.put("small", "more", "x"));
    assert_eq!(listed(&s3, "small"), 1000);
}

#[test]
fn what_is_replaced_removed_copied_and_uploaded_in_parts_counts() {
    everything_counts(Host::start());
}

/// The same, wherever the buckets lie.
pub(crate) fn everything_counts(host: Host) {
    let s3 = host.admin_user("ann");
    s3.make_bucket("small");
    quota(&host, "small", 100);
    s3.put("small", "a", vec![1; 60]).expect(200);
    full(s3.put("small", "b", vec![1; 41]));
    s3.put("small", "a", vec![2; 100]).expect(200);
    full(s3.put("small", "a", vec![2; 101]));
    s3.put("small", "a", vec![3; 50]).expect(200);
    s3.send(Request::new("PUT", "/small/c").header("x-amz-copy-source", "/small/a")).expect(200);
    full(s3.put("small", "d", "1"));
    full(s3.send(Request::new("PUT", "/small/d").header("x-amz-copy-source", "/small/a")));
    s3.send(Request::new("DELETE", "/small/c")).expect(204);
    let begun = s3.send(Request::new("POST", "/small/up?uploads")).expect(200).text();
    let id = begun.split("<UploadId>").nth(1).and_then(|rest| rest.split('<').next()).unwrap().to_owned();
    let part = |number: u32, bytes: usize| {
        s3.send(Request::new("PUT", &format!("/small/up?partNumber={number}&uploadId={id}")).body(vec![7; bytes]))
    };
    let etag = part(1, 40).expect(200).header("etag").unwrap().to_owned();
    full(part(2, 11));
    part(2, 10).expect(200);
    assert_eq!(usage(&host, "small"), (1, 50, 50));
    full(s3.put("small", "e", "1"));
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let complete = || s3.send(Request::new("POST", &format!("/small/up?uploadId={id}")).body(body.clone()));
    complete().expect(200);
    assert_eq!(usage(&host, "small"), (2, 90, 0));
    complete().expect(200);
    assert_eq!(usage(&host, "small"), (2, 90, 0), "the same answer again changes nothing");
    let begun = s3.send(Request::new("POST", "/small/gone?uploads")).expect(200).text();
    let id = begun.split("<UploadId>").nth(1).and_then(|rest| rest.split('<').next()).unwrap().to_owned();
    s3.send(Request::new("PUT", &format!("/small/gone?partNumber=1&uploadId={id}")).body(vec![7; 10])).expect(200);
    full(s3.put("small", "e", "1"));
    s3.send(Request::new("DELETE", &format!("/small/gone?uploadId={id}"))).expect(204);
    s3.put("small", "e", vec![0; 10]).expect(200);
    quota(&host, "small", 0);
    full(s3.put("small", "e", ""));
    s3.send(Request::new("DELETE", "/small/e")).expect(204);
}

#[test]
fn what_a_bucket_holds_is_known_after_a_stop_and_counted_after_a_kill() {
    counted_after_a_kill(Host::start(), |host| {
        std::fs::write(host.path("data/small/by-hand"), "12345").unwrap();
        std::fs::remove_file(host.path("data/small/a")).unwrap();
    });
}

/// The same, wherever the buckets lie; `by_hand` stores five bytes as `by-hand` there, and removes `a`.
pub(crate) fn counted_after_a_kill(mut host: Host, by_hand: impl FnOnce(&Host)) {
    let s3 = host.admin_user("ann");
    s3.make_bucket("small");
    quota(&host, "small", 100);
    s3.put("small", "a", vec![1; 60]).expect(200);
    host.restart();
    let s3 = S3 { addr: host.addr(), ..s3 };
    assert_eq!(usage(&host, "small"), (1, 60, 0));
    s3.put("small", "b", vec![1; 40]).expect(200);
    host.kill();
    // What came while nobody looked is found as well.
    by_hand(&host);
    host.up();
    let s3 = S3 { addr: host.addr(), ..s3 };
    let reply = s3.put("small", "c", vec![1; 56]);
    assert!(matches!(reply.status, 403 | 503), "{}", reply.text());
    assert_eq!(usage(&host, "small"), (2, 45, 0));
    full(s3.put("small", "c", vec![1; 56]));
    s3.put("small", "c", vec![1; 55]).expect(200);
    let metrics = Request::new("GET", "/_/metrics").send(host.addr()).expect(200).text();
    assert!(metrics.contains("dgp_quota_used_bytes{bucket=\"small\"} 100"), "{metrics}");
}
