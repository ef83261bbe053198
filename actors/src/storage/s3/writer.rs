//! Takes a body in: short ones in memory, to be sent by the commit in one request that can be repeated; long ones that were announced
//! in one request that goes on while they are received; others in pieces to an object of the store's own.

use super::Inner;
use super::stream::Streaming;
use super::temp::{Sending, Temp};
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::BodySums;
use crate::storage::fs::lane::{Gathering, Lane, Piece, Rooms};
use crate::storage::multipart::{PartNumber, UploadRef};
use crate::storage::{Announced, ObjectWriter, Staged};
use crate::{Error, Result};
use async_trait::async_trait;
use bytes::Bytes;
use md5::Md5;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;

const OPERATION: &str = "write object";
/// Bodies up to this stay in memory until the commit; also what most clients make parts of.
const SHORT: usize = 16 << 20;
/// Sums are made in pieces of this.
const SUMMED: usize = 256 << 10;

/// What a body is to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    Object { bucket: BucketName, key: ObjectKey },
    Part { upload: UploadRef, number: PartNumber },
}

/// Where the bytes are.
#[derive(Debug)]
pub(super) enum Content {
    Memory(Vec<Bytes>),
    Temp(Temp),
    Stream(Box<Streaming>),
}

/// A body that was received completely.
#[derive(Debug)]
pub(super) struct StagedBody {
    pub(super) goal: Goal,
    pub(super) content: Content,
}

/// The writer of one object or part.
pub(super) struct S3Writer {
    store: Arc<Inner>,
    goal: Goal,
    size: u64,
    unsummed: Gathering,
    lanes: Option<Lanes>,
    held: Gathering,
    sending: Option<Sending>,
    announced: Option<Announced>,
    streaming: Option<Box<Streaming>>,
    /// MD5 and SHA-256: whether they are made. Of a body that goes out in one request the upstream makes the MD5, and nobody keeps the
    /// SHA-256 of a part.
    summed: (bool, bool),
}

struct Lanes {
    rooms: Rooms,
    md5: Option<Lane<Md5>>,
    sha256: Option<Lane<Sha256>>,
}

impl Goal {
    fn bucket(&self) -> &BucketName {
        match self {
            Self::Object { bucket, .. } => bucket,
            Self::Part { upload, .. } => &upload.bucket,
        }
    }
}

impl S3Writer {
    pub(super) fn new(store: Arc<Inner>, goal: Goal) -> Self {
        let (unsummed, held) = (Gathering::default(), Gathering::default());
        let (announced, streaming) = (None, None);
        let summed = (true, true);
        Self { store, goal, size: 0, unsummed, lanes: None, held, sending: None, announced, streaming, summed }
    }

    /// Hands what is not summed yet to the lanes, when they have room.
    async fn sum(&mut self) -> Result<()> {
        let (md5, sha256) = self.summed;
        let lanes = self.lanes.get_or_insert_with(|| Lanes {
            rooms: Rooms::new(),
            md5: md5.then(|| Lane::new(Md5::new(), add)),
            sha256: sha256.then(|| Lane::new(Sha256::new(), add)),
        });
        let piece = lanes.rooms.piece(self.unsummed.take()).await?;
        if let Some(md5) = &lanes.md5 {
            md5.push(Arc::clone(&piece))?;
        }
        lanes.sha256.as_ref().map_or(Ok(()), |sha256| sha256.push(piece))
    }

    /// Begins to send what was announced, where it is too long to stay.
    async fn begin(&mut self) -> Result<()> {
        let Some(announced) = self.announced.take() else { return Ok(()) };
        if let Goal::Object { bucket, key } = &self.goal
            && announced.size > SHORT as u64
        {
            self.summed = (announced.compares_md5, announced.compares_sha256);
            self.streaming = Some(Box::new(Streaming::begin(&self.store, bucket, key, announced).await?));
        } else if let Goal::Part { .. } = &self.goal {
            self.summed.1 = announced.compares_sha256;
        }
        Ok(())
    }

    /// Keeps what came, or sends it on once the body is too long to stay.
    async fn keep(&mut self, bytes: Bytes) -> Result<()> {
        if let Some(sending) = &mut self.sending {
            return sending.write(bytes).await;
        }
        self.held.push(bytes);
        if self.held.len() > SHORT {
            let sending = self.sending.insert(Sending::begin(&self.store, self.goal.bucket()).await?);
            for bytes in self.held.take() {
                sending.write(bytes).await?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl ObjectWriter for S3Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.begin().await?;
        self.size += bytes.len() as u64;
        if self.summed != (false, false) {
            self.unsummed.push(bytes.clone());
            if self.unsummed.len() >= SUMMED {
                self.sum().await?;
            }
        }
        if let Some(streaming) = &mut self.streaming {
            return streaming.push(bytes).await;
        }
        self.keep(bytes).await
    }

    fn announce(&mut self, announced: Announced) {
        self.announced = Some(announced);
    }

    async fn finish(mut self: Box<Self>) -> Result<Staged> {
        if self.unsummed.len() > 0 && self.lanes.is_some() {
            self.sum().await?;
        }
        let held = self.held.take();
        let (md5, sha256) = match self.lanes.take() {
            None if self.streaming.is_some() => (String::new(), String::new()),
            None => (digest::<Md5>(&held), digest::<Sha256>(&held)),
            Some(Lanes { rooms, md5, sha256 }) => {
                rooms.all_done().await?;
                let md5 = md5.map(Lane::into_state).transpose()?.map(|md5| hex::encode(md5.finalize()));
                let sha256 = sha256.map(Lane::into_state).transpose()?.map(|sha256| hex::encode(sha256.finalize()));
                (md5.unwrap_or_default(), sha256.unwrap_or_default())
            }
        };
        let content = match (self.streaming.take(), self.sending.take()) {
            (Some(streaming), _) => Content::Stream(Box::new(streaming.finish()?)),
            (None, Some(sending)) => Content::Temp(sending.finish().await?),
            (None, None) => Content::Memory(held),
        };
        let sums = BodySums { size: self.size, md5, sha256 };
        Ok(Staged { sums, handle: Box::new(StagedBody { goal: self.goal.clone(), content }) })
    }
}

/// The body that a store of this kind staged for this goal.
pub(super) fn staged(handle: Box<dyn std::any::Any + Send>, goal: &Goal) -> Result<Content> {
    let body = handle.downcast::<StagedBody>();
    let body = body.map_err(|_| Error::internal(OPERATION, "the body was staged by another kind of store"))?;
    if body.goal != *goal {
        return Err(Error::internal(OPERATION, "the body was staged for something else"));
    }
    Ok(body.content)
}

fn digest<D: Digest>(bytes: &[Bytes]) -> String {
    let digest = bytes.iter().fold(D::new(), |digest, bytes| digest.chain_update(bytes));
    hex::encode(digest.finalize())
}

fn add<D: Digest>(digest: &mut D, piece: &Piece) -> Result<()> {
    piece.bytes.iter().for_each(|bytes| digest.update(bytes));
    Ok(())
}

impl fmt::Debug for S3Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Writer").field("goal", &self.goal).finish_non_exhaustive()
    }
}
