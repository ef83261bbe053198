//! One S3 account: typed requests of rusoto for what has XML in its answer, requests by hand for objects, whose headers rusoto's
//! types do not all have.

use super::dispatch::{Dispatcher, Owned};
use super::error::Failure;
use super::feed::Feed;
use super::pool::runtime;
use super::retry::Limits;
use crate::domain::secret::Secret;
use crate::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::HeaderMap;
use rusoto_core::credential::{AwsCredentials, StaticProvider};
use rusoto_core::request::{DispatchSignedRequest, HttpDispatchError, HttpResponse};
use rusoto_core::signature::SignedRequest;
use rusoto_core::{ByteStream, Client, Region};
use rusoto_s3::S3Client;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Answers that are read whole are no longer than this.
const MAX_TEXT: usize = 8 << 20;

/// An account and the way to it.
pub(super) struct Upstream {
    /// The operator's name of the backend, for messages.
    pub(super) name: String,
    /// rusoto's typed client.
    pub(super) s3: S3Client,
    dispatcher: Dispatcher,
    credentials: AwsCredentials,
    region: Region,
}

/// A request that is written by hand.
#[derive(Clone, Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    pub(super) bucket: &'a str,
    /// The stored key; empty for the bucket itself.
    pub(super) key: &'a str,
    pub(super) query: Vec<(&'a str, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Bytes>,
}

/// The bytes of an object or a part, in the pieces in which they came.
pub(super) struct Content {
    bytes: Arc<[Bytes]>,
    /// Their MD5, as the header has it.
    md5: String,
}

impl Content {
    /// Of these bytes and their MD5, in hex.
    pub(super) fn new(bytes: Vec<Bytes>, md5: &str) -> Result<Self> {
        let md5 = hex::decode(md5).map_err(|e| Error::internal("write object", e))?;
        Ok(Self { bytes: bytes.into(), md5: STANDARD.encode(md5) })
    }
}

/// What came of it.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap<String>,
    pub(super) body: ByteStream,
}

impl Upstream {
    pub(super) fn new(name: &str, url: &str, region: &str, id: &str, secret: &Secret, limits: Limits) -> Result<Self> {
        let dispatcher = Dispatcher::new(limits).map_err(|e| Error::io("open backend", e))?;
        let region = Region::Custom { name: region.to_owned(), endpoint: url.to_owned() };
        let provider = StaticProvider::new_minimal(id.to_owned(), secret.expose().to_owned());
        let s3 = S3Client::new_with_client(Client::new_with(provider, dispatcher.clone()), region.clone());
        let credentials = AwsCredentials::new(id, secret.expose(), None, None);
        Ok(Self { name: name.to_owned(), s3, dispatcher, credentials, region })
    }

    /// True while the upstream is taken for dead.
    pub(super) fn is_shut(&self) -> bool {
        self.dispatcher.is_shut()
    }

    /// While it is held, only what changes nothing is sent.
    pub(super) fn hold(&self, held: bool) {
        self.dispatcher.hold(held);
    }

    /// Whether it is.
    pub(super) fn is_held(&self) -> bool {
        self.dispatcher.is_held()
    }

    /// True where the upstream answered a moment ago.
    pub(super) fn is_fresh(&self) -> bool {
        self.dispatcher.is_fresh()
    }

    /// How long nothing may come or go in the middle of a body.
    pub(super) fn idle(&self) -> Duration {
        self.dispatcher.idle()
    }

    /// Sends a request; whatever is no success is a failure.
    pub(super) async fn call(&self, mut call: Call<'_>) -> Result<Answer, Failure> {
        let body = call.body.take();
        let mut request = self.request(&call);
        request.set_payload(body);
        request.sign(&self.credentials);
        judged(call.method == "HEAD", self.dispatcher.dispatch(request, None).await).await
    }

    /// The same with content. Its MD5, which is known, is signed in place of another sum, and the upstream compares it.
    pub(super) async fn send(&self, mut call: Call<'_>, content: Content) -> Result<Answer, Failure> {
        call.headers.push(("content-md5".to_owned(), content.md5));
        let request = self.unsigned(&call, content.bytes.iter().map(Bytes::len).sum());
        judged(false, self.dispatcher.clone().whole(request, content.bytes).await).await
    }

    /// The same with a body of a known length that is still being made.
    pub(super) fn stream(&self, call: Call<'_>, size: u64, feed: Feed) -> Result<Owned<Result<Answer, Failure>>> {
        const OPERATION: &str = "write object";
        let size = usize::try_from(size).map_err(|e| Error::internal(OPERATION, e))?;
        let request = self.unsigned(&call, size);
        let (dispatcher, handle) = (self.dispatcher.clone(), runtime().map_err(|e| Error::io(OPERATION, e))?);
        Ok(Owned::new(handle.spawn(async move { judged(false, dispatcher.stream(request, feed).await).await })))
    }

    /// A request whose length is signed with the rest, and whose bytes are not: they go another way.
    fn unsigned(&self, call: &Call<'_>, size: usize) -> SignedRequest {
        let mut request = self.request(call);
        request.set_payload_stream(ByteStream::new_with_size(futures_util::stream::empty(), size));
        request.sign(&self.credentials);
        request.payload = None;
        request
    }

    fn request(&self, call: &Call<'_>) -> SignedRequest {
        let path = format!("/{}/{}", call.bucket, call.key);
        let mut request = SignedRequest::new(call.method, "s3", &self.region, &path);
        for (name, value) in &call.query {
            request.add_param((*name).to_owned(), value.clone());
        }
        for (name, value) in &call.headers {
            request.add_header(name.clone(), value);
        }
        request
    }

    /// The same, where the answer is XML, and an error may come under a 200 that was sent before it was known.
    pub(super) async fn call_for_text(&self, call: Call<'_>) -> Result<String, Failure> {
        let body = self.call(call).await?.text().await?;
        let text = String::from_utf8_lossy(&body).into_owned();
        if text.contains("<Error>") { Err(Failure::refused(500, text.as_bytes())) } else { Ok(text) }
    }

    /// A failure as an error of this backend.
    pub(super) fn error(&self, operation: &'static str, failure: impl Into<Failure>) -> Error {
        failure.into().into_error(&self.name, operation)
    }
}

/// Whatever is no success is a failure; `bare` answers have no words.
async fn judged(bare: bool, answer: Result<HttpResponse, HttpDispatchError>) -> Result<Answer, Failure> {
    let answer = answer.map_err(|e| Failure::Lost(e.to_string()))?;
    let status = answer.status.as_u16();
    let answer = Answer { status, headers: answer.headers, body: answer.body };
    if (200..300).contains(&status) {
        return Ok(answer);
    }
    let body = if bare { Bytes::new() } else { answer.text().await.unwrap_or_default() };
    Err(Failure::refused(status, &body))
}

impl Answer {
    /// A header, empty where there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The whole body, which is short.
    pub(super) async fn text(mut self) -> Result<Bytes, Failure> {
        let mut whole = BytesMut::new();
        while let Some(piece) = self.body.next().await {
            whole.extend_from_slice(&piece.map_err(|e| Failure::Lost(e.to_string()))?);
            if whole.len() > MAX_TEXT {
                return Err(Failure::Lost("its answer is too long".to_owned()));
            }
        }
        Ok(whole.freeze())
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("name", &self.name).field("region", &self.region).finish_non_exhaustive()
    }
}
