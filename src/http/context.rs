//! The circumstances of one request: its id, its time, where it came from.

use crate::auth::sigv4::RawRequest;
use crate::http::server::Line;
use actix_web::HttpRequest;
use actix_web::dev::RequestHead;
use actors::domain::clock::{Clock, Timestamp};
use actors::domain::config::model::Advanced;
use actors::domain::network;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// What is known of a request besides what it asks.
#[derive(Clone, Debug)]
pub struct Context {
    /// `x-amz-request-id`: 16 hex digits, in every log line of the request.
    pub request_id: String,
    /// `x-amz-id-2`.
    pub host_id: String,
    /// When it came.
    pub now: Timestamp,
    /// The client's address, behind trusted proxies too: rules, conditions, limits and the audit log all take it from here.
    pub address: Option<IpAddr>,
    /// The client spoke TLS, to us or to a trusted proxy.
    pub secure: bool,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Referer`.
    pub referer: Option<String>,
}

impl Context {
    /// Of a request that has just come.
    pub fn new(request: &HttpRequest, clock: &Clock, advanced: &Advanced) -> Self {
        Self::of_head(request.head(), request.conn_data::<Line>().is_some_and(Line::is_secure), clock, advanced)
    }

    /// The same before there is a whole request: for what decides on `100-continue`.
    pub fn of_head(head: &RequestHead, secure: bool, clock: &Clock, advanced: &Advanced) -> Self {
        let (request_id, host_id) = ids();
        let (peer, trusted) = (head.peer_addr.map(|peer| peer.ip()), advanced.trusted_proxies.as_slice());
        let lines = |name: &str| -> Vec<&[u8]> {
            // Where nobody is trusted, nobody's word is even looked at.
            let sent = (!trusted.is_empty()).then(|| head.headers().get_all(name)).into_iter().flatten();
            sent.map(|value| value.as_bytes()).collect()
        };
        let text =
            |name: &str| head.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        Self {
            request_id,
            host_id,
            now: clock.now(),
            address: peer.map(|peer| network::client(peer, lines("x-forwarded-for").into_iter(), trusted)),
            secure: peer
                .and_then(|peer| network::client_is_secure(peer, lines("x-forwarded-proto").into_iter(), trusted))
                .unwrap_or(secure),
            user_agent: text("user-agent"),
            referer: text("referer"),
        }
    }

    /// The client's address in text, empty where there is none.
    pub fn ip(&self) -> String {
        self.address.map(|address| address.to_string()).unwrap_or_default()
    }
}

/// A new request's `x-amz-request-id` and `x-amz-id-2`.
pub fn ids() -> (String, String) {
    let request_id = uuid::Uuid::new_v4().simple().to_string()[..16].to_ascii_uppercase();
    let host_id = STANDARD.encode(Sha256::digest(request_id.as_bytes()));
    (request_id, host_id)
}

/// The bytes of a request that a signature covers; `bucket` is what the host names.
pub fn raw<'a>(head: &'a RequestHead, bucket: Option<&'a str>) -> RawRequest<'a> {
    let mut headers: Vec<(&str, &[u8])> =
        head.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    // HTTP/2 sends the host as `:authority`, which is part of the URI here.
    if !headers.iter().any(|(name, _)| *name == "host")
        && let Some(authority) = head.uri.authority()
    {
        headers.push(("host", authority.as_str().as_bytes()));
    }
    RawRequest {
        bucket,
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers,
    }
}
