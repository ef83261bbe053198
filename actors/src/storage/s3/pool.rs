//! Connections to an upstream, and who has them. Each belongs to the runtime that made it and lives no longer.
//!
//! A thread that serves clients has connections of its own, so that a body goes from one socket to the other without waking another
//! thread, which costs more than the copy. Everybody else shares those of one runtime that outlives all.

use super::resolve::Guarded;
use hyper::client::HttpConnector;
use hyper::{Body, Client};
use hyper_tls::HttpsConnector;
use std::cell::RefCell;
use std::io;
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};

/// Connections that are idle for longer are closed by us: most services do it themselves after some time.
const POOL_IDLE: Duration = Duration::from_secs(15);
const POOL_SIZE: usize = 64;

static RUNTIME: LazyLock<io::Result<Runtime>> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).thread_name("s3-upstream").enable_all().build());

thread_local! {
    /// This thread's own connections, by the pool they are of; nothing where it shares.
    static OWN: RefCell<Option<ByPool>> = const { RefCell::new(None) };
}

pub(super) type Connections = Client<Connector, Body>;
type ByPool = Vec<(Weak<()>, Connections)>;
type Connector = HttpsConnector<HttpConnector<Guarded>>;

/// From now on this thread has connections of its own. Its runtime must live as long as it asks for anything, and whoever reads a
/// body must do it on the thread that asked for it.
pub fn own_connections() {
    OWN.with_borrow_mut(|own| _ = own.get_or_insert_default());
}

/// Where tasks run that outlive the request they come from, and connections that are shared.
pub(super) fn runtime() -> io::Result<Handle> {
    RUNTIME.as_ref().map(|runtime| runtime.handle().clone()).map_err(|e| io::Error::new(e.kind(), e.to_string()))
}

/// All connections to one upstream.
#[derive(Clone)]
pub(super) struct Pool {
    pub(super) shared: Connections,
    /// For bodies that can be sent once only: each gets a connection of its own, as one that was idle may be dead.
    pub(super) fresh: Connections,
    connector: Connector,
    id: Arc<()>,
}

impl Pool {
    /// None yet; one that is not there after `connect` is given up.
    pub(super) fn new(connect: Duration) -> io::Result<Self> {
        let mut http = HttpConnector::new_with_resolver(Guarded);
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(connect));
        let tls = native_tls::TlsConnector::new().map_err(io::Error::other)?;
        let connector = HttpsConnector::from((http, tls.into()));
        let shared = Spawner::Shared(runtime()?);
        let fresh = Client::builder().pool_max_idle_per_host(0).executor(shared.clone()).build(connector.clone());
        Ok(Self { shared: reused(connector.clone(), shared), fresh, connector, id: Arc::default() })
    }

    /// This thread's own, where it has any.
    pub(super) fn own(&self) -> Option<Connections> {
        OWN.with_borrow_mut(|own| {
            let own = own.as_mut()?;
            if let Some((_, connections)) = own.iter().find(|(id, _)| std::ptr::eq(id.as_ptr(), Arc::as_ptr(&self.id)))
            {
                return Some(connections.clone());
            }
            // Those of upstreams that are gone go now.
            own.retain(|(id, _)| id.strong_count() > 0);
            let connections = reused(self.connector.clone(), Spawner::Own);
            own.push((Arc::downgrade(&self.id), connections.clone()));
            Some(connections)
        })
    }
}

fn reused(connector: Connector, spawner: Spawner) -> Connections {
    let mut builder = Client::builder();
    builder.pool_idle_timeout(POOL_IDLE).pool_max_idle_per_host(POOL_SIZE).executor(spawner).build(connector)
}

/// hyper's tasks run where the connections are.
#[derive(Clone)]
enum Spawner {
    Own,
    Shared(Handle),
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Spawner {
    fn execute(&self, future: F) {
        match self {
            Self::Own => drop(tokio::spawn(future)),
            Self::Shared(runtime) => drop(runtime.spawn(future)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thread_has_connections_of_its_own_when_it_said_so_and_forgets_those_of_what_is_gone() {
        let one = Pool::new(Duration::from_secs(1)).unwrap();
        let kept = || OWN.with_borrow(|own| own.as_ref().map(Vec::len));
        assert!(one.own().is_none() && kept().is_none(), "it shares");
        own_connections();
        assert!(one.own().is_some() && one.clone().own().is_some());
        assert_eq!(kept(), Some(1));
        let two = Pool::new(Duration::from_secs(1)).unwrap();
        assert!(two.own().is_some());
        own_connections();
        assert_eq!(kept(), Some(2), "saying it again changes nothing");
        drop((one, two));
        assert!(Pool::new(Duration::from_secs(1)).unwrap().own().is_some());
        assert_eq!(kept(), Some(1));
        let another = std::thread::spawn(|| Pool::new(Duration::from_secs(1)).unwrap().own().is_none());
        assert!(another.join().unwrap(), "it is this thread's alone");
    }
}
