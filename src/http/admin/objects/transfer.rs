//! Bytes of objects, in and out: streamed, never held, and never run in the console's origin.

use super::{detail, object};
use crate::http::admin::call::{Call, detached};
use crate::http::admin::error::{Problem, invalid};
use crate::http::admin::objects::shape::Shown;
use crate::http::admin::openapi::{Conflicting, Missing};
use crate::http::admin::query::Query;
use crate::http::body::outbound;
use crate::http::percent;
use crate::http::reply::insert_stored;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::audit::Outcome;
use actors::domain::condition::{Conditions, ETagMatch};
use actors::domain::object::{ObjectAttributes, SystemHeaders};
use actors::storage::{CommitRequest, ReadOutcome, ReadRequest};
use actors::{Error, ErrorKind};
use futures_util::StreamExt;
use std::time::Duration;

/// A peer that gives nothing for this long is given up.
const IDLE: Duration = Duration::from_secs(30);
/// The most that one upload may carry (AWS).
const LARGEST: u64 = 5 << 30;

/// `PUT /buckets/{name}/object?key=…`: the body is the object. `overwrite=false` replaces nothing.
#[utoipa::path(
    put, path = "/_/api/admin/buckets/{name}/object", tag = "objects", operation_id = "putObject",
    params(
        ("name" = String, Path, description = "The bucket's name."),
        ("key" = String, Query, description = "The object's key."),
        ("overwrite" = Option<bool>, Query, description = "`false`: only where there is none yet, else 409 `object_exists`."),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, description = "It is stored.", body = Shown), Missing, Conflicting),
)]
pub(in crate::http::admin) async fn upload(
    request: HttpRequest,
    mut payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    let (route, key) = object(&call, &request, &["key", "overwrite"], "s3:PutObject").await?;
    let length = call.header("content-length").and_then(|length| length.parse::<u64>().ok());
    let length = length.ok_or_else(|| invalid("an upload says its `Content-Length`"))?;
    if length > LARGEST {
        let message = format!("an upload has at most {LARGEST} bytes; use a client that uploads in parts");
        return Err(Error::new(ErrorKind::EntityTooLarge, "upload", message).into());
    }
    let conditions = match Query::parse(&request, &["key", "overwrite"])?.one("overwrite")? {
        None | Some("true") => Conditions::default(),
        Some("false") => Conditions { if_none_match: Some(ETagMatch::Any), ..Conditions::default() },
        Some(other) => return Err(invalid(format!("`overwrite` is true or false, not `{other}`"))),
    };
    let room = call.edge.system.reserve(&route, Some(&key), length).await?;
    let mut ticket = route.store.begin_write(&call.who(), &route.bucket, &key).await?;
    let mut received = 0;
    loop {
        let stalled = || Error::new(ErrorKind::IncompleteBody, "upload", "no byte of the body came for 30 s");
        let Some(chunk) = tokio::time::timeout(IDLE, payload.next()).await.map_err(|_| stalled())? else { break };
        let broken = |error: actix_web::error::PayloadError| {
            Error::new(ErrorKind::IncompleteBody, "upload", "the body ended early").with_source(error.to_string())
        };
        let chunk = chunk.map_err(broken)?;
        received += chunk.len() as u64;
        ticket.writer.write(chunk).await?;
    }
    if received != length {
        return Err(Error::new(ErrorKind::IncompleteBody, "upload", "the body ended early").into());
    }
    let content_type = call.header("content-type").map(str::to_owned);
    let commit = CommitRequest {
        bucket: route.bucket.clone(),
        key: key.clone(),
        staged: ticket.writer.finish().await?,
        attributes: ObjectAttributes {
            headers: SystemHeaders { content_type, ..SystemHeaders::default() },
            ..ObjectAttributes::default()
        },
        conditions,
    };
    let (edge, recorder, target) = (call.edge.clone(), call.recorder(), format!("{}/{}", route.name, key.as_str()));
    let (permit, route) = (ticket.permit, route);
    let meta = detached(async move {
        let outcome = edge.system.commit(&route, commit, room).await;
        drop(permit);
        match outcome {
            Ok(meta) => {
                recorder.record("object.put", &target, Outcome::Success, detail(meta.size)).await?;
                Ok(meta)
            }
            Err(error) => Err(recorder.failed("object.put", &target, taken(error)).await?),
        }
    })
    .await?;
    Ok(HttpResponse::build(StatusCode::CREATED).json(Shown::new(key.as_str(), meta)))
}

/// `GET /buckets/{name}/object/download?key=…`: the bytes, to be saved and not to be shown.
#[utoipa::path(
    get, path = "/_/api/admin/buckets/{name}/object/download", tag = "objects", operation_id = "downloadObject",
    params(("name" = String, Path, description = "The bucket's name."), ("key" = String, Query, description = "The object's key.")),
    responses(
        (status = 200, description = "The object.", body = Vec<u8>, content_type = "application/octet-stream",
         headers(("Content-Disposition" = String, description = "`attachment`, with the file's name."))),
        Missing,
    ),
)]
pub(in crate::http::admin) async fn download(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    let (route, key) = object(&call, &request, &["key"], "s3:GetObject").await?;
    let read =
        ReadRequest { bucket: route.bucket.clone(), key: key.clone(), conditions: Conditions::default(), range: None };
    let ticket = match route.store.open_read(&call.who(), read).await? {
        ReadOutcome::Found(ticket) => ticket,
        // Nothing was asked that could end so.
        ReadOutcome::NotModified(_) => {
            return Err(Error::internal("download", "an unconditional read was not modified").into());
        }
    };
    let mut response = HttpResponse::Ok();
    response.insert_header(("content-type", "application/octet-stream"));
    response.insert_header(("content-security-policy", "sandbox"));
    response.insert_header(("cache-control", "no-store"));
    insert_stored(&mut response, "content-disposition", &disposition(key.as_str()));
    Ok(response.body(outbound::stream(ticket.meta.size, ticket.body, None)))
}

/// Where nothing was to be replaced and there is something, the state forbids it: no version of it was named.
fn taken(error: Error) -> Error {
    match error.kind() {
        ErrorKind::PreconditionFailed => {
            Error::new(ErrorKind::Conflict, "upload", "there is an object of this key already; nothing was changed")
                .with_code("object_exists")
                .with_hint("choose another key, or upload with `overwrite=true`")
        }
        _ => error,
    }
}

/// The name of the file is what follows the last slash (RFC 6266, RFC 8187).
fn disposition(key: &str) -> String {
    let name = key.rsplit('/').find(|part| !part.is_empty()).unwrap_or("object");
    let mut encoded = String::new();
    percent::encode(name.as_bytes(), &mut encoded);
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._- ".contains(c) { c } else { '_' }).collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn a_file_is_named_after_the_end_of_its_key() {
        assert_eq!(disposition("a/b/c.txt"), "attachment; filename=\"c.txt\"; filename*=UTF-8''c.txt");
        assert_eq!(disposition("a/ü\".txt/"), "attachment; filename=\"__.txt\"; filename*=UTF-8''%C3%BC%22.txt");
        assert_eq!(disposition("/"), "attachment; filename=\"object\"; filename*=UTF-8''object");
    }
}
