//! A part of an object by its number: which bytes that are, and what stands in the head of the answer.

use crate::http::body::checksum::Algorithm;
use crate::http::reply::insert_stored;
use crate::http::s3::error::S3Error;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponseBuilder};
use actors::domain::checksum::ChecksumKind;
use actors::domain::condition::ByteRange;
use actors::domain::object::ObjectMeta;

/// What a number names.
pub(super) struct Chosen {
    /// Its bytes; none where the object is empty.
    pub(super) range: Option<ByteRange>,
    /// How many parts there are, where the object was put together of some.
    count: Option<u32>,
    /// The checksums of these bytes.
    checksums: Vec<(Algorithm, String)>,
}

/// Refuses what cannot be asked beside a number.
pub(super) fn check(request: &HttpRequest) -> Result<(), S3Error> {
    match request.headers().contains_key("range") {
        true => Err(S3Error::invalid_request("Cannot specify both Range header and partNumber query parameter.")),
        false => Ok(()),
    }
}

/// The part of this number. An object that was stored in one piece is its own first part.
pub(super) fn choose(meta: &ObjectMeta, number: u32) -> Result<Chosen, S3Error> {
    if let Some(layout) = &meta.parts {
        let part = layout.part(number).ok_or_else(|| outside(number, layout.count(), meta.size))?;
        let range = Some(part.range).filter(|range| range.len > 0);
        return Ok(Chosen { range, count: Some(layout.count()), checksums: part.checksum.into_iter().collect() });
    }
    let of_parts = meta.etag.as_str().rsplit_once('-').and_then(|(_, count)| count.parse::<u32>().ok());
    if of_parts.is_some_and(|count| count > 0) {
        return Err(S3Error::not_implemented("parts of an object whose part sizes are not known"));
    }
    if number != 1 {
        return Err(outside(number, 1, meta.size));
    }
    let checksums = Algorithm::ALL
        .into_iter()
        .filter_map(|algorithm| Some((algorithm, meta.attributes.checksums.get(algorithm.name())?.clone())));
    let whole = ByteRange { start: 0, len: meta.size };
    Ok(Chosen { range: Some(whole).filter(|range| range.len > 0), count: None, checksums: checksums.collect() })
}

impl Chosen {
    /// Says how many parts there are, and what these bytes sum to.
    pub(super) fn show(&self, response: &mut HttpResponseBuilder, meta: &ObjectMeta, with_checksums: bool) {
        if let Some(count) = self.count {
            response.insert_header(("x-amz-mp-parts-count", count));
        }
        for (algorithm, value) in self.checksums.iter().filter(|_| with_checksums) {
            insert_stored(response, algorithm.header(), value);
            let whole = meta.attributes.checksums.get(algorithm.name()).unwrap_or(value);
            response.insert_header(("x-amz-checksum-type", ChecksumKind::of(whole).name()));
        }
    }
}

fn outside(number: u32, count: u32, size: u64) -> S3Error {
    S3Error::new("InvalidPartNumber", StatusCode::RANGE_NOT_SATISFIABLE, "The requested partnumber is not satisfiable")
        .with_detail("PartNumberRequested", number.to_string())
        .with_detail("ActualPartCount", count.to_string())
        .with_header("content-range", format!("bytes */{size}"))
}
