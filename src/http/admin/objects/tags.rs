//! `PUT /buckets/{name}/object/tags`: other tags for an object, of which nothing else changes.

use super::shape::{NewTags, Shown};
use super::{allowed_with, key_of};
use crate::http::admin::call::{Call, detached};
use crate::http::admin::error::Problem;
use crate::http::admin::openapi::Missing;
use crate::http::admin::segment;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::audit::Outcome;
use actors::domain::tags::{self, MOST_OF_OBJECT};
use actors::{Error, ErrorKind};
use serde_json::json;

/// `PUT /buckets/{name}/object/tags?key=… {tags}`: these and no others; none where the set is empty.
#[utoipa::path(
    put, path = "/_/api/admin/buckets/{name}/object/tags", tag = "objects", operation_id = "setObjectTags",
    params(("name" = String, Path, description = "The bucket's name."), ("key" = String, Query, description = "The object's key.")),
    request_body = NewTags,
    responses((status = 200, description = "The object as it is now.", body = Shown), Missing),
)]
pub(in crate::http::admin) async fn set(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    call.caller()?;
    let key = key_of(&request, &["key"])?;
    let body: NewTags = call.json(payload).await?;
    // A rule may be about the tags that the call brings.
    let (route, key) =
        allowed_with(&call, segment(&request, "name"), &key, "s3:PutObjectTagging", body.tags.clone()).await?;
    let tags = tags::checked(body.tags, MOST_OF_OBJECT)
        .map_err(|fault| Error::new(ErrorKind::Invalid, "set tags", fault.to_string()).with_code("invalid_tags"))?;
    let (edge, recorder, target) = (call.edge.clone(), call.recorder(), format!("{}/{}", route.name, key.as_str()));
    let meta = detached(async move {
        let detail = json!({"tags": tags.len()});
        match edge.system.set_tags(&route, &key, tags).await {
            Ok(()) => recorder.record("object.tag", &target, Outcome::Success, detail).await?,
            Err(error) => return Err(recorder.failed("object.tag", &target, error).await?),
        }
        let meta = route.store.head(&route.bucket, &key).await?;
        Ok(Shown::new(key.as_str(), meta))
    })
    .await?;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(meta))
}
