//! HeadObject: what GetObject would say, without the body.

use super::get::Asked;
use super::{get, headers, part};
use crate::http::reply;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::ReadObject;
use actix_web::{HttpRequest, HttpResponse};
use actors::domain::condition::ReadVerdict;

/// Says what is known of the object.
pub(in crate::http::s3) async fn answer(
    call: &Call,
    read: &ReadObject,
    request: &HttpRequest,
) -> Result<HttpResponse, S3Error> {
    let asked = Asked::new(request)?;
    let route = call.view.route(&read.bucket)?;
    let meta = route
        .store
        .head(&route.bucket, &read.key)
        .await
        .map_err(|error| call.hide_missing(&read.bucket, &read.key, error))?;
    let (mut conditions, mut wanted) = asked.first();
    if asked.is_tentative() && conditions.check_read(&meta).is_err() {
        (conditions, wanted) = asked.whole();
    }
    if conditions.check_read(&meta)? == ReadVerdict::NotModified {
        return Ok(headers::not_modified(&meta));
    }
    if let Some(number) = read.part {
        part::check(request)?;
        let chosen = part::choose(&meta, number)?;
        let length = chosen.range.map_or(meta.size, |range| range.len);
        let mut response = headers::found(&meta, chosen.range, &read.without_sums());
        chosen.show(&mut response, &meta, read.with_checksums);
        return Ok(reply::without_body(&mut response, length));
    }
    let range = match wanted.map(|range| range.resolve(meta.size)).transpose() {
        Ok(range) => range,
        Err(error) => return Err(get::outside(error.into(), "", meta.size)),
    };
    let length = range.map_or(meta.size, |range| range.len);
    Ok(reply::without_body(&mut headers::found(&meta, range, read), length))
}
