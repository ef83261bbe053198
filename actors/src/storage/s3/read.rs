//! What an object is, and its bytes: one request for both where no condition has to be decided before.

use super::Inner;
use super::client::{Answer, Call};
use super::convert::stored;
use super::error::Failure;
use super::meta::{Facts, Found, find, foreign};
use crate::domain::condition::{ByteRange, RangeRequest, ReadVerdict};
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::ObjectMeta;
use crate::storage::{ByteStream, ReadOutcome, ReadRequest, ReadTicket};
use crate::{Error, ErrorKind, Result};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::HeaderMap;
use std::sync::Arc;

const HEAD: &str = "head object";
const READ: &str = "read object";
/// How often a body that broke off is taken up again where it did.
const RESUMES: u32 = 3;
/// What is shorter than this is a short piece of a body.
const SHORT: usize = 16 << 10;
/// How often an object that changes between the decision and the reading is decided on anew.
const DECISIONS: u32 = 5;

/// An object as the upstream has it.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) meta: ObjectMeta,
    /// The upstream's own entity tag, with its quotes.
    pub(super) tag: String,
    /// What we know of it.
    pub(super) facts: Option<Arc<Facts>>,
}

impl Inner {
    /// The object; `NoSuchKey`, `NoSuchBucket`.
    pub(super) async fn described(&self, bucket: &BucketName, key: &ObjectKey) -> Result<Described> {
        let stored = stored(key.as_str());
        let call = Call { method: "HEAD", bucket: bucket.as_str(), key: &stored, ..Call::default() };
        match self.upstream.call(call).await {
            Ok(answer) => {
                let size = answer.header("content-length").parse().unwrap_or(0);
                self.describe(bucket, key, &answer.headers, size).await
            }
            // An answer to HEAD has no words: whether it is the bucket that is missing must be asked.
            Err(failure) if failure.code() == "NoSuchKey" => {
                self.check_bucket(bucket).await?;
                Err(self.upstream.error(HEAD, failure))
            }
            Err(failure) => Err(self.failed(bucket, HEAD, failure)),
        }
    }

