//! The admin API: one file per resource, one map of errors, and the table of routes.

mod audit;
mod backends;
mod backup;
mod backups;
mod buckets;
mod call;
mod codes;
mod declarative;
mod dto;
pub mod error;
mod explain;
mod ext_auth;
mod groups;
mod keys;
mod login;
mod me;
mod oauth;
mod objects;
pub mod openapi;
mod password;
mod policies;
mod query;
mod recover;
mod schedule;
mod session;
mod status;
mod tokens;
mod trace;
mod users;
mod whoami;

pub(crate) use backups::StoredBackup;

use crate::http::admin::call::RequestId;
use crate::http::admin::error::{Problem, method_not_allowed, not_found};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, ETAG, HeaderName, HeaderValue, LINK};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::ServiceConfig;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, Resource, ResponseError, Route, web};
use actors::system::view::SystemView;
use serde::Serialize;

/// Mounts everything below `/api`, within the scope `/_`.
pub fn routes(config: &mut ServiceConfig) {
    let mut resources: Vec<(&str, Vec<Method>, Resource)> = Vec::new();
    for (method, path, route) in table() {
        let route = route.method(method.clone());
        match resources.iter().position(|(known, ..)| *known == path) {
            Some(at) => {
                let (path, mut methods, resource) = resources.swap_remove(at);
                methods.push(method);
                resources.push((path, methods, resource.route(route)));
            }
            None => resources.push((path, vec![method], web::resource(path).route(route))),
        }
    }
    let mut api = web::scope("/api").wrap(from_fn(stamp));
    for (_, methods, resource) in resources {
        // A resource that answers 405 with a body to what it does not have.
        api = api.service(resource.default_service(wrong_method(&methods)));
    }
    config.service(api.default_service(web::route().to(unknown)));
}

