//! What the server holds in memory: a piece of each body under way, never a body. The long forms are `tests/bench/memory` and the example
//! `bench-iam`.

use crate::support::archive::Archive;
use crate::support::client::{Reply, Request, read_reply};
use crate::support::server::{Host, S3};
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::Barrier;

const MIB: usize = 1 << 20;

/// The most memory that the server ever had resident, in bytes.
fn peak(host: &Host) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.pid())).expect("the server runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux tells the peak");
    let kib: usize = line.split_ascii_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("the peak is a number");
    kib * 1024
}

/// Sends a body that no side holds as a whole, and does something when half of it has been sent.
fn send_long(s3: &S3, target: &str, length: usize, half_way: impl FnOnce()) -> Reply {
    let request = Request::new("PUT", target)
        .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        .header("Content-Length", &length.to_string());
    let head = s3.signer.sign(request, s3.addr).bytes(s3.addr);
    let mut stream = TcpStream::connect(s3.addr).expect("the server listens");
    stream.write_all(&head).expect("the server takes a head");
    let chunk = [7; 64 * 1024];
    let half = |stream: &mut TcpStream| {
        for _ in 0..length / 2 / chunk.len() {
            stream.write_all(&chunk).expect("the server takes a body");
        }
    };
    half(&mut stream);
    half_way();
    half(&mut stream);
    read_reply(&mut BufReader::new(stream), false).expect("the server answers")
}

#[test]
fn a_long_object_goes_up_in_parts_and_down_in_ranges_without_being_held() {
    let host = Host::start();
    let s3 = host.admin_user("long");
    s3.make_bucket("long");
    let started = s3.send(Request::new("POST", "/long/object?uploads")).expect(200).text();
    let id = started.split_once("<UploadId>").and_then(|(_, rest)| rest.split_once("</UploadId>"));
    let id = id.expect("an upload has an id").0.to_owned();
    let mut list = String::new();
    for number in 1..=4 {
        let target = format!("/long/object?partNumber={number}&uploadId={id}");
        let part = send_long(&s3, &target, 96 * MIB, || ()).expect(200);
        let etag = part.header("etag").expect("a part has an ETag").to_owned();
        list += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    }
    let complete = Request::new("POST", &format!("/long/object?uploadId={id}"));
    s3.send(complete.body(format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>"))).expect(200);
    for start in (0..384 * MIB).step_by(32 * MIB) {
        let range = format!("bytes={start}-{}", start + 32 * MIB - 1);
        let part = s3.send(Request::new("GET", "/long/object").header("Range", &range)).expect(206);
        assert_eq!(part.body.len(), 32 * MIB);
        assert!(part.body.iter().all(|byte| *byte == 7));
    }
    assert!(peak(&host) < 200 * MIB, "{} MiB for an object of 384 MiB", peak(&host) / MIB);
}

#[test]
fn uploads_side_by_side_hold_a_piece_each() {
    let host = Host::start();
    let s3 = host.admin_user("many");
    s3.make_bucket("many");
    // All have sent half before any sends the rest: 512 MiB, if it were held.
    let all_half_way = Barrier::new(64);
    std::thread::scope(|scope| {
        for number in 0..64 {
            let (s3, barrier) = (&s3, &all_half_way);
            scope.spawn(move || {
                let target = format!("/many/{number}");
                send_long(s3, &target, 16 * MIB, || _ = barrier.wait()).expect(200);
            });
        }
    });
    assert!(peak(&host) < 300 * MIB, "{} MiB for 64 uploads of 16 MiB", peak(&host) / MIB);
}

/// White space that packs to a quarter: no bomb, and nothing that a reader has to keep.
fn blank(length: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b" \t\r "[(state >> 30) as usize]
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn an_archive_is_read_without_being_held() {
    let host = Host::start();
    let good = host.exported();
    let verify = |bytes: Vec<u8>| host.admin(Request::new("POST", "/_/api/admin/backup/verify").body(bytes));
    verify(good.zip()).expect(200);
    let before = peak(&host);
    // A body that is no archive at all, as long as one may be.
    let mut junk = vec![0; 200 * MIB];
    junk[..2].copy_from_slice(b"PK");
    assert_eq!(verify(junk).expect(400).json()["code"], "not_a_zip");
    // A part that is long, and whole.
    let mut long: Archive = good.clone();
    let mut iam = blank(64 * MIB);
    iam.extend_from_slice(good.entry("iam.json"));
    long.set("iam.json", iam);
    verify(long.reseal().zip()).expect(200);
    let grown = peak(&host).saturating_sub(before);
    assert!(grown < 40 * MIB, "{} MiB more for a body of 200 MiB and a part of 64 MiB", grown / MIB);
}
