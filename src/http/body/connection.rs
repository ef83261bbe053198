//! The connection under a request, kept so that a peer that stalls can be cut off: the server itself waits for ever.

use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use std::any::Any;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;

/// A second hold on a connection's socket.
#[derive(Clone, Debug)]
pub struct Connection(Arc<TcpStream>);

impl Connection {
    /// The connection of a request, where [`remember`] kept it.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.conn_data::<Self>().cloned()
    }

    /// Ends it in both directions.
    pub fn cut(&self) {
        if let Err(error) = self.0.shutdown(Shutdown::Both) {
            log::debug!("a stalled connection was gone already: {error}");
        }
    }
}

/// For `HttpServer::on_connect`: keeps the connection for its requests.
pub fn remember(io: &dyn Any, extensions: &mut Extensions) {
    let Some(stream) = io.downcast_ref::<actix_web::rt::net::TcpStream>() else { return };
    match stream.as_fd().try_clone_to_owned() {
        Ok(fd) => {
            extensions.insert(Connection(Arc::new(TcpStream::from(fd))));
        }
        Err(error) => log::warn!("a connection cannot be watched for stalls: {error}"),
    }
}
