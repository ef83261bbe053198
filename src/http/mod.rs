//! The edge's HTTP: what arrives, what is answered.

pub mod admin;
pub mod body;
pub mod context;
mod health;
pub mod host;
pub mod metrics;
pub mod percent;
pub mod reply;
pub mod s3;
pub mod server;
mod ui;

use actix_web::guard::fn_guard;
use actix_web::web;

/// Mounts the admin API, the probes and the console below `/_/` on the hosts that serve them, and S3 on all the rest: `_` is no
/// bucket name, and on the host name of a bucket it begins a key. S3 reads the raw URI itself, so nothing here may decode or
/// normalise it.
pub fn routes(config: &mut web::ServiceConfig) {
    let probe = |path: &str| web::resource(path).guard(fn_guard(host::probes_are_here));
    config
        .service(probe("/_/health").route(web::get().to(health::health)).route(web::head().to(health::health)))
        .service(probe("/_/ready").route(web::get().to(health::ready)).route(web::head().to(health::ready)))
        .service(probe("/_/metrics").route(web::get().to(metrics::get)))
        .service(
            web::scope("/_")
                .guard(fn_guard(host::console_is_here))
                .configure(admin::routes)
                .default_service(web::route().to(ui::page)),
        )
        .default_service(web::route().to(s3::handle));
}
