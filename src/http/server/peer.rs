//! One connection: its socket, TLS where it is on, and the two watches over what comes in and what goes out.

use super::inflow::Inflow;
use super::line::Line;
use super::outflow::Outflow;
use super::refusal;
use super::tls::Certificates;
use crate::app::Edge;
use actix_http::ServiceConfig;
use actix_http::error::DispatchError;
use actix_web::rt::net::TcpStream;
use actix_web::web;
use bytes::{Buf, Bytes};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep, timeout};
use tokio_openssl::SslStream;

/// A TLS handshake must be over after this long.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// After the last words, what the peer still sends is read away for this long, or they could be lost on their way.
const LINGER: Duration = Duration::from_secs(2);
/// And only up to this much.
const DRAIN: usize = 256 * 1024;

/// The bytes of a connection.
pub(super) struct Peer {
    stream: Stream,
    line: Line,
    inflow: Inflow,
    outflow: Outflow,
    parting: Parting,
    edge: web::Data<Edge>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<SslStream<TcpStream>>),
}

/// How a connection ends on which no request can follow.
enum Parting {
    /// There are no last words.
    Silent,
    /// These.
    Saying(Bytes),
    /// They are said; the peer is told that nothing follows.
    Closing,
    /// What it still sends is read away.
    Lingering(Pin<Box<Sleep>>, usize),
}

impl Peer {
    /// Takes a connection in; over TLS, shakes hands first.
    pub(super) async fn accept(
        stream: TcpStream,
        edge: web::Data<Edge>,
        config: ServiceConfig,
    ) -> Result<(Self, Option<SocketAddr>), DispatchError> {
        // An answer of head and body in two packets would otherwise wait 40 ms for the client's delayed acknowledgement.
        stream.set_nodelay(true)?;
        let address = stream.peer_addr().ok();
        let line = Line::new(edge.certificates.is_some());
        let stream = match &edge.certificates {
            None => Stream::Plain(stream),
            Some(certificates) => Stream::Tls(Box::new(shake_hands(stream, certificates).await?)),
        };
        let (inflow, outflow, parting) = (Inflow::new(config), Outflow::default(), Parting::Silent);
        Ok((Self { stream, line, inflow, outflow, parting, edge }, address))
    }

    /// What its requests may know.
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    fn poll_parting(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match &mut self.parting {
                Parting::Silent => return Pin::new(&mut self.stream).poll_shutdown(cx),
                Parting::Saying(words) if words.is_empty() => {
                    ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
                    self.parting = Parting::Closing;
                }
                Parting::Saying(words) => {
                    let written = Pin::new(&mut self.stream).poll_write(cx, words);
                    let count = ready!(self.outflow.watch(cx, written, &self.line, || LINGER))?;
                    if count == 0 {
                        return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                    }
                    words.advance(count);
                }
                Parting::Closing => {
                    ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
                    self.parting = Parting::Lingering(Box::pin(sleep(LINGER)), DRAIN);
                }
                Parting::Lingering(end, left) => {
                    let mut buffer = [0; 4096];
                    let mut read = ReadBuf::new(&mut buffer);
                    if end.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(Ok(()));
                    }
                    ready!(self.stream.poll_read_raw(cx, &mut read))?;
                    let count = read.filled().len();
                    if count == 0 || count >= *left {
                        return Poll::Ready(Ok(()));
                    }
                    *left -= count;
                }
            }
        }
    }
}

async fn shake_hands(stream: TcpStream, certificates: &Certificates) -> io::Result<SslStream<TcpStream>> {
    let mut stream = SslStream::new(certificates.session()?, stream)?;
    match timeout(HANDSHAKE, Pin::new(&mut stream).accept()).await {
        Ok(Ok(())) => Ok(stream),
        Ok(Err(error)) => {
            log::debug!("a TLS handshake failed: {error}");
            Err(io::Error::other(error))
        }
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

impl AsyncRead for Peer {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(fault) = ready!(this.inflow.poll_read(cx, Pin::new(&mut this.stream), out))? {
            // The server sees the end, finishes what is under way, and shuts down: then the last words go out.
            this.parting = Parting::Saying(refusal::answer(&fault).into());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.outflow.watch(cx, written, &this.line, || this.edge.system.view().config.advanced.idle_timeout)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_parting(cx)
    }
}

impl Stream {
    /// Reads below TLS: what comes after the end is not deciphered any more.
    fn poll_read_raw(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, out),
            Self::Tls(stream) => Pin::new(stream.get_mut()).poll_read(cx, out),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, out),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, out),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
