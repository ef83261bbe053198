//! A client that sends exactly the bytes it is given: one connection a request, nothing encoded, nothing corrected.

use super::conform;
use super::tls::Connection;
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;

/// A request as it goes over the wire.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query, already encoded.
    pub target: String,
    /// Headers in order, duplicates allowed. `Host`, `Content-Length` and `Connection` are added where they are missing.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body, without transfer encoding.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a JSON body.
    pub fn json(self, value: &serde_json::Value) -> Self {
        self.header("Content-Type", "application/json").body(value.to_string())
    }

    /// The first header of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Sends it and reads the answer.
    #[track_caller]
    pub fn send(&self, to: SocketAddr) -> Reply {
        self.try_send(to).unwrap_or_else(|e| panic!("{} {} met {e}", self.method, self.target))
    }

    /// Sends it and reads the answer; an error where the connection broke, as a killed server breaks it.
    pub fn try_send(&self, to: SocketAddr) -> io::Result<Reply> {
        let reply = exchange(to, &self.bytes(to), self.method == "HEAD")?;
        conform::check(self, &reply);
        Ok(reply)
    }

    /// As it goes over the wire.
    pub fn bytes(&self, to: SocketAddr) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if self.get("host").is_none() {
            head += &format!("Host: {to}\r\n");
        }
        if self.get("content-length").is_none() && self.get("transfer-encoding").is_none() {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        if self.get("connection").is_none() {
            head += "Connection: close\r\n";
        }
        head += "\r\n";
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

impl Reply {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("no JSON ({e}): {} {}", self.status, self.text()))
    }

    /// The `<Code>` of an S3 error.
    pub fn s3_code(&self) -> String {
        let text = self.text();
        let inside = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        inside.map(|(code, _)| code.to_owned()).unwrap_or_default()
    }

    /// Insists on a status, showing the body where it is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the answer was: {}", self.text());
        self
    }
}

/// Sends raw bytes and reads one answer: for requests that no client would make.
pub fn exchange(to: SocketAddr, bytes: &[u8], bodyless: bool) -> io::Result<Reply> {
    talk(to, bytes, bodyless, false)
}

/// The same, and says at the end that nothing more will come.
pub fn exchange_and_end(to: SocketAddr, bytes: &[u8], bodyless: bool) -> io::Result<Reply> {
    talk(to, bytes, bodyless, true)
}

fn talk(to: SocketAddr, bytes: &[u8], bodyless: bool, end: bool) -> io::Result<Reply> {
    let mut stream = Connection::open(to)?;
    // A server that refuses early may close before it read everything: its answer counts, not our broken pipe.
    let mut sent = stream.write_all(bytes);
    if end && sent.is_ok() {
        sent = stream.end();
    }
    match read_reply(&mut BufReader::new(stream), bodyless) {
        Ok(reply) => Ok(reply),
        Err(error) => Err(sent.err().unwrap_or(error)),
    }
}

/// Reads one answer; interim ones are passed over.
pub fn read_reply(from: &mut impl BufRead, bodyless: bool) -> io::Result<Reply> {
    loop {
        let status_line = line(from)?;
        let status = status_line.split(' ').nth(1).and_then(|s| s.parse::<u16>().ok());
        let status = status.ok_or_else(|| bad(format!("no status line: {status_line:?}")))?;
        let mut headers = Vec::new();
        loop {
            let line = line(from)?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| bad(format!("no header: {line:?}")))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        if status == 100 {
            continue;
        }
        let body = if bodyless || status == 204 || status == 304 { Vec::new() } else { read_body(from, &headers)? };
        return Ok(Reply { status, headers, body });
    }
}

fn read_body(from: &mut impl BufRead, headers: &[(String, String)]) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if let Some(length) = find(headers, "content-length") {
        let length: usize = length.parse().map_err(|_| bad("content-length is no number"))?;
        body.resize(length, 0);
        from.read_exact(&mut body)?;
    } else if find(headers, "transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
        loop {
            let size = usize::from_str_radix(&line(from)?, 16).map_err(|_| bad("chunk size is no number"))?;
            let start = body.len();
            body.resize(start + size, 0);
            from.read_exact(&mut body[start..])?;
            line(from)?;
            if size == 0 {
                break;
            }
        }
    } else {
        from.read_to_end(&mut body)?;
    }
    Ok(body)
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    if from.read_until(b'\n', &mut bytes)? == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended without an answer"));
    }
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned())
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
}

fn bad(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}
