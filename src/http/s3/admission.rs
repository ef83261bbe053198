//! Rules of admission at the edge: what of a request they look at, and the S3 answer of a block that stops one.

use super::error::S3Error;
use super::operation::Operation;
use super::permission::{self, Needed};
use crate::auth::sigv4::Parsed;
use actix_web::http::StatusCode;
use actors::domain::admission::{Action, Block, Request, Verdict, decide_all};
use actors::domain::iam::context::Resource;
use std::net::IpAddr;

/// What rules look at besides what a request is about: the same for each of its keys.
#[derive(Clone, Debug)]
pub struct Sent {
    method: String,
    authenticated: bool,
    source_ip: Option<IpAddr>,
}

impl Sent {
    /// Of a request that was read, and not yet verified.
    pub fn new(method: &str, parsed: &Parsed, source_ip: Option<IpAddr>) -> Self {
        Self { method: method.to_owned(), authenticated: parsed.has_credentials(), source_ip }
    }

    /// Of a form, whose credentials are among its fields.
    pub fn of_form(authenticated: bool, source_ip: Option<IpAddr>) -> Self {
        Self { method: "POST".to_owned(), authenticated, source_ip }
    }

    /// What the blocks say of the whole request.
    pub fn judge<'b>(&self, blocks: &'b [Block], parsed: &Parsed) -> Verdict<'b> {
        if blocks.is_empty() {
            return Verdict::Pass(None);
        }
        let Some(operation) = parsed.operation() else {
            // It will be refused in any case; a block that is about its place or sender answers first.
            let (bucket, path) = parsed.named();
            let bucket = Some(bucket).filter(|bucket| !bucket.is_empty());
            return decide_all(blocks, [self.about(None, bucket, path)]);
        };
        let list = permission::list_parameters(operation);
        decide_all(blocks, needed(operation).iter().map(|needed| self.of(needed, &list.prefix)))
    }

    /// What they say of one of the things that it is about.
    pub fn judge_one<'b>(&self, blocks: &'b [Block], needed: &Needed<'_>, prefix: &str) -> Verdict<'b> {
        decide_all(blocks, [self.of(needed, prefix)])
    }

    /// A key, or the prefix of a listing; nothing for what is about a bucket alone.
    fn of<'a>(&'a self, needed: &Needed<'a>, prefix: &'a str) -> Request<'a> {
        self.about(Some(needed.action), needed.resource.bucket, needed.resource.key.unwrap_or(prefix))
    }

    fn about<'a>(&'a self, action: Option<&'a str>, bucket: Option<&'a str>, path: &'a str) -> Request<'a> {
        let Self { method, authenticated, source_ip } = self;
        Request { method, authenticated: *authenticated, source_ip: *source_ip, action, bucket, path }
    }
}

/// The answer of a block that stops a request. A status that S3 has a code for gets that code.
pub fn answer(block: &Block) -> S3Error {
    let Action::Reject { status, message } = &block.action else { return S3Error::access_denied() };
    let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::FORBIDDEN);
    let code = match status.as_u16() {
        401 | 403 => "AccessDenied",
        404 => "NoSuchKey",
        405 => "MethodNotAllowed",
        409 => "OperationAborted",
        429 | 503 => "SlowDown",
        501 => "NotImplemented",
        500 => "InternalError",
        502..=599 => "ServiceUnavailable",
        _ => "InvalidRequest",
    };
    let words = message.clone().unwrap_or_else(|| status.canonical_reason().unwrap_or("Request rejected").to_owned());
    let error = S3Error::new(code, status, words);
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => error.with_header("Retry-After", "1"),
        _ => error,
    }
}

/// The actions that a request needs, as rules name them: none where it is no operation.
pub fn actions(parsed: &Parsed) -> Vec<&'static str> {
    parsed
        .operation()
        .map(|operation| needed(operation).iter().map(|needed| needed.action).collect())
        .unwrap_or_default()
}

fn needed(operation: &Operation) -> Vec<Needed<'_>> {
    match operation {
        // Its keys are in the body: each is judged when it was read.
        Operation::DeleteObjects(delete) => {
            let resource = Resource::bucket(delete.bucket.as_str());
            vec![Needed { action: "s3:DeleteObject", resource }]
        }
        // Its key is in the body, too.
        Operation::PostObject(bucket) => {
            vec![Needed { action: "s3:PutObject", resource: Resource::bucket(bucket.as_str()) }]
        }
        operation => permission::needed(operation),
    }
}

#[cfg(test)]
mod tests;
