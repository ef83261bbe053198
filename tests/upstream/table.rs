//! Each operation under each fault of an upstream: a moto behind a way that spoils the one request that matters.
//!
//! Long bodies are in `long.rs`. What is acknowledged is there, what is refused names the backend, and when the fault is over the same request succeeds.

use super::{options, store};
use actors::domain::clock::Clock;
use actors::domain::listing::ListQuery;
use actors::domain::names::{BucketName, ObjectKey};
use actors::domain::tags::Tags;
use actors::storage::ObjectStore;
use actors::storage::multipart::{CompletedPart, UploadRef};
use actors::storage::s3::{Limits, S3Options, S3Store, own_connections};
use actors::storage::testkit::multipart::{begin, complete, keep};
use actors::storage::testkit::peers::{self, Peer};
use actors::storage::testkit::{bucket, delete, get, put};
use actors::{ErrorKind, Result};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How the way spoils a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The connection closes before anything of it arrives.
    Refused,
    /// It arrives and is done, and the answer is lost.
    AnswerLost,
    /// Nothing is ever said.
    Stall,
    /// An error with this status instead of the request.
    Says(u16, &'static str),
    /// It is done, and an error is said.
    DoneAndSays500,
    /// An error under a 200 that was sent before it was known.
    ErrorUnder200,
    /// The second half of the answer never comes.
    Truncated,
    /// The answer announces more than it has.
    WrongLength,
    /// The answer comes in small pieces.
    Slow,
}

const FAULTS: [Fault; 12] = [
    Fault::Refused,
    Fault::AnswerLost,
    Fault::Stall,
    Fault::Says(500, "InternalError"),
    Fault::Says(503, "SlowDown"),
    Fault::Says(403, "ExpiredToken"),
    Fault::Says(400, "ExpiredToken"),
    Fault::DoneAndSays500,
    Fault::ErrorUnder200,
    Fault::Truncated,
    Fault::WrongLength,
    Fault::Slow,
];

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Put,
    Get,
    Head,
    List,
    Delete,
    Tag,
    Begin,
    Part,
    Complete,
    Abort,
}

const OPERATIONS: [Operation; 10] = [
    Operation::Put,
    Operation::Get,
    Operation::Head,
    Operation::List,
    Operation::Delete,
    Operation::Tag,
    Operation::Begin,
    Operation::Part,
    Operation::Complete,
    Operation::Abort,
];

impl Operation {
    /// The beginning of the request that matters, at the upstream.
    fn request(self) -> &'static str {
        match self {
            Self::Put | Self::Tag => "PUT /table/k HTTP",
            Self::Get => "GET /table/k HTTP",
            Self::Head => "HEAD /table/k HTTP",
            Self::List => "GET /table?",
            Self::Delete => "DELETE /table/k HTTP",
            Self::Begin => "POST /table/k?uploads",
            Self::Part => "PUT /table/k?partNumber=",
            Self::Complete => "POST /table/k?uploadId=",
            Self::Abort => "DELETE /table/k?uploadId=",
        }
    }

    /// What the client is told: the whole table, as everything else of it is that the backend is unavailable.
    fn succeeds(self, under: Fault) -> bool {
        match under {
            Fault::Slow => true,
            // The answer's head is all that is needed of it.
            Fault::WrongLength | Fault::Truncated => {
                matches!(self, Self::Put | Self::Part | Self::Head | Self::Delete | Self::Abort | Self::Complete)
            }
            // The object itself tells that it was done, however the answer fared.
            Fault::AnswerLost | Fault::DoneAndSays500 => self == Self::Complete,
            _ => false,
        }
    }
}

/// The way to a peer: every request goes on its own connection, and one kind of them is spoilt.
struct Way {
    url: String,
    spoilt: Arc<Mutex<Option<(&'static str, Fault)>>>,
}

impl Way {
    fn to(peer: &Peer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let spoilt: Arc<Mutex<Option<(&'static str, Fault)>>> = Arc::default();
        let (shared, goal) = (Arc::clone(&spoilt), peer.url.trim_start_matches("http://").to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (spoilt, goal) = (*shared.lock().unwrap(), goal.clone());
                std::thread::spawn(move || carry(stream, &goal, spoilt));
            }
        });
        Self { url, spoilt }
    }
}

