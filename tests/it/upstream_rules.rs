//! Rules of ours where the buckets lie with another S3 server: tests of directories once more, on Garage or on moto.

use crate::support::client::Request;
use crate::support::server::{Host, S3, target};
use crate::support::signer::Signer;
use crate::support::storage_in;
use crate::support::upload::{Upload, etag};
use crate::{conditional, copy_and_batch, listing, multipart, objects, post, quota, tagging};
use actors::storage::testkit::peers::{self, Peer};
use serde_json::json;
use std::net::SocketAddr;

fn host(peer: &Peer) -> Host {
    let mut host = Host::prepare().config(&storage_in(peer));
    host.up();
    host
}

/// What writes to the peer past us.
fn past_us(peer: &Peer) -> S3 {
    let addr: SocketAddr = peer.url.trim_start_matches("http://").parse().expect("a peer listens on an address");
    S3 { addr, signer: Signer::new(&peer.access_key_id, &peer.secret_access_key) }
}

#[test]
fn sixteen_writers_never_go_over_a_quota_by_one_byte() {
    let peer = peers::moto();
    quota::never_over(&host(&peer), 16);
}

#[test]
fn what_is_replaced_removed_copied_and_uploaded_in_parts_counts_against_a_quota() {
    let peer = peers::moto();
    quota::everything_counts(host(&peer));
}

#[test]
fn a_bucket_with_a_quota_is_counted_after_a_kill() {
    let peer = peers::moto();
    quota::counted_after_a_kill(host(&peer), |_| {
        let others = past_us(&peer);
        others.put("small", "by-hand", "12345").expect(200);
        others.send(Request::new("DELETE", "/small/a")).expect(204);
    });
}

/// Every way to write is refused with the reason, and reading goes on.
#[track_caller]
fn takes_no_writes(s3: &S3, upload: &Upload, part: &str) {
    let copy = Request::new("PUT", "/photos/copy").header("x-amz-copy-source", "/photos/a");
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>2</Value></Tag></TagSet></Tagging>";
    let batch = "<Delete><Object><Key>a</Key></Object></Delete>";
    let writes = [
        Request::new("PUT", &target("photos", "b")).body("2"),
        Request::new("PUT", &target("photos", "b")).body(vec![0; 17 << 20]),
        copy,
        Request::new("DELETE", "/photos/a"),
        Request::new("PUT", "/photos/a?tagging").body(tags),
        Request::new("DELETE", "/photos/a?tagging"),
        Request::new("POST", "/photos/c?uploads"),
        upload.part_request(2).body("x"),
        upload.complete_request(&[(1, part.to_owned())]),
        upload.abort_request(),
    ];
    for write in writes {
        let what = format!("{} {}", write.method, write.target);
        let refused = s3.send(write);
        assert_eq!((refused.status, refused.s3_code().as_str()), (403, "AccessDenied"), "{what}: {}", refused.text());
        assert!(refused.text().contains("read-only"), "{what}: {}", refused.text());
    }
    let deleted = s3.send(Request::new("POST", "/photos?delete").body(batch)).expect(200).text();
    assert!(deleted.contains("<Code>AccessDenied</Code>"), "{deleted}");
    let read = s3.get("photos", "a").expect(200);
    assert_eq!((read.text().as_str(), read.header("x-amz-tagging-count")), ("1", Some("1")));
    let listed = s3.send(Request::new("GET", "/photos?list-type=2")).expect(200).text();
    assert_eq!(listed.matches("<Key>").count(), 1, "{listed}");
    upload.parts().expect(200);
}

#[test]
fn a_read_only_bucket_and_a_read_only_account_take_no_writes() {
    let peer = peers::moto();
    let host = host(&peer);
    let s3 = host.admin_user("ann");
    s3.make_bucket("photos");
    s3.send(Request::new("PUT", "/photos/a").header("x-amz-tagging", "a=1").body("1")).expect(200);
    let upload = Upload::begin(&s3, "photos", "up");
    let part = etag(&upload.part(1, "whole").expect(200));
    for path in ["buckets/photos", "backends/default"] {
        let set = |read_only: bool| {
            let request = Request::new("PUT", &format!("/_/api/admin/{path}"));
            host.admin(request.json(&json!({"read_only": read_only}))).expect(200);
        };
        set(true);
        takes_no_writes(&s3, &upload, &part);
        set(false);
        s3.put("photos", "b", "2").expect(200);
        s3.send(Request::new("DELETE", "/photos/b")).expect(204);
    }
    upload.complete(&[(1, part)]).expect(200);
    assert_eq!(upload.object().expect(200).text(), "whole");
}

#[test]
fn forms_of_browsers_are_stored() {
    let peer = peers::moto();
    post::forms(host(&peer));
}

#[test]
fn large_forms_stream() {
    let peer = peers::garage();
    post::large_forms(host(&peer));
}

#[test]
fn rules_follow_the_tags_of_objects() {
    let peer = peers::garage();
    tagging::rules_follow_tags(host(&peer));
}

#[test]
fn rules_follow_the_tags_of_requests() {
    let peer = peers::moto();
    tagging::rules_of_requests(host(&peer));
}

#[test]
fn who_copies_tags_needs_the_rights() {
    let peer = peers::garage();
    tagging::copied_tags(host(&peer));
}

#[test]
fn of_sixteen_creators_one_wins() {
    let peer = peers::garage();
    conditional::one_creator_wins(&host(&peer), 10);
}

#[test]
fn one_of_two_editors_wins() {
    let peer = peers::garage();
    conditional::one_editor_wins(host(&peer));
}

#[test]
fn of_sixteen_completions_one_wins() {
    let peer = peers::garage();
    multipart::one_completion_wins(host(&peer));
}

#[test]
fn of_part_complete_and_abort_the_outcome_is_one_story() {
    let peer = peers::garage();
    multipart::one_story(host(&peer));
}

#[test]
fn a_completion_goes_on_without_its_client() {
    let peer = peers::moto();
    multipart::completed_without_client(host(&peer));
}

#[test]
fn a_part_that_breaks_off_is_not_kept() {
    let peer = peers::garage();
    multipart::broken_part(host(&peer));
}

#[test]
fn files_of_the_console_are_those_of_the_account() {
    let peer = peers::garage();
    objects::files(host(&peer));
}

#[test]
fn batches_and_copies_need_their_rights() {
    let (one, two) = (peers::moto(), peers::moto());
    copy_and_batch::batch(host(&one));
    copy_and_batch::copies(host(&two));
}

#[test]
fn pages_are_what_the_oracle_says() {
    let peer = peers::garage();
    listing::agrees_with_the_oracle(&host(&peer), 25, 0x5EED_0007);
}
