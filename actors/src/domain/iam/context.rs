//! What is asked: the action, the resource and the circumstances of one request, the same for every decision about it.

use crate::domain::clock::Timestamp;
use crate::domain::iam::action;
use crate::domain::iam::model::Permission;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// One thing that a principal wants to do.
#[derive(Clone, Copy, Debug)]
pub struct AccessRequest<'a> {
    /// An AWS name (`s3:GetObject`) or an admin right (`backup:export`).
    pub action: &'a str,
    /// To what.
    pub resource: Resource<'a>,
    /// Under which circumstances.
    pub context: &'a RequestContext,
}

/// What an action is about: nothing (`ListBuckets`, admin rights), a bucket, or a key in a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resource<'a> {
    /// The bucket.
    pub bucket: Option<&'a str>,
    /// The key, decoded.
    pub key: Option<&'a str>,
}

impl<'a> Resource<'a> {
    /// The service itself.
    pub const NONE: Self = Self { bucket: None, key: None };

    /// A bucket.
    pub const fn bucket(bucket: &'a str) -> Self {
        Self { bucket: Some(bucket), key: None }
    }

    /// A key in a bucket.
    pub const fn object(bucket: &'a str, key: &'a str) -> Self {
        Self { bucket: Some(bucket), key: Some(key) }
    }

    /// As people write it for an action: `bucket`, `bucket/key`, or `*` for what is about neither.
    pub fn named(action: &str, text: &'a str) -> Self {
        match text.split_once('/') {
            _ if text == "*" || action::is_admin_right(action) => Self::NONE,
            Some((bucket, key)) if !key.is_empty() => Self::object(bucket, key),
            Some((bucket, _)) => Self::bucket(bucket),
            None => Self::bucket(text),
        }
    }
}

