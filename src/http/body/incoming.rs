//! The bytes of a request's body as they come: without their framing, counted, and never slower than a peer may be.

use super::declared::Declared;
use super::pace::Pace;
use crate::auth::sigv4::PayloadHash;
use crate::auth::sigv4::chunked::{Broken, Decoder};
use crate::http::s3::error::S3Error;
use actix_web::http::StatusCode;
use actix_web::web;
use bytes::Bytes;
use futures_util::StreamExt;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A body on its way in.
pub(super) struct Incoming<'a> {
    payload: &'a mut web::Payload,
    idle: Duration,
    begun: Instant,
    pace: Pace,
    declared: u64,
    size: u64,
    /// Takes the framing off, where there is some.
    decoder: Option<Decoder>,
    /// What came and was not decoded yet.
    pending: Bytes,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(payload: &'a mut web::Payload, declared: &Declared, idle: Duration) -> Self {
        let decoder = match &declared.payload {
            PayloadHash::Chunked(form) => Some(form.decoder(declared.length, declared.trailer.map(|sum| sum.header()))),
            PayloadHash::Unsigned | PayloadHash::Sha256(_) => None,
        };
        let (begun, pace, pending) = (Instant::now(), Pace::new(idle), Bytes::new());
        Self { payload, idle, begun, pace, declared: declared.length, size: 0, decoder, pending }
    }

    /// The next piece of content; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, S3Error> {
        let Some(piece) = self.piece().await? else { return Ok(None) };
        self.size += piece.len() as u64;
        if self.size > self.declared {
            return Err(self.incomplete());
        }
        Ok(Some(piece))
    }

    /// Ends the body: it must be whole. The value of the trailer, where one came.
    pub(super) fn finish(self) -> Result<Option<String>, S3Error> {
        if self.size != self.declared && self.decoder.is_none() {
            return Err(self.incomplete());
        }
        Ok(self.decoder.map(Decoder::finish).transpose()?.flatten())
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, S3Error> {
        loop {
            if let Some(decoder) = &mut self.decoder
                && let Some(piece) = decoder.decode(&mut self.pending)?
            {
                return Ok(Some(piece));
            }
            match (self.receive().await?, &self.decoder) {
                (Some(bytes), Some(_)) => self.pending = bytes,
                (bytes, _) => return Ok(bytes),
            }
        }
    }

    async fn receive(&mut self) -> Result<Option<Bytes>, S3Error> {
        if self.pace.too_slow(self.begun.elapsed()) {
            return Err(too_slow());
        }
        match timeout(self.idle, self.payload.next()).await {
            Err(_) => Err(too_slow()),
            Ok(None) => Ok(None),
            Ok(Some(Err(_))) if self.decoder.is_some() => Err(Broken::Framing.into()),
            Ok(Some(Err(_))) => Err(self.incomplete()),
            Ok(Some(Ok(bytes))) => {
                self.pace.moved(self.begun.elapsed(), bytes.len() as u64);
                Ok(Some(bytes))
            }
        }
    }

    fn incomplete(&self) -> S3Error {
        S3Error::new(
            "IncompleteBody",
            StatusCode::BAD_REQUEST,
            "You did not provide the number of bytes specified by the Content-Length HTTP header",
        )
        .with_detail("NumberBytesExpected", self.declared.to_string())
        .with_detail("NumberBytesProvided", self.size.to_string())
    }
}

fn too_slow() -> S3Error {
    S3Error::new(
        "RequestTimeout",
        StatusCode::BAD_REQUEST,
        "Your socket connection to the server was not read from or written to within the timeout period.",
    )
}
