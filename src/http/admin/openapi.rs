//! The OpenAPI 3.1 document of the admin API, made from the handlers' own annotations: what the console's client is generated from.

use crate::http::admin::codes::codes;
use crate::http::admin::{
    audit, backends, backup, backups, buckets, declarative, error, explain, ext_auth, groups, keys, login, me, oauth,
    objects, password, policies, recover, schedule, session, status, tokens, trace, users, whoami,
};
use crate::http::health;
use crate::http::metrics;
use actix_web::{HttpRequest, HttpResponse};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};

/// Where the document is.
const PATH: &str = "/_/api/openapi.json";

/// The errors by status: the name of the component, and when it occurs.
const PROBLEMS: [(u16, &str, &str); 11] = [
    (400, "Invalid", "The request breaks a rule; `detail` says which."),
    (401, "Unauthenticated", "Nobody is signed in, or the session or token is unknown, expired or revoked."),
    (403, "Forbidden", "The caller lacks the right, must sign in again, or a page of another site made the call."),
    (404, "NotFound", "There is no such thing."),
    (409, "Conflict", "The state forbids it; `code` says why. Nothing was changed."),
    (412, "StaleGeneration", "The state moved on since the `ETag` that `If-Match` names. Nothing was changed."),
    (413, "TooLarge", "The body is above its limit."),
    (429, "TooManyRequests", "Too many tries; `Retry-After` says when to come back."),
    (500, "Internal", "A bug or an I/O error; the log has the details."),
    (503, "Unavailable", "Too busy, locked, or a part restarts; try again."),
    (507, "DiskFull", "No space is left on the device. Nothing was changed."),
];

/// Any call may end with these.
const ALWAYS: [u16; 5] = [400, 403, 500, 503, 507];

/// The calls and shapes of the admin API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "DeltaGlider Proxy admin API",
        description = "Sign in by `POST /_/api/admin/login` (a cookie) or send a token. Every error is `application/problem+json` \
                       with a stable `code`. `x-dgp-right` names the right that a call needs; `GET /_/api/whoami` lists the \
                       caller's own.",
    ),
    paths(
        document,
        health::health,
        health::ready,
        metrics::get,
        whoami::get,
        login::password,
        login::key_pair,
        login::logout,
        oauth::authorize,
        oauth::callback,
        password::change,
        recover::recover,
        status::get,
        session::own,
        session::list,
        session::revoke,
        users::list,
        users::create,
        users::get,
        users::update,
        users::delete,
        users::rotate_keys,
        keys::list,
        keys::create,
        keys::update,
        keys::delete,
        me::list_keys,
        me::create_key,
        me::update_key,
        me::delete_key,
        me::list_sessions,
        me::end_sessions,
        me::end_session,
        groups::list,
        groups::create,
        groups::get,
        groups::update,
        groups::delete,
        groups::add_member,
        groups::remove_member,
        tokens::list,
        tokens::create,
        tokens::delete,
        ext_auth::providers::list,
        ext_auth::providers::create,
        ext_auth::providers::get,
        ext_auth::providers::update,
        ext_auth::providers::delete,
        ext_auth::test::run,
        ext_auth::mappings::list,
        ext_auth::mappings::create,
        ext_auth::mappings::preview,
        ext_auth::mappings::update,
        ext_auth::mappings::delete,
        ext_auth::identities::list,
        ext_auth::identities::create,
        ext_auth::identities::delete,
        policies::list,
        explain::ask,
        trace::get,
        trace::post,
        declarative::validate,
        declarative::apply,
        declarative::export,
        audit::list,
        audit::export,
        audit::verify,
        backends::list,
        backends::create,
        backends::get,
        backends::update,
        backends::delete,
        backends::probe,
        backends::init,
        backends::adopt,
        buckets::list,
        buckets::create,
        buckets::get,
        buckets::update,
        buckets::delete,
        objects::buckets,
        objects::list,
        objects::get,
        objects::transfer::upload,
        objects::delete,
        objects::transfer::download,
        objects::share::share,
        objects::tags::set,
        backup::export::export,
        backup::restore,
        backup::verify,
        backup::undo::undo,
        backup::undo::go_live,
        backup::restores,
        backup::restored,
        backups::list,
        backups::create,
        backups::schedule,
        schedule::put,
        backups::download,
        backups::delete,
        backups::verify,
        backups::restore,
    ),
    components(schemas(error::Body<'static>)),
    security(("session" = []), ("token" = [])),
    modifiers(&Shared)
)]
struct Document;

