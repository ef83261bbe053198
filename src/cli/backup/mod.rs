//! `backup …`: Full Backups from the command line: against a running server, on the state directory when none runs, and on files
//! alone.
//!
//! `--server` or `DGP_SERVER` names a server. Without either the state directory decides: where a process holds its lock, that
//! server is asked; where none does, the system is started without a port and the same messages are sent to its owners.

mod input;
mod inspect;
mod offline;
mod online;
mod show;

use super::out;
use super::remote::{Failure, Outcome, Remote};
use super::settings::ServeSettings;
use crate::cli::secret::secret;
use crate::exit::Exit;
use actors::domain::secret::Secret;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What to do with Full Backups.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make one: as a file, or (`--stored`) where `backup.to` says.
    Create {
        /// Where to write it; `-` is standard output. Without it: the server's name for it, here.
        #[arg(long, short, value_name = "FILE", conflicts_with = "stored")]
        output: Option<PathBuf>,
        /// Encrypt it to this age recipient; repeatable.
        #[arg(long, value_name = "AGE1…", conflicts_with = "stored")]
        recipient: Vec<String>,
        /// Encrypt it with the passphrase in this file.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["stored", "recipient"])]
        passphrase_file: Option<PathBuf>,
        /// Store it where the configuration says, as the schedule does.
        #[arg(long)]
        stored: bool,
    },
    /// List the stored ones.
    List,
    /// Check that one is whole: ends with 0, or with 9 where it is not. Needs neither server nor state for a file.
    Verify(Which),
    /// Say what is in one, without its secrets. Needs neither server nor state.
    Inspect(input::Source),
    /// Say what a restore would change.
    Plan(Restore),
    /// Restore one: all of it or nothing. On an empty state directory this makes the host anew.
    Restore(Restore),
    /// What was restored here, and how it ended.
    Restores,
    /// Go back to the state before the last restore; an undo can be undone.
    Undo {
        /// Only say what would change.
        #[arg(long)]
        dry_run: bool,
        /// Lose what was changed since the restore.
        #[arg(long)]
        discard_later_changes: bool,
        /// Take back that this id was revoked since, or `all`; repeatable.
        #[arg(long, value_name = "ID")]
        revive: Vec<String>,
        /// Let buckets that were made since go although they hold objects.
        #[arg(long)]
        prune_buckets: bool,
    },
    /// End the quarantine of a clone: what acts on other systems begins again.
    GoLive {
        /// This instance's id, or the one whose clone it is, as the warning and `/_/health` name them.
        instance_id: String,
    },
    /// Remove the stored ones that `backup.keep` does not keep.
    Prune {
        /// Only say which.
        #[arg(long)]
        dry_run: bool,
    },
}

/// A file, or one that is stored.
#[derive(Clone, Debug, Args)]
pub struct Which {
    /// The archive; `-` is standard input.
    #[arg(value_name = "FILE", required_unless_present = "stored", conflicts_with = "stored")]
    file: Option<PathBuf>,
    /// The id of a stored backup, as `backup list` shows it.
    #[arg(long, value_name = "ID")]
    stored: Option<String>,
    #[command(flatten)]
    key: input::Opening,
}

/// What a restore is asked to do.
#[derive(Clone, Debug, Args)]
pub struct Restore {
    #[command(flatten)]
    which: Which,
    /// `full`, `preserve-bootstrap`, `iam-only`, `config-only`.
    #[arg(long, default_value = "full")]
    mode: String,
    /// `replace`: the captured point in time; `merge`: adds what is missing.
    #[arg(long, default_value = "replace")]
    strategy: String,
    /// Override a value of the config on the way in; repeatable.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Take back that this id was revoked here since, or `all`; repeatable.
    #[arg(long, value_name = "ID")]
    revive: Vec<String>,
    /// Take addresses, certificates and log settings from the archive, too.
    #[arg(long)]
    archive_host_settings: bool,
    /// Let registry entries go although their backend holds objects.
    #[arg(long)]
    prune_buckets: bool,
    /// Have backends whose encryption keys nobody has come up read-only.
    #[arg(long)]
    allow_missing_keys: bool,
    /// A file with the bootstrap password: it proves that the hash which this host pins and the archive's are of one password.
    #[arg(long, value_name = "FILE")]
    bootstrap_password_file: Option<PathBuf>,
}

impl Restore {
    fn bootstrap_password(&self) -> Result<Option<Secret>, Failure> {
        self.bootstrap_password_file.as_deref().map(secret).transpose()
    }
}

/// Runs `backup …`.
pub(super) fn run(command: &Command, remote: &Remote, settings: ServeSettings) -> Exit {
    let local = match command {
        Command::Verify(Which { file: Some(file), key, .. }) => Some(inspect::verify(file, key)),
        Command::Inspect(source) => Some(inspect::inspect(source)),
        _ => None,
    };
    if let Some(outcome) = local {
        return finish(outcome, remote.json);
    }
    if remote.names_server(&settings.environment) {
        return finish(online::run(command, remote, &settings, None), remote.json);
    }
    match offline::prepare(&settings) {
        Ok(offline::Place::Free(prepared)) => offline::run(command, *prepared, remote.json),
        Ok(offline::Place::Served(server)) => {
            finish(online::run(command, remote, &settings, Some(server)), remote.json)
        }
        Err(failure) => finish(Err(failure), remote.json),
    }
}

/// Prints what came of a command.
fn finish(outcome: Outcome, json: bool) -> Exit {
    match outcome {
        Ok(shown) if json => shown.exit.unless(out::print(&format!("{:#}\n", shown.json))),
        Ok(shown) => shown.exit.unless(out::print(&shown.text)),
        Err(failure) => failure.said(json),
    }
}

/// The failure of a rule of ours, with its code.
fn failure(error: &actors::Error) -> Failure {
    let code = error.code().map(|code| format!(" ({code})")).unwrap_or_default();
    let failure = Failure::new(Exit::from(error), format!("{}{code}", error.message())).code(error.code());
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
