//! The edge's HTTP: what arrives, what is answered.

pub mod admin;
pub mod body;
pub mod context;
mod health;
pub mod metrics;
pub mod percent;
pub mod reply;
pub mod s3;
pub mod server;
mod ui;

use actix_web::dev::RequestHead;
use actix_web::web;

/// Mounts the admin API, the probes and the console below `/_/`, and S3 on all the rest: `_` is no bucket name. S3 reads the raw
/// URI itself, so nothing here may decode or normalise it.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("/_")
            .service(
                web::resource("/health").route(web::get().to(health::health)).route(web::head().to(health::health)),
            )
            .service(web::resource("/ready").route(web::get().to(health::ready)).route(web::head().to(health::ready)))
            .service(web::resource("/metrics").route(web::get().to(metrics::get)))
            .configure(admin::routes)
            .default_service(web::route().to(ui::page)),
    );
    config.default_service(web::route().to(s3::handle));
}

/// True for what lies below `/_/`.
pub fn is_console(head: &RequestHead) -> bool {
    let path = head.uri.path();
    path == "/_" || path.starts_with("/_/")
}
