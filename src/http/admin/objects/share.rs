//! `POST /buckets/{name}/object/share`: a presigned link, signed with one of the caller's own access keys.

use super::allowed;
use crate::auth::sigv4::{Share, presigned_get};
use crate::http::admin::call::Call;
use crate::http::admin::error::{Problem, invalid};
use crate::http::admin::objects::shape::{Link, NewShare};
use crate::http::admin::openapi::{Conflicting, Missing};
use crate::http::admin::query::Query;
use crate::http::admin::segment;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::audit::Outcome;
use actors::domain::clock::Timestamp;
use actors::domain::iam::principal::Principal;
use actors::domain::secret::Secret;
use actors::{Error, ErrorKind};
use serde_json::json;
use std::time::Duration;

/// How long a link lives where nothing is said.
const LIFE: u64 = 3600;
/// The longest life of a presigned URL (AWS: seven days).
const LONGEST: u64 = 604_800;
/// The region of a server that is pinned to none.
const REGION: &str = "us-east-1";

/// `POST /buckets/{name}/object/share {key}` → a link that anybody may use who has it, until it ends or its key does.
#[utoipa::path(
    post, path = "/_/api/admin/buckets/{name}/object/share", tag = "objects", operation_id = "shareObject",
    params(("name" = String, Path, description = "The bucket's name.")),
    request_body = NewShare,
    responses((status = 200, description = "The link.", body = Link), Missing, Conflicting),
)]
pub(in crate::http::admin) async fn share(
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let call = Call::begin(&request).await?;
    call.caller()?;
    Query::parse(&request, &[])?;
    let body: NewShare = call.json(payload).await?;
    let (route, key) = allowed(&call, segment(&request, "name"), &body.key, "s3:GetObject").await?;
    let life = body.expires_in_secs.unwrap_or(LIFE);
    if !(1..=LONGEST).contains(&life) {
        return Err(invalid(format!("`expires_in_secs` is 1 to {LONGEST}")));
    }
    // A link to nothing helps nobody.
    route.store.head(&route.bucket, &key).await?;
    let now = call.edge.clock.now();
    let (access_key_id, secret) = own_key(&call, body.access_key_id.as_deref(), now)?;
    let base = base(&call, &request)?;
    let host = base.split_once("://").map_or(base.as_str(), |(_, rest)| rest.split('/').next().unwrap_or(rest));
    let region = call.view.config.advanced.region.as_deref().unwrap_or(REGION);
    let url = presigned_get(&Share {
        base: &base,
        host,
        bucket: &route.name,
        key: &key,
        region,
        access_key_id: &access_key_id,
        secret: &secret,
        now,
        life: Duration::from_secs(life),
    });
    let target = format!("{}/{}", route.name, key.as_str());
    let detail = json!({"access_key_id": access_key_id, "expires_in_secs": life});
    call.recorder().record("object.share", &target, Outcome::Success, detail).await?;
    let expires_at = Timestamp::from_secs(now.secs() + i64::try_from(life).unwrap_or(i64::MAX));
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(Link { url, expires_at, access_key_id }))
}

/// One of the caller's own keys: nobody else's may sign for him.
fn own_key(call: &Call, wanted: Option<&str>, now: Timestamp) -> Result<(String, Secret), Problem> {
    let none = |message: &str| {
        Problem::from(
            Error::new(ErrorKind::Conflict, "share", message)
                .with_code("no_signing_key")
                .with_hint("make an access key of your own first: a link is signed with it, and ends with it"),
        )
    };
    let Principal::User(id) = &call.caller()?.principal else {
        return Err(none("only a user with access keys can share: sign in as one"));
    };
    let keys = call.view.state.users.get(id).map(|user| user.keys.as_slice()).unwrap_or_default();
    let mut active = keys.iter().filter(|key| call.view.index.access_key(&key.access_key_id, now).is_some());
    match wanted {
        None => active.next().map(|key| (key.access_key_id.clone(), key.secret.clone())),
        Some(wanted) => {
            active.find(|key| key.access_key_id == wanted).map(|key| (key.access_key_id.clone(), key.secret.clone()))
        }
    }
    .ok_or_else(|| none("you have no active access key that could sign the link"))
}

/// The address that the link names: the one that the operator gives, else the one that this call came to.
fn base(call: &Call, request: &HttpRequest) -> Result<String, Problem> {
    if let Some(public) = &call.view.config.advanced.public_url {
        let (scheme, rest) = public.split_once("://").unwrap_or(("http", public));
        return Ok(format!("{scheme}://{}", rest.split('/').next().unwrap_or(rest)));
    }
    let host = request.head().headers().get("host").and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.head().uri.authority().map(|authority| authority.as_str()));
    let host = host.ok_or_else(|| invalid("the request names no host for the link"))?;
    Ok(format!("{}://{host}", if call.context().secure { "https" } else { "http" }))
}
