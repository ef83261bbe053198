//! GetObject: conditions and range are decided on the very object whose bytes follow.

use super::{headers, part};
use crate::http::body::{outbound, range};
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::ReadObject;
use crate::http::server::Line;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use actors::domain::condition::{Conditions, ETagMatch, RangeRequest, ReadVerdict};
use actors::storage::{ReadOutcome, ReadRequest, ReadTicket};
use actors::system::Route;
use actors::{Error, ErrorKind};
use std::time::Duration;

/// What is up to this long leaves with its head and holds nothing.
const AT_ONCE: u64 = 16 * 1024;
/// Where there is no permit, this many clients that take nothing may be cut off for one that asks.
const TRIES: usize = 10;
const ROUND: Duration = Duration::from_millis(10);

/// Sends the object, or the part that was asked for.
pub(in crate::http::s3) async fn answer(
    call: &Call,
    read: &ReadObject,
    request: &HttpRequest,
) -> Result<HttpResponse, S3Error> {
    let route = call.view.route(&read.bucket)?;
    let asked = Asked::new(request)?;
    if let Some(number) = read.part {
        return one_part(call, &route, read, request, (&asked.conditions, number)).await;
    }
    let outcome = match open(call, &route, read, &asked.first()).await {
        // The object is another one than the client has a part of: it gets the whole.
        Err(error) if asked.is_tentative() && error.kind() == ErrorKind::PreconditionFailed => {
            open(call, &route, read, &asked.whole()).await
        }
        other => other,
    };
    match outcome {
        Ok(ReadOutcome::NotModified(meta)) => Ok(headers::not_modified(&meta)),
        Ok(ReadOutcome::Found(ticket)) => {
            let response = headers::found(&ticket.meta, ticket.range, read);
            Ok(send(call, request, response, ticket))
        }
        Err(error) => Err(explain(call, &route, read, request, error).await),
    }
}

fn send(call: &Call, request: &HttpRequest, mut response: HttpResponseBuilder, ticket: ReadTicket) -> HttpResponse {
    let length = ticket.range.map_or(ticket.meta.size, |range| range.len);
    let line = request.conn_data::<Line>().filter(|_| length > AT_ONCE);
    let reading = line.map(|line| call.edge.s3.readers.enter(call.holder(), line.clone()));
    response.body(outbound::stream(length, ticket.body, reading))
}

/// Sends a part by its number. Which bytes that are is known of one object: what is opened must still be that one.
async fn one_part(
    call: &Call,
    route: &Route,
    read: &ReadObject,
    request: &HttpRequest,
    (conditions, number): (&Conditions, u32),
) -> Result<HttpResponse, S3Error> {
    part::check(request)?;
    let hidden = |error| call.hide_missing(&read.bucket, &read.key, error);
    for _ in 0..TRIES {
        let meta = route.store.head(&route.bucket, &read.key).await.map_err(hidden)?;
        if conditions.check_read(&meta)? == ReadVerdict::NotModified {
            return Ok(headers::not_modified(&meta));
        }
        let chosen = part::choose(&meta, number)?;
        let range = chosen.range.map(|range| RangeRequest::Between(range.start, range.start + range.len - 1));
        let same = Conditions { if_match: Some(ETagMatch::parse(&meta.etag.quoted())), ..Conditions::default() };
        match open(call, route, read, &(same, range)).await {
            Ok(ReadOutcome::Found(ticket)) => {
                let mut response = headers::found(&ticket.meta, ticket.range, &read.without_sums());
                chosen.show(&mut response, &ticket.meta, read.with_checksums);
                return Ok(send(call, request, response, ticket));
            }
            // There is another object under the key now.
            Ok(ReadOutcome::NotModified(_)) => {}
            Err(error) if error.kind() == ErrorKind::PreconditionFailed => {}
            Err(error) => return Err(hidden(error)),
        }
    }
    Err(Error::new(ErrorKind::Busy, "read part", "The object keeps changing. Please try again.").into())
}

/// What a request asks of an object, with `If-Range` taken apart.
pub(super) struct Asked {
    conditions: Conditions,
    range: Option<RangeRequest>,
    /// The conditions under which the range counts.
    tentative: Option<Conditions>,
}

impl Asked {
    pub(super) fn new(request: &HttpRequest) -> Result<Self, S3Error> {
        let conditions = range::read_conditions(request.headers())?;
        let wanted = range::range(request.headers())?;
        let own = conditions.if_match.is_some() || conditions.if_unmodified_since.is_some();
        Ok(match (range::if_range(request.headers())?, wanted) {
            (None, range) => Self { conditions, range, tentative: None },
            (Some(Some(tentative)), Some(range)) if !own => {
                Self { conditions, range: Some(range), tentative: Some(tentative) }
            }
            // A validator that cannot hold, or that cannot be asked beside the request's own: the whole is always right.
            (Some(_), _) => Self { conditions, range: None, tentative: None },
        })
    }

    pub(super) fn is_tentative(&self) -> bool {
        self.tentative.is_some()
    }

    pub(super) fn first(&self) -> (Conditions, Option<RangeRequest>) {
        let mut conditions = self.conditions.clone();
        if let Some(tentative) = &self.tentative {
            conditions.if_match.clone_from(&tentative.if_match);
            conditions.if_unmodified_since = tentative.if_unmodified_since;
        }
        (conditions, self.range)
    }

    pub(super) fn whole(&self) -> (Conditions, Option<RangeRequest>) {
        (self.conditions.clone(), None)
    }
}

async fn open(
    call: &Call,
    route: &Route,
    read: &ReadObject,
    (conditions, range): &(Conditions, Option<RangeRequest>),
) -> Result<ReadOutcome, Error> {
    let request = || ReadRequest {
        bucket: route.bucket.clone(),
        key: read.key.clone(),
        conditions: conditions.clone(),
        range: *range,
    };
    let holder = call.holder();
    let mut outcome = route.store.open_read(&holder, request()).await;
    for _ in 0..TRIES {
        match &outcome {
            Err(error) if error.kind() == ErrorKind::Busy && call.edge.s3.readers.make_room(&holder) => {}
            _ => break,
        }
        // The permit comes back as soon as the connection that was cut off has noticed.
        tokio::time::sleep(ROUND).await;
        outcome = route.store.open_read(&holder, request()).await;
    }
    outcome
}

/// A range outside the object is answered with the object's size.
async fn explain(call: &Call, route: &Route, read: &ReadObject, request: &HttpRequest, error: Error) -> S3Error {
    let unsatisfiable = error.kind() == ErrorKind::InvalidRange;
    let error = call.hide_missing(&read.bucket, &read.key, error);
    if !unsatisfiable {
        return error;
    }
    let asked = request.headers().get("range").and_then(|value| value.to_str().ok()).unwrap_or_default();
    match route.store.head(&route.bucket, &read.key).await {
        Ok(meta) => outside(error, asked, meta.size),
        Err(_) => error,
    }
}

/// Adds what AWS says of a range outside an object.
pub(super) fn outside(error: S3Error, asked: &str, size: u64) -> S3Error {
    error
        .with_detail("RangeRequested", asked)
        .with_detail("ActualObjectSize", size.to_string())
        .with_header("content-range", format!("bytes */{size}"))
}
