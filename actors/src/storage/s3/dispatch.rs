//! Sends signed requests: bounded waits, repeats where that is safe.
//!
//! rusoto's own client panics on a header that is no ASCII, waits without end and never tries again; its parts that sign, write
//! and read requests are used over this one.

use super::feed::Feed;
use super::pool::{Connections, Pool, runtime};
use super::retry::{Gate, Limits, Pause, is_transient};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Request};
use hyper::Body;
use hyper::body::HttpBody;
use rusoto_core::request::{DispatchSignedRequest, DispatchSignedRequestFuture, HttpDispatchError, HttpResponse};
use rusoto_core::signature::{SignedRequest, SignedRequestPayload};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};

/// How many pieces of a body wait for whoever reads it.
const PIECES: usize = 8;
/// The end of a body that is still on its way when its sender is done with it.
const ON_THE_WAY: u64 = 8 << 20;

/// The one way to an upstream.
#[derive(Clone)]
pub(super) struct Dispatcher {
    pool: Pool,
    limits: Limits,
    gate: Arc<Gate>,
    held: Arc<AtomicBool>,
}

/// Ends its task when nobody waits for it any more.
pub(super) struct Owned<T>(JoinHandle<T>);

impl<T> Owned<T> {
    pub(super) fn new(task: JoinHandle<T>) -> Self {
        Self(task)
    }

