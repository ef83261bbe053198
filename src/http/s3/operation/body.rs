//! What the signed headers say of a body: its checksum, in a header or in a trailer, and its length without framing.

use super::{Names, S3Error};
use crate::http::body::checksum::{Algorithm, Checksum};

/// The signed part of a body's description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedBody {
    /// `x-amz-checksum-*`: what it must sum to.
    pub checksum: Option<Checksum>,
    /// `x-amz-trailer`: how it is summed by a trailer.
    pub trailer: Option<Algorithm>,
    /// `x-amz-decoded-content-length`.
    pub decoded_length: Option<u64>,
}

impl SignedBody {
    pub(super) fn parse(headers: &Names) -> Result<Self, S3Error> {
        let checksum = checksum(headers)?;
        let trailer = headers.get("x-amz-trailer").map(|names| trailer(names)).transpose()?;
        if checksum.is_some() && trailer.is_some() {
            return Err(more_than_one());
        }
        check_hint(headers, checksum.as_ref().map(|sum| sum.algorithm).or(trailer))?;
        let decoded_length = headers.get("x-amz-decoded-content-length").map(|text| length(text)).transpose()?;
        Ok(Self { checksum, trailer, decoded_length })
    }
}

/// The one checksum that a request may bring in a header.
fn checksum(headers: &Names) -> Result<Option<Checksum>, S3Error> {
    let mut found = None;
    for algorithm in Algorithm::ALL {
        let Some(value) = headers.get(algorithm.header()) else { continue };
        if found.is_some() {
            return Err(more_than_one());
        }
        let invalid = || S3Error::invalid_request(format!("Value for {} header is invalid.", algorithm.header()));
        found = Some(Checksum::parse(algorithm, value).ok_or_else(invalid)?);
    }
    Ok(found)
}

/// A trailer is one checksum; AWS knows no others.
fn trailer(names: &str) -> Result<Algorithm, S3Error> {
    let name = names.trim().to_ascii_lowercase();
    Algorithm::ALL
        .into_iter()
        .find(|algorithm| algorithm.header() == name)
        .ok_or_else(|| S3Error::invalid_request("The value specified in the x-amz-trailer header is not supported"))
}

/// `x-amz-sdk-checksum-algorithm` names the algorithm of the checksum that comes along.
fn check_hint(headers: &Names, found: Option<Algorithm>) -> Result<(), S3Error> {
    let Some(name) = headers.get("x-amz-sdk-checksum-algorithm") else { return Ok(()) };
    match (Algorithm::named(&name.to_ascii_uppercase()), found) {
        (Some(hint), Some(found)) if hint == found => Ok(()),
        (Some(_), None) => Err(S3Error::invalid_request(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
        )),
        _ => Err(S3Error::invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid.")),
    }
}

fn length(text: &str) -> Result<u64, S3Error> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| {
        S3Error::invalid_argument("x-amz-decoded-content-length", text, "The decoded length must be a number of bytes")
    })
}

fn more_than_one() -> S3Error {
    S3Error::invalid_request("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
}
