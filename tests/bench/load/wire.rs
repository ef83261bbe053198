//! One kept connection: a request out, its answer in, and nothing of a body looked at.

use crate::client::Request;
use actix_web::rt::net::TcpStream;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Heads are short, and bodies are thrown away piece by piece.
const ROOM: usize = 256 * 1024;
/// A body up to this goes out in one write with its head.
const SMALL: usize = 64 * 1024;

/// A request as it goes out; its body is the run's.
pub struct Message {
    head: Vec<u8>,
    body: Body,
}

enum Body {
    Absent,
    Whole,
    /// Each header goes before its chunk, the last one before `end`.
    Framed {
        headers: Vec<String>,
        chunk: usize,
        end: String,
    },
}

impl Message {
    pub fn bare(request: &Request) -> Self {
        Self { head: head(request), body: Body::Absent }
    }

    pub fn whole(request: &Request) -> Self {
        Self { head: head(request), body: Body::Whole }
    }

    pub fn framed(request: &Request, headers: Vec<String>, chunk: usize, end: String) -> Self {
        Self { head: head(request), body: Body::Framed { headers, chunk, end } }
    }

    /// How many bytes of content it carries.
    pub fn length(&self, body: &[u8]) -> u64 {
        if matches!(self.body, Body::Absent) { 0 } else { body.len() as u64 }
    }
}

/// A connection.
pub struct Connection {
    stream: TcpStream,
    room: Vec<u8>,
}

impl Connection {
    pub async fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, room: vec![0; ROOM] })
    }

    /// Sends a request and reads its answer away, into `keep` where there is one; the length of the answer's body.
    pub async fn exchange(
        &mut self,
        message: &Message,
        body: &[u8],
        mut keep: Option<&mut Vec<u8>>,
    ) -> io::Result<u64> {
        self.send(message, body).await?;
        let (mut filled, head) = (0, loop_head(&mut self.stream, &mut self.room).await?);
        let (status, length) = answer(&self.room[..head.end])?;
        if !(200..300).contains(&status) {
            return Err(io::Error::other(String::from_utf8_lossy(&self.room[..head.filled]).into_owned()));
        }
        let mut left = length - (head.filled - head.end) as u64;
        if let Some(keep) = &mut keep {
            keep.extend_from_slice(&self.room[head.end..head.filled]);
        }
        while left > 0 {
            let read = self.stream.read(&mut self.room).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(keep) = &mut keep {
                keep.extend_from_slice(&self.room[..read]);
            }
            filled += read;
            left = left
                .checked_sub(read as u64)
                .ok_or_else(|| io::Error::other(format!("more than an answer: {filled} bytes")))?;
        }
        Ok(length)
    }

    async fn send(&mut self, message: &Message, body: &[u8]) -> io::Result<()> {
        match &message.body {
            Body::Absent => self.stream.write_all(&message.head).await,
            Body::Whole if body.len() <= SMALL => {
                let whole = [message.head.as_slice(), body].concat();
                self.stream.write_all(&whole).await
            }
            Body::Whole => {
                self.stream.write_all(&message.head).await?;
                self.stream.write_all(body).await
            }
            Body::Framed { headers, chunk, end } => {
                self.stream.write_all(&message.head).await?;
                let mut out = Vec::with_capacity(chunk + 256);
                for (header, piece) in headers.iter().zip(body.chunks(*chunk)) {
                    out.clear();
                    out.extend_from_slice(header.as_bytes());
                    out.extend_from_slice(piece);
                    out.extend_from_slice(b"\r\n");
                    self.stream.write_all(&out).await?;
                }
                let last = headers.last().map_or("", String::as_str);
                self.stream.write_all(format!("{last}{end}").as_bytes()).await
            }
        }
    }
}

struct Head {
    end: usize,
    filled: usize,
}

async fn loop_head(stream: &mut TcpStream, room: &mut [u8]) -> io::Result<Head> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut room[filled..]).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let from = filled.saturating_sub(3);
        filled += read;
        if let Some(at) = room[from..filled].windows(4).position(|w| w == b"\r\n\r\n") {
            return Ok(Head { end: from + at + 4, filled });
        }
    }
}

/// The status, and the length that the head names.
fn answer(head: &[u8]) -> io::Result<(u16, u64)> {
    let text = std::str::from_utf8(head).map_err(io::Error::other)?;
    let bad = || io::Error::other(format!("no answer: {text}"));
    let status = text.get(9..12).and_then(|s| s.parse().ok()).ok_or_else(bad)?;
    for line in text.split("\r\n") {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            return Ok((status, value.trim().parse().map_err(|_| bad())?));
        }
    }
    if status == 204 { Ok((status, 0)) } else { Err(bad()) }
}

fn head(request: &Request) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for (name, value) in &request.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    head.into_bytes()
}
