//! The one port: connections in, plain or over TLS, and HTTP/1.1 spoken on each by our own application.
//!
//! The server is built from the parts of actix-web: `HttpServer` answers `Expect: 100-continue` before anybody was asked who they
//! are, and takes its certificate once. HTTP/2 is not offered: no S3 client asks for it, and it would hide who is slow.

mod expect;
mod inflow;
mod line;
mod outflow;
mod peer;
mod refusal;
pub mod tls;

pub use line::Line;

use crate::app::Edge;
use crate::http;
use actix_http::{HttpServiceBuilder, Response, ServiceConfig};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::{AppConfig, Server};
use actix_web::middleware::from_fn;
use actix_web::{App, web};
use actors::storage::s3::own_connections;
use peer::Peer;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// A connection without a request is closed after this long.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// A connection that is being closed is read from for this long, so that the last answer is not lost with what was not read.
const LINGER: Duration = Duration::from_secs(2);
/// The most connections at once, where the operating system allows as many.
const MOST: u64 = 20_000;
/// Descriptors that are kept for databases, backends and the files that are being written.
const KEPT: u64 = 512;
/// What remains when the server stops gets this long.
const SHUTDOWN_SECONDS: u64 = 5;

/// Opens the port. Serving begins with the first poll of the server that is given back.
pub fn listen(address: SocketAddr, workers: usize, edge: &Edge) -> io::Result<(SocketAddr, Server)> {
    let listener = TcpListener::bind(address)?;
    let bound = listener.local_addr()?;
    let edge = edge.clone();
    let factory = move || {
        // Each worker calls this once, on its own thread. What it counts for every request it shares with no other.
        own_connections();
        let edge = web::Data::new(edge.clone());
        let app = App::new().app_data(edge.clone());
        let app = app.wrap(from_fn(http::metrics::observe)).configure(http::routes);
        let app = app.into_factory().map_err(|error: actix_web::Error| Response::from(error.error_response()));
        let http = HttpServiceBuilder::default()
            .keep_alive(KEEP_ALIVE)
            // Each head has its time in `inflow`, not only the first.
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(LINGER)
            .on_connect_ext(|peer: &Peer, data| {
                data.insert(peer.line().clone());
            })
            // The builder's hook for `Expect`; it cannot fail.
            .expect(expect::decide(edge.clone()))
            .h1(map_config(app, |()| AppConfig::default()));
        let (edge, config) = (edge.clone(), ServiceConfig::default());
        fn_service(move |stream| Peer::accept(stream, edge.clone(), config.clone())).and_then(http)
    };
    let server = Server::build()
        .workers(workers)
        .disable_signals()
        // Beyond, whoever connects waits to be accepted.
        .max_concurrent_connections(most(descriptors()) / workers + 1)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .listen("http", listener, factory)?
        .run();
    Ok((bound, server))
}

/// A connection may hold a socket and a file.
fn most(descriptors: u64) -> usize {
    let most = (descriptors.saturating_sub(KEPT) / 2).clamp(64, MOST);
    usize::try_from(most).unwrap_or(usize::MAX)
}

/// How many descriptors this process may have, after it asked for all that it may ask for.
fn descriptors() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        log::warn!("the limit of open files stays as it is: {error}");
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
