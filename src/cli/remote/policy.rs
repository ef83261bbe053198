//! `policy …`: the shipped roles, and what rules would decide before they are saved.

use super::Outcome;
use super::client::{Failure, Server};
use super::explain::condition;
use super::rule::{from_file, lines};
use super::show::{Shown, words};
use crate::exit::Exit;
use actors::domain::clock::Clock;
use actors::domain::iam::action;
use actors::domain::iam::check::check_permissions;
use actors::domain::iam::context::{AccessRequest, ListParameters, RequestContext, Resource};
use actors::domain::iam::evaluate::{Reason, explain};
use actors::domain::iam::model::{Permission, User};
use actors::domain::iam::principal::Principal;
use actors::domain::state::State;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// What to do with policies.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The shipped roles.
    List,
    /// Check rules in a file, and say what they would decide; no server is asked.
    Test(Test),
}

/// Rules, and what is asked of them.
#[derive(Debug, Args)]
pub struct Test {
    /// JSON: an array of rules, or `-`.
    file: String,
    /// An AWS action (`s3:GetObject`) or an admin right; without one the rules are only checked.
    #[arg(requires = "resource")]
    action: Option<String>,
    /// `bucket` or `bucket/key`; `*` for an admin right.
    resource: Option<String>,
    /// The prefix of a listing.
    #[arg(long, default_value = "")]
    prefix: String,
    /// Where the request comes from.
    #[arg(long, value_name = "IP")]
    source_ip: Option<IpAddr>,
    /// It comes over TLS.
    #[arg(long)]
    secure: bool,
    /// What another condition key is in the request: `s3:ExistingObjectTag/team=a`. Repeatable.
    #[arg(long, value_name = "KEY=VALUE", value_parser = condition)]
    context: Vec<(String, String)>,
    /// The name of the user who has the rules, as `${iam:username}` in them means it.
    #[arg(long, value_name = "NAME", default_value = "test")]
    user: String,
}

pub(super) fn run(command: &Command, server: &Server) -> Outcome {
    match command {
        Command::Test(options) => test(options),
        Command::List => {
            let roles = server.get("/policies")?;
            let role = |role: &Value| format!("{}\n{}", words(&role["name"]), lines(&role["permissions"]));
            let text: String = roles.as_array().map(Vec::as_slice).unwrap_or_default().iter().map(role).collect();
            Ok(Shown::new(text, roles))
        }
    }
}

/// Checks rules as the server would, and evaluates them with the same evaluator.
pub(super) fn test(test: &Test) -> Outcome {
    let rules: Result<Vec<Permission>, _> = serde_json::from_value(Value::Array(from_file(&test.file)?));
    let rules = rules.map_err(|error| Failure::new(Exit::Rejected, format!("{}: {error}", test.file)))?;
    let rules = check_permissions(rules).map_err(|error| Failure::new(Exit::Rejected, error.message()))?;
    let (Some(name), Some(resource)) = (&test.action, &test.resource) else {
        let text = format!("{}: {} rules, all good\n", test.file, rules.len());
        return Ok(Shown::new(text, json!({"ok": true, "rules": rules.len()})));
    };
    if !action::is_single(name) {
        return Err(Failure::new(Exit::Usage, format!("`{name}` is no single action"))
            .hint("give one AWS action such as s3:GetObject, or an admin right such as backup:export"));
    }
    let mut context = RequestContext {
        source_ip: test.source_ip,
        secure: test.secure,
        time: Clock::system().now(),
        list: ListParameters { prefix: test.prefix.clone(), ..ListParameters::default() },
        ..RequestContext::default()
    };
    for (key, value) in &test.context {
        context.suppose(key, value).map_err(|what| Failure::new(Exit::Usage, what))?;
    }
    let request = AccessRequest { action: name, resource: Resource::named(name, resource), context: &context };
    let (decision, considered) = explain(&holder(&test.user, rules), &Principal::User("test".to_owned()), &request);
    let by = match &decision.reason {
        Reason::Rule { id, effect, .. } => format!("rule {id} ({effect:?})"),
        _ => "no rule allows it".to_owned(),
    };
    let word = if decision.allowed { "allowed" } else { "denied" };
    let mut text = format!("{word}: {by}\n");
    for rule in &considered {
        text.push_str(&format!("  {:>3}  {:?}  {:?}\n", rule.id, rule.effect, rule.outcome));
    }
    let considered: Vec<Value> = considered
        .iter()
        .map(|rule| json!({"id": rule.id, "effect": rule.effect, "outcome": format!("{:?}", rule.outcome)}))
        .collect();
    let json = json!({"allowed": decision.allowed, "decided_by": by, "considered": considered});
    let exit = if decision.allowed { Exit::Ok } else { Exit::Rejected };
    Ok(Shown { exit, ..Shown::new(text, json) })
}

/// Somebody of that name who has just these rules.
fn holder(name: &str, permissions: Vec<Permission>) -> State {
    let user = User {
        id: "test".to_owned(),
        name: name.to_owned(),
        enabled: true,
        created_at: Clock::system().now(),
        auth_source: "local".to_owned(),
        credential_version: 1,
        permissions,
        group_ids: BTreeSet::new(),
        keys: Vec::new(),
    };
    let mut state = State::default();
    state.users.insert(user.id.clone(), Arc::new(user));
    state
}
