//! CreateBucket: a row in the registry, on the default backend or the one that the location names.

use crate::http::body::declared::Declared;
use crate::http::body::inbound;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::SignedBody;
use crate::http::s3::xml::read;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::names::{BackendName, BucketName};

/// The largest document that is read.
const DOCUMENT: usize = 64 * 1024;

/// Makes the bucket.
pub(in crate::http::s3) async fn answer(
    call: &Call,
    name: &BucketName,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> Result<HttpResponse, S3Error> {
    let declared = Declared::document(request.headers(), call.verified.payload(), &SignedBody::default())?;
    let body = inbound::read_small(payload, &declared, DOCUMENT, call.idle()).await?;
    let wanted = read::create_bucket(&body)?;
    let backend = wanted.location.map(|location| backend(call, &location)).transpose()?.flatten();
    let (system, owner, bucket) = (call.edge.system.clone(), call.principal().owner_id(), name.clone());
    super::change(call, "bucket.create", name, async move { system.create_bucket(&owner, &bucket, backend).await })
        .await?;
    Ok(HttpResponse::Ok().insert_header(("location", format!("/{name}"))).finish())
}

/// A location is one of our backends, or the name of a region that this server answers for.
fn backend(call: &Call, location: &str) -> Result<Option<BackendName>, S3Error> {
    if let Ok(name) = BackendName::new(location)
        && call.view.stores.contains_key(&name)
    {
        return Ok(Some(name));
    }
    let known = match &call.view.config.advanced.region {
        Some(region) => region == location,
        None => is_region(location),
    };
    if known {
        return Ok(None);
    }
    Err(S3Error::new(
        "InvalidLocationConstraint",
        StatusCode::BAD_REQUEST,
        "The specified location-constraint is not valid: it is neither a backend of this server nor its region",
    )
    .with_detail("LocationConstraint", location))
}

/// Formed like `eu-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    match parts.split_last() {
        Some((number, words)) if words.len() >= 2 => {
            !number.is_empty()
                && number.bytes().all(|b| b.is_ascii_digit())
                && words.iter().all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_region;

    #[test]
    fn a_region_is_words_and_a_number() {
        for region in ["eu-west-1", "us-gov-east-1", "ap-southeast-12"] {
            assert!(is_region(region), "{region}");
        }
        for other in ["mars", "eu-west", "EU", "", "eu--1", "a-1"] {
            assert!(!is_region(other), "{other}");
        }
    }
}
