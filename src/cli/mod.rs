//! The command line: what was typed (`args`), what it amounts to (`settings`), one file per subcommand.

pub mod args;
mod backup;
mod config;
mod dumps;
mod hash_password;
mod out;
mod remote;
mod secret;
pub mod settings;

use crate::exit::Exit;
use crate::http::admin::openapi;
use args::{Cli, Command};
use clap::Parser;
use settings::ServeSettings;
use std::process::ExitCode;

/// Runs the command that was typed; `serve` is what runs the server.
pub fn main(serve: impl FnOnce(ServeSettings) -> ExitCode) -> ExitCode {
    dumps::forbid();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version end here, too; where the stream is closed the exit code is what is left.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() };
        }
    };
    let environment = settings::environment();
    match &cli.command {
        None | Some(Command::Serve { .. }) => serve(ServeSettings::new(&cli, environment)),
        Some(Command::Config(command)) => config::run(command, &cli, environment).into(),
        Some(Command::Openapi) => out::print(openapi::text()).into(),
        Some(Command::Backup(command)) => {
            backup::run(command, &cli.remote, ServeSettings::new(&cli, environment)).into()
        }
        Some(Command::Remote(area)) => {
            let state_dir = ServeSettings::new(&cli, environment.clone()).state_dir();
            remote::run(area, &cli.remote, &environment, &state_dir).into()
        }
        Some(Command::HashPassword { check }) => hash_password::run(*check).into(),
    }
}
