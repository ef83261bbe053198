//! What a host name is for: S3 in path style, one bucket, the console.
//!
//! Source: AWS, "Virtual hosting of general purpose buckets". The signature covers the header as it was sent; a name is compared
//! without its port, whatever its case.

use crate::app::Edge;
use actix_web::dev::RequestHead;
use actix_web::guard::GuardContext;
use actix_web::http::header::HOST;
use actix_web::web;
use actors::domain::config::model::Advanced;
use std::net::Ipv6Addr;

/// What the host of a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// S3 in path style, and the probes.
    Service {
        /// And the console, with the admin API.
        console: bool,
    },
    /// This bucket alone: every path is a key of it.
    Bucket(String),
    /// No host was named, as HTTP/1.0 allows; a probe may do so.
    Unnamed,
    /// What was named is no host, or not the one that the request's target names.
    Garbage,
}

impl Place {
    /// Reads it from a request.
    pub fn of(head: &RequestHead, advanced: &Advanced) -> Self {
        let authority = head.uri.authority().map(|authority| authority.as_str());
        let mut sent = head.headers().get_all(HOST).map(|value| value.to_str().unwrap_or_default());
        let host = match (sent.next(), authority) {
            (None, None) => return Self::Unnamed,
            (Some(host), Some(target)) if !host.eq_ignore_ascii_case(target) => return Self::Garbage,
            (Some(_), _) if sent.next().is_some() => return Self::Garbage,
            (Some(host), _) | (None, Some(host)) => host,
        };
        match name(host) {
            None => Self::Garbage,
            Some(name) => Self::named(&name, advanced),
        }
    }

    /// `name` is in lower case.
    fn named(name: &str, advanced: &Advanced) -> Self {
        let own = advanced.console_host.as_deref();
        let service = Self::Service { console: own.is_none_or(|own| own == name) };
        if own == Some(name) || advanced.domains.iter().any(|domain| domain == name) {
            return service;
        }
        // Of domains that lie in one another the longest counts.
        let buckets = advanced.domains.iter().filter_map(|domain| name.strip_suffix(domain)?.strip_suffix('.'));
        match buckets.min_by_key(|bucket| bucket.len()) {
            Some(bucket) => Self::Bucket(bucket.to_owned()),
            None => service,
        }
    }

    /// The bucket that the host names.
    pub fn bucket(&self) -> Option<&str> {
        match self {
            Self::Bucket(bucket) => Some(bucket),
            Self::Service { .. } | Self::Unnamed | Self::Garbage => None,
        }
    }

    /// Whether the console is served here, so that nothing else of this origin may run in a browser.
    pub fn has_console(&self) -> bool {
        // Where no host was named, whoever asked may have left it out on the way to any of them.
        matches!(self, Self::Service { console: true } | Self::Unnamed | Self::Garbage)
    }

    /// Whether `/_/health` and its like are served here.
    pub fn has_probes(&self) -> bool {
        matches!(self, Self::Service { .. } | Self::Unnamed)
    }
}

/// Lets the console and the admin API answer.
pub fn console_is_here(context: &GuardContext<'_>) -> bool {
    place(context).is_some_and(|place| matches!(place, Place::Service { console: true }))
}

/// Lets the probes answer.
pub fn probes_are_here(context: &GuardContext<'_>) -> bool {
    place(context).is_some_and(|place| place.has_probes())
}

/// True for what S3 does not answer: what lies below `/_/` on a host that serves it.
pub fn is_not_s3(head: &RequestHead, advanced: &Advanced) -> bool {
    let path = head.uri.path();
    let below = path == "/_" || path.starts_with("/_/");
    let probe = matches!(path, "/_/health" | "/_/ready" | "/_/metrics");
    below && {
        let place = Place::of(head, advanced);
        place == Place::Service { console: true } || (probe && place.has_probes())
    }
}

fn place(context: &GuardContext<'_>) -> Option<Place> {
    let edge = context.app_data::<web::Data<Edge>>()?;
    Some(Place::of(context.head(), &edge.system.view().config.advanced))
}

/// The name in `name[:port]`, in lower case and without a closing dot.
fn name(host: &str) -> Option<String> {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            address.parse::<Ipv6Addr>().ok()?;
            (address, port.strip_prefix(':').or(port.is_empty().then_some("")))
        }
        None => host.split_once(':').map_or((host, Some("")), |(name, port)| (name, Some(port))),
    };
    let port = port?;
    if !port.is_empty() && port.parse::<u16>().is_err() {
        return None;
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    // An underscore is no part of a host name, but of many that container networks give.
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
    (!name.is_empty() && name.len() <= 255 && name.bytes().all(good)).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
