//! Browsers of other origins: the answer to a preflight, and what stands in every other answer for them.
//!
//! Sources: the Fetch standard ("CORS protocol"); AWS, "How does Amazon S3 evaluate the CORS configuration on a bucket?".

use super::admission::Sent;
use super::call::stopped;
use super::error::S3Error;
use super::named;
use crate::app::Edge;
use crate::auth::sigv4::Parsed;
use crate::http::context::{self, Context};
use crate::http::host::Place;
use actix_web::HttpResponse;
use actix_web::dev::RequestHead;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actors::domain::bucket::cors::{self, CorsRule, METHODS, Match};
use actors::domain::names::BucketName;
use actors::system::SystemView;

const VARY: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

/// Answers `OPTIONS`. It brings no credentials and tells nothing but what the rules of a bucket say: a bucket that is not there is
/// one without rules.
pub(super) fn preflight(
    edge: &Edge,
    view: &SystemView,
    head: &RequestHead,
    place: &Place,
    context: &Context,
) -> Result<HttpResponse, S3Error> {
    view.unlocked()?;
    let raw = context::raw(head, place.bucket());
    let parsed = Parsed::new(&raw).map_err(S3Error::from)?;
    let sent = Sent::new(raw.method, &parsed, context.address);
    if let Some(block) = sent.judge(&view.config.admission, &parsed).stopped_by() {
        return Err(stopped(edge, context, block, parsed.named().0));
    }
    let one = |name: HeaderName, missing: &str| match text(&head.headers, &name) {
        Some(value) if !value.is_empty() => Ok(value.to_owned()),
        _ => Err(S3Error::new("BadRequest", StatusCode::BAD_REQUEST, missing)),
    };
    let origin = one(header::ORIGIN, "Insufficient information. Origin request header needed.")?;
    let method = one(header::ACCESS_CONTROL_REQUEST_METHOD, "Invalid Access-Control-Request-Method: null")?;
    if !METHODS.contains(&method.as_str()) {
        let message = format!("Invalid Access-Control-Request-Method: {method}");
        return Err(S3Error::new("BadRequest", StatusCode::BAD_REQUEST, message));
    }
    let rules = rules(view, head, place);
    let object = !named(head, place).1.is_empty();
    let forbidden = |why: &str| {
        S3Error::new("AccessForbidden", StatusCode::FORBIDDEN, format!("CORSResponse: {why}"))
            .with_detail("Method", &method)
            .with_detail("ResourceType", if object { "OBJECT" } else { "BUCKET" })
    };
    if rules.is_empty() {
        return Err(forbidden("CORS is not enabled for this bucket."));
    }
    let refused = || {
        forbidden(
            "This CORS request is not allowed. This is usually because the evalution of Origin, request method / \
             Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS \
             spec.",
        )
    };
    let wanted: Option<Vec<&str>> =
        head.headers.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS).map(|value| value.to_str().ok()).collect();
    let wanted: Vec<&str> = wanted
        .ok_or_else(refused)?
        .into_iter()
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    let found = cors::find(rules, &origin, &method, &wanted).ok_or_else(refused)?;
    let mut response = HttpResponse::Ok().finish();
    allow(response.headers_mut(), found, &origin);
    if !wanted.is_empty() {
        let names = wanted.join(", ").to_ascii_lowercase();
        insert(response.headers_mut(), header::ACCESS_CONTROL_ALLOW_HEADERS, &names);
    }
    Ok(response)
}

/// Puts into an answer, errors included, what lets a browser of another origin read it. Where a bucket has rules, an answer hangs
/// on the origin, whether or not the request names one: caches are told.
pub(super) fn stamp(response: &mut HttpResponse, view: &SystemView, head: &RequestHead, place: &Place) {
    let rules = rules(view, head, place);
    if rules.is_empty() {
        return;
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static(VARY));
    let Some(origin) = text(&head.headers, &header::ORIGIN) else { return };
    if let Some(found) = cors::find(rules, origin, head.method.as_str(), &[]) {
        allow(response.headers_mut(), found, origin);
    }
}

/// The rules of the bucket that a request names.
fn rules<'v>(view: &'v SystemView, head: &RequestHead, place: &Place) -> &'v [CorsRule] {
    match BucketName::new(&named(head, place).0) {
        Ok(bucket) => view.settings(&bucket).cors,
        Err(_) => &[],
    }
}

fn allow(headers: &mut HeaderMap, found: Match<'_>, origin: &str) {
    let Match { rule, any_origin } = found;
    insert(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, if any_origin { "*" } else { origin });
    insert(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &rule.allowed_methods.join(", "));
    if !any_origin {
        insert(headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    if !rule.expose_headers.is_empty() {
        insert(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &rule.expose_headers.join(", "));
    }
    if let Some(seconds) = rule.max_age_seconds {
        insert(headers, header::ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
    }
}

/// What came in a header or is made of tokens goes into one.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The value of a header that is there once.
fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