    /// The object, where there is one.
    pub(super) async fn current(&self, bucket: &BucketName, key: &ObjectKey) -> Result<Option<Described>> {
        match self.described(bucket, key).await {
            Ok(described) => Ok(Some(described)),
            Err(error) if error.kind() == ErrorKind::NoSuchKey => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn describe(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        headers: &HeaderMap<String>,
        size: u64,
    ) -> Result<Described> {
        if headers.get("etag").is_none_or(String::is_empty) {
            // Every object has an entity tag. What has none is something else under a 200.
            let lost = Failure::Lost("it does not say which object it is".to_owned());
            return Err(self.upstream.error(READ, lost));
        }
        let own = foreign(headers, size);
        let facts = match find(headers, bucket, key, &self.mac.load())? {
            Found::Nowhere => None,
            Found::Here(facts) => Some(Arc::from(facts)),
            Found::Sidecar(id) => self.sidecar(bucket, key, &id).await?,
        };
        let facts = facts.filter(|facts: &Arc<Facts>| facts.size == size);
        let tag = headers.get("etag").cloned().unwrap_or_default();
        let meta = match &facts {
            Some(facts) => facts.meta(&tag, own.attributes.user, own.modified),
            None => own,
        };
        if tag.contains('-') {
            self.sizes.note(bucket, key.as_str(), &tag, &meta);
        }
        Ok(Described { meta, tag, facts })
    }

    /// Opens an object.
    pub(super) async fn open_read(self: &Arc<Self>, read: &ReadRequest) -> Result<ReadOutcome> {
        if read.conditions.is_empty() {
            return self.open(read, None).await;
        }
        for _ in 0..DECISIONS {
            let described = self.described(&read.bucket, &read.key).await?;
            if read.conditions.check_read(&described.meta)? == ReadVerdict::NotModified {
                return Ok(ReadOutcome::NotModified(described.meta));
            }
            // The bytes must be those of the object that was decided on.
            match self.open(read, Some(&described.tag)).await {
                Err(error) if error.kind() == ErrorKind::PreconditionFailed => {}
                outcome => return outcome,
            }
        }
        let message = "The object changes faster than its conditions can be decided; try again.";
        Err(Error::new(ErrorKind::Busy, READ, message))
    }

    async fn open(self: &Arc<Self>, read: &ReadRequest, tag: Option<&str>) -> Result<ReadOutcome> {
        let (bucket, key) = (&read.bucket, stored(read.key.as_str()));
        if read.range == Some(RangeRequest::Last(0)) {
            return Err(unsatisfiable());
        }
        let answer = self.get(bucket, &key, read.range, tag).await.map_err(|e| self.failed(bucket, READ, e))?;
        let (size, range) = match extent(&answer) {
            Some(extent) => extent,
            None => {
                let lost = Failure::Lost("it does not say how long the object is".to_owned());
                return Err(self.upstream.error(READ, lost));
            }
        };
        if range.is_none() && read.range.is_some() {
            // An empty object has no part, and an upstream that gives all instead of a part is not one to stream from.
            return Err(if size == 0 { unsatisfiable() } else { self.no_ranges() });
        }
        let described = self.describe(bucket, &read.key, &answer.headers, size).await?;
        let (start, len) = range.map_or((0, size), |range| (range.start, range.len));
        let reading = Reading {
            store: Arc::clone(self),
            bucket: bucket.clone(),
            key,
            tag: described.tag,
            at: start,
            left: len,
            body: answer.body,
            resumes: RESUMES,
            long: None,
        };
        Ok(ReadOutcome::Found(ReadTicket { meta: described.meta, range, body: reading.stream() }))
    }

    async fn get(
        &self,
        bucket: &BucketName,
        key: &str,
        range: Option<RangeRequest>,
        tag: Option<&str>,
    ) -> Result<Answer, Failure> {
        let mut headers = Vec::new();
        if let Some(range) = range {
            let text = match range {
                RangeRequest::Between(first, last) => format!("bytes={first}-{last}"),
                RangeRequest::From(first) => format!("bytes={first}-"),
                RangeRequest::Last(count) => format!("bytes=-{count}"),
            };
            headers.push(("range".to_owned(), text));
        }
        if let Some(tag) = tag {
            headers.push(("if-match".to_owned(), tag.to_owned()));
        }
        let call = Call { method: "GET", bucket: bucket.as_str(), key, headers, ..Call::default() };
        self.upstream.call(call).await
    }

    fn no_ranges(&self) -> Error {
        self.upstream.error(READ, Failure::Lost("it gives no parts of objects".to_owned()))
    }
}

/// The size of the whole object, and the part that comes.
fn extent(answer: &Answer) -> Option<(u64, Option<ByteRange>)> {
    let len: u64 = answer.header("content-length").parse().ok()?;
    if answer.status != 206 {
        return Some((len, None));
    }
    let (part, size) = answer.header("content-range").strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = part.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let range = ByteRange { start: first, len: last.checked_sub(first)? + 1 };
    (range.len == len).then_some((size.parse().ok()?, Some(range)))
}

fn unsatisfiable() -> Error {
    Error::new(ErrorKind::InvalidRange, READ, "The requested range is not satisfiable")
}

/// A body on its way: exactly so many bytes, of one and the same object, or an error.
struct Reading {
    store: Arc<Inner>,
    bucket: BucketName,
    key: String,
    tag: String,
    at: u64,
    left: u64,
    body: rusoto_core::ByteStream,
    resumes: u32,
    /// What came behind a short piece.
    long: Option<Bytes>,
}

impl Reading {
    fn stream(self) -> ByteStream {
        futures_util::stream::unfold(Some(self), |reading| async move {
            let mut reading = reading?;
            match reading.piece().await {
                Ok(None) => None,
                Ok(Some(bytes)) => Some((Ok(bytes), Some(reading))),
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }

    /// What goes out at once. A short piece waits for what follows it: alone it would cost a write, and wake the client for next to
    /// nothing.
    async fn piece(&mut self) -> Result<Option<Bytes>> {
        if let Some(long) = self.long.take() {
            return Ok(Some(long));
        }
        // Meanwhile the connection reads on, and more goes out at once.
        tokio::task::yield_now().await;
        let mut short = BytesMut::new();
        while let Some(bytes) = self.next().await? {
            let is_short = bytes.len() < SHORT && self.left > 0;
            match (short.is_empty(), is_short) {
                (true, false) => return Ok(Some(bytes)),
                (false, false) => {
                    self.long = Some(bytes);
                    break;
                }
                (_, true) => short.extend_from_slice(&bytes),
            }
            if short.len() >= SHORT {
                break;
            }
        }
        Ok((!short.is_empty()).then(|| short.freeze()))
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        while self.left > 0 {
            let why = match self.body.next().await {
                Some(Ok(bytes)) if bytes.is_empty() => continue,
                Some(Ok(bytes)) if bytes.len() as u64 <= self.left => {
                    self.at += bytes.len() as u64;
                    self.left -= bytes.len() as u64;
                    return Ok(Some(bytes));
                }
                Some(Ok(_)) => "more came than was announced".to_owned(),
                Some(Err(error)) => error.to_string(),
                None => "the body ended early".to_owned(),
            };
            self.resume(why).await?;
        }
        Ok(None)
    }

    /// Goes on where the body broke off, as long as it is the same object.
    async fn resume(&mut self, why: String) -> Result<()> {
        log::debug!("an upstream broke a body off: {why}");
        let failed = |store: &Inner, why| Err(store.upstream.error(READ, Failure::Lost(why)));
        if self.resumes == 0 || self.tag.is_empty() {
            return failed(&self.store, why);
        }
        self.resumes -= 1;
        let range = RangeRequest::Between(self.at, self.at + self.left - 1);
        let rest = ByteRange { start: self.at, len: self.left };
        match self.store.get(&self.bucket, &self.key, Some(range), Some(&self.tag)).await {
            // Other bytes than those that were asked for are worse than none.
            Ok(answer) if extent(&answer).is_some_and(|(_, part)| part == Some(rest)) => {
                self.body = answer.body;
                Ok(())
            }
            _ => failed(&self.store, why),
        }
    }
}
