//! `admission trace`: which block decides on a request.

use super::Outcome;
use super::client::Server;
use super::show::{Shown, words};
use crate::exit::Exit;
use clap::{Args, Subcommand};
use serde_json::json;
use std::net::IpAddr;

/// `admission …`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say which block of admission decides on a request.
    Trace(Trace),
}

/// A request that might come.
#[derive(Debug, Args)]
pub struct Trace {
    /// `GET`, `PUT`, ….
    #[arg(long, default_value = "GET")]
    method: String,
    /// As it is sent: `/bucket/key`, encoded.
    #[arg(long)]
    path: String,
    /// What follows the question mark.
    #[arg(long, default_value = "")]
    query: String,
    /// It brings credentials.
    #[arg(long)]
    authenticated: bool,
    /// Where it comes from; this machine where it is left out.
    #[arg(long, value_name = "IP")]
    source_ip: Option<IpAddr>,
}

pub(super) fn run(Command::Trace(trace): &Command, server: &Server) -> Outcome {
    let mut body = json!({
        "method": trace.method, "path": trace.path, "query": trace.query, "authenticated": trace.authenticated,
    });
    if let Some(ip) = trace.source_ip {
        body["source_ip"] = json!(ip.to_string());
    }
    let answer = server.post("/config/trace", &body)?;
    let (resolved, decided) = (&answer["resolved"], &answer["admission"]);
    let mut text = match decided["matched"].as_str() {
        Some(block) => format!("{}: block {block}\n", words(&decided["decision"])),
        None => format!("{}: no block is about it\n", words(&decided["decision"])),
    };
    if !decided["status"].is_null() {
        text.push_str(&format!("  answer        {} {}\n", words(&decided["status"]), words(&decided["message"])));
    }
    for field in ["operation", "actions", "bucket", "key", "list_prefix", "authenticated", "source_ip"] {
        text.push_str(&format!("  {field:<13} {}\n", words(&resolved[field])));
    }
    let stopped = !decided["status"].is_null();
    let exit = if stopped { Exit::Rejected } else { Exit::Ok };
    Ok(Shown { exit, ..Shown::new(text, answer) })
}