/// Every call: method, path below `/_/api`, and what answers it. `openapi` describes the same ones; a test compares them.
fn table() -> Vec<(Method, &'static str, Route)> {
    let to = web::route;
    vec![
        (Method::GET, "/openapi.json", to().to(openapi::document)),
        (Method::GET, "/whoami", to().to(whoami::get)),
        (Method::POST, "/admin/login", to().to(login::password)),
        (Method::POST, "/admin/login-as", to().to(login::key_pair)),
        (Method::GET, "/admin/oauth/authorize/{provider}", to().to(oauth::authorize)),
        (Method::GET, "/admin/oauth/callback", to().to(oauth::callback)),
        (Method::POST, "/admin/logout", to().to(login::logout)),
        (Method::PUT, "/admin/password", to().to(password::change)),
        (Method::POST, "/admin/recover-db", to().to(recover::recover)),
        (Method::GET, "/admin/status", to().to(status::get)),
        (Method::GET, "/admin/session", to().to(session::own)),
        (Method::GET, "/admin/sessions", to().to(session::list)),
        (Method::DELETE, "/admin/sessions/{id}", to().to(session::revoke)),
        (Method::GET, "/admin/users", to().to(users::list)),
        (Method::POST, "/admin/users", to().to(users::create)),
        (Method::GET, "/admin/users/{id}", to().to(users::get)),
        (Method::PUT, "/admin/users/{id}", to().to(users::update)),
        (Method::DELETE, "/admin/users/{id}", to().to(users::delete)),
        (Method::POST, "/admin/users/{id}/rotate-keys", to().to(users::rotate_keys)),
        (Method::GET, "/admin/users/{id}/keys", to().to(keys::list)),
        (Method::POST, "/admin/users/{id}/keys", to().to(keys::create)),
        (Method::PUT, "/admin/users/{id}/keys/{access_key_id}", to().to(keys::update)),
        (Method::DELETE, "/admin/users/{id}/keys/{access_key_id}", to().to(keys::delete)),
        (Method::GET, "/admin/me/keys", to().to(me::list_keys)),
        (Method::POST, "/admin/me/keys", to().to(me::create_key)),
        (Method::PUT, "/admin/me/keys/{access_key_id}", to().to(me::update_key)),
        (Method::DELETE, "/admin/me/keys/{access_key_id}", to().to(me::delete_key)),
        (Method::GET, "/admin/me/sessions", to().to(me::list_sessions)),
        (Method::DELETE, "/admin/me/sessions", to().to(me::end_sessions)),
        (Method::DELETE, "/admin/me/sessions/{id}", to().to(me::end_session)),
        (Method::GET, "/admin/groups", to().to(groups::list)),
        (Method::POST, "/admin/groups", to().to(groups::create)),
        (Method::GET, "/admin/groups/{id}", to().to(groups::get)),
        (Method::PUT, "/admin/groups/{id}", to().to(groups::update)),
        (Method::DELETE, "/admin/groups/{id}", to().to(groups::delete)),
        (Method::POST, "/admin/groups/{id}/members", to().to(groups::add_member)),
        (Method::DELETE, "/admin/groups/{id}/members/{user_id}", to().to(groups::remove_member)),
        (Method::GET, "/admin/tokens", to().to(tokens::list)),
        (Method::POST, "/admin/tokens", to().to(tokens::create)),
        (Method::DELETE, "/admin/tokens/{id}", to().to(tokens::delete)),
        (Method::GET, "/admin/ext-auth/providers", to().to(ext_auth::providers::list)),
        (Method::POST, "/admin/ext-auth/providers", to().to(ext_auth::providers::create)),
        (Method::GET, "/admin/ext-auth/providers/{id}", to().to(ext_auth::providers::get)),
        (Method::PUT, "/admin/ext-auth/providers/{id}", to().to(ext_auth::providers::update)),
        (Method::DELETE, "/admin/ext-auth/providers/{id}", to().to(ext_auth::providers::delete)),
        (Method::POST, "/admin/ext-auth/providers/{id}/test", to().to(ext_auth::test::run)),
        (Method::GET, "/admin/ext-auth/mappings", to().to(ext_auth::mappings::list)),
        (Method::POST, "/admin/ext-auth/mappings", to().to(ext_auth::mappings::create)),
        // Before `{id}`, which would match it.
        (Method::POST, "/admin/ext-auth/mappings/preview", to().to(ext_auth::mappings::preview)),
        (Method::PUT, "/admin/ext-auth/mappings/{id}", to().to(ext_auth::mappings::update)),
        (Method::DELETE, "/admin/ext-auth/mappings/{id}", to().to(ext_auth::mappings::delete)),
        (Method::GET, "/admin/ext-auth/identities", to().to(ext_auth::identities::list)),
        (Method::POST, "/admin/ext-auth/identities", to().to(ext_auth::identities::create)),
        (Method::DELETE, "/admin/ext-auth/identities/{id}", to().to(ext_auth::identities::delete)),
        (Method::GET, "/admin/policies", to().to(policies::list)),
        (Method::POST, "/admin/explain", to().to(explain::ask)),
        (Method::GET, "/admin/config/trace", to().to(trace::get)),
        (Method::POST, "/admin/config/trace", to().to(trace::post)),
        (Method::POST, "/admin/config/declarative-iam-validate", to().to(declarative::validate)),
        (Method::POST, "/admin/config/declarative-iam-apply", to().to(declarative::apply)),
        (Method::GET, "/admin/config/declarative-iam-export", to().to(declarative::export)),
        (Method::GET, "/admin/audit", to().to(audit::list)),
        (Method::GET, "/admin/audit/export", to().to(audit::export)),
        (Method::GET, "/admin/audit/verify", to().to(audit::verify)),
        (Method::GET, "/admin/backends", to().to(backends::list)),
        (Method::POST, "/admin/backends", to().to(backends::create)),
        (Method::GET, "/admin/backends/{name}", to().to(backends::get)),
        (Method::PUT, "/admin/backends/{name}", to().to(backends::update)),
        (Method::DELETE, "/admin/backends/{name}", to().to(backends::delete)),
        (Method::POST, "/admin/backends/{name}/probe", to().to(backends::probe)),
        (Method::POST, "/admin/backends/{name}/init", to().to(backends::init)),
        (Method::POST, "/admin/backends/{name}/adopt", to().to(backends::adopt)),
        (Method::GET, "/admin/buckets", to().to(buckets::list)),
        (Method::POST, "/admin/buckets", to().to(buckets::create)),
        (Method::GET, "/admin/buckets/{name}", to().to(buckets::get)),
        (Method::PUT, "/admin/buckets/{name}", to().to(buckets::update)),
        (Method::DELETE, "/admin/buckets/{name}", to().to(buckets::delete)),
        (Method::GET, "/admin/me/buckets", to().to(objects::buckets)),
        (Method::GET, "/admin/buckets/{name}/objects", to().to(objects::list)),
        (Method::GET, "/admin/buckets/{name}/object", to().to(objects::get)),
        (Method::PUT, "/admin/buckets/{name}/object", to().to(objects::transfer::upload)),
        (Method::DELETE, "/admin/buckets/{name}/object", to().to(objects::delete)),
        (Method::GET, "/admin/buckets/{name}/object/download", to().to(objects::transfer::download)),
        (Method::POST, "/admin/buckets/{name}/object/share", to().to(objects::share::share)),
        (Method::PUT, "/admin/buckets/{name}/object/tags", to().to(objects::tags::set)),
        (Method::GET, "/admin/backup", to().to(backup::export::export)),
        (Method::POST, "/admin/backup", to().to(backup::restore)),
        (Method::POST, "/admin/backup/verify", to().to(backup::verify)),
        (Method::POST, "/admin/backup/undo", to().to(backup::undo::undo)),
        (Method::POST, "/admin/backup/go-live", to().to(backup::undo::go_live)),
        (Method::GET, "/admin/backup/restores", to().to(backup::restores)),
        (Method::GET, "/admin/backup/restores/{id}", to().to(backup::restored)),
        (Method::GET, "/admin/backups", to().to(backups::list)),
        (Method::POST, "/admin/backups", to().to(backups::create)),
        // Before the ids: no stored backup is called so.
        (Method::GET, "/admin/backups/schedule", to().to(backups::schedule)),
        (Method::PUT, "/admin/backups/schedule", to().to(schedule::put)),
        (Method::GET, "/admin/backups/{id}", to().to(backups::download)),
        (Method::DELETE, "/admin/backups/{id}", to().to(backups::delete)),
        (Method::POST, "/admin/backups/{id}/verify", to().to(backups::verify)),
        (Method::POST, "/admin/backups/{id}/restore", to().to(backups::restore)),
    ]
}

