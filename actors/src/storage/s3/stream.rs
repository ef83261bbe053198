//! A long body on its way to its key: sent while it is received, all but its end, which the commit lets go.
//!
//! An upstream shows an object when it has all of it. So nothing is visible before the commit, no second copy is made, and a body
//! that is given up leaves nothing: its connection is closed in the middle.

use super::Inner;
use super::cas::{Expected, taken};
use super::client::{Answer, Call};
use super::convert::stored;
use super::dispatch::Owned;
use super::error::Failure;
use super::feed::{Feed, Sending, Untaken};
use super::meta::Facts;
use super::read::Described;
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::ObjectAttributes;
use crate::storage::Announced;
use crate::{Error, Result};
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

const OPERATION: &str = "write object";
/// So much goes to the runtime of the connections at once.
const BATCH: usize = 512 << 10;
/// A client that is slow does not make a connection look idle for longer.
const PAUSE: Duration = Duration::from_secs(5);

/// A body under way; dropped, its connection is closed and nothing is stored.
pub(super) struct Streaming {
    store: Arc<Inner>,
    bucket: BucketName,
    key: ObjectKey,
    id: String,
    announced: Announced,
    /// What is known of the object lies beside it, because some of it is known at its end only.
    beside: bool,
    /// What the upstream was told to find under the key.
    expected: Expected,
    /// Before `sending`, which is dropped after it: the request is given up, and not seen to end too early.
    answer: Owned<Result<Answer, Failure>>,
    sending: Sending,
    /// What was not sent yet: never nothing, once the body has begun.
    held: Vec<Bytes>,
    len: usize,
    sent: Instant,
    /// What of the announced size has not come yet.
    left: u64,
}

impl Streaming {
    /// Begins to send a body of a known length.
    pub(super) async fn begin(
        store: &Arc<Inner>,
        bucket: &BucketName,
        key: &ObjectKey,
        announced: Announced,
    ) -> Result<Self> {
        let expected = match announced.conditions.is_empty() {
            true => Expected::Anything,
            false => {
                let current = store.current(bucket, key).await?;
                announced.conditions.check_write(current.as_ref().map(|current| &current.meta))?;
                Expected::of(current.as_ref())
            }
        };
        let id = Uuid::new_v4().to_string();
        let facts = Facts::new(id.clone(), announced.size, None, &announced.attributes);
        let placed = facts.place(bucket, key, announced.digests_follow, &store.mac.load())?;
        let mut headers = placed.headers;
        headers.extend(store.condition(bucket, &expected).await);
        let stored = stored(key.as_str());
        let call = Call { method: "PUT", bucket: bucket.as_str(), key: &stored, headers, ..Call::default() };
        let (sending, feed) = Feed::new(store.upstream.idle());
        let answer = store.upstream.stream(call, announced.size, feed)?;
        Ok(Self {
            store: Arc::clone(store),
            bucket: bucket.clone(),
            key: key.clone(),
            id,
            beside: placed.sidecar.is_some(),
            expected,
            sending,
            answer,
            held: Vec::new(),
            len: 0,
            sent: Instant::now(),
            left: announced.size,
            announced,
        })
    }

    /// Sends what came before; returns when there is room for more.
    pub(super) async fn push(&mut self, bytes: Bytes) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let left = self.left.checked_sub(bytes.len() as u64);
        self.left = left.ok_or_else(|| Error::internal(OPERATION, "the body is longer than it was said to be"))?;
        if self.len >= BATCH || (self.len > 0 && self.sent.elapsed() > PAUSE) {
            let batch = std::mem::take(&mut self.held);
            self.len = 0;
            self.send(batch).await?;
        }
        self.len += bytes.len();
        self.held.push(bytes);
        Ok(())
    }

    /// The body has come completely.
    pub(super) fn finish(self) -> Result<Self> {
        match self.left {
            0 => Ok(self),
            _ => Err(Error::internal(OPERATION, "the body is shorter than it was said to be")),
        }
    }

    /// Lets the end of the body go. `expected` is what is under the key now, by the conditions of the commit.
    pub(super) async fn publish(mut self, attributes: &ObjectAttributes, expected: Expected) -> Result<Described> {
        if expected != self.expected {
            // The upstream was told something else when the body began, and decides by that.
            let changed = Failure::refused(409, b"<Error><Code>ConditionalRequestConflict</Code></Error>");
            return Err(self.store.upstream.error(OPERATION, changed));
        }
        if self.beside {
            let facts = Facts::new(self.id.clone(), self.announced.size, None, attributes);
            let placed = facts.clone().place(&self.bucket, &self.key, true, &self.store.mac.load())?;
            let sidecar = placed.sidecar.ok_or_else(|| Error::internal(OPERATION, "the facts found no place"))?;
            self.store.write_sidecar(&self.bucket, &self.key, &self.id, sidecar, facts).await?;
        } else if *attributes != self.announced.attributes {
            return Err(Error::internal(OPERATION, "the object is another one than was announced"));
        }
        let batch = std::mem::take(&mut self.held);
        self.send(batch).await?;
        self.sending.done();
        match self.answered().await {
            // It shows what it took, and that nobody wrote over it in the order that it sees.
            Ok(_) => self.store.written(&self.bucket, &self.key, &self.id).await,
            // Whether it took the object is what the object itself tells.
            Err(lost @ Failure::Lost(_)) => match self.store.written(&self.bucket, &self.key, &self.id).await {
                Ok(described) => Ok(described),
                Err(_) => Err(self.store.upstream.error(OPERATION, lost)),
            },
            Err(failure) if failure.code() == "PreconditionFailed" => Err(taken(&self.expected)),
            Err(failure) => Err(self.store.failed(&self.bucket, OPERATION, failure)),
        }
    }

    async fn send(&mut self, batch: Vec<Bytes>) -> Result<()> {
        self.sent = Instant::now();
        let failure = match self.sending.send(batch).await {
            Ok(()) => return Ok(()),
            Err(Untaken::Stalled) => Failure::Lost("it takes no more of the body".to_owned()),
            Err(Untaken::Ended) => match self.answered().await {
                Ok(_) => Failure::Lost("it took the object before it had all of it".to_owned()),
                Err(failure) => failure,
            },
        };
        Err(self.store.failed(&self.bucket, OPERATION, failure))
    }

    async fn answered(&mut self) -> Result<Answer, Failure> {
        let ended = |error| Failure::Lost(format!("the request's task ended: {error}"));
        self.answer.joined().await.unwrap_or_else(|error| Err(ended(error)))
    }
}

impl fmt::Debug for Streaming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming").field("bucket", &self.bucket).field("key", &self.key).finish_non_exhaustive()
    }
}
