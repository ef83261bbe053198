//! What comes in on a connection: heads of requests, which are proven before the server sees them, and the bodies behind them.
//!
//! What actix's parser refuses, actix answers with a bare status and no way to say more, and it lets only the first head of a
//! connection time out. So each head is read here first, by that very parser, which therefore never refuses one later. Bodies
//! pass uncopied.

use actix_http::error::ParseError;
use actix_http::h1::{Codec, Message, MessageType};
use actix_http::{HttpMessage, Request, ServiceConfig};
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use bytes::{Buf, BytesMut};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::codec::Decoder;
use tokio_util::io::poll_read_buf;

/// The longest head. AWS takes 8 KiB of headers; a URL may be as long again, and proxies add theirs.
const LONGEST: usize = 32 * 1024;
/// What is read at once while a head is awaited.
const READ: usize = 8 * 1024;
/// A head must be whole this long after the connection was made, or after its own first byte.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the reading side of a connection stands.
pub(super) struct Inflow {
    config: ServiceConfig,
    state: State,
    /// What was read and not handed on.
    pending: BytesMut,
    /// How much at the front of it may be handed on.
    proven: usize,
    /// How much of it was looked at in vain for the end of a head.
    looked: usize,
    /// When the head must be whole. Between two requests the server itself limits the wait.
    deadline: Option<Pin<Box<Sleep>>>,
}

enum State {
    /// A head is awaited.
    Head,
    /// This much of a body is to come.
    Body(u64),
    /// A body in chunks: its end is found by reading along.
    Chunks(Box<Codec>, BytesMut),
    /// Whatever comes, until the end.
    Open,
    /// Nothing more is read.
    Over,
}

/// Why a head was not handed on.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is none; what was sent.
    Malformed(ParseError, BytesMut),
    /// It is too long.
    TooLong,
    /// It did not come in time.
    TooSlow {
        /// A part of it came.
        begun: bool,
    },
}

impl Inflow {
    /// A new connection's.
    pub(super) fn new(config: ServiceConfig) -> Self {
        let deadline = Some(Box::pin(sleep_until(Instant::now() + PATIENCE)));
        Self { config, state: State::Head, pending: BytesMut::new(), proven: 0, looked: 0, deadline }
    }

    /// Hands on what is proven; nothing is the end. A fault is told once, and is the end.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        mut stream: Pin<&mut impl AsyncRead>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Option<Fault>>> {
        loop {
            if self.proven > 0 {
                let count = self.proven.min(out.remaining());
                out.put_slice(&self.pending[..count]);
                self.pending.advance(count);
                self.proven -= count;
                return Poll::Ready(Ok(None));
            }
            match &self.state {
                State::Over => return Poll::Ready(Ok(None)),
                State::Head => {
                    if let Some(fault) = ready!(self.poll_head(cx, stream.as_mut()))? {
                        self.state = State::Over;
                        return Poll::Ready(Ok(Some(fault)));
                    }
                }
                _ if !self.pending.is_empty() => {
                    let bytes = std::mem::take(&mut self.pending);
                    self.proven = self.follow(&bytes);
                    self.pending = bytes;
                }
                _ => {
                    let before = out.filled().len();
                    ready!(stream.as_mut().poll_read(cx, out))?;
                    let read = &out.filled()[before..];
                    let count = self.follow(read);
                    self.pending.extend_from_slice(&read[count..]);
                    out.set_filled(before + count);
                    return Poll::Ready(Ok(None));
                }
            }
        }
    }

    /// Reads until a head is proven, the peer ends, or there is a fault.
    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        mut stream: Pin<&mut impl AsyncRead>,
    ) -> Poll<io::Result<Option<Fault>>> {
        loop {
            // A head ends with the end of a line.
            if self.pending[self.looked..].contains(&b'\n') {
                match self.parse() {
                    Ok(true) => return Poll::Ready(Ok(None)),
                    Ok(false) => {}
                    Err(error) => return Poll::Ready(Ok(Some(Fault::Malformed(error, self.pending.split())))),
                }
            }
            self.looked = self.pending.len();
            if self.pending.len() > LONGEST {
                return Poll::Ready(Ok(Some(Fault::TooLong)));
            }
            let begun = !self.pending.is_empty();
            if begun && self.deadline.is_none() {
                self.deadline = Some(Box::pin(sleep_until(Instant::now() + PATIENCE)));
            }
            if let Some(deadline) = &mut self.deadline
                && deadline.as_mut().poll(cx).is_ready()
            {
                return Poll::Ready(Ok(Some(Fault::TooSlow { begun })));
            }
            self.pending.reserve(READ);
            if ready!(poll_read_buf(stream.as_mut(), cx, &mut self.pending))? == 0 {
                self.state = State::Over;
                return Poll::Ready(Ok(None));
            }
        }
    }

    /// True where `pending` begins with a whole head.
    fn parse(&mut self) -> Result<bool, ParseError> {
        let mut rest = self.pending.clone();
        let mut codec = Codec::new(self.config.clone());
        let Some(Message::Item(request)) = codec.decode(&mut rest)? else { return Ok(false) };
        let length_of_head = self.pending.len() - rest.len();
        // A read may bring more than there was left of what is allowed.
        if length_of_head > LONGEST {
            return Err(ParseError::TooLarge);
        }
        (self.proven, self.looked, self.deadline) = (length_of_head, 0, None);
        self.state = match codec.message_type() {
            MessageType::None => State::Head,
            MessageType::Stream => State::Open,
            MessageType::Payload => match length(&request) {
                Some(length) => State::Body(length),
                None => State::Chunks(Box::new(codec), BytesMut::new()),
            },
        };
        Ok(true)
    }

    /// How many of these bytes belong to the body under way.
    fn follow(&mut self, bytes: &[u8]) -> usize {
        match &mut self.state {
            State::Head | State::Over => 0,
            State::Open => bytes.len(),
            State::Body(left) => {
                // What a usize cannot hold is more than there is.
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= count as u64;
                if *left == 0 {
                    self.state = State::Head;
                }
                count
            }
            State::Chunks(codec, unread) => {
                unread.extend_from_slice(bytes);
                loop {
                    match codec.decode(unread) {
                        Ok(Some(Message::Chunk(None))) => {
                            let count = bytes.len() - unread.len();
                            self.state = State::Head;
                            return count;
                        }
                        Ok(Some(_)) => {}
                        Ok(None) => return bytes.len(),
                        // The handler sees a body that ends early and says so.
                        Err(_) => {
                            self.state = State::Over;
                            return 0;
                        }
                    }
                }
            }
        }
    }
}

