//! `audit …`: who did what.

use super::Outcome;
use super::client::Server;
use super::show::Shown;
use clap::Subcommand;

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The latest rows, newest first.
    Tail {
        /// How many.
        #[arg(long, short = 'n', default_value_t = 20)]
        lines: u32,
    },
}

pub(super) fn run(command: &Command, server: &Server) -> Outcome {
    match command {
        Command::Tail { lines } => Ok(Shown::table(
            server.get(&format!("/audit?limit={lines}"))?,
            &[
                ("AT", "at"),
                ("ACTOR", "actor"),
                ("ACTION", "action"),
                ("TARGET", "target"),
                ("OUTCOME", "outcome"),
                ("FROM", "ip"),
            ],
        )),
    }
}
