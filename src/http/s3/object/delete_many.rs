//! DeleteObjects: each key is decided for itself and deleted as DeleteObject would, never recursively.

use crate::http::body::declared::Declared;
use crate::http::body::inbound;
use crate::http::reply;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::DeleteObjects;
use crate::http::s3::permission;
use crate::http::s3::xml::read::{self, DeleteKey};
use crate::http::s3::xml::write::Document;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::condition::{Conditions, ETagMatch};
use actors::domain::names::{BucketName, ObjectKey};
use actors::system::{Route, SystemHandle};
use actors::{Error, ErrorKind};
use futures_util::StreamExt;
use futures_util::stream;

/// The largest document that is read: 1,000 keys of 1,024 bytes, and their escapes.
const DOCUMENT: usize = 2 << 20;
/// Deletions under way at a time.
const AT_ONCE: usize = 16;

/// A deletion that may be, or why it may not.
type Wanted = Result<Deletion, S3Error>;

struct Deletion {
    key: ObjectKey,
    conditions: Conditions,
    /// The caller may learn that there is no such key.
    may_see_missing: bool,
}

/// Deletes what the body names and says of each key what came of it.
pub(in crate::http::s3) async fn answer(
    call: &Call,
    delete: &DeleteObjects,
    request: &HttpRequest,
    payload: &mut web::Payload,
) -> Result<HttpResponse, S3Error> {
    let declared = Declared::new(request.headers(), call.verified.payload(), &delete.body)?;
    let body = inbound::read_small(payload, &declared, DOCUMENT, call.idle()).await?;
    let asked = read::delete_objects(&body)?;
    let mut wanted: Vec<Wanted> = Vec::with_capacity(asked.keys.len());
    for key in &asked.keys {
        wanted.push(decide(call, &delete.bucket, key).await);
    }
    // Whoever may delete nothing in a bucket does not learn whether it exists.
    let outcomes = if wanted.iter().any(Result::is_ok) {
        let (system, route) = (call.edge.system.clone(), call.view.route(&delete.bucket)?);
        // A task of its own: a client that goes away cannot leave the keys half-asked.
        let task = actix_web::rt::spawn(delete_all(system, route, wanted));
        task.await.map_err(|panic| Error::internal("delete", panic))?
    } else {
        wanted.into_iter().map(|denied| denied.map(|_| ())).collect()
    };
    let mut document = Document::new("DeleteResult");
    for (key, outcome) in asked.keys.iter().zip(outcomes) {
        report(call, key, outcome, asked.quiet, &mut document);
    }
    Ok(reply::xml(StatusCode::OK, document.finish()))
}

/// What DeleteObject would decide before it deletes.
async fn decide(call: &Call, bucket: &BucketName, asked: &DeleteKey) -> Wanted {
    let key = ObjectKey::new(asked.key.as_str())?;
    let needed = permission::delete(bucket, &key);
    call.admits(&needed)?;
    call.require(&needed, &call.access).await?;
    match asked.version.as_deref() {
        None | Some("null") => {}
        Some(_) => {
            return Err(S3Error::new("NoSuchVersion", StatusCode::NOT_FOUND, "The specified version does not exist."));
        }
    }
    let if_match = asked.etag.as_deref().map(ETagMatch::parse);
    let may_see_missing = call.may_see_missing(bucket, &key);
    Ok(Deletion { key, conditions: Conditions { if_match, ..Conditions::default() }, may_see_missing })
}

/// In the order in which they were asked, a few at a time.
async fn delete_all(system: SystemHandle, route: Route, wanted: Vec<Wanted>) -> Vec<Result<(), S3Error>> {
    let (system, route) = (&system, &route);
    let deletions = wanted.into_iter().map(|wanted| async move {
        let Deletion { key, conditions, may_see_missing } = wanted?;
        system.delete_object(route, &key, conditions).await.map_err(|error| match error.kind() {
            ErrorKind::NoSuchKey if !may_see_missing => S3Error::access_denied(),
            _ => S3Error::from(error),
        })
    });
    stream::iter(deletions).buffered(AT_ONCE).collect().await
}

fn report(call: &Call, key: &DeleteKey, outcome: Result<(), S3Error>, quiet: bool, document: &mut Document) {
    match outcome {
        Ok(()) if quiet => {}
        Ok(()) => {
            document.open("Deleted").text("Key", &key.key).optional("VersionId", key.version.as_deref()).close();
        }
        Err(error) => {
            if error.status().is_server_error() {
                log::error!("request {}: {} {:?}", call.context.request_id, error.code(), error.cause());
            }
            document.open("Error").text("Key", &key.key).optional("VersionId", key.version.as_deref());
            document.text("Code", error.code()).text("Message", error.message()).close();
        }
    }
}