/// The length of a body that is not in chunks; the parser has read it before.
fn length(request: &Request) -> Option<u64> {
    let headers = request.headers();
    if headers.contains_key(TRANSFER_ENCODING) {
        return None;
    }
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::future::poll_fn;

    /// What is handed on of this input, cut at every possible place, and the fault at its end.
    fn read(input: &[u8]) -> (Vec<u8>, Option<Fault>) {
        let whole = read_in(input, input.len());
        for cut in 1..input.len().min(200) {
            assert_eq!(read_in(input, cut).0, whole.0, "cut into pieces of {cut}");
        }
        whole
    }

    fn read_in(input: &[u8], piece: usize) -> (Vec<u8>, Option<Fault>) {
        actix_web::rt::System::new().block_on(async {
            let mut inflow = Inflow::new(ServiceConfig::default());
            let mut stream = Pieces { left: input, piece };
            let mut handed = Vec::new();
            loop {
                let mut buffer = [0; 100];
                let mut out = ReadBuf::new(&mut buffer);
                let fault = poll_fn(|cx| inflow.poll_read(cx, Pin::new(&mut stream), &mut out)).now_or_never();
                let fault = fault.expect("the input is there").expect("reading memory does not fail");
                if out.filled().is_empty() || fault.is_some() {
                    return (handed, fault);
                }
                handed.extend_from_slice(out.filled());
            }
        })
    }

    struct Pieces<'a> {
        left: &'a [u8],
        piece: usize,
    }

    impl AsyncRead for Pieces<'_> {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            let count = self.piece.min(out.remaining()).min(self.left.len());
            let (now, left) = self.left.split_at(count);
            out.put_slice(now);
            self.left = left;
            Poll::Ready(Ok(()))
        }
    }

    const PLAIN: &[u8] = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    const SIZED: &[u8] = b"\r\nPUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\nGET / HTTP/9";
    const CHUNKED: &[u8] =
        b"PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\n\r\n\r\n0\r\n\r\n";

    #[test]
    fn well_formed_requests_pass_unchanged_however_they_are_cut() {
        let all = [PLAIN, SIZED, PLAIN, CHUNKED, CHUNKED, SIZED, SIZED, PLAIN].concat();
        let (handed, fault) = read(&all);
        assert!(handed == all && fault.is_none());
    }

    #[test]
    fn what_is_no_head_is_found_behind_what_is_one() {
        for bad in [
            "GET / HTTP/3.0\r\n\r\n",
            "G@T / HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        ] {
            for before in [b"".as_slice(), SIZED, CHUNKED] {
                let (handed, fault) = read(&[before, bad.as_bytes()].concat());
                assert_eq!(handed, before, "{bad}");
                assert!(matches!(fault, Some(Fault::Malformed(..))), "{bad}");
            }
        }
    }

    #[test]
    fn a_head_has_a_greatest_length() {
        let long = format!("GET / HTTP/1.1\r\nHost: h\r\nx: {}\r\n\r\n", "y".repeat(LONGEST));
        for piece in [1000, long.len()] {
            let (handed, fault) = read_in(long.as_bytes(), piece);
            assert!(handed.is_empty(), "in pieces of {piece}");
            assert!(matches!(fault, Some(Fault::TooLong | Fault::Malformed(ParseError::TooLarge, _))), "{fault:?}");
        }
    }

    #[test]
    fn chunks_that_are_malformed_end_the_body() {
        let bad = b"PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n";
        let (handed, fault) = read_in(bad, bad.len());
        assert!(handed.starts_with(b"PUT /a") && !handed.ends_with(b"def\r\n") && fault.is_none());
    }
}