/// Carries one request and its answer. The connection ends with it, so that nothing is left for the next one.
fn carry(mut client: TcpStream, goal: &str, spoilt: Option<(&str, Fault)>) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
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
        if !line.to_lowercase().starts_with("connection:") {
            head.push_str(&line);
        }
    }
    let fault = spoilt.filter(|(request, _)| head.starts_with(request)).map(|(_, fault)| fault);
    if fault == Some(Fault::Refused) {
        return client.shutdown(std::net::Shutdown::Both).ok();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    match fault {
        Some(Fault::Stall) => {
            std::thread::sleep(Duration::from_secs(600));
            return None;
        }
        Some(Fault::Says(status, code)) => return say(&client, status, code, head.starts_with("HEAD")),
        Some(Fault::ErrorUnder200) => return say(&client, 200, "InternalError", head.starts_with("HEAD")),
        _ => {}
    }
    let mut upstream = TcpStream::connect(goal).ok()?;
    upstream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).ok()?;
    upstream.write_all(&body).ok()?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).ok()?;
    match fault {
        Some(Fault::AnswerLost) => return client.shutdown(std::net::Shutdown::Both).ok(),
        Some(Fault::DoneAndSays500) => return say(&client, 500, "InternalError", head.starts_with("HEAD")),
        Some(Fault::Truncated) => answer.truncate(end_of_head(&answer) + (answer.len() - end_of_head(&answer)) / 2),
        Some(Fault::WrongLength) => answer = lengthened(&answer),
        _ => {}
    }
    let piece = if fault == Some(Fault::Slow) { answer.len().div_ceil(16).max(1) } else { answer.len().max(1) };
    for piece in answer.chunks(piece) {
        client.write_all(piece).ok()?;
        if fault == Some(Fault::Slow) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    client.shutdown(std::net::Shutdown::Both).ok()
}

fn say(mut client: &TcpStream, status: u16, code: &str, bare: bool) -> Option<()> {
    let body = format!("<Error><Code>{code}</Code><Message>It failed.</Message></Error>");
    let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    client.write_all(head.as_bytes()).ok()?;
    client.write_all(if bare { b"" } else { body.as_bytes() }).ok()?;
    client.shutdown(std::net::Shutdown::Both).ok()
}

fn end_of_head(answer: &[u8]) -> usize {
    answer.windows(4).position(|window| window == b"\r\n\r\n").map_or(answer.len(), |at| at + 4)
}

/// The same answer, with ten bytes more announced.
fn lengthened(answer: &[u8]) -> Vec<u8> {
    let (head, body) = answer.split_at(end_of_head(answer));
    let lines = String::from_utf8_lossy(head).into_owned();
    let kept: Vec<&str> =
        lines.split("\r\n").filter(|line| !line.to_lowercase().starts_with("content-length")).collect();
    let kept = kept.join("\r\n");
    let head = format!("{}\r\nContent-Length: {}\r\n\r\n", kept.trim_end(), body.len() + 10);
    [head.as_bytes(), body].concat()
}

/// What an operation finds when it begins.
struct Scene {
    name: BucketName,
    upload: UploadRef,
    parts: Vec<CompletedPart>,
}

const OLD: &[u8] = b"what was there before";
/// In pieces, as a store is given what is longer.
const NEW: &[u8] = &{
    let mut bytes = [0; 250_000];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = (at % 251) as u8;
        at += 1;
    }
    bytes
};

async fn run(store: &Arc<dyn ObjectStore>, operation: Operation, scene: &Scene) -> Result<()> {
    let (name, key) = (&scene.name, ObjectKey::new("k")?);
    match operation {
        Operation::Put => put(store, name, "k", NEW).await.map(drop),
        Operation::Get => get(store, name, "k").await.map(|bytes| assert_eq!(bytes, OLD)),
        Operation::Head => store.head(name, &key).await.map(|meta| assert_eq!(meta.size, OLD.len() as u64)),
        Operation::List => {
            let page = store.list(name, ListQuery { max_keys: 10, ..ListQuery::default() }).await?;
            assert_eq!(page.objects.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), ["k"]);
            Ok(())
        }
        Operation::Delete => delete(store, name, "k").await,
        Operation::Tag => store.set_tags(name, &key, Tags::from([("a".to_owned(), "b".to_owned())])).await,
        Operation::Begin => begin(store, name.as_str(), "k").await.map(drop),
        Operation::Part => keep(store, &scene.upload, 2, NEW).await.map(drop),
        Operation::Complete => complete(store, &scene.upload, &scene.parts).await.map(drop),
        Operation::Abort => store.abort_upload(&scene.upload).await,
    }
}

