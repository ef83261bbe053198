//! One connection: its socket, TLS where it is on, and what its requests may know of it.

use super::tls::Certificates;
use actix_http::error::DispatchError;
use actix_web::rt::net::TcpStream;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream as StdStream};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;
use tokio_openssl::SslStream;

/// A TLS handshake must be over after this long.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The bytes of a connection.
pub(super) struct Peer {
    stream: Stream,
    line: Line,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<SslStream<TcpStream>>),
}

/// What the requests of a connection share.
#[derive(Clone, Debug)]
pub struct Line {
    secure: bool,
    /// A second hold on the socket, for [`Line::cut`].
    socket: Option<Arc<StdStream>>,
}

impl Line {
    /// It is https.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Ends the connection in both directions.
    pub fn cut(&self) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.shutdown(Shutdown::Both)
        {
            log::debug!("a stalled connection was gone already: {error}");
        }
    }
}

impl Peer {
    /// Takes a connection in; over TLS, shakes hands first.
    pub(super) async fn accept(
        stream: TcpStream,
        certificates: Option<Arc<Certificates>>,
    ) -> Result<(Self, Option<SocketAddr>), DispatchError> {
        // An answer of head and body in two packets would otherwise wait 40 ms for the client's delayed acknowledgement.
        stream.set_nodelay(true)?;
        let address = stream.peer_addr().ok();
        let socket = stream.as_fd().try_clone_to_owned().map(|fd| Arc::new(StdStream::from(fd)));
        let line = Line { secure: certificates.is_some(), socket: socket.ok() };
        let stream = match certificates {
            None => Stream::Plain(stream),
            Some(certificates) => Stream::Tls(Box::new(shake_hands(stream, &certificates).await?)),
        };
        Ok((Self { stream, line }, address))
    }

    /// What its requests share.
    pub(super) fn line(&self) -> &Line {
        &self.line
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
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Peer {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
