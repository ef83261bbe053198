//! The load generator of the benches: requests signed beforehand, sent over kept connections by one thread, timed one by one.
//!
//! `bench-load name=value…` prints one line of JSON. Every answer but a 2xx ends it with that answer.

#![allow(unreachable_pub, reason = "a program has no outside that could reach anything")]

#[path = "../../it/support/client.rs"]
#[allow(dead_code)]
mod client;
#[path = "../../it/support/conform.rs"]
mod conform;
mod job;
mod list;
#[path = "../../it/support/signer.rs"]
#[allow(dead_code)]
mod signer;
#[path = "../../it/support/tls.rs"]
#[allow(dead_code)]
mod tls;
mod wire;

use client::Request;
use job::{Form, Job};
use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};
use wire::{Connection, Message};

/// What all connections of a run share.
struct Run {
    messages: Vec<Message>,
    body: Vec<u8>,
    next: Cell<usize>,
    bytes: Cell<u64>,
    latencies: RefCell<Vec<Duration>>,
    begun: Instant,
}

fn main() -> io::Result<()> {
    let job = Job::parse(std::env::args().skip(1))?;
    let run = actix_rt::System::new().block_on(async { drive(&job).await })?;
    let elapsed = run.begun.elapsed().as_secs_f64();
    let mut latencies = run.latencies.into_inner();
    latencies.sort_unstable();
    let at = |share: usize| latencies.get(latencies.len() * share / 100).map_or(0, Duration::as_micros);
    writeln!(
        io::stdout(),
        r#"{{"requests":{},"seconds":{elapsed:.4},"bytes":{},"p50_us":{},"p99_us":{}}}"#,
        latencies.len(),
        run.bytes.get(),
        at(50),
        at(99)
    )
}

async fn drive(job: &Job) -> io::Result<Run> {
    let body = job.body();
    let messages = match job.verb.as_str() {
        "LIST" => Vec::new(),
        _ => (0..job.keys).map(|number| message(job, &body, number)).collect::<io::Result<_>>()?,
    };
    let run = Rc::new(Run {
        messages,
        body,
        next: Cell::new(0),
        bytes: Cell::new(0),
        latencies: RefCell::default(),
        begun: Instant::now(),
    });
    let clients: Vec<_> = (0..job.connections)
        .map(|_| {
            let (job, run) = (job.clone(), Rc::clone(&run));
            actix_rt::spawn(async move {
                if job.verb == "LIST" { list::client(&job, &run).await } else { client(&job, &run).await }
            })
        })
        .collect();
    for client in clients {
        client.await.map_err(io::Error::other)??;
    }
    Rc::into_inner(run).ok_or_else(|| io::Error::other("a connection is still in use"))
}

/// One connection's requests, one after the other.
async fn client(job: &Job, run: &Run) -> io::Result<()> {
    let mut connection = Connection::open(job.addr).await?;
    while let Some(number) = run.take(job) {
        let begun = Instant::now();
        let message = &run.messages[number % run.messages.len()];
        let received = connection.exchange(message, &run.body, None).await?;
        run.note(begun, received.max(message.length(&run.body)));
    }
    Ok(())
}

impl Run {
    /// The number of the next request, while there is one.
    fn take(&self, job: &Job) -> Option<usize> {
        let number = self.next.get();
        let more = match job.count {
            Some(count) => number < count,
            None => self.begun.elapsed() < job.time,
        };
        more.then(|| self.next.replace(number + 1))
    }

    fn note(&self, begun: Instant, bytes: u64) {
        self.latencies.borrow_mut().push(begun.elapsed());
        self.bytes.set(self.bytes.get() + bytes);
    }
}

/// Request `number`, signed.
fn message(job: &Job, body: &[u8], number: usize) -> io::Result<Message> {
    let target = job.target(number);
    if job.verb == "GET" {
        return Ok(Message::bare(&job.sign(Request::new("GET", &target))));
    }
    let length = body.len().to_string();
    let request = Request::new("PUT", &target);
    Ok(match &job.form {
        Form::Plain { sha256, crc64 } => {
            let request = request.header("x-amz-content-sha256", sha256).header("Content-Length", &length);
            let request = if job.checksum { request.header("x-amz-checksum-crc64nvme", crc64) } else { request };
            Message::whole(&job.sign(request))
        }
        Form::Chunks { chunks, hashes, crc64 } => {
            let pieces = job::framing_length(body.len(), *chunks, hashes.is_some());
            let request = request
                .header("Content-Encoding", "aws-chunked")
                .header("x-amz-decoded-content-length", &length)
                .header("Content-Length", &pieces.to_string());
            match hashes {
                Some(hashes) => {
                    let request = request.header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
                    let signed = job.sign(request);
                    let headers = job.chain(&signed, hashes, body.len(), *chunks)?;
                    Message::framed(&signed, headers, *chunks, "\r\n".to_owned())
                }
                None => {
                    let request = request
                        .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
                        .header("x-amz-trailer", "x-amz-checksum-crc64nvme");
                    let headers = job::bare_headers(body.len(), *chunks);
                    let end = format!("x-amz-checksum-crc64nvme:{crc64}\r\n\r\n");
                    Message::framed(&job.sign(request), headers, *chunks, end)
                }
            }
        }
    })
}
