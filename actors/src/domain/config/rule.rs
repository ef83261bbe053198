//! The rules that texts of the configuration follow, each with the complaint that says what to write instead.

use super::problem::{Complaint, nearest};
use crate::domain::admission::PathGlob;
use crate::domain::clock::Timestamp;
use crate::domain::endpoint;
use crate::domain::iam::action;
use crate::domain::names::{BackendName, BucketName};
use crate::domain::network::Network;
use crate::domain::public;
use crate::domain::stored::cron::Cron;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// The rule of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Any text that is not empty and holds no control character.
    Word,
    /// A path of the file system.
    Path,
    /// A name of a backend.
    BackendName,
    /// A name of a bucket.
    BucketName,
    /// An access key id.
    AccessKeyId,
    /// A secret access key.
    SecretKey,
    /// A secret that may be empty: then the one that is there stays.
    KeptSecret,
    /// Any text, be it empty.
    Anything,
    /// An argon2id PHC string or a bcrypt hash, or base64 of it.
    PasswordHash,
    /// A region.
    Region,
    /// `http(s)://host[:port]`.
    Origin,
    /// `http(s)://host[:port][/path]` that this server may send something to.
    Endpoint,
    /// The name of an HTTP header that is not the protocol's own.
    HeaderName,
    /// A host name without a port, in lower case.
    Host,
    /// `level,module=level`.
    LogFilter,
    /// An Ed25519 public key in standard base64.
    Signer,
    /// An age recipient, `age1…`.
    Recipient,
    /// A moment in RFC 3339.
    Timestamp,
    /// Five fields of cron.
    Cron,
    /// What keys of objects begin with.
    KeyPrefix,
    /// An address, or a network in CIDR notation.
    Network,
    /// A name of a block of admission.
    BlockName,
    /// A method of HTTP.
    Method,
    /// An action as policies name it.
    Operation,
    /// A pattern of keys.
    Glob,
    /// A prefix of keys that ends in `/`, or nothing.
    PublicPrefix,
}

/// The methods that a block of admission may name.
const METHODS: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"];
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

impl Rule {
    /// Checks a text. The complaint about a secret never repeats it.
    pub fn check(self, text: &str) -> Result<(), Complaint> {
        if text.is_empty() && !matches!(self, Self::PublicPrefix | Self::KeptSecret | Self::Anything) {
            return Err(Complaint::new("is empty").suggest("remove the key or give it a value"));
        }
        if text.chars().any(char::is_control) {
            return Err(Complaint::new("holds a control character"));
        }
        match self {
            Self::Word | Self::Anything => Ok(()),
            Self::KeptSecret => kept_secret(text),
            Self::Path => path(text),
            Self::BackendName => BackendName::new(text).map(drop).map_err(named),
            Self::BucketName => BucketName::new(text).map(drop).map_err(|_| bucket(text)),
            Self::AccessKeyId => access_key_id(text),
            Self::SecretKey if text.len() < 8 => {
                Err(Complaint::new("is shorter than 8 characters").suggest("use a longer secret"))
            }
            Self::SecretKey => Ok(()),
            Self::PasswordHash => decode_hash(text).map(drop),
            Self::Region => region(text),
            Self::Origin => origin(text),
            Self::Endpoint => endpoint::check(text).map_err(|why| {
                Complaint::new(format!("`{text}` is no address to send to: {why}"))
                    .suggest("write it as `https://siem.example.com/audit`")
            }),
            Self::HeaderName => header_name(text),
            Self::Host => host(text),
            Self::LogFilter => log_filter(text),
            Self::Signer => signer(text),
            Self::Recipient => recipient(text),
            Self::Cron => Cron::parse(text)
                .map(drop)
                .map_err(|why| Complaint::new(why).suggest("write it as `0 2 * * *`: every day at 02:00 UTC")),
            Self::KeyPrefix => key_prefix(text),
            Self::Network => network(text),
            Self::BlockName => block_name(text),
            Self::Method => method(text),
            Self::Operation if action::is_s3(text) => Ok(()),
            Self::Operation => Err(Complaint::new(format!("`{text}` is no action of S3"))
                .suggest("name it as in a policy: `s3:PutObject`, `s3:Get*`, or read, write, delete, list, admin")),
            Self::Glob => PathGlob::parse(text).map(drop).map_err(|why| Complaint::new(format!("`{text}`: {why}"))),
            Self::PublicPrefix => public_prefix(text),
            Self::Timestamp => match serde_json::from_value::<Timestamp>(serde_json::Value::from(text)) {
                Ok(_) => Ok(()),
                Err(_) => {
                    Err(Complaint::new(format!("`{text}` is no time")).suggest("write it as `2026-11-22T09:00:00Z`"))
                }
            },
        }
    }

