//! `explain`: who may do what, and which rule decides it.

use super::Outcome;
use super::client::Server;
use super::show::{Shown, words};
use crate::exit::Exit;
use clap::Args;
use serde_json::{Value, json};
use std::net::IpAddr;

/// A request that somebody might make.
#[derive(Debug, Args)]
pub struct Question {
    /// The name or id of a user or token, an access key id, or `$anonymous`.
    principal: String,
    /// An AWS action (`s3:PutObject`) or an admin right (`backup:export`).
    action: String,
    /// `bucket` or `bucket/key`; nothing for an admin right.
    #[arg(default_value = "*")]
    resource: String,
    /// The prefix of a listing.
    #[arg(long)]
    prefix: Option<String>,
    /// Where the request comes from.
    #[arg(long, value_name = "IP")]
    source_ip: Option<IpAddr>,
    /// It comes over TLS.
    #[arg(long)]
    secure: bool,
    /// What another condition key is in the request: `s3:ExistingObjectTag/team=a`. Repeatable.
    #[arg(long, value_name = "KEY=VALUE", value_parser = condition)]
    context: Vec<(String, String)>,
}

/// A condition key and its value; the value may hold `=`.
pub(super) fn condition(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("give KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

pub(super) fn run(question: &Question, server: &Server) -> Outcome {
    let mut body = json!({
        "principal": question.principal, "action": question.action, "resource": question.resource,
        "secure": question.secure,
    });
    if let Some(prefix) = &question.prefix {
        body["prefix"] = json!(prefix);
    }
    if !question.context.is_empty() {
        body["context"] = question.context.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    }
    if let Some(ip) = question.source_ip {
        body["source_ip"] = json!(ip.to_string());
    }
    let answer = server.post("/explain", &body)?;
    let word = if answer["allowed"] == true { "allowed" } else { "denied" };
    let mut text = format!("{word}: {}\n", words(&answer["reason"]));
    for rule in answer["considered"].as_array().map(Vec::as_slice).unwrap_or_default() {
        text.push_str(&format!(
            "  {} {}  rule {}  {}  {}\n",
            words(&rule["owner_kind"]),
            words(&rule["owner"]),
            words(&rule["id"]),
            words(&rule["effect"]),
            words(&rule["outcome"])
        ));
    }
    if let Value::String(hint) = &answer["hint"] {
        text.push_str(&format!("{hint}\n"));
    }
    let exit = if answer["allowed"] == true { Exit::Ok } else { Exit::Rejected };
    Ok(Shown { exit, ..Shown::new(text, answer) })
}
