//! The admin API: one file per resource, one map of errors, and the table of routes.

mod audit;
mod backup;
mod call;
mod dto;
pub mod error;
mod groups;
mod login;
mod policies;
mod query;
mod session;
mod tokens;
mod users;
mod whoami;

use crate::http::admin::call::RequestId;
use crate::http::admin::error::{Problem, method_not_allowed, not_found};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ETAG, HeaderName, HeaderValue, LINK};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::ServiceConfig;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use actors::system::view::SystemView;
use serde::Serialize;

/// Mounts everything below `/api`, within the scope `/_`.
pub fn routes(config: &mut ServiceConfig) {
    let admin = web::scope("/admin")
        .service(resource("/login").route(web::post().to(login::password)))
        .service(resource("/login-as").route(web::post().to(login::key_pair)))
        .service(resource("/logout").route(web::post().to(login::logout)))
        .service(resource("/session").route(web::get().to(session::own)))
        .service(resource("/sessions").route(web::get().to(session::list)))
        .service(resource("/sessions/{id}").route(web::delete().to(session::revoke)))
        .service(resource("/users").route(web::get().to(users::list)).route(web::post().to(users::create)))
        .service(
            resource("/users/{id}")
                .route(web::get().to(users::get))
                .route(web::put().to(users::update))
                .route(web::delete().to(users::delete)),
        )
        .service(resource("/users/{id}/rotate-keys").route(web::post().to(users::rotate_keys)))
        .service(resource("/groups").route(web::get().to(groups::list)).route(web::post().to(groups::create)))
        .service(
            resource("/groups/{id}")
                .route(web::get().to(groups::get))
                .route(web::put().to(groups::update))
                .route(web::delete().to(groups::delete)),
        )
        .service(resource("/groups/{id}/members").route(web::post().to(groups::add_member)))
        .service(resource("/groups/{id}/members/{user_id}").route(web::delete().to(groups::remove_member)))
        .service(resource("/tokens").route(web::get().to(tokens::list)).route(web::post().to(tokens::create)))
        .service(resource("/tokens/{id}").route(web::delete().to(tokens::delete)))
        .service(resource("/policies").route(web::get().to(policies::list)))
        .service(resource("/audit").route(web::get().to(audit::list)))
        .service(resource("/backup").route(web::get().to(backup::export)).route(web::post().to(backup::restore)))
        .service(resource("/backup/verify").route(web::post().to(backup::verify)))
        .service(resource("/backup/restores").route(web::get().to(backup::restores)))
        .service(resource("/backup/restores/{id}").route(web::get().to(backup::restored)));
    let api = web::scope("/api")
        .wrap(from_fn(stamp))
        .service(resource("/whoami").route(web::get().to(whoami::get)))
        .service(admin.default_service(web::route().to(unknown)));
    config.service(api.default_service(web::route().to(unknown)));
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

/// A resource that answers 405 with a body to what it does not have.
fn resource(path: &str) -> actix_web::Resource {
    web::resource(path.to_owned()).default_service(wrong_method())
}

fn wrong_method() -> actix_web::Route {
    web::route().to(|request: HttpRequest| async move {
        let message = format!("{} does not take {}", request.path(), request.method());
        Err::<HttpResponse, Problem>(method_not_allowed(message))
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