/// Adds what every answer of the API carries.
async fn stamp(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut response = next.call(request).await?;
    let id = response.request().extensions().get::<RequestId>().and_then(|id| HeaderValue::from_str(&id.0).ok());
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    if let Some(id) = id {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    Ok(response)
}

fn wrong_method(methods: &[Method]) -> Route {
    let allow = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    web::route().to(move |request: HttpRequest| {
        let message = format!("{} does not take {}", request.path(), request.method());
        let mut answer = method_not_allowed(message).error_response();
        // RFC 9110 §15.5.6: a 405 names the methods that there are.
        if let Ok(allow) = HeaderValue::from_str(&allow) {
            answer.headers_mut().insert(ALLOW, allow);
        }
        async move { answer }
    })
}

async fn unknown(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(not_found("no_such_route", format!("there is no {} here", request.path())))
}

/// A list with its entity tag and the way to the next page.
fn list_of<T: Serialize>(view: &SystemView, items: Vec<T>, link: Option<String>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((ETAG, etag(view))).insert_header(("cache-control", "no-store"));
    if let Some(link) = link {
        response.insert_header((LINK, link));
    }
    response.json(items)
}

/// The generation as an entity tag, for `If-Match`.
fn etag(view: &SystemView) -> String {
    format!("\"{}\"", view.version())
}

/// A segment of the path.
fn segment<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.match_info().query(name)
}