/// What must be there, and how a client sees it, after an operation was acknowledged.
async fn holds(store: &Arc<dyn ObjectStore>, operation: Operation, scene: &Scene) -> Result<()> {
    let content = match operation {
        Operation::Put => NEW.to_vec(),
        Operation::Complete => b"part".to_vec(),
        Operation::Delete => {
            let gone = get(store, &scene.name, "k").await.map_err(|e| e.kind());
            assert_eq!(gone, Err(ErrorKind::NoSuchKey), "{operation:?}");
            return Ok(());
        }
        Operation::Tag => {
            let meta = store.head(&scene.name, &ObjectKey::new("k")?).await?;
            assert_eq!(meta.attributes.tags.get("a").map(String::as_str), Some("b"));
            OLD.to_vec()
        }
        Operation::Part => {
            assert_eq!(store.list_parts(&scene.upload, 0, 10).await?.parts.len(), 2);
            OLD.to_vec()
        }
        Operation::Abort => {
            assert!(store.list_parts(&scene.upload, 0, 10).await.is_err());
            OLD.to_vec()
        }
        Operation::Get | Operation::Head | Operation::List | Operation::Begin => OLD.to_vec(),
    };
    assert!(get(store, &scene.name, "k").await? == content, "{operation:?}: another object is there");
    Ok(())
}

#[tokio::test]
async fn every_operation_under_every_fault() -> Result<()> {
    // As the workers do that serve clients.
    own_connections();
    let peer = peers::moto();
    let (direct, way, name) = (store(&peer), Way::to(&peer), bucket("table")?);
    direct.create_bucket(&name).await?;
    let idle = begin(&direct, "table", "idle").await?;
    for fault in FAULTS {
        for operation in OPERATIONS {
            // Services answer copies and completions when all is done, and may take a quarter of an hour; what has no document is
            // never answered before it is known; and a head has nothing that its length could be held against.
            let never = match fault {
                Fault::Stall => [Operation::Tag, Operation::Complete].contains(&operation),
                Fault::ErrorUnder200 => [Operation::Delete, Operation::Abort].contains(&operation),
                Fault::WrongLength => operation == Operation::Head,
                _ => false,
            };
            if never {
                continue;
            }
            put(&direct, &name, "k", OLD).await?;
            let (mut upload, mut parts) = (idle.clone(), Vec::new());
            if [Operation::Part, Operation::Complete, Operation::Abort].contains(&operation) {
                upload = begin(&direct, "table", "k").await?;
                parts.push(keep(&direct, &upload, 1, b"part").await?);
            }
            let scene = Scene { name: name.clone(), upload, parts };
            // A new store each time: a dead upstream is not asked again at once. Only who waits in vain is in a hurry.
            let short = Duration::from_secs(if fault == Fault::Stall { 1 } else { 60 });
            let limits =
                Limits { head: short, idle: short, tries: 2, pause: Duration::from_millis(4), ..Limits::default() };
            let options = S3Options { url: way.url.clone(), limits, clock: Clock::system(), ..options(&peer) };
            let spoilt: Arc<dyn ObjectStore> = Arc::new(S3Store::open(options)?);
            *way.spoilt.lock().unwrap() = Some((operation.request(), fault));
            let outcome = run(&spoilt, operation, &scene).await;
            *way.spoilt.lock().unwrap() = None;
            let expected = if operation.succeeds(fault) { Ok(()) } else { Err(ErrorKind::Unavailable) };
            assert_eq!(
                outcome.as_ref().copied().map_err(|e| e.kind()),
                expected,
                "{operation:?}, {fault:?}: {outcome:?}"
            );
            match outcome {
                Ok(()) => holds(&direct, operation, &scene).await?,
                Err(error) => {
                    assert!(error.message().contains("`cold`"), "{operation:?}, {fault:?}: {error:?}");
                    // The same request again: an upload that is over is as good an end of it as any.
                    match run(&direct, operation, &scene).await {
                        Err(error) if operation == Operation::Abort && error.kind() == ErrorKind::NoSuchUpload => {}
                        other => other?,
                    }
                    holds(&direct, operation, &scene).await?;
                }
            }
        }
    }
    Ok(())
}
