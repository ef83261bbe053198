//! What was typed.

use super::{backup, remote};
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// An S3 gateway in front of the storage you already run, whose own state can be backed up and restored atomically.
#[derive(Debug, Parser)]
#[command(name = "deltaglider_proxy", version, disable_help_subcommand = true)]
pub struct Cli {
    /// Where config and state are; the same for every subcommand.
    #[command(flatten)]
    pub places: Places,
    /// Which server a command is for.
    #[command(flatten)]
    pub remote: remote::Remote,
    /// Listen here instead of at `advanced.listen_addr`.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Serves where none is given.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Where config and state are.
#[derive(Clone, Debug, Args)]
pub struct Places {
    /// The config file (or `DGP_CONFIG`).
    #[arg(long, short, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// The state directory (or `DGP_STATE_DIR`).
    #[arg(long, value_name = "DIR", global = true)]
    pub state_dir: Option<PathBuf>,
}

/// A subcommand.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve S3, the admin API and the console.
    Serve {
        /// Listen here instead of at `advanced.listen_addr`.
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
    },
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Full Backups: make, list, check, look into, restore.
    #[command(subcommand)]
    Backup(backup::Command),
    /// Print the OpenAPI document of the admin API.
    Openapi,
    /// Ask or change a running server.
    #[command(flatten)]
    Remote(remote::Area),
    /// Make the hash of a password read from standard input, for DGP_BOOTSTRAP_PASSWORD_HASH.
    HashPassword {
        /// Read a hash instead, and say whether it is a good one.
        #[arg(long)]
        check: bool,
    },
}

/// `config …`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check a config file, with the environment over it: every problem with its line and what to write instead.
    Check {
        /// The file; without it, the one that the server would take.
        file: Option<PathBuf>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the config file.
    Schema,
    /// Print every key with its default and what it does.
    Defaults,
    /// Users, groups, providers and mapping rules as a document, on a running server.
    #[command(subcommand)]
    Declarative(remote::declarative::Command),
}
