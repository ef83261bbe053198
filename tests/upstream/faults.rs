//! An upstream that fails in every way that one can: what our client is told, and that nothing is acknowledged that is not there.

use super::keys;
use actors::domain::clock::Clock;
use actors::domain::listing::ListQuery;
use actors::domain::names::ObjectKey;
use actors::domain::secret::Secret;
use actors::storage::ObjectStore;
use actors::storage::s3::{Limits, S3Options, S3Store, own_connections};
use actors::storage::testkit::{bucket, delete, get, put};
use actors::{ErrorKind, Result};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the upstream does with a request.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Answers.
    Say(u16, &'static str, &'static str),
    /// Announces more than it sends, and closes.
    Break(u16, &'static str, usize, &'static str),
    /// Sends a piece of what it announces, and then nothing more.
    Stall(usize, &'static str),
    /// Sends a body in pieces of these lengths, one after the other.
    Pieces(&'static [usize]),
    /// Closes without a word.
    Hang,
    /// Says nothing, for ever.
    Silence,
}

use Act::{Break, Hang, Pieces, Say, Silence, Stall};

const BODY: &str = "0123456789";
pub(super) const OBJECT: &str = "ETag: \"e1\"\r\nLast-Modified: Sun, 22 Nov 2026 09:00:00 GMT\r\n";
const FIRST: &str = "ETag: \"e1\"\r\nLast-Modified: Sun, 22 Nov 2026 09:00:00 GMT\r\nContent-Range: bytes 0-5/10\r\n";
const REST: &str = "ETag: \"e1\"\r\nLast-Modified: Sun, 22 Nov 2026 09:00:00 GMT\r\nContent-Range: bytes 4-9/10\r\n";
pub(super) const EXPIRED: &str =
    "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
pub(super) const SLOW_DOWN: &str = "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>";
pub(super) const INTERNAL: &str =
    "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>";

/// Says what it is told to for requests of one method, the last of it again and again; everything else it takes.
pub(super) struct Faulty {
    pub(super) url: String,
    pub(super) asked: Arc<Mutex<Vec<String>>>,
}

/// What requests of a method meet, one after the other.
type Acts = Vec<(&'static str, Vec<Act>)>;

fn faulty(method: &'static str, acts: Vec<Act>) -> Faulty {
    faulty_in(vec![(method, acts)])
}

pub(super) fn faulty_in(acts: Acts) -> Faulty {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let counts: Arc<Vec<AtomicUsize>> = Arc::new(acts.iter().map(|_| AtomicUsize::new(0)).collect());
    let seen = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (acts, seen, counts) = (acts.clone(), Arc::clone(&seen), Arc::clone(&counts));
            std::thread::spawn(move || serve(stream, &acts, &seen, &counts));
        }
    });
    Faulty { url, asked }
}

fn serve(stream: TcpStream, acts: &Acts, seen: &Mutex<Vec<String>>, counts: &[AtomicUsize]) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        reader.read_exact(&mut vec![0; length]).ok()?;
        let own = head.contains(" /tk-faults/.dg/") || head.contains(" /tk-faults/ ");
        let path = head.split_once(" HTTP").map(|(path, _)| path.to_owned()).unwrap_or_default();
        let known = seen.lock().unwrap().iter().any(|head| head.starts_with(&path));
        seen.lock().unwrap().push(head.clone());
        let at = acts.iter().position(|(method, _)| head.starts_with(method) && !own);
        let act = match at {
            Some(at) => {
                let acts = &acts[at].1;
                acts[counts[at].fetch_add(1, Ordering::SeqCst).min(acts.len() - 1)].clone()
            }
            // It honours the conditions of writes, when that is tried.
            None if head.contains("if-match: \"000")
                || (head.contains("if-none-match") && (known || head.starts_with("POST"))) =>
            {
                Say(412, "", "")
            }
            None if head.contains("?uploads") => Say(200, "", "<UploadId>u</UploadId>"),
            None => Say(200, "", ""),
        };
        answer(&stream, act, head.starts_with("HEAD"))?;
    }
}

