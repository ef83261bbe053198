//! Subcommands that talk to a running server: `user`, `group`, `key`, `token`, `policy`, `bucket`, `backend`, `explain`, `admission`, `audit`.

mod admission;
mod audit;
mod backend;
mod bucket;
mod client;
pub(super) mod declarative;
mod explain;
mod group;
mod key;
mod policy;
mod rule;
mod show;
mod token;
mod user;

use super::out;
use crate::exit::Exit;
use actors::domain::secret::Secret;
use clap::{Args, Subcommand};
pub(super) use client::{Failure, Server};
use serde_json::Value;
pub(super) use show::{Shown, words};
use std::collections::BTreeMap;
use std::path::Path;

/// Which server, as whom, and how to print.
#[derive(Clone, Debug, Args)]
pub struct Remote {
    /// The server (or `DGP_SERVER`).
    #[arg(long, value_name = "URL", global = true)]
    server: Option<String>,
    /// An API token (or `DGP_TOKEN`); without one, the password in `DGP_BOOTSTRAP_PASSWORD` signs in.
    #[arg(long, value_name = "TOKEN", global = true, value_parser = |text: &str| Ok::<_, String>(Secret::new(text)))]
    token: Option<Secret>,
    /// Print JSON, as the admin API gives it.
    #[arg(long, global = true)]
    pub(super) json: bool,
}

impl Remote {
    /// Whether somebody said which server is meant.
    pub(super) fn names_server(&self, environment: &BTreeMap<String, String>) -> bool {
        self.server.is_some() || environment.contains_key("DGP_SERVER")
    }
}

/// A command for a running server.
#[derive(Debug, Subcommand)]
pub enum Area {
    /// Users: people and programs with access keys and rights.
    #[command(subcommand)]
    User(user::Command),
    /// Groups: rights that several users share.
    #[command(subcommand)]
    Group(group::Command),
    /// A user's access keys.
    #[command(subcommand)]
    Key(key::Command),
    /// API tokens for automation.
    #[command(subcommand)]
    Token(token::Command),
    /// The shipped roles, and a test of rules before they are saved.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Buckets: where they are, what is set of them, what they hold.
    #[command(subcommand)]
    Bucket(bucket::Command),
    /// Backends: where objects are kept.
    #[command(subcommand)]
    Backend(backend::Command),
    /// Say who may do what, and which rule decides it.
    Explain(explain::Question),
    /// Rules of admission: who is looked at at all.
    #[command(subcommand)]
    Admission(admission::Command),
    /// The audit log.
    #[command(subcommand)]
    Audit(audit::Command),
}

/// What came of a command.
pub(super) type Outcome = Result<Shown, Failure>;

/// Runs a command and prints what came of it.
pub(super) fn run(area: &Area, remote: &Remote, environment: &BTreeMap<String, String>, state_dir: &Path) -> Exit {
    let outcome = match area {
        // Rules are tested here: no server is asked.
        Area::Policy(policy::Command::Test(test)) => policy::test(test),
        // Nor where the files themselves are looked at.
        Area::Audit(audit::Command::Verify(verify)) if verify.offline => audit::verify_offline(verify, state_dir),
        _ => asked(remote, environment, |server| ask(area, server)),
    };
    shown(outcome, remote)
}

/// Runs `config declarative …`.
pub(super) fn declare(command: &declarative::Command, remote: &Remote, environment: &BTreeMap<String, String>) -> Exit {
    shown(asked(remote, environment, |server| declarative::run(command, server)), remote)
}

fn asked(remote: &Remote, environment: &BTreeMap<String, String>, command: impl FnOnce(&Server) -> Outcome) -> Outcome {
    let server = Server::connect(remote, environment)?;
    let outcome = command(&server);
    server.sign_out();
    outcome
}

fn shown(outcome: Outcome, remote: &Remote) -> Exit {
    match outcome {
        Ok(shown) if shown.json.is_null() && shown.text.is_empty() => shown.exit,
        Ok(shown) if remote.json => shown.exit.unless(out::print(&format!("{:#}\n", shown.json))),
        Ok(shown) => shown.exit.unless(out::print(&shown.text)),
        Err(failure) => failure.said(remote.json),
    }
}

fn ask(area: &Area, server: &Server) -> Outcome {
    match area {
        Area::User(command) => user::run(command, server),
        Area::Group(command) => group::run(command, server),
        Area::Key(command) => key::run(command, server),
        Area::Token(command) => token::run(command, server),
        Area::Policy(command) => policy::run(command, server),
        Area::Bucket(command) => bucket::run(command, server),
        Area::Backend(command) => backend::run(command, server),
        Area::Explain(question) => explain::run(question, server),
        Area::Admission(command) => admission::run(command, server),
        Area::Audit(command) => audit::run(command, server),
    }
}

/// The entry of a list that has this name or id.
fn named(list: Value, kind: &str, name: &str) -> Result<Value, Failure> {
    let list = list.as_array().cloned().unwrap_or_default();
    let by = |field: &str| list.iter().find(|entry| entry[field] == name).cloned();
    by("name").or_else(|| by("id")).ok_or_else(|| {
        Failure::new(Exit::NotFound, format!("there is no {kind} `{name}`"))
            .hint(format!("`deltaglider_proxy {kind} list` shows those there are"))
    })
}

/// The id in an answer, for the path of the next call. Ids are made by the server; imported ones may hold anything.
fn id_of(entry: &Value) -> String {
    percent_encoded(entry["id"].as_str().unwrap_or_default())
}

/// A text as a segment of a path or a value of a query.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    crate::http::percent::encode(text.as_bytes(), &mut encoded);
    encoded
}
