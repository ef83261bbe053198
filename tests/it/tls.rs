//! https: served, renewed while it runs, refused at start where it cannot be.

use crate::support::client::Request;
use crate::support::eventually;
use crate::support::server::{Host, S3, target};
use crate::support::signer::Signer;
use crate::support::tls::{Connection, Pair, trust};
use std::io::Write;

fn https() -> Host {
    let mut host = Host::prepare().tls(&[]);
    host.up();
    host
}

#[test]
fn https_serves_s3_and_the_admin_api_in_http_1_1() {
    let host = https();
    host.logged("listening on https://127.0.0.1:");
    let login = host.login(crate::support::server::PASSWORD).expect(200);
    assert!(login.header("set-cookie").is_some_and(|cookie| cookie.contains("; Secure")), "{login:?}");
    let s3 = host.admin_user("keeper");
    s3.make_bucket("kept");
    let body = vec![7; 3 << 20];
    s3.put("kept", "large", body.clone()).expect(200);
    assert!(s3.get("kept", "large").expect(200).body == body);
    let Ok(Connection::Tls(stream)) = Connection::open(host.addr()) else { panic!("no TLS") };
    assert_eq!(stream.ssl().selected_alpn_protocol(), Some(b"http/1.1".as_slice()));
    assert!(["TLSv1.2", "TLSv1.3"].contains(&stream.ssl().version_str()));
}

#[test]
fn bodies_that_are_not_signed_are_taken_over_https() {
    let host = https();
    let s3 = host.admin_user("keeper");
    s3.make_bucket("kept");
    let unsigned = Request::new("PUT", &target("kept", "plain")).header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    s3.send(unsigned.body("as it is")).expect(200);
    assert_eq!(s3.get("kept", "plain").expect(200).text(), "as it is");
    let chunked = Request::new("PUT", &target("kept", "chunked"))
        .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        .header("Content-Encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", "9")
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .body("9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n");
    s3.send(chunked).expect(200);
    assert_eq!(s3.get("kept", "chunked").expect(200).text(), "123456789");
}

#[test]
fn a_new_pair_is_taken_in_while_it_runs_and_a_bad_one_is_not() {
    let host = https();
    let health = || Request::new("GET", "/_/health").send(host.addr()).expect(200).json()["notices"].to_string();
    assert_eq!(health(), "[]");
    let mut kept = Connection::open(host.addr()).expect("the first certificate is shown");
    Pair::new(&[])
        .key
        .private_key_to_pem_pkcs8()
        .map(|key| std::fs::write(host.path("tls.key"), key))
        .unwrap()
        .unwrap();
    eventually("a mismatch is a notice", || health().contains("the old one stays in force"));
    host.logged("the new certificate is not taken");
    let second = Pair::new(&[]);
    second.write(&host.path(""));
    eventually("the second certificate is shown", || {
        trust(host.addr(), &second.certificate);
        Connection::open(host.addr()).is_ok()
    });
    assert_eq!(health(), "[]");
    kept.write_all(b"GET /_/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("it is still open");
    let reply = crate::support::client::read_reply(&mut std::io::BufReader::new(kept), false);
    assert_eq!(reply.expect("an open connection keeps its certificate").status, 200);
}

#[test]
fn a_pair_that_does_not_fit_refuses_to_start_and_says_why() {
    for (file, said) in [("tls.key", "is not the key of"), ("tls.crt", "holds no certificate")] {
        let mut host = Host::prepare().tls(&[]);
        let other = Pair::new(&[]).key.private_key_to_pem_pkcs8().expect("a key has a PEM form");
        std::fs::write(host.path(file), other).expect("the file can be written");
        let ended = host.try_up().expect_err("it does not start");
        assert!(!ended.status.success() && ended.log.contains(said), "{}", ended.log);
    }
    let mut host = Host::prepare().env("DGP_TLS_CERT", "/etc/hostname");
    let ended = host.try_up().expect_err("half a pair does not start");
    assert!(ended.log.contains("advanced.tls.key_path"), "{}", ended.log);
}

#[test]
fn it_stops_in_order_and_starts_again_over_https() {
    let mut host = https();
    let s3 = host.admin_user("keeper");
    s3.make_bucket("kept");
    s3.put("kept", "a", "content").expect(200);
    let idle = Connection::open(host.addr()).expect("the server takes connections");
    assert_eq!(host.stop().code(), Some(0));
    drop(idle);
    host.up();
    let Signer { key_id, secret, .. } = s3.signer;
    let s3 = S3 { addr: host.addr(), signer: Signer::new(&key_id, &secret) };
    assert_eq!(s3.get("kept", "a").expect(200).text(), "content");
}

#[test]
fn without_files_it_makes_a_pair_of_its_own_and_says_so() {
    let mut host = Host::prepare().env("DGP_TLS_ENABLED", "true");
    host.up();
    host.logged("listening on https://");
    host.logged("self-made");
    let mut off = Host::prepare().tls(&[]).env("DGP_TLS_ENABLED", "false");
    off.up();
    off.logged("listening on http://");
}