fn answer(mut stream: &TcpStream, act: Act, bare: bool) -> Option<()> {
    let head = |status: u16, headers: &str, length: usize| {
        format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n")
    };
    match act {
        Say(status, headers, body) => {
            let body = if bare { "" } else { body };
            stream.write_all(format!("{}{body}", head(status, headers, body.len())).as_bytes()).ok()
        }
        Break(status, headers, length, body) => {
            stream.write_all(format!("{}{body}", head(status, headers, length)).as_bytes()).ok()?;
            stream.shutdown(std::net::Shutdown::Both).ok()?;
            None
        }
        Stall(length, body) => {
            stream.write_all(format!("{}{body}", head(200, OBJECT, length)).as_bytes()).ok()?;
            std::thread::sleep(Duration::from_secs(600));
            None
        }
        Pieces(lengths) => {
            let body = counted(lengths.iter().sum());
            stream.write_all(head(200, OBJECT, body.len()).as_bytes()).ok()?;
            let mut rest = body.as_slice();
            for length in lengths {
                stream.write_all(rest.split_off(..*length)?).ok()?;
                std::thread::sleep(Duration::from_millis(3));
            }
            Some(())
        }
        Hang => {
            stream.shutdown(std::net::Shutdown::Both).ok()?;
            None
        }
        Silence => {
            std::thread::sleep(Duration::from_secs(600));
            None
        }
    }
}

pub(super) fn open(url: &str) -> (S3Store, Arc<dyn ObjectStore>) {
    let options = S3Options {
        name: "cold".to_owned(),
        url: url.to_owned(),
        region: "us-east-1".to_owned(),
        access_key_id: "key".to_owned(),
        secret_access_key: Secret::new("secret"),
        expected_id: None,
        new_id: "backend-1".to_owned(),
        routed: Vec::new(),
        adopt: false,
        instance: "instance-1".to_owned(),
        clock: Clock::system(),
        mac: keys("a"),
        limits: Limits {
            // Long for who answers, also on a busy machine; short enough to wait for who does not.
            connect: Duration::from_secs(5),
            head: Duration::from_secs(3),
            idle: Duration::from_secs(2),
            tries: 3,
            pause: Duration::from_millis(4),
        },
        held: false,
    };
    let store = S3Store::open(options).unwrap();
    (store.clone(), Arc::new(store))
}

/// What a reader gets: the bytes, or the kind of the error, which must name the backend where it is the upstream's fault.
async fn read(acts: Vec<Act>) -> Result<Vec<u8>, ErrorKind> {
    let upstream = faulty("GET", acts);
    let outcome = get(&open(&upstream.url).1, &bucket("tk-faults").unwrap(), "k").await;
    outcome.map_err(|error| {
        assert!(error.kind() != ErrorKind::Unavailable || error.message().contains("`cold`"), "{error:?}");
        error.kind()
    })
}

#[tokio::test]
async fn a_reader_gets_every_byte_or_an_error() {
    readers_get_every_byte_or_an_error().await;
    own_connections();
    readers_get_every_byte_or_an_error().await;
}

async fn readers_get_every_byte_or_an_error() {
    let whole = || Say(200, OBJECT, BODY);
    for (acts, expected) in [
        (vec![whole()], true),
        (vec![Hang, whole()], true),
        (vec![Say(500, "", INTERNAL), Say(503, "", SLOW_DOWN), whole()], true),
        // Taken up again where it broke off.
        (vec![Break(200, OBJECT, 10, "0123"), Say(206, REST, "456789")], true),
        (vec![Stall(10, "0123"), Say(206, REST, "456789")], true),
        // It goes on with other bytes than those that are asked for.
        (vec![Break(200, OBJECT, 10, "0123"), Say(206, FIRST, "012345")], false),
        (vec![Break(200, OBJECT, 10, "0123"), Say(200, OBJECT, BODY)], false),
        // Another object is there by now.
        (vec![Break(200, OBJECT, 10, "0123"), Say(412, "", "")], false),
        (vec![Break(200, OBJECT, 10, "0123"), Hang], false),
        (vec![Stall(10, "0123"), Silence], false),
        (vec![Hang], false),
        (vec![Silence], false),
        (vec![Say(500, "", INTERNAL)], false),
        (vec![Say(503, "", SLOW_DOWN)], false),
        (vec![Say(403, "", EXPIRED)], false),
        (vec![Say(400, "", EXPIRED)], false),
        (vec![Say(301, "Location: http://127.0.0.1:1/\r\n", "")], false),
    ] {
        let outcome = read(acts.clone()).await;
        let wanted = if expected { Ok(BODY.as_bytes().to_vec()) } else { Err(ErrorKind::Unavailable) };
        assert_eq!(outcome, wanted, "{acts:?}");
    }
    assert_eq!(read(vec![Say(404, "", "<Error><Code>NoSuchKey</Code></Error>")]).await, Err(ErrorKind::NoSuchKey));
    let non_ascii = Say(200, "ETag: \"e1\"\r\nx-amz-meta-a: caf\u{e9}\r\n", BODY);
    assert_eq!(read(vec![non_ascii]).await, Ok(BODY.as_bytes().to_vec()));
}

