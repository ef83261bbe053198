//! Finds the addresses of an upstream, without those that nothing is sent to, whatever name leads there.

use crate::domain::endpoint;
use futures_util::future::BoxFuture;
use hyper::client::connect::dns::Name;
use hyper::service::Service;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::task::{Context, Poll};
use std::vec::IntoIter;

/// The system's resolver behind the rule of `domain/endpoint.rs`.
#[derive(Clone, Debug)]
pub(super) struct Guarded;

impl Service<Name> for Guarded {
    type Response = IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(async move {
            let found = tokio::task::spawn_blocking(move || (name.as_str(), 0).to_socket_addrs()).await;
            let found: Vec<SocketAddr> = found.map_err(io::Error::other)??.collect();
            let allowed: Vec<SocketAddr> =
                found.iter().copied().filter(|address| endpoint::refused(address.ip()).is_none()).collect();
            match found.first().and_then(|address| endpoint::refused(address.ip())) {
                Some(why) if allowed.is_empty() => Err(io::Error::other(format!("nothing is sent there: {why}"))),
                _ => Ok(allowed.into_iter()),
            }
        })
    }
}
