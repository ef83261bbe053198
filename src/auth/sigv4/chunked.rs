//! Bodies in chunks (`aws-chunked`): a decoder over bytes that checks framing, length, signatures and trailer as they pass.
//!
//! Source: AWS, "Transferring payload in multiple chunks (chunked upload)" and the same "… including trailing headers". Chunks
//! may be of any size here; AWS wants 8 KiB at least of all but the last.

use super::signing_key::hmac;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// The longest line of the framing: a chunk's header or a trailer.
const LINE: usize = 1024;
/// SHA-256 of nothing, in hex: chunks carry no headers of their own.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// The trailer that signs the others.
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// A body in chunks: whether they are signed, and whether a trailer follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunked {
    signatures: Signatures,
    trailer: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Signatures {
    /// Chunks carry none.
    Absent,
    /// They carry some, and nobody checks them: authentication is off.
    Unchecked,
    /// Each signs its chunk and the signature before it.
    Checked(Chain),
}

/// Where a chain of signatures stands.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// The signing key of the request.
    pub(super) key: [u8; 32],
    /// The last signature; the request's own to begin with.
    pub(super) last: String,
    /// The request's time in compact form.
    pub(super) timestamp: String,
    /// Its scope.
    pub(super) scope: String,
}

/// Why a body in chunks was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The framing is wrong or ends early.
    Framing,
    /// The chunks hold more or less than `x-amz-decoded-content-length` says.
    Length,
    /// A chunk's or the trailer's signature does not fit.
    Signature,
    /// The trailer is not the one that `x-amz-trailer` announces.
    Trailer,
}

/// Takes the body's bytes in and gives the content out.
#[derive(Debug)]
pub struct Decoder {
    form: Chunked,
    /// What is still to come of the content.
    left: u64,
    /// The trailer that was announced, and its value once it is known.
    announced: Option<&'static str>,
    value: Option<String>,
    state: State,
    line: Vec<u8>,
}

#[derive(Debug)]
enum State {
    /// Before a chunk's header.
    Header,
    /// Inside a chunk of which this much is to come.
    Data { left: u64, claimed: String, sum: Sha256 },
    /// Before the line end that closes a chunk.
    DataEnd,
    /// After the last chunk.
    Trailer { signed: bool, bare: bool },
    /// After the end.
    Done,
}

impl Chunked {
    pub(super) fn signed(chain: Option<Chain>, trailer: bool) -> Self {
        Self { signatures: chain.map_or(Signatures::Unchecked, Signatures::Checked), trailer }
    }

    pub(super) fn unsigned() -> Self {
        Self { signatures: Signatures::Absent, trailer: true }
    }

    /// True for the forms that end in a trailer.
    pub fn has_trailer(&self) -> bool {
        self.trailer
    }

    /// A decoder of a body with this much content and the announced trailer.
    pub fn decoder(&self, length: u64, announced: Option<&'static str>) -> Decoder {
        let form = self.clone();
        Decoder { form, left: length, announced, value: None, state: State::Header, line: Vec::new() }
    }
}

