//! `Expect: 100-continue`: whoever is refused learns it before the body is sent.

use crate::app::Edge;
use crate::http::server::Line;
use crate::http::{host, s3};
use actix_http::{Request, Response};
use actix_service::{ServiceFactory, fn_service};
use actix_web::body::BoxBody;
use actix_web::web;
use std::future::ready;
use std::time::Instant;

/// Lets a request pass, and with it the body, or answers it. The server closes a connection whose body it did not ask for.
pub(super) fn decide(
    edge: web::Data<Edge>,
) -> impl ServiceFactory<Request, Config = (), Response = Request, Error = Response<BoxBody>, InitError = ()> {
    fn_service(move |request: Request| {
        let begun = Instant::now();
        let secure = request.conn_data::<Line>().is_some_and(Line::is_secure);
        // The admin API checks rights by itself, before it reads a body.
        let refusal = match host::is_not_s3(request.head(), &edge.system.view().config.advanced) {
            true => None,
            false => s3::preflight(&edge, request.head(), secure),
        };
        ready(match refusal {
            None => Ok(request),
            Some(response) => {
                edge.metrics.answered("Refused", response.status().as_u16(), begun.elapsed());
                Err(response.into())
            }
        })
    })
}
