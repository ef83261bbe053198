//! `users/{id}/keys`, `users/{id}/keys/{access_key_id}`: the key pairs of a user, several where one is to take another's place.
//!
//! People who signed in with a provider may make, switch and remove their own.

use crate::http::admin::call::Call;
use crate::http::admin::dto::KeyView;
use crate::http::admin::error::{Problem, not_found};
use crate::http::admin::me::makes_own_keys;
use crate::http::admin::openapi::{Missing, Versioned};
use crate::http::admin::tokens::duration;
use crate::http::admin::users::{end_void_sessions, find};
use crate::http::admin::{etag, segment};
use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::domain::change::StateChange;
use actors::domain::clock::Timestamp;
use actors::domain::iam::change::IamChange;
use actors::domain::iam::model::{AccessKey, User};
use actors::domain::iam::principal::Principal;
use actors::domain::secret::Secret;
use actors::{Error, ErrorKind, Result as SystemResult};
use serde::Deserialize;
use std::time::Duration;
use utoipa::ToSchema;

/// What `expires_in` says for a key without an end.
const NEVER: &str = "never";
/// How long a key lives that somebody makes for themselves.
const OWN_LIFE: &str = "30d";
/// How long it may live.
const OWN_LONGEST: Duration = Duration::from_secs(90 * 86_400);

/// A further key pair.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = NewKey)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    /// Made here where it is missing.
    access_key_id: Option<String>,
    /// Made here where it is missing.
    #[schema(value_type = Option<String>, format = Password)]
    secret_access_key: Option<Secret>,
    /// A duration such as `24h` or `90d`; `never`, or nothing, for a key without an end.
    expires_in: Option<String>,
}

impl Create {
    /// A pair that is made here, and lives so long.
    pub(super) fn ending(expires_in: Option<String>) -> Self {
        Self { expires_in, ..Self::default() }
    }
}

/// What changes of a key pair.
#[derive(Deserialize, ToSchema)]
#[schema(as = KeyChange)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    /// An inactive key signs nothing.
    active: Option<bool>,
    /// A duration from now on, such as `24h` or `90d`, or `never`.
    expires_in: Option<String>,
}

/// `GET /users/{id}/keys`: the user's pairs without their secrets.
#[utoipa::path(
    get, path = "/_/api/admin/users/{id}/keys", tag = "users", operation_id = "listKeys",
    params(("id" = String, Path, description = "The user's id.")),
    responses(
        (status = 200, description = "The first is the user's `access_key_id`.", body = [KeyView],
         headers(("ETag" = String, description = "For `If-Match`."))),
        Missing,
    ),
    extensions(("x-dgp-right" = json!("iam:read"))),
)]
pub(super) async fn list(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (call, _) = begin(&request, "iam:read").await?;
    listed(&call, segment(&request, "id"))
}

/// A user's pairs.
pub(super) fn listed(call: &Call, id: &str) -> Result<HttpResponse, Problem> {
    let user = find(&call.view, id)?;
    let keys: Vec<KeyView<'_>> = user.keys.iter().map(|key| KeyView::new(key, &call.edge.last_used)).collect();
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .insert_header((ETAG, etag(&call.view)))
        .json(keys))
}