impl Chain {
    /// Checks the next signature and moves on to it.
    fn next(&mut self, algorithm: &str, sums: &str, claimed: &str) -> Result<(), Broken> {
        let text = format!("{algorithm}\n{}\n{}\n{}\n{sums}", self.timestamp, self.scope, self.last);
        let expected = hex::encode(hmac(&self.key, text.as_bytes()));
        if !bool::from(expected.as_bytes().ct_eq(claimed.as_bytes())) {
            return Err(Broken::Signature);
        }
        self.last = expected;
        Ok(())
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Decoder {
    /// The next piece of content in `input`, which is used up from its front; `None` where more input is needed.
    ///
    /// A piece may be given out before its chunk's signature was checked, so nothing may be made of the content before
    /// [`Decoder::finish`].
    pub fn decode(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, Broken> {
        while !input.is_empty() {
            if matches!(self.state, State::Done) {
                return Err(Broken::Framing);
            }
            if let State::Data { left, claimed, sum } = &mut self.state {
                // What a usize cannot hold is more than the input has.
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                let piece = input.split_to(take);
                *left -= take as u64;
                if let Signatures::Checked(chain) = &mut self.form.signatures {
                    sum.update(&piece);
                    if *left == 0 {
                        chunk_signature(chain, std::mem::take(sum), claimed)?;
                    }
                }
                if *left == 0 {
                    self.state = State::DataEnd;
                }
                return Ok(Some(piece));
            }
            if let Some(line) = self.line(input)? {
                self.take(&line)?;
            }
        }
        Ok(None)
    }

    /// Ends the body; the value of the announced trailer.
    pub fn finish(self) -> Result<Option<String>, Broken> {
        match self.state {
            State::Done => Ok(self.value),
            _ => Err(Broken::Framing),
        }
    }

    /// A line with its end, once it is whole.
    fn line(&mut self, input: &mut Bytes) -> Result<Option<Vec<u8>>, Broken> {
        let end = input.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let piece = input.split_to(end.unwrap_or(input.len()));
        if self.line.len() + piece.len() > LINE {
            return Err(Broken::Framing);
        }
        self.line.extend_from_slice(&piece);
        Ok(end.map(|_| std::mem::take(&mut self.line)))
    }

    fn take(&mut self, line: &[u8]) -> Result<(), Broken> {
        match self.state {
            State::Header => self.header(line),
            State::DataEnd if line == b"\r\n" => {
                self.state = State::Header;
                Ok(())
            }
            State::Trailer { signed, bare } => self.trailer(line, signed, bare),
            State::Data { .. } | State::DataEnd | State::Done => Err(Broken::Framing),
        }
    }

    /// `size[;chunk-signature=…]`.
    fn header(&mut self, line: &[u8]) -> Result<(), Broken> {
        let line = line.strip_suffix(b"\r\n").and_then(|line| std::str::from_utf8(line).ok()).ok_or(Broken::Framing)?;
        let (digits, claimed) = match (&self.form.signatures, line.split_once(";chunk-signature=")) {
            (Signatures::Absent, None) => (line, ""),
            (Signatures::Unchecked | Signatures::Checked(_), Some((digits, claimed))) if is_signature(claimed) => {
                (digits, claimed)
            }
            _ => return Err(Broken::Framing),
        };
        if digits.is_empty() || digits.len() > 16 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Broken::Framing);
        }
        let size = u64::from_str_radix(digits, 16).map_err(|_| Broken::Framing)?;
        self.left = self.left.checked_sub(size).ok_or(Broken::Length)?;
        self.state = if size > 0 {
            State::Data { left: size, claimed: claimed.to_owned(), sum: Sha256::new() }
        } else if self.left > 0 {
            return Err(Broken::Length);
        } else {
            if let Signatures::Checked(chain) = &mut self.form.signatures {
                chunk_signature(chain, Sha256::new(), claimed)?;
            }
            State::Trailer { signed: false, bare: false }
        };
        Ok(())
    }

    /// A line after the last chunk. AWS's documentation ends a signed trailer with `\n\r\n`, its SDKs with `\r\n`.
    fn trailer(&mut self, line: &[u8], signed: bool, bare: bool) -> Result<(), Broken> {
        let text = line.strip_suffix(b"\r\n").or_else(|| line.strip_suffix(b"\n")).unwrap_or(line);
        let due = self.form.trailer && !signed && self.form.signatures != Signatures::Absent;
        if text.is_empty() {
            self.state = match (due, bare) {
                (true, true) => State::Trailer { signed, bare: false },
                (true, false) => return Err(Broken::Trailer),
                _ if self.announced.is_some() && self.value.is_none() => return Err(Broken::Trailer),
                _ if line != b"\r\n" => return Err(Broken::Framing),
                _ => State::Done,
            };
            return Ok(());
        }
        if !self.form.trailer {
            return Err(Broken::Framing);
        }
        let text = std::str::from_utf8(text).map_err(|_| Broken::Trailer)?;
        let (name, value) = text.split_once(':').ok_or(Broken::Trailer)?;
        let (name, value) = (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']));
        if name == TRAILER_SIGNATURE && due {
            self.trailer_signature(value)?;
            self.state = State::Trailer { signed: true, bare: false };
        } else if self.announced == Some(name.as_str()) && self.value.is_none() && !signed {
            self.value = Some(value.to_owned());
            self.state = State::Trailer { signed, bare: !line.ends_with(b"\r\n") };
        } else {
            return Err(Broken::Trailer);
        }
        Ok(())
    }

    fn trailer_signature(&mut self, claimed: &str) -> Result<(), Broken> {
        let Signatures::Checked(chain) = &mut self.form.signatures else { return Ok(()) };
        let trailers = match (self.announced, &self.value) {
            (Some(name), Some(value)) => format!("{name}:{value}\n"),
            _ => String::new(),
        };
        chain.next("AWS4-HMAC-SHA256-TRAILER", &hex::encode(Sha256::digest(trailers)), claimed)
    }
}

fn chunk_signature(chain: &mut Chain, sum: Sha256, claimed: &str) -> Result<(), Broken> {
    let sums = format!("{EMPTY}\n{}", hex::encode(sum.finalize()));
    chain.next("AWS4-HMAC-SHA256-PAYLOAD", &sums, claimed)
}

fn is_signature(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests;
