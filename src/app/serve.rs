//! From settings to a running server: recovery first, then config, state, owners, and the port last.

use crate::app::shutdown::Signals;
use crate::app::{Edge, shutdown, telemetry};
use crate::auth::password_pool::PasswordPool;
use crate::auth::throttle::Throttle;
use crate::cli::settings::ServeSettings;
use crate::exit::Exit;
use crate::http;
use crate::http::metrics::Metrics;
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use actors::Result;
use actors::boot::{self, BootError, Booted};
use actors::config::state_dir::StateDir;
use actors::domain::clock::Clock;
use actors::domain::config::model::LogFormat;
use actors::kernel::guardian::{Alarm, Guardian};
use actors::state_db::StateDbHandle;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Serves until a signal ends it.
pub fn serve(settings: ServeSettings) -> ExitCode {
    actix_rt::System::new().block_on(async move {
        let exit = match start(settings).await {
            Ok(running) => running.until_stopped().await,
            Err(error) => {
                // Before the config is read there is no log filter; a start that fails must say why all the same.
                telemetry::start("info", LogFormat::Text);
                log::error!("the server did not start: {error}");
                exit_of(&error)
            }
        };
        // Everything is durable and drained. Leaving from here, with the database threads at rest, keeps their connections from
        // being torn down at the same time as OpenSSL cleans itself up at exit.
        std::process::exit(exit as i32)
    })
}

fn exit_of(error: &BootError) -> Exit {
    match error {
        BootError::Io(_) => Exit::Io,
        BootError::Config(_) => Exit::Parse,
        BootError::Journal(_) => Exit::JournalStuck,
        BootError::State(_) => Exit::Integrity,
    }
}

struct Running {
    /// Held until the process ends: no other process may serve this state directory.
    _lock: StateDir,
    state_db: StateDbHandle,
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
    };
    let prepared = boot::prepare(input)?;
    let advanced = &prepared.loaded.config.advanced;
    telemetry::start(&advanced.log_level, advanced.log_format);
    log::info!("recovery: {}", prepared.recovery);
    let listen = advanced.listen_addr;
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let guardian = Guardian::new(Alarm::default());
    let booted = boot::start(prepared, &guardian).await?;
    let edge = Edge {
        system: booted.system.clone(),
        session: booted.session.clone(),
        audit: booted.audit.clone(),
        backup: booted.backup.clone(),
        passwords: PasswordPool::new(),
        s3: Arc::default(),
        throttle: Throttle::default(),
        clock: Clock::system(),
        metrics: Arc::new(Metrics::default()),
        guardian: guardian.clone(),
    };
    actix_rt::spawn(guardian.run());
    let signals = Signals::receive().map_err(BootError::io)?;
    let (server, task) = listen_on(listen, workers, &edge).map_err(BootError::io)?;
    announce(&booted);
    Ok(Running { _lock: booted.lock, state_db: booted.state_db, signals, edge, server, task })
}

/// Opens the port. The line with the address is what scripts and tests wait for.
fn listen_on(
    address: SocketAddr,
    workers: usize,
    edge: &Edge,
) -> std::io::Result<(ServerHandle, actix_rt::task::JoinHandle<std::io::Result<()>>)> {
    let shared = web::Data::new(edge.clone());
    let app = move || {
        let app = App::new().app_data(shared.clone());
        app.wrap(from_fn(http::metrics::observe)).configure(http::routes)
    };
    let server = HttpServer::new(app)
        .on_connect(http::body::connection::remember)
        .workers(workers)
        .disable_signals()
        .keep_alive(Duration::from_secs(75))
        .client_request_timeout(Duration::from_secs(30))
        .shutdown_timeout(5)
        .bind(address)?;
    let bound = server.addrs();
    let server = server.run();
    let handle = server.handle();
    let task = actix_rt::spawn(server);
    for address in bound {
        log::info!("listening on http://{address}");
    }
    Ok((handle, task))
}

/// What the operator should know.
fn announce(booted: &Booted) {
    for notice in booted.system.view().notices.iter() {
        log::warn!("{notice}");
    }
}

impl Running {
    async fn until_stopped(mut self) -> Exit {
        let signal = self.signals.requested().await;
        log::info!("{signal}: stopping");
        shutdown::run(&self.server, &self.edge, &self.state_db).await;
        if let Ok(Err(error)) = self.task.await {
            log::error!("the server ended with an error: {error}");
        }
        log::info!("stopped");
        Exit::Ok
    }
}
