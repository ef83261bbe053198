//! From settings to a running server: recovery first, then config, state, owners, and the port last.

use crate::app::shutdown::Signals;
use crate::app::{Edge, shutdown, telemetry};
use crate::auth::oidc::Oidc;
use crate::auth::password_pool::PasswordPool;
use crate::auth::throttle::{BOOTSTRAP, Throttle};
use crate::cli::settings::ServeSettings;
use crate::exit::Exit;
use crate::http::metrics::Metrics;
use crate::http::server;
use crate::http::server::tls::Certificates;
use actix_web::dev::ServerHandle;
use actors::Result;
use actors::boot::{self, BootError, Booted, Databases};
use actors::config::state_dir::StateDir;
use actors::domain::clock::Clock;
use actors::domain::config::model::LogFormat;
use actors::domain::iam::principal::Principal;
use actors::kernel::guardian::{Alarm, Guardian};
use actors::session::SessionHandle;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

/// Serves until a signal ends it.
pub fn serve(settings: ServeSettings) -> ExitCode {
    actix_rt::System::new().block_on(async move {
        let exit = match start(settings).await {
            Ok(running) => running.until_stopped().await,
            Err(error) => {
                // Before the config is read there is no log filter; a start that fails must say why all the same.
                telemetry::start("info", LogFormat::Text);
                log::error!("the server did not start: {error}");
                Exit::from(&error)
            }
        };
        // Everything is durable, drained and closed. Leaving from here, no thread is torn down while a library cleans up at exit.
        std::process::exit(exit as i32)
    })
}

struct Running {
    /// Held until the process ends: no other process may serve this state directory.
    _lock: StateDir,
    databases: Databases,
    signals: Signals,
    edge: Edge,
    server: ServerHandle,
    task: actix_rt::task::JoinHandle<std::io::Result<()>>,
}

async fn start(settings: ServeSettings) -> Result<Running, BootError> {
    let disk = Arc::new(actors::disk::real::RealDisk);
    let input = boot::Input {
        config: settings.config,
        state_dir: settings.state_dir,
        environment: settings.environment,
        disk: disk.clone(),
        clock: Clock::system(),
        server_version: env!("CARGO_PKG_VERSION"),
        check_pair: |pair, base| Certificates::load(pair, base).map(drop),
        initialise: true,
    };
    let prepared = boot::prepare(input)?;
    let advanced = &prepared.loaded.config.advanced;
    telemetry::start(&advanced.log_level, advanced.log_format);
    log::info!("recovery: {}", prepared.recovery);
    let listen = advanced.listen_addr;
    let certificates = match advanced.tls.pair() {
        Some(pair) => Some(Arc::new(Certificates::load(pair, &prepared.host.config_base()).map_err(BootError::Io)?)),
        None => None,
    };
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let guardian = Guardian::new(Alarm::default());
    let booted = boot::start(prepared, &guardian).await?;
    let edge = Edge {
        system: booted.system.clone(),
        session: booted.session.clone(),
        audit: booted.audit.clone(),
        backup: booted.backup.clone(),
        oidc: Oidc::new(),
        passwords: PasswordPool::new(),
        s3: Arc::default(),
        throttle: throttle(&booted.session).await,
        last_used: booted.databases.state.last_used().clone(),
        clock: Clock::system(),
        metrics: Arc::new(Metrics::default()),
        guardian: guardian.clone(),
        certificates,
    };
    actix_rt::spawn(guardian.run());
    let signals = Signals::receive().map_err(BootError::io)?;
    let (server, task) = listen_on(listen, workers, &edge).map_err(BootError::io)?;
    announce(&booted, &edge);
    actix_rt::spawn(booted.backup.keep_schedule());
    Ok(Running { _lock: booted.lock, databases: booted.databases, signals, edge, server, task })
}

/// Opens the port. The line with the address is what scripts and tests wait for.
fn listen_on(
    address: SocketAddr,
    workers: usize,
    edge: &Edge,
) -> std::io::Result<(ServerHandle, actix_rt::task::JoinHandle<std::io::Result<()>>)> {
    let certificates = edge.certificates.clone();
    let scheme = if certificates.is_some() { "https" } else { "http" };
    let (bound, server) = server::listen(address, workers, edge)?;
    let handle = server.handle();
    let task = actix_rt::spawn(server);
    if let Some(certificates) = certificates {
        actix_rt::spawn(certificates.watch());
    }
    log::info!("listening on {scheme}://{bound}");
    Ok((handle, task))
}

/// Nobody has guessed yet; from where the admin signed in is known by the sessions that outlived the restart.
async fn throttle(sessions: &SessionHandle) -> Throttle {
    let throttle = Throttle::default();
    match sessions.list().await {
        Ok(sessions) => {
            for session in sessions.iter().filter(|session| session.principal == Principal::Bootstrap) {
                throttle.remember(&session.ip, BOOTSTRAP, session.auth_time);
            }
        }
        Err(error) => log::warn!("from where the admin signed in is not known: {error:?}"),
    }
    throttle
}

/// What the operator should know.
fn announce(booted: &Booted, edge: &Edge) {
    for notice in booted.system.view().notices.iter() {
        log::warn!("{notice}");
    }
    for notice in edge.certificates.iter().flat_map(|certificates| certificates.notices()) {
        log::warn!("{notice}");
    }
}

impl Running {
    async fn until_stopped(mut self) -> Exit {
        let signal = self.signals.requested().await;
        log::info!("{signal}: stopping");
        shutdown::run(&self.server, &self.edge, &self.databases).await;
        if let Ok(Err(error)) = self.task.await {
            log::error!("the server ended with an error: {error}");
        }
        log::info!("stopped");
        Exit::Ok
    }
}