/// `POST /users/{id}/keys` → 201 with the secret, this once; the user's other pairs go on signing.
#[utoipa::path(
    post, path = "/_/api/admin/users/{id}/keys", tag = "users", operation_id = "createKey",
    params(("id" = String, Path, description = "The user's id.")),
    request_body = Create,
    responses((status = 201, description = "With the secret.", body = KeyView), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn create(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let (call, whose) = begin(&request, "iam:write").await?;
    let body: Create = call.json(payload).await?;
    create_for(&call, whose, segment(&request, "id"), body).await
}

/// Makes a pair for a user.
pub(super) async fn create_for(call: &Call, whose: Whose, id: &str, body: Create) -> Result<HttpResponse, Problem> {
    if whose == Whose::Own {
        call.require_recent_login("iam:write").await?;
    }
    let now = call.edge.clock.now();
    let mut key = key_pair(body.access_key_id, body.secret_access_key, now)?;
    key.expires_at = whose.expiry(body.expires_in.as_deref().or(whose.usual_life()), now)?.flatten();
    let change = IamChange::AddKey { id: id.to_owned(), key: key.clone() };
    call.mutate("user.key.create", id, StateChange::Iam(change)).await?;
    Ok(HttpResponse::Created()
        .insert_header(("cache-control", "no-store"))
        .insert_header((ETAG, etag(&call.edge.system.view())))
        .json(KeyView::with_secret(&key, &call.edge.last_used)))
}

/// `PUT /users/{id}/keys/{access_key_id}` switches a pair on or off, or gives it another end.
#[utoipa::path(
    put, path = "/_/api/admin/users/{id}/keys/{access_key_id}", tag = "users", operation_id = "updateKey",
    params(
        ("id" = String, Path, description = "The user's id."),
        ("access_key_id" = String, Path, description = "The public half of the pair."),
    ),
    request_body = Update,
    responses((status = 200, description = "As it is now.", body = KeyView), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn update(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let (call, whose) = begin(&request, "iam:write").await?;
    let body: Update = call.json(payload).await?;
    update_for(&call, whose, segment(&request, "id"), segment(&request, "access_key_id"), body).await
}

/// Switches a user's pair, or gives it another end.
pub(super) async fn update_for(
    call: &Call,
    whose: Whose,
    id: &str,
    access_key_id: &str,
    body: Update,
) -> Result<HttpResponse, Problem> {
    let now = call.edge.clock.now();
    let change = IamChange::UpdateKey {
        id: id.to_owned(),
        access_key_id: access_key_id.to_owned(),
        active: body.active,
        expires_at: whose.expiry(body.expires_in.as_deref(), now)?,
    };
    call.mutate("user.key.update", id, StateChange::Iam(change)).await?;
    if body.active == Some(false) {
        end_void_sessions(call).await;
    }
    let view = call.edge.system.view();
    let user = find(&view, id)?;
    let key = pair(&user, access_key_id)?;
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .insert_header((ETAG, etag(&view)))
        .json(KeyView::new(key, &call.edge.last_used)))
}

/// `DELETE /users/{id}/keys/{access_key_id}` → 204; it signs nothing more.
#[utoipa::path(
    delete, path = "/_/api/admin/users/{id}/keys/{access_key_id}", tag = "users", operation_id = "deleteKey",
    params(
        ("id" = String, Path, description = "The user's id."),
        ("access_key_id" = String, Path, description = "The public half of the pair."),
    ),
    responses((status = 204, description = "The pair is void."), Missing, Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn delete(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (call, _) = begin(&request, "iam:write").await?;
    delete_for(&call, segment(&request, "id"), segment(&request, "access_key_id")).await
}

/// Removes a user's pair.
pub(super) async fn delete_for(call: &Call, id: &str, access_key_id: &str) -> Result<HttpResponse, Problem> {
    let change = IamChange::DeleteKey { id: id.to_owned(), access_key_id: access_key_id.to_owned() };
    call.mutate("user.key.delete", id, StateChange::Iam(change)).await?;
    end_void_sessions(call).await;
    Ok(HttpResponse::NoContent().finish())
}

/// Whose keys a call is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// Anybody's: the caller has the right.
    Anybodys,
    /// The caller's own.
    Own,
}

impl Whose {
    /// How long a key lives where nothing is said.
    fn usual_life(self) -> Option<&'static str> {
        (self == Self::Own).then_some(OWN_LIFE)
    }

    /// When a key ends, where anything is said of it; one's own key has an end, and not a late one.
    fn expiry(self, asked: Option<&str>, now: Timestamp) -> Result<Option<Option<Timestamp>>, Problem> {
        let Some(text) = asked else { return Ok(None) };
        let end = expiry(text, now)?;
        let in_time = end.is_some_and(|end| end.since(now) <= OWN_LONGEST);
        match self == Self::Anybodys || in_time {
            true => Ok(Some(end)),
            false => Err(Error::new(ErrorKind::Invalid, "change key", "your own keys live for at most 90 days")
                .with_code("invalid_expiry")
                .with_hint("say `expires_in` as in 30d; sign in again later for more")
                .into()),
        }
    }
}

/// A call of somebody with the right, or of a person who signed in with a provider, about their own keys. Rights of such a person are
/// decided at each sign-in, so what they make for themselves does not outlive that for long.
async fn begin(request: &HttpRequest, right: &'static str) -> Result<(Call, Whose), Problem> {
    let call = Call::begin(request).await?;
    let id = segment(request, "id");
    let caller = call.caller()?;
    let own = caller.session.is_some() && matches!(&caller.principal, Principal::User(own) if own == id);
    if own && !call.may(right) && makes_own_keys(&call.view.state, &caller.principal) {
        return Ok((call, Whose::Own));
    }
    call.require(right).await?;
    if right == "iam:write" {
        call.refuse_where_declared().await?;
    }
    Ok((call, Whose::Anybodys))
}

fn pair<'a>(user: &'a User, access_key_id: &str) -> Result<&'a AccessKey, Problem> {
    let found = user.keys.iter().find(|key| key.access_key_id == access_key_id);
    found.ok_or_else(|| not_found("no_such_key", "the user has no such access key"))
}

/// When a key ends that lives so long from now on; `None` for one that never does.
fn expiry(text: &str, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    match text {
        NEVER => Ok(None),
        text => Ok(Some(now.after(duration(text)?))),
    }
}

/// A key pair as it was sent, each missing half made here.
pub(super) fn key_pair(id: Option<String>, secret: Option<Secret>, now: Timestamp) -> SystemResult<AccessKey> {
    const ID: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const SECRET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    Ok(AccessKey {
        access_key_id: match id {
            Some(id) => id,
            None => format!("AK{}", random(18, ID)?),
        },
        secret: match secret {
            Some(secret) => secret,
            None => Secret::new(random(40, SECRET)?),
        },
        active: true,
        created_at: now,
        expires_at: None,
    })
}

/// Random characters of an alphabet, each as likely as the others.
fn random(length: usize, alphabet: &[u8]) -> SystemResult<String> {
    let most = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0; 64];
        openssl::rand::rand_bytes(&mut bytes).map_err(|error| Error::internal("make key pair", error))?;
        let fair = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < most);
        text.extend(fair.take(length - text.len()).map(|byte| char::from(alphabet[byte % alphabet.len()])));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_pair_has_the_shape_that_clients_know() {
        let key = key_pair(None, None, Timestamp::default()).unwrap();
        let id = key.access_key_id.strip_prefix("AK").unwrap();
        assert!(id.len() == 18 && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
        let secret = key.secret.expose();
        assert!(secret.len() == 40 && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/".contains(&b)));
        let own = key_pair(Some("AKMINE".into()), Some(Secret::new("mine")), Timestamp::default()).unwrap();
        assert_eq!((own.access_key_id.as_str(), own.secret.expose()), ("AKMINE", "mine"));
    }
}