/// The circumstances of a request: made once, at the edge, and used for every key of a batch and both sides of a copy.
#[derive(Clone, Debug, Default)]
pub struct RequestContext {
    /// The client's address, forwarded headers of trusted proxies considered.
    pub source_ip: Option<IpAddr>,
    /// The request came over TLS.
    pub secure: bool,
    /// When it came.
    pub time: Timestamp,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Referer`.
    pub referer: Option<String>,
    /// The access key that signed it.
    pub access_key_id: Option<String>,
    /// What nobody but an admin may do, whatever the rules say: see `reserved`.
    pub reserved: Option<Arc<[Permission]>>,
    /// The rules of `$anonymous` on the bucket that is asked for, where the request brings no credentials.
    pub public: Option<Arc<[Permission]>>,
    /// The parameters of a listing.
    pub list: ListParameters,
    /// Every `x-amz-*` header, names in lower case.
    pub amz_headers: BTreeMap<String, String>,
    /// The tags of the object that is there.
    pub existing_tags: BTreeMap<String, String>,
    /// The tags that the request brings.
    pub request_tags: BTreeMap<String, String>,
}

/// What a listing asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListParameters {
    /// `prefix`; empty where none was given, as `s3:prefix` is compared.
    pub prefix: String,
    /// `delimiter`.
    pub delimiter: Option<String>,
    /// `max-keys`.
    pub max_keys: Option<u64>,
}

impl RequestContext {
    /// Says what a condition key is in a request that nobody made: for `explain` and `policy test`. The error is for whoever asked.
    pub fn suppose(&mut self, key: &str, value: &str) -> Result<(), String> {
        let read = |what: &str| format!("`{value}` is no {what} for `{key}`");
        let owned = value.to_owned();
        match ContextKey::parse(key).ok_or_else(|| format!("`{key}` is no condition key"))? {
            ContextKey::SourceIp => self.source_ip = Some(value.parse().map_err(|_| read("IP address"))?),
            ContextKey::CurrentTime => {
                self.time = Timestamp::parse_rfc3339(value).ok_or_else(|| read("RFC 3339 time"))?
            }
            ContextKey::EpochTime => self.time = Timestamp::from_secs(value.parse().map_err(|_| read("number"))?),
            ContextKey::SecureTransport => self.secure = value.parse().map_err(|_| read("`true` or `false`"))?,
            ContextKey::UserAgent => self.user_agent = Some(owned),
            ContextKey::Referer => self.referer = Some(owned),
            ContextKey::Prefix => self.list.prefix = owned,
            ContextKey::Delimiter => self.list.delimiter = Some(owned),
            ContextKey::MaxKeys => self.list.max_keys = Some(value.parse().map_err(|_| read("number"))?),
            ContextKey::ExistingTag(tag) => drop(self.existing_tags.insert(tag, owned)),
            ContextKey::RequestTag(tag) => drop(self.request_tags.insert(tag, owned)),
            ContextKey::AmzHeader(name) => drop(self.amz_headers.insert(name, owned)),
            ContextKey::Username | ContextKey::UserId => return Err(format!("`{key}` is what the principal says")),
        }
        Ok(())
    }
}

/// A condition key of a rule, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextKey {
    /// `aws:SourceIp`
    SourceIp,
    /// `aws:CurrentTime`
    CurrentTime,
    /// `aws:EpochTime`
    EpochTime,
    /// `aws:SecureTransport`
    SecureTransport,
    /// `aws:UserAgent`
    UserAgent,
    /// `aws:Referer`
    Referer,
    /// `aws:username`
    Username,
    /// `aws:userid`
    UserId,
    /// `s3:prefix`
    Prefix,
    /// `s3:delimiter`
    Delimiter,
    /// `s3:max-keys`
    MaxKeys,
    /// `s3:ExistingObjectTag/<key>`
    ExistingTag(String),
    /// `s3:RequestObjectTag/<key>`
    RequestTag(String),
    /// `s3:x-amz-…`
    AmzHeader(String),
}

impl ContextKey {
    /// Reads a key; its name is compared without case, a tag's is not.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        Some(match lower.as_str() {
            "aws:sourceip" => Self::SourceIp,
            "aws:currenttime" => Self::CurrentTime,
            "aws:epochtime" => Self::EpochTime,
            "aws:securetransport" => Self::SecureTransport,
            "aws:useragent" => Self::UserAgent,
            "aws:referer" => Self::Referer,
            "aws:username" | "iam:username" => Self::Username,
            "aws:userid" | "iam:userid" => Self::UserId,
            "s3:prefix" => Self::Prefix,
            "s3:delimiter" => Self::Delimiter,
            "s3:max-keys" => Self::MaxKeys,
            _ => {
                let tag = |prefix: &str| {
                    lower.strip_prefix(prefix).filter(|tag| !tag.is_empty()).map(|_| text[prefix.len()..].to_owned())
                };
                if let Some(tag) = tag("s3:existingobjecttag/") {
                    Self::ExistingTag(tag)
                } else if let Some(tag) = tag("s3:requestobjecttag/") {
                    Self::RequestTag(tag)
                } else {
                    Self::AmzHeader(lower.strip_prefix("s3:").filter(|name| name.starts_with("x-amz-"))?.to_owned())
                }
            }
        })
    }

    /// The key's value in a request; `None` where the request has none.
    pub fn value<'a>(&self, asked: &Asked<'a>) -> Option<Cow<'a, str>> {
        let context = asked.context;
        match self {
            Self::SourceIp => context.source_ip.map(|ip| ip.to_string().into()),
            Self::CurrentTime => Some(context.time.rfc3339().into()),
            Self::EpochTime => Some(context.time.secs().to_string().into()),
            Self::SecureTransport => Some(if context.secure { "true" } else { "false" }.into()),
            Self::UserAgent => context.user_agent.as_deref().map(Cow::from),
            Self::Referer => context.referer.as_deref().map(Cow::from),
            Self::Username => asked.username.map(Cow::from),
            Self::UserId => asked.user_id.map(Cow::from),
            Self::Prefix => asked.listing.then_some(asked.prefix.into()),
            Self::Delimiter => context.list.delimiter.as_deref().filter(|_| asked.listing).map(Cow::from),
            Self::MaxKeys => context.list.max_keys.filter(|_| asked.listing).map(|max| max.to_string().into()),
            Self::ExistingTag(tag) => context.existing_tags.get(tag).map(|value| value.as_str().into()),
            Self::RequestTag(tag) => context.request_tags.get(tag).map(|value| value.as_str().into()),
            Self::AmzHeader(name) => context.amz_headers.get(name).map(|value| value.as_str().into()),
        }
    }
}

/// What conditions are compared with: a request and who made it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The circumstances.
    pub context: &'a RequestContext,
    /// The action is a listing: only then there are `s3:prefix`, `s3:delimiter` and `s3:max-keys`.
    pub listing: bool,
    /// The prefix that is listed.
    pub prefix: &'a str,
    /// The principal's name, where it is a user.
    pub username: Option<&'a str>,
    /// The principal's id, where it is a user.
    pub user_id: Option<&'a str>,
    /// The access key that signed, or the user's first one.
    pub access_key_id: Option<&'a str>,
}