    /// The rule as a regular expression for the JSON Schema, where one says it; `${env:NAME}` is let through everywhere.
    pub fn pattern(self) -> Option<&'static str> {
        match self {
            Self::BackendName => Some(r"^[A-Za-z0-9._-]{1,64}$|\$\{env:"),
            Self::BucketName => Some(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$|\$\{env:"),
            Self::Region => Some(r"^[a-z0-9-]{1,64}$|\$\{env:"),
            Self::Origin => Some(r"^https?://[^/?#]+/?$|\$\{env:"),
            Self::Endpoint => Some(r"^https?://[^/?#@]+|\$\{env:"),
            Self::HeaderName => Some(r"^[A-Za-z0-9_-]+$|\$\{env:"),
            Self::Host => Some(r"^[a-z0-9_-]+(\.[a-z0-9_-]+)*$|\$\{env:"),
            Self::BlockName => Some(r"^[A-Za-z0-9_:.-]{1,128}$|\$\{env:"),
            Self::PublicPrefix => Some(r"^$|^[^/].*/$|\$\{env:"),
            Self::Signer => Some(r"^[A-Za-z0-9+/]{43}=$|\$\{env:"),
            Self::Recipient => Some(r"^age1[02-9ac-hj-np-z]{58}$|\$\{env:"),
            _ => None,
        }
    }
}

/// A password hash as it is, or out of its base64 form.
pub fn decode_hash(text: &str) -> Result<String, Complaint> {
    let text = text.trim();
    let complaint = || Complaint::new("is no password hash").suggest("make one with `deltaglider_proxy hash-password`");
    let decoded = match text.starts_with('$') {
        true => text.to_owned(),
        false => STANDARD_NO_PAD
            .decode(text.trim_end_matches('='))
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(complaint)?,
    };
    let decoded = decoded.trim();
    let known = ["$argon2id$", "$argon2i$", "$argon2d$", "$2a$", "$2b$", "$2x$", "$2y$"]
        .iter()
        .any(|prefix| decoded.starts_with(prefix));
    if known && !decoded.chars().any(char::is_whitespace) { Ok(decoded.to_owned()) } else { Err(complaint()) }
}

fn kept_secret(text: &str) -> Result<(), Complaint> {
    match text.len() <= 1024 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(()),
        false => Err(Complaint::new("has a character that no secret has, or more than 1024 of them")),
    }
}

fn named(error: crate::Error) -> Complaint {
    let complaint = Complaint::new(error.message());
    match error.hint() {
        Some(hint) => complaint.suggest(hint),
        None => complaint,
    }
}

fn bucket(text: &str) -> Complaint {
    let complaint = Complaint::new(format!("`{text}` is no bucket name"));
    let fixed = text.to_ascii_lowercase().replace('_', "-");
    match BucketName::new(&fixed) {
        Ok(_) => complaint.suggest(format!("did you mean `{fixed}`?")),
        Err(_) => complaint.suggest("use 3 to 63 of a-z, 0-9, dot and hyphen"),
    }
}

fn path(text: &str) -> Result<(), Complaint> {
    if text.split('/').any(|part| part == "..") {
        return Err(Complaint::new(format!("`{text}` holds `..`")).suggest("write the path out"));
    }
    if text.starts_with('~') {
        return Err(Complaint::new("`~` is not expanded").suggest("write `${env:HOME}` instead"));
    }
    match text.split_once("://") {
        Some(_) => Err(Complaint::new(format!("`{text}` is an address, not a path"))),
        None => Ok(()),
    }
}

fn access_key_id(text: &str) -> Result<(), Complaint> {
    let good = |b: u8| b.is_ascii_graphic() && !matches!(b, b'/' | b',' | b'=' | b'"' | b'\\');
    if (3..=128).contains(&text.len()) && text.bytes().all(good) {
        return Ok(());
    }
    Err(Complaint::new("is no access key id").suggest("use 3 to 128 letters and digits"))
}

fn region(text: &str) -> Result<(), Complaint> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.len() <= 64 && text.bytes().all(good) {
        return Ok(());
    }
    Err(Complaint::new(format!("`{text}` is no region")).suggest("write it as `us-east-1`"))
}

fn origin(text: &str) -> Result<(), Complaint> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = host.map(|host| host.strip_suffix('/').unwrap_or(host));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => Ok(()),
        Some(_) => Err(Complaint::new(format!("`{text}` is more than a host name and a port"))
            .suggest("write it as `https://s3.example.com`")),
        None => {
            Err(Complaint::new(format!("`{text}` has no scheme")).suggest(format!("did you mean `https://{text}`?")))
        }
    }
}

fn header_name(text: &str) -> Result<(), Complaint> {
    const OURS: [&str; 6] = ["host", "content-length", "content-type", "transfer-encoding", "connection", "user-agent"];
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !text.bytes().all(good) {
        return Err(Complaint::new(format!("`{text}` is no name of a header")).suggest("write it as `Authorization`"));
    }
    if OURS.iter().any(|ours| text.eq_ignore_ascii_case(ours)) {
        return Err(Complaint::new(format!("`{text}` is set by the server itself")).suggest("remove it"));
    }
    Ok(())
}

