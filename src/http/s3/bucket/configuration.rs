//! What a bucket is configured with: documents read, checked and kept as settings of the registry, and written again.

mod document;

use crate::http::body::declared::Declared;
use crate::http::body::inbound;
use crate::http::reply;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::{Configuration, PutConfiguration};
use crate::http::s3::xml::read;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::bucket::settings::{MOST_TAGS, Setting};
use actors::domain::names::BucketName;
use actors::domain::tags::{self, Tags};

/// The largest documents that are read: AWS's limit for CORS rules, and room for a thousand lifecycle rules.
const DOCUMENT: usize = 64 * 1024;
const RULES: usize = 2 * 1024 * 1024;

/// What AWS says of objects too small to move to another storage class. None moves here.
const MINIMUM: (&str, &str) = ("x-amz-transition-default-minimum-object-size", "all_storage_classes_128K");

/// Gives the document, or the error that there is none.
pub(in crate::http::s3) fn get(call: &Call, bucket: &BucketName, what: Configuration) -> Result<HttpResponse, S3Error> {
    call.view.route(bucket)?;
    let settings = call.view.settings(bucket);
    let none = |code, message: &str| Err(S3Error::new(code, StatusCode::NOT_FOUND, message));
    match what {
        Configuration::Tagging if settings.tags.is_empty() => none("NoSuchTagSet", "The TagSet does not exist"),
        Configuration::Tagging => Ok(reply::xml(StatusCode::OK, document::tagging(settings.tags))),
        Configuration::Cors if settings.cors.is_empty() => {
            none("NoSuchCORSConfiguration", "The CORS configuration does not exist")
        }
        Configuration::Cors => Ok(reply::xml(StatusCode::OK, document::cors(settings.cors))),
        Configuration::Lifecycle if settings.lifecycle.is_empty() => {
            none("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
        }
        Configuration::Lifecycle => {
            let mut response = reply::xml(StatusCode::OK, document::lifecycle(settings.lifecycle));
            response.headers_mut().insert(
                actix_web::http::header::HeaderName::from_static(MINIMUM.0),
                actix_web::http::header::HeaderValue::from_static(MINIMUM.1),
            );
            Ok(response)
        }
    }
}

/// Keeps what the document says in place of what there is.
pub(in crate::http::s3) async fn put(
    call: &Call,
    put: &PutConfiguration,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> Result<HttpResponse, S3Error> {
    let most = if put.what == Configuration::Lifecycle { RULES } else { DOCUMENT };
    let declared = Declared::document(request.headers(), call.verified.payload(), &put.body)?;
    let body = inbound::read_small(payload, &declared, most, call.idle()).await?;
    call.view.route(&put.bucket)?;
    let (setting, action) = match put.what {
        Configuration::Tagging => {
            let tags = tags::checked(read::tagging(&body)?, MOST_TAGS)?;
            (Setting::Tags(tags), "bucket.tagging")
        }
        Configuration::Cors => (Setting::Cors(read::cors(&body)?), "bucket.cors"),
        Configuration::Lifecycle => (Setting::Lifecycle(read::lifecycle(&body)?), "bucket.lifecycle"),
    };
    setting.check()?;
    set(call, &put.bucket, setting, action).await?;
    Ok(match put.what {
        Configuration::Tagging => HttpResponse::NoContent().finish(),
        Configuration::Cors => HttpResponse::Ok().finish(),
        Configuration::Lifecycle => HttpResponse::Ok().insert_header(MINIMUM).finish(),
    })
}

/// Takes it away; none there is fine.
pub(in crate::http::s3) async fn delete(
    call: &Call,
    bucket: &BucketName,
    what: Configuration,
) -> Result<HttpResponse, S3Error> {
    let (setting, action) = match what {
        Configuration::Tagging => (Setting::Tags(Tags::new()), "bucket.tagging"),
        Configuration::Cors => (Setting::Cors(Vec::new()), "bucket.cors"),
        Configuration::Lifecycle => (Setting::Lifecycle(Vec::new()), "bucket.lifecycle"),
    };
    set(call, bucket, setting, action).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn set(call: &Call, bucket: &BucketName, setting: Setting, action: &'static str) -> Result<(), S3Error> {
    let (system, name) = (call.edge.system.clone(), bucket.clone());
    super::change(call, action, bucket, async move { system.set_bucket(&name, vec![setting]).await }).await
}
