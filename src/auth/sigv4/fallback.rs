//! What proxies and signers do to a request on its way: other bytes to hash, never others to parse.
//!
//! Tried only where the peer is a trusted proxy, and only after the bytes that came did not fit. Each that fits is counted.

use super::canonical::Instead;
use super::claim::Claim;
use super::request::RawRequest;
use crate::http::percent;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a client may have signed as `accept-encoding` where a proxy asks for encodings of its own: what SDKs send.
const ENCODINGS: [&[u8]; 3] = [b"identity", b"gzip", b""];

/// The trusted proxy through which a request came.
#[derive(Clone, Copy, Debug)]
pub struct Proxy<'a> {
    /// `advanced.public_url`: under its host clients know this server.
    pub public_url: Option<&'a str>,
}

impl<'a> Proxy<'a> {
    /// The host and port of the public address.
    fn public_host(self) -> Option<&'a str> {
        let (_, rest) = self.public_url?.split_once("://")?;
        rest.split('/').next()
    }
}

/// How often each kind fitted.
#[derive(Debug, Default)]
pub(super) struct Fallbacks {
    path: AtomicU64,
    host: AtomicU64,
    accept_encoding: AtomicU64,
}

impl Fallbacks {
    pub(super) fn note(&self, instead: &Instead<'_>) {
        let fitted = [
            (instead.raw_path, &self.path),
            (instead.host.is_some(), &self.host),
            (instead.accept_encoding.is_some(), &self.accept_encoding),
        ];
        for (_, counter) in fitted.iter().filter(|(fits, _)| *fits) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn counts(&self) -> [(&'static str, u64); 3] {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [("path", of(&self.path)), ("host", of(&self.host)), ("accept_encoding", of(&self.accept_encoding))]
    }
}

/// Every other reading of what was signed, those that change least first.
pub(super) fn readings<'r>(raw: &'r RawRequest<'_>, path: &[u8], claim: &Claim, proxy: Proxy<'r>) -> Vec<Instead<'r>> {
    let is_signed = |name: &str| claim.signed_headers.iter().any(|signed| signed == name);
    let mut escaped = String::new();
    percent::encode_path(path, &mut escaped);
    let paths: &[bool] = if escaped == raw.path { &[false] } else { &[false, true] };
    let sent = raw.values("host").next().unwrap_or_default();
    let forwarded = raw.values("x-forwarded-host").flat_map(|line| line.split(|byte| *byte == b','));
    let aliases = forwarded.map(<[u8]>::trim_ascii).chain(proxy.public_host().map(str::as_bytes));
    let mut hosts = vec![None];
    hosts.extend(aliases.filter(|alias| !alias.is_empty() && *alias != sent).map(Some));
    let mut encodings = vec![None];
    if is_signed("accept-encoding") {
        encodings.extend(ENCODINGS.map(Some));
    }
    let mut all = Vec::new();
    for raw_path in paths.iter().copied() {
        for host in hosts.iter().copied() {
            for accept_encoding in encodings.iter().copied() {
                all.push(Instead { raw_path, host, accept_encoding });
            }
        }
    }
    // The first is what came.
    all.split_off(1)
}