    /// Waits for its end.
    pub(super) async fn joined(&mut self) -> Result<T, JoinError> {
        (&mut self.0).await
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Dispatcher {
    pub(super) fn new(limits: Limits) -> io::Result<Self> {
        Ok(Self { pool: Pool::new(limits.connect)?, limits, gate: Arc::default(), held: Arc::default() })
    }

    /// True while the upstream is taken for dead, and requests are answered without it.
    pub(super) fn is_shut(&self) -> bool {
        self.gate.is_shut()
    }

    /// True where it answered a moment ago.
    pub(super) fn is_fresh(&self) -> bool {
        self.gate.is_fresh()
    }

    /// While it is held, only what changes nothing is sent.
    pub(super) fn hold(&self, held: bool) {
        self.held.store(held, Ordering::Release);
    }

    /// Whether it is.
    pub(super) fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// How long nothing may come or go in the middle of a body.
    pub(super) fn idle(&self) -> Duration {
        self.limits.idle
    }

    /// May this request go to the upstream?
    fn admit(&self, method: &str) -> Result<(), HttpDispatchError> {
        // Whoever writes was told so before; this is for what was under way, and for what anybody forgot.
        if self.is_held() && !matches!(method, "GET" | "HEAD") {
            return Err(HttpDispatchError::new("nothing is written to it while it is read-only".to_owned()));
        }
        match self.gate.admit() {
            true => Ok(()),
            false => Err(HttpDispatchError::new("it does not answer; it is tried again every second".to_owned())),
        }
    }

    /// Sends a request with a body that is still being made. Once some of it has gone out it is not sent again.
    pub(super) async fn stream(self, request: SignedRequest, feed: Feed) -> Result<HttpResponse, HttpDispatchError> {
        let head = head(request)?;
        let mut pause = Pause::new(&self.limits);
        loop {
            self.admit(head.method().as_str())?;
            let request = with_body(&head, feed.body());
            let late = async {
                feed.is_whole().await;
                tokio::time::sleep(self.limits.head(false, ON_THE_WAY)).await;
            };
            let outcome = tokio::select! {
                outcome = self.pool.fresh.request(request) => outcome,
                () = late => {
                    self.gate.failure();
                    return Err(HttpDispatchError::new("it took too long to answer".to_owned()));
                }
            };
            let error = match outcome {
                Ok(response) => {
                    self.gate.success();
                    return Ok(answer(response.map(|body| moved(body, self.limits.idle))));
                }
                Err(error) => error,
            };
            // A body that was given up on our side says nothing of the upstream.
            if !error.is_body_write_aborted() {
                self.gate.failure();
            }
            if !error.is_connect() || !pause.may_repeat() {
                return Err(HttpDispatchError::new(chain(&error)));
            }
            pause.wait().await;
        }
    }

    /// Sends a request with a body that is there, as often as is needed; it may lie in pieces.
    pub(super) async fn whole(
        self,
        request: SignedRequest,
        bytes: Arc<[Bytes]>,
    ) -> Result<HttpResponse, HttpDispatchError> {
        let idle = self.limits.idle;
        if let Some(own) = self.pool.own() {
            return Ok(answer(self.send(request, &bytes, &own).await?.map(|body| watched(body, idle))));
        }
        let handle = runtime().map_err(HttpDispatchError::from)?;
        let mut task = Owned(handle.spawn(async move {
            let shared = self.pool.shared.clone();
            Ok(answer(self.send(request, &bytes, &shared).await?.map(|body| moved(body, idle))))
        }));
        match task.joined().await {
            Ok(outcome) => outcome,
            Err(error) => Err(HttpDispatchError::new(format!("the request's task ended: {error}"))),
        }
    }

    async fn send(
        self,
        request: SignedRequest,
        bytes: &Arc<[Bytes]>,
        over: &Connections,
    ) -> Result<http::Response<Body>, HttpDispatchError> {
        let method = request.method.clone();
        let completes = request.method == "POST" && request.params.contains_key("uploadId");
        let slow = completes || request.headers.contains_key("x-amz-copy-source");
        let head = head(request)?;
        let size = bytes.iter().map(|piece| piece.len() as u64).sum();
        let mut pause = Pause::new(&self.limits);
        loop {
            self.admit(&method)?;
            let request = with_body(&head, body(bytes));
            let outcome = tokio::time::timeout(self.limits.head(slow, size), over.request(request)).await;
            let again = match outcome {
                Ok(Ok(response)) => {
                    self.gate.success();
                    if !is_transient(response.status()) || !pause.may_repeat() {
                        return Ok(response);
                    }
                    format!("it answered {}", response.status())
                }
                Ok(Err(error)) => {
                    self.gate.failure();
                    let text = chain(&error);
                    if !pause.may_repeat() {
                        return Err(HttpDispatchError::new(text));
                    }
                    text
                }
                Err(_) => {
                    self.gate.failure();
                    return Err(HttpDispatchError::new("it took too long to answer".to_owned()));
                }
            };
            log::debug!("an s3 upstream is asked again: {again}");
            pause.wait().await;
        }
    }
}

impl DispatchSignedRequest for Dispatcher {
    fn dispatch(&self, mut request: SignedRequest, _: Option<Duration>) -> DispatchSignedRequestFuture {
        let this = self.clone();
        Box::pin(async move {
            let bytes = match request.payload.take() {
                None => Arc::default(),
                Some(SignedRequestPayload::Buffer(bytes)) => Arc::from([bytes]),
                // It could be sent once only, so nobody gives one.
                Some(SignedRequestPayload::Stream(_)) => {
                    return Err(HttpDispatchError::new("a stream cannot be sent again".to_owned()));
                }
            };
            this.whole(request, bytes).await
        })
    }
}

/// The request without its body, which every try gets anew.
fn head(request: SignedRequest) -> Result<Request<()>, HttpDispatchError> {
    let whole: Result<Request<Body>, http::Error> = request.try_into();
    whole
        .map(|whole| whole.map(drop))
        .map_err(|e| HttpDispatchError::new(format!("the request cannot be written: {e}")))
}

fn with_body(head: &Request<()>, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = head.method().clone();
    *request.uri_mut() = head.uri().clone();
    *request.headers_mut() = head.headers().clone();
    request
}

fn body(bytes: &Arc<[Bytes]>) -> Body {
    match bytes.as_ref() {
        [] => Body::empty(),
        [bytes] => Body::from(bytes.clone()),
        _ => {
            let (count, bytes) = (bytes.len(), Arc::clone(bytes));
            let pieces = (0..count).map(move |at| Ok::<_, io::Error>(bytes[at].clone()));
            Body::wrap_stream(futures_util::stream::iter(pieces))
        }
    }
}

/// What came, with headers of any bytes.
fn answer(response: http::Response<Pieces>) -> HttpResponse {
    let (parts, body) = response.into_parts();
    let mut headers = HeaderMap::<String>::with_capacity(parts.headers.len());
    for (name, value) in &parts.headers {
        headers.append(name.clone(), String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    HttpResponse { status: parts.status, body: rusoto_core::ByteStream::new(body), headers }
}

/// A body on its way in.
type Pieces = BoxStream<'static, io::Result<Bytes>>;

/// An upstream that stalls is given up; a reader that stalls is not, its own side sees to it.
fn watched(body: Body, idle: Duration) -> Pieces {
    futures_util::stream::unfold(body, move |mut body| async move {
        let piece = match tokio::time::timeout(idle, body.next()).await {
            Ok(piece) => piece?.map_err(|e| io::Error::other(chain(&e))),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the upstream stalled in the middle of a body")),
        };
        Some((piece, body))
    })
    .boxed()
}

/// The same, moved by the runtime of the connections, whoever reads it.
fn moved(body: Body, idle: Duration) -> Pieces {
    if body.is_end_stream() {
        return futures_util::stream::empty().boxed();
    }
    let (to, from) = mpsc::channel(PIECES);
    let mut body = watched(body, idle);
    tokio::spawn(async move {
        while let Some(piece) = body.next().await {
            let failed = piece.is_err();
            if to.send(piece).await.is_err() || failed {
                return;
            }
        }
    });
    futures_util::stream::unfold(from, |mut from| async move { Some((from.recv().await?, from)) }).boxed()
}

/// An error with its causes, which is where the reason is.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
