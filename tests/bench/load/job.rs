//! What is to be done: the arguments, the body and the signatures.

use crate::client::Request;
use crate::signer::Signer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// The length of a chunk of a body in chunks, as the SDKs of AWS send it.
const CHUNK: usize = 64 * 1024;
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The arguments.
#[derive(Clone)]
pub struct Job {
    /// `GET`, `PUT` or `LIST`.
    pub verb: String,
    /// The server.
    pub addr: SocketAddr,
    /// Where the keys begin: `/bucket/prefix`.
    pub base: String,
    /// How many keys there are; request n takes key n modulo this.
    pub keys: usize,
    /// The length of a body.
    pub size: usize,
    /// How many connections.
    pub connections: usize,
    /// How long, where no count is given.
    pub time: Duration,
    /// How many requests.
    pub count: Option<usize>,
    /// Send a CRC64NVME along with a plain body.
    pub checksum: bool,
    /// How a body is sent.
    pub form: Form,
    /// Who signs; nobody for a server of plain files.
    pub signer: Option<Signer>,
}

/// How a body is sent.
#[derive(Clone)]
pub enum Form {
    /// As it is, with its SHA-256 signed, or unsigned.
    Plain { sha256: String, crc64: String },
    /// `aws-chunked`: signed chunks where there are `hashes`, else with a trailer.
    Chunks { chunks: usize, hashes: Option<Vec<String>>, crc64: String },
}

impl Job {
    /// From `name=value` pairs.
    pub fn parse(arguments: impl Iterator<Item = String>) -> io::Result<Self> {
        let mut given = HashMap::new();
        for argument in arguments {
            let (name, value) = argument.split_once('=').ok_or_else(|| wrong(&argument))?;
            given.insert(name.to_owned(), value.to_owned());
        }
        let number = |name: &str, default: usize| match given.get(name) {
            Some(text) => text.parse().map_err(|_| wrong(name)),
            None => Ok(default),
        };
        let text = |name: &str| given.get(name).cloned().ok_or_else(|| wrong(name));
        let size = number("size", 4096)?;
        let mut job = Self {
            verb: text("verb")?,
            addr: text("addr")?.parse().map_err(|_| wrong("addr"))?,
            base: text("base")?,
            keys: number("keys", 1)?.max(1),
            size,
            connections: number("connections", 1)?,
            time: Duration::from_millis(number("ms", 3000)? as u64),
            count: given.get("count").map(|text| text.parse().map_err(|_| wrong("count"))).transpose()?,
            checksum: number("checksum", 1)? == 1,
            form: Form::Plain { sha256: String::new(), crc64: String::new() },
            signer: given.get("key").zip(given.get("secret")).map(|(key, secret)| Signer::new(key, secret)),
        };
        let body = job.body();
        let crc64 = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &body);
        let crc64 = STANDARD.encode(crc64.to_be_bytes());
        let hash = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
        job.form = match given.get("form").map(String::as_str) {
            Some("trailer") => Form::Chunks { chunks: CHUNK, hashes: None, crc64 },
            Some("signed") => {
                let hashes = body.chunks(CHUNK).map(hash).chain([EMPTY.to_owned()]).collect();
                Form::Chunks { chunks: CHUNK, hashes: Some(hashes), crc64 }
            }
            Some("unsigned") => Form::Plain { sha256: "UNSIGNED-PAYLOAD".to_owned(), crc64 },
            _ if job.verb == "PUT" => Form::Plain { sha256: hash(&body), crc64 },
            _ => job.form,
        };
        Ok(job)
    }

    /// The body of every PUT: bytes that do not compress.
    pub fn body(&self) -> Vec<u8> {
        let length = if self.verb == "PUT" { self.size } else { 0 };
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
        let mut body = Vec::with_capacity(length + 8);
        while body.len() < length {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            body.extend_from_slice(&seed.to_le_bytes());
        }
        body.truncate(length);
        body
    }

    /// The target of request `number`.
    pub fn target(&self, number: usize) -> String {
        format!("{}{:06}", self.base, number % self.keys)
    }

    /// Signs, where somebody does.
    pub fn sign(&self, request: Request) -> Request {
        match &self.signer {
            Some(signer) => signer.sign(request, self.addr),
            None => request.header("Host", &self.addr.to_string()),
        }
    }

    /// The headers of signed chunks, the last one included.
    pub fn chain(&self, signed: &Request, hashes: &[String], length: usize, chunk: usize) -> io::Result<Vec<String>> {
        let signer = self.signer.as_ref().ok_or_else(|| wrong("key"))?;
        let stamp = signed.get("x-amz-date").unwrap_or_default();
        let authorization = signed.get("authorization").unwrap_or_default();
        let mut last = authorization.rsplit('=').next().unwrap_or_default().to_owned();
        let scope = format!("{}/{}/s3/aws4_request", &stamp[..8], signer.region);
        let mut key = hmac(format!("AWS4{}", signer.secret).as_bytes(), &stamp[..8]);
        for part in [signer.region.as_str(), "s3", "aws4_request"] {
            key = hmac(&key, part);
        }
        let lengths = (0..length).step_by(chunk).map(|at| chunk.min(length - at)).chain([0]);
        Ok(hashes
            .iter()
            .zip(lengths)
            .map(|(hash, length)| {
                let text = format!("AWS4-HMAC-SHA256-PAYLOAD\n{stamp}\n{scope}\n{last}\n{EMPTY}\n{hash}");
                last = hex::encode(hmac(&key, &text));
                format!("{length:x};chunk-signature={last}\r\n")
            })
            .collect())
    }
}

/// The headers of chunks without signatures, the last one included.
pub fn bare_headers(length: usize, chunk: usize) -> Vec<String> {
    (0..length).step_by(chunk).map(|at| chunk.min(length - at)).chain([0]).map(|n| format!("{n:x}\r\n")).collect()
}

/// `Content-Length` of a body in chunks.
pub fn framing_length(length: usize, chunk: usize, signed: bool) -> usize {
    let headers: usize = bare_headers(length, chunk).iter().map(String::len).sum();
    let count = length.div_ceil(chunk);
    if signed {
        headers + (count + 1) * ";chunk-signature=".len() + (count + 1) * 64 + (count + 1) * 2 + length
    } else {
        headers + count * 2 + length + "x-amz-checksum-crc64nvme:AAAAAAAAAAA=\r\n\r\n".len()
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn wrong(what: &str) -> io::Error {
    io::Error::other(format!("`{what}` is missing or wrong"))
}
