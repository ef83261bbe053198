//! Forms as browsers send them, whole, in pieces, cut and broken.

use super::*;

const BOUNDARY: &str = "--x'Y";

fn form(parts: &[&str]) -> Vec<u8> {
    let mut body = String::new();
    for part in parts {
        body.push_str(&format!("--{BOUNDARY}\r\n{part}\r\n"));
    }
    format!("{body}--{BOUNDARY}--\r\n").into_bytes()
}

fn field(name: &str, value: &str) -> String {
    format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}")
}

fn file(content: &str) -> String {
    format!(
        "Content-Disposition: form-data; name=\"file\"; filename=\"a b.txt\"\r\nContent-Type: text/plain\r\n\r\n{content}"
    )
}

/// What comes out where the body goes in by pieces of this length; the pieces of the file as one.
fn events(body: &[u8], step: usize) -> Result<(Vec<Event>, Vec<u8>), Broken> {
    let (mut parser, mut events, mut content) = (Parser::new(BOUNDARY), Vec::new(), Vec::new());
    for chunk in body.chunks(step) {
        parser.push(chunk);
        while let Some(event) = parser.poll()? {
            match event {
                Event::Piece(bytes) => content.extend_from_slice(&bytes),
                other => events.push(other),
            }
        }
    }
    Ok((events, content))
}

#[test]
fn fields_and_one_file_come_out_however_the_body_comes_in() {
    let content = format!("line\r\n--{}\r\n\r\r\n--", &BOUNDARY[..3]);
    let body = form(&[&field("key", "a/${filename}"), &field("empty", ""), &file(&content), &field("submit", "late")]);
    for step in [1, 2, 3, 7, 64, body.len()] {
        let (events, bytes) = events(&body, step).unwrap();
        let named = |name: &str, value: &str| Event::Field { name: name.into(), value: value.into() };
        let begun = Event::File { filename: Some("a b.txt".into()) };
        assert_eq!(events, [named("key", "a/${filename}"), named("empty", ""), begun, Event::Done], "{step}");
        assert_eq!(bytes, content.as_bytes(), "{step}");
    }
    let (events, bytes) = events(&form(&[&file("")]), 1).unwrap();
    assert_eq!((events.len(), bytes.len()), (2, 0));
}

#[test]
fn a_form_without_a_file_says_so_and_one_that_is_cut_is_never_done() {
    assert_eq!(events(&form(&[&field("key", "a")]), 5).unwrap().0.last(), Some(&Event::NoFile));
    let body = form(&[&field("key", "a"), &file("content")]);
    let end = body.len() - 4;
    for len in 0..end {
        assert!(!events(&body[..len], 3).unwrap().0.contains(&Event::Done), "{len}");
    }
    assert!(events(&body[..end + 2], 3).unwrap().0.contains(&Event::Done));
}

#[test]
fn what_is_no_form_is_refused() {
    let bad = [
        b"x".to_vec(),
        b"\r\n--other\r\n".to_vec(),
        form(&["no header\r\n\r\nv"]),
        form(&["Content-Type: a\r\n\r\nv"]),
        form(&["Content-Disposition: form-data\r\n\r\nv"]),
        form(&["Content-Disposition: attachment; name=\"a\"\r\n\r\nv"]),
        form(&["Content-Disposition: form-data; name=\"\"\r\n\r\nv"]),
        form(&["Content-Disposition: form-data; name=\"a\r\n\r\nv"]),
        form(&["Content-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\nv"]),
        form(&["Content-Disposition: form-data; name=\"a\" x\r\n\r\nv"]),
        form(&["Content-Disposition: form-data; name=\"a\"; filename*=utf-8''b\r\n\r\nv"]),
        form(&["Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\nv"]),
        [&b"--"[..], BOUNDARY.as_bytes(), b"x\r\n"].concat(),
        [&form(&[&file("a")])[..form(&[&file("a")]).len() - 4], b"xx"].concat(),
    ];
    for body in bad {
        assert_eq!(events(&body, 4), Err(Broken::Grammar), "{}", String::from_utf8_lossy(&body));
    }
    let base64 = form(&["Content-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64\r\n\r\nv"]);
    assert_eq!(events(&base64, 9), Err(Broken::Encoding));
}

#[test]
fn what_stands_before_the_file_is_bounded_and_the_file_is_not() {
    let long = "v".repeat(BEFORE_FILE);
    assert_eq!(events(&form(&[&field("a", &long)]), 1000), Err(Broken::TooMuch));
    assert_eq!(events(&form(&[&field("a", &long)]), 100_000), Err(Broken::TooMuch));
    let (_, content) =
        events(&form(&[&field("a", &long[..BEFORE_FILE - 500]), &file(&"f".repeat(50_000))]), 999).unwrap();
    assert_eq!(content.len(), 50_000);
}

#[test]
fn a_boundary_is_taken_from_the_type() {
    for (text, expected) in [
        ("multipart/form-data; boundary=abc", Some("abc")),
        ("Multipart/Form-Data;charset=utf-8; Boundary=\"a b\"", Some("a b")),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/form-data; boundary=a; boundary=b", None),
        ("multipart/form-data; boundary=\"a\\\"b\"", None),
        ("multipart/mixed; boundary=abc", None),
        ("application/x-www-form-urlencoded; boundary=abc", None),
    ] {
        assert_eq!(boundary(text).as_deref(), expected, "{text}");
    }
}