/// The document as text. It never changes while a program runs.
static TEXT: LazyLock<String> = LazyLock::new(|| match Document::openapi().to_pretty_json() {
    Ok(text) => text + "\n",
    // A tree of texts, lists and maps always serialises.
    Err(_) => String::new(),
});

/// The document, as the file `web/openapi.json` holds it.
pub fn text() -> &'static str {
    &TEXT
}

/// `GET /openapi.json`: this document. Public.
#[utoipa::path(
    get, path = PATH, tag = "about", operation_id = "getOpenApi", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value, content_type = "application/json")),
)]
pub(super) async fn document(_request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").insert_header(("cache-control", "no-cache")).body(text())
}

/// 401: who signs in gave the wrong proof.
pub(super) struct Refused;
/// 404: the id in the path names nothing.
pub(super) struct Missing;
/// 409: the state forbids it.
pub(super) struct Conflicting;
/// 409 and 412: what a change of the state may meet.
pub(super) struct Versioned;
/// 429: too many tries.
pub(super) struct Throttled;

impl IntoResponses for Refused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[401])
    }
}

impl IntoResponses for Missing {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[404])
    }
}

impl IntoResponses for Conflicting {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[409])
    }
}

impl IntoResponses for Versioned {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[409, 412])
    }
}

impl IntoResponses for Throttled {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[429])
    }
}

fn problems(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    let known = PROBLEMS.iter().filter(|(status, ..)| statuses.contains(status));
    known.map(|(status, name, _)| (status.to_string(), RefOr::Ref(Ref::from_response_name(*name)))).collect()
}

/// Adds what many calls have in common: errors, `If-Match`, the ways to prove who one is.
struct Shared;

impl Modify for Shared {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for (_, name, description) in PROBLEMS {
            components.responses.insert(name.to_owned(), RefOr::T(problem(description)));
        }
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::auth::session::COOKIE)));
        components.security_schemes.insert("session".to_owned(), RefOr::T(cookie));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("dgp_…");
        components.security_schemes.insert("token".to_owned(), RefOr::T(SecurityScheme::Http(bearer.build())));
        for (path, item) in &mut document.paths.paths {
            let all = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
            for operation in all.into_iter().flatten().filter(|_| path.starts_with("/_/api/") && path != PATH) {
                complete(operation);
            }
        }
    }
}

fn complete(operation: &mut Operation) {
    let mut errors = problems(&ALWAYS);
    if operation.security.is_none() {
        errors.extend(problems(&[401]));
    }
    if operation.request_body.is_some() {
        errors.extend(problems(&[413]));
    }
    operation.responses.responses.extend(errors);
    if operation.responses.responses.contains_key("412") {
        operation.parameters.get_or_insert_default().push(RefOr::T(if_match()));
    }
}

fn if_match() -> Parameter {
    ParameterBuilder::new()
        .name("If-Match")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The `ETag` of what was read: the change is made only while nothing else has changed."))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

fn problem(description: &str) -> Response {
    let content = utoipa::openapi::content::Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

/// The schema of `code`: every code there is.
pub(super) fn code_schema() -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("What went wrong, in a word that never changes. Later servers may have more."))
        .enum_values(Some(codes()))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::admin::table;
    use std::collections::BTreeSet;

    /// Method and path of everything that the document describes below `/_/api`.
    fn described() -> BTreeSet<(String, String)> {
        let mut all = BTreeSet::new();
        for (path, item) in Document::openapi().paths.paths {
            let Some(path) = path.strip_prefix("/_/api") else { continue };
            let methods = [("GET", &item.get), ("PUT", &item.put), ("POST", &item.post), ("DELETE", &item.delete)];
            all.extend(methods.iter().filter(|(_, o)| o.is_some()).map(|(m, _)| ((*m).to_owned(), path.to_owned())));
        }
        all
    }

    #[test]
    fn what_is_mounted_is_described_and_the_other_way_round() {
        let mounted = table().into_iter().map(|(method, path, _)| (method.to_string(), path.to_owned()));
        assert_eq!(mounted.collect::<BTreeSet<_>>(), described());
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let items: Vec<_> = Document::openapi().paths.paths.into_values().collect();
        let operations = items.iter().flat_map(|item| [&item.get, &item.put, &item.post, &item.delete]).flatten();
        let names: Vec<String> = operations.map(|operation| operation.operation_id.clone().unwrap()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }

    #[test]
    fn the_file_that_the_console_is_built_from_is_this_document() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/web/openapi.json");
        let file = std::fs::read_to_string(path).unwrap_or_default();
        assert!(file == text(), "web/openapi.json is stale: cargo run -- openapi >web/openapi.json");
    }
}