/// Bytes of which no two neighbours are in each other's place unnoticed.
fn counted(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

#[tokio::test]
async fn however_a_body_comes_in_pieces_it_is_the_same() {
    own_connections();
    for lengths in [
        [1, 70_000, 53, 53, 70_000, 1].as_slice(),
        &[70_000, 9_000, 9_000, 9_000, 100_000],
        &[20_000, 16_384, 16_383, 16_383],
        &[5, 5, 5],
        &[1],
    ] {
        let whole = counted(lengths.iter().sum());
        assert!(read(vec![Pieces(lengths)]).await == Ok(whole), "{lengths:?}");
    }
}

#[tokio::test]
async fn a_write_is_acknowledged_only_if_the_object_is_there() -> Result<()> {
    writes_are_acknowledged_only_if_the_object_is_there().await?;
    own_connections();
    writes_are_acknowledged_only_if_the_object_is_there().await
}

async fn writes_are_acknowledged_only_if_the_object_is_there() -> Result<()> {
    let name = bucket("tk-faults")?;
    for act in [Hang, Silence, Say(500, "", INTERNAL), Say(503, "", SLOW_DOWN), Say(403, "", EXPIRED)] {
        let upstream = faulty("PUT", vec![act.clone()]);
        let outcome = put(&open(&upstream.url).1, &name, "k", b"body").await;
        assert_eq!(outcome.map_err(|e| e.kind()), Err(ErrorKind::Unavailable), "{act:?}");
    }
    // It says yes, and shows an object that is not the one that was sent.
    let upstream = faulty("HEAD", vec![Say(200, OBJECT, "")]);
    let outcome = put(&open(&upstream.url).1, &name, "k", b"body").await;
    assert_eq!(outcome.map_err(|e| e.kind()), Err(ErrorKind::Unavailable));
    let upstream = faulty("PUT", vec![Say(507, "", "<Error><Code>InsufficientStorage</Code></Error>")]);
    let outcome = put(&open(&upstream.url).1, &name, "k", b"body").await;
    assert_eq!(outcome.map_err(|e| e.kind()), Err(ErrorKind::DiskFull));
    let upstream = faulty("DELETE", vec![Hang, Say(500, "", INTERNAL), Say(204, "", "")]);
    delete(&open(&upstream.url).1, &name, "k").await?;
    assert_eq!(upstream.asked.lock().unwrap().len(), 3);
    Ok(())
}

#[tokio::test]
async fn an_error_under_a_200_is_an_error() -> Result<()> {
    let name = bucket("tk-faults")?;
    for body in [INTERNAL, "", "<ListBucketResult><Name>tk"] {
        let upstream = faulty("GET", vec![Say(200, "", body)]);
        let query = ListQuery { max_keys: 10, ..ListQuery::default() };
        let outcome = open(&upstream.url).1.list(&name, query).await;
        assert_eq!(outcome.map_err(|e| e.kind()), Err(ErrorKind::Unavailable), "{body}");
    }
    let upstream = faulty("POST", vec![Say(200, "", INTERNAL)]);
    let upload = actors::storage::testkit::multipart::begin(&open(&upstream.url).1, "tk-faults", "k").await;
    assert_eq!(upload.map(drop).map_err(|e| e.kind()), Err(ErrorKind::Unavailable));
    Ok(())
}

#[tokio::test]
async fn a_dead_upstream_is_asked_no_more_than_now_and_then() -> Result<()> {
    let (name, free) = (bucket("tk-faults")?, TcpListener::bind("127.0.0.1:0").unwrap());
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let (store, dyn_store) = open(&url);
    for _ in 0..20 {
        let refused = get(&dyn_store, &name, "k").await.expect_err("nobody is there");
        assert!(refused.kind() == ErrorKind::Unavailable && refused.message().contains("`cold`"), "{refused:?}");
    }
    assert!(store.is_shut());
    // When it is back, so is the backend.
    let upstream = faulty("GET", vec![Say(200, OBJECT, BODY)]);
    assert_eq!(get(&open(&upstream.url).1, &name, "k").await?, BODY.as_bytes());
    assert!(store.head(&name, &ObjectKey::new("k")?).await.is_err());
    Ok(())
}
