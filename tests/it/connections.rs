//! The connection itself: `Expect`, what is no request, and peers that stall.

use crate::support::client::{Reply, Request, exchange, read_reply};
use crate::support::eventually;
use crate::support::server::{Host, S3, target};
use crate::support::tls::Connection;
use std::io::{BufRead, BufReader, Read, Write};

fn host_with_bucket(host: Host) -> (Host, S3) {
    let mut host = host;
    host.up();
    let s3 = host.admin_user("owner");
    s3.make_bucket("docs");
    (host, s3)
}

/// The head of a request as it goes over the wire.
fn head(request: &Request) -> String {
    let headers: String = request.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{} {} HTTP/1.1\r\n{headers}\r\n", request.method, request.target)
}

fn status_line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).expect("the server answers");
    line
}

#[test]
fn a_body_is_asked_for_only_when_it_may_come() {
    for host in [Host::prepare(), Host::prepare().tls(&[])] {
        let (host, s3) = host_with_bucket(host);
        let put = Request::new("PUT", &target("docs", "k")).header("Expect", "100-continue").body("hello");
        let signed = s3.signer.sign(put.header("Content-Length", "5"), host.addr());
        let mut allowed = BufReader::new(Connection::open(host.addr()).expect("it connects"));
        allowed.get_mut().write_all(head(&signed).as_bytes()).expect("the head is sent");
        assert_eq!(status_line(&mut allowed), "HTTP/1.1 100 Continue\r\n");
        assert_eq!(status_line(&mut allowed), "\r\n");
        allowed.get_mut().write_all(b"hello").expect("the body is sent");
        assert_eq!(read_reply(&mut allowed, false).expect("an answer").status, 200);
        // The connection goes on, and the next request on it is refused before its body.
        let nobody = head(&Request { headers: vec![], ..signed.clone() })
            .replace("\r\n\r\n", "\r\nHost: h\r\nContent-Length: 5000000000\r\nExpect: 100-continue\r\n\r\n");
        allowed.get_mut().write_all(nobody.as_bytes()).expect("the head is sent");
        let mut rest = String::new();
        allowed.read_to_string(&mut rest).expect("the server answers and closes");
        assert!(rest.starts_with("HTTP/1.1 403 ") && !rest.contains(" 100 Continue"), "{rest}");
        assert!(rest.contains("<Code>AccessDenied</Code>") && rest.contains("x-amz-request-id: "), "{rest}");
        assert_eq!(s3.get("docs", "k").expect(200).text(), "hello");
    }
}

fn says(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status, reply.s3_code().as_str()), (status, code), "{reply:?}");
    for header in ["x-amz-request-id", "x-amz-id-2", "date"] {
        assert!(reply.header(header).is_some(), "{header} in {reply:?}");
    }
    assert_eq!(reply.header("content-type"), Some("application/xml"));
    assert!(reply.header("server").is_none());
}

#[test]
fn what_is_no_request_gets_a_document_too() {
    for host in [Host::prepare(), Host::prepare().tls(&[])] {
        let (host, s3) = host_with_bucket(host);
        let long = format!("GET / HTTP/1.1\r\nHost: h\r\nx-long: {}\r\n\r\n", "y".repeat(40_000));
        let many: String = (0..120).map(|n| format!("x-{n}: y\r\n")).collect();
        for (sent, status, code) in [
            ("nonsense\r\n\r\n", 400, "BadRequest"),
            ("G@T / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "BadRequest"),
            ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 400, "BadRequest"),
            ("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400, "BadRequest"),
            ("GET / HTTP/1.1\r\nHost: h\r\nna me: x\r\n\r\n", 400, "BadRequest"),
            ("GET / HTTP/1.1\r\n\r\n", 400, "InvalidHostHeader"),
            ("PUT /docs/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "NotImplemented"),
            (
                "PUT /docs/k HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                400,
                "InvalidRequest",
            ),
            ("PUT /docs/k HTTP/1.1\r\nHost: h\r\nContent-Length: many\r\n\r\n", 400, "InvalidRequest"),
            (&long, 400, "RequestHeaderSectionTooLarge"),
            (&format!("GET / HTTP/1.1\r\nHost: h\r\n{many}\r\n"), 400, "RequestHeaderSectionTooLarge"),
        ] {
            let reply = exchange(host.addr(), sent.as_bytes(), false).expect("an answer");
            says(&reply, status, code);
            assert_eq!(reply.header("connection"), Some("close"));
        }
        // Behind a good request, in the same packet: both are answered, in order.
        let get = s3.signer.sign(Request::new("GET", "/docs"), host.addr());
        let mut both = BufReader::new(Connection::open(host.addr()).expect("it connects"));
        both.get_mut().write_all(format!("{}rubbish\r\n\r\n", head(&get)).as_bytes()).expect("both are sent");
        assert_eq!(read_reply(&mut both, false).expect("the first answer").status, 200);
        says(&read_reply(&mut both, false).expect("the second answer"), 400, "BadRequest");
        assert_eq!(both.read(&mut [0]).unwrap_or_default(), 0, "the connection is closed");
    }
}

#[test]
fn a_refused_request_leaves_the_connection_usable() {
    let (host, s3) = host_with_bucket(Host::prepare());
    let mut connection = BufReader::new(Connection::open(host.addr()).expect("it connects"));
    let body = "x".repeat(100_000);
    for _ in 0..3 {
        let refused = format!("PUT /docs/k HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        connection.get_mut().write_all(refused.as_bytes()).expect("it is sent");
        says(&read_reply(&mut connection, false).expect("an answer"), 403, "AccessDenied");
        let get = s3.signer.sign(Request::new("GET", "/docs/none"), host.addr());
        connection.get_mut().write_all(head(&get).as_bytes()).expect("it is sent");
        says(&read_reply(&mut connection, false).expect("an answer"), 404, "NoSuchKey");
    }
}

#[test]
fn a_thousand_stalled_readers_stop_nobody_else() {
    let (host, s3) = host_with_bucket(Host::prepare().env("DGP_ADVANCED__IDLE_TIMEOUT", "6s"));
    s3.put("docs", "large", vec![1; 64 << 20]).expect(200);
    s3.put("docs", "small", vec![2; 1 << 20]).expect(200);
    let get = head(&s3.signer.sign(Request::new("GET", &target("docs", "large")), host.addr()));
    let stalled: Vec<Connection> = (0..1000)
        .map(|_| {
            let mut connection = Connection::open(host.addr()).expect("the server takes 1,000 connections");
            connection.write_all(get.as_bytes()).expect("it is sent");
            connection
        })
        .collect();
    let other = host.admin_user("other");
    assert!(other.get("docs", "small").expect(200).body == vec![2; 1 << 20]);
    assert!(host.peak_memory() < 512 << 20, "{} bytes", host.peak_memory());
    // The same user reads, too: those who take nothing give way.
    eventually("the same user reads again", || s3.try_get("docs", "small").is_ok_and(|reply| reply.status == 200));
    host.logged("gives way to another");
    let permits = || Request::new("GET", "/_/metrics").send(host.addr()).expect(200).text();
    eventually("all permits are back", || permits().contains("dgp_permits_in_use{backend=\"default\"} 0\n"));
    drop(stalled);
}
