//! Takes a body in: short ones in memory, to be sent by the commit in one request that can be repeated; others in pieces to an
//! object of the store's own, while the next piece is received.

use super::Inner;
use super::temp::{Sending, Temp};
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::BodySums;
use crate::storage::fs::lane::{Gathering, Lane, Piece, Rooms};
use crate::storage::multipart::{PartNumber, UploadRef};
use crate::storage::{ObjectWriter, Staged};
use crate::{Error, Result};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use md5::Md5;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;

const OPERATION: &str = "write object";
/// Bodies up to this stay in memory until the commit; also what most clients make parts of.
const SHORT: usize = 16 << 20;
/// Longer ones are sent in pieces of this.
const PIECE: usize = 8 << 20;
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
    Memory(Bytes),
    Temp(Temp),
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
    held: BytesMut,
    sending: Option<Sending>,
}

struct Lanes {
    rooms: Rooms,
    md5: Lane<Md5>,
    sha256: Lane<Sha256>,
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
        let (unsummed, held) = (Gathering::default(), BytesMut::new());
        Self { store, goal, size: 0, unsummed, lanes: None, held, sending: None }
    }

    /// Hands what is not summed yet to the lanes, when they have room.
    async fn sum(&mut self) -> Result<()> {
        let lanes = self.lanes.get_or_insert_with(|| Lanes {
            rooms: Rooms::new(),
            md5: Lane::new(Md5::new(), add),
            sha256: Lane::new(Sha256::new(), add),
        });
        let piece = lanes.rooms.piece(self.unsummed.take()).await?;
        lanes.md5.push(Arc::clone(&piece))?;
        lanes.sha256.push(piece)
    }

    /// Sends whole pieces once the body is too long to stay.
    async fn send(&mut self, all: bool) -> Result<()> {
        if self.sending.is_none() {
            if self.held.len() <= SHORT {
                return Ok(());
            }
            self.sending = Some(Sending::begin(&self.store, self.goal.bucket()).await?);
        }
        let Some(sending) = &mut self.sending else { return Ok(()) };
        while self.held.len() >= PIECE || (all && !self.held.is_empty()) {
            let piece = self.held.split_to(PIECE.min(self.held.len())).freeze();
            sending.push(piece).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl ObjectWriter for S3Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.size += bytes.len() as u64;
        self.held.extend_from_slice(&bytes);
        self.unsummed.push(bytes);
        if self.unsummed.len() >= SUMMED {
            self.sum().await?;
        }
        self.send(false).await
    }

    async fn finish(mut self: Box<Self>) -> Result<Staged> {
        if self.unsummed.len() > 0 && self.lanes.is_some() {
            self.sum().await?;
        }
        self.send(true).await?;
        let (md5, sha256) = match self.lanes.take() {
            None => (Md5::new_with_prefix(&self.held), Sha256::new_with_prefix(&self.held)),
            Some(lanes) => {
                lanes.rooms.all_done().await?;
                (lanes.md5.into_state()?, lanes.sha256.into_state()?)
            }
        };
        let content = match self.sending.take() {
            None => Content::Memory(std::mem::take(&mut self.held).freeze()),
            Some(sending) => Content::Temp(sending.finish().await?),
        };
        let sums =
            BodySums { size: self.size, md5: hex::encode(md5.finalize()), sha256: hex::encode(sha256.finalize()) };
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

fn add<D: Digest>(digest: &mut D, piece: &Piece) -> Result<()> {
    piece.bytes.iter().for_each(|bytes| digest.update(bytes));
    Ok(())
}

impl fmt::Debug for S3Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Writer").field("goal", &self.goal).finish_non_exhaustive()
    }
}