fn host(text: &str) -> Result<(), Complaint> {
    let good = |text: &str| {
        let label = |label: &str| {
            !label.is_empty() && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
        };
        text.len() <= 253 && text.split('.').all(label)
    };
    if good(text) {
        return Ok(());
    }
    let complaint = Complaint::new(format!("`{text}` is no host name"));
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest).trim_start_matches("*.").trim_matches('.');
    let bare = bare.split([':', '/']).next().unwrap_or_default().to_ascii_lowercase();
    match good(&bare) {
        true => Err(complaint.suggest(format!("did you mean `{bare}`?"))),
        false => Err(complaint.suggest("write it as `s3.example.com`")),
    }
}

fn key_prefix(text: &str) -> Result<(), Complaint> {
    let good = |part: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        !part.is_empty() && !matches!(part, "." | "..") && part.bytes().all(plain)
    };
    if text.len() <= 512 && text.strip_suffix('/').unwrap_or(text).split('/').all(good) {
        return Ok(());
    }
    Err(Complaint::new(format!("`{text}` is no prefix"))
        .suggest("write it as `backups/dgp/`: letters, digits, `.`, `_`, `-`"))
}

fn log_filter(text: &str) -> Result<(), Complaint> {
    for directive in text.split(',').map(str::trim) {
        let level = match directive.split_once('=') {
            Some(("", _)) => "",
            Some((_, level)) => level.trim(),
            None => directive,
        };
        if !LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level)) {
            let complaint = Complaint::new(format!("`{directive}` is no log filter"));
            return Err(match nearest(level, LEVELS) {
                Some(near) => complaint.suggest(format!("did you mean `{near}`?")),
                None => complaint.suggest("use off, error, warn, info, debug, trace, or `module=level`"),
            });
        }
    }
    Ok(())
}

fn network(text: &str) -> Result<(), Complaint> {
    match Network::parse(text) {
        Some(_) => Ok(()),
        None => Err(Complaint::new(format!("`{text}` is no address and no network"))
            .suggest("write it as `203.0.113.9`, `10.0.0.0/8` or `2001:db8::/32`")),
    }
}

fn block_name(text: &str) -> Result<(), Complaint> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'.' | b'-');
    if text.starts_with(public::RULE_PREFIX) {
        return Err(Complaint::new(format!(
            "names that begin with `{}` are kept for public prefixes",
            public::RULE_PREFIX
        )));
    }
    if text.len() <= 128 && text.bytes().all(good) {
        return Ok(());
    }
    Err(Complaint::new(format!("`{text}` is no name of a block"))
        .suggest("use 1 to 128 of a-z, A-Z, 0-9, underscore, colon, dot and hyphen"))
}

fn method(text: &str) -> Result<(), Complaint> {
    if METHODS.iter().any(|known| known.eq_ignore_ascii_case(text)) {
        return Ok(());
    }
    let complaint = Complaint::new(format!("`{text}` is no method that a block may name"));
    Err(match nearest(text, METHODS) {
        Some(near) => complaint.suggest(format!("did you mean `{near}`?")),
        None => complaint.suggest(format!("use one of {}", METHODS.join(", "))),
    })
}

fn public_prefix(text: &str) -> Result<(), Complaint> {
    if text.is_empty() {
        return Ok(());
    }
    if text.starts_with('/') || text.contains("//") || text.split('/').any(|part| part == "..") {
        return Err(Complaint::new(format!("`{text}` begins with a slash, or holds `//` or `..`"))
            .suggest("write it as `releases/`; the whole bucket is `public: true`"));
    }
    match text.ends_with('/') && text.len() <= 1024 {
        true => Ok(()),
        false => Err(Complaint::new(format!("`{text}` does not end in a slash"))
            .suggest(format!("did you mean `{text}/`? Only what lies inside it is public"))),
    }
}

fn signer(text: &str) -> Result<(), Complaint> {
    match STANDARD.decode(text) {
        Ok(bytes) if bytes.len() == 32 => Ok(()),
        _ => {
            Err(Complaint::new("is no Ed25519 public key")
                .suggest("32 bytes in base64, as a manifest's `signature.key`"))
        }
    }
}

fn recipient(text: &str) -> Result<(), Complaint> {
    match text.parse::<age::x25519::Recipient>() {
        Ok(_) => Ok(()),
        // An identity in the wrong place is a secret: it is not repeated.
        Err(_) => {
            Err(Complaint::new("is no age recipient")
                .suggest("write the `age1…` that `age-keygen` shows as public key"))
        }
    }
}

#[cfg(test)]
mod tests;
