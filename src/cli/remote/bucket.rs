//! `bucket …`: where buckets are, what is set of them, what they hold.

use super::client::Server;
use super::show::{Shown, words};
use super::{Outcome, percent_encoded};
use actors::domain::config::scalar::parse_size;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

/// What to do with buckets.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List them, with what they hold.
    List,
    /// Show one.
    Show {
        /// Its name.
        name: String,
    },
    /// Make one.
    Create {
        /// Its name.
        name: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Change one. A route moves no data.
    Set {
        /// Its name.
        name: String,
        #[command(flatten)]
        settings: Settings,
        /// It has no quota.
        #[arg(long, conflicts_with = "quota_bytes")]
        no_quota: bool,
        /// Its name on the backend is its own.
        #[arg(long, conflicts_with = "alias")]
        no_alias: bool,
        /// Only say what it would do.
        #[arg(long)]
        dry_run: bool,
    },
    /// Remove an empty one.
    Delete {
        /// Its name.
        name: String,
    },
}

/// What can be set.
#[derive(Debug, Args)]
pub struct Settings {
    /// The backend.
    #[arg(long)]
    backend: Option<String>,
    /// Its name on the backend.
    #[arg(long)]
    alias: Option<String>,
    /// The most that it may hold: `10GiB`, or a number of bytes.
    #[arg(long = "quota", alias = "quota-bytes", value_name = "SIZE", value_parser = size)]
    quota_bytes: Option<u64>,
    /// Whether it takes no writes.
    #[arg(long)]
    read_only: Option<bool>,
    /// What anybody may read; an empty one is the whole bucket. Repeatable.
    #[arg(long = "public-prefix", value_name = "PREFIX")]
    public_prefixes: Vec<String>,
}

/// A size as the config file writes it.
fn size(text: &str) -> Result<u64, String> {
    parse_size(text).map_err(|complaint| format!("{}; {}", complaint.message, complaint.suggestion.unwrap_or_default()))
}

impl Settings {
    /// What was typed, as a body.
    fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                body.insert(name.to_owned(), value);
            }
        };
        put("backend", self.backend.as_ref().map(|backend| json!(backend)));
        put("alias", self.alias.as_ref().map(|alias| json!(alias)));
        put("quota_bytes", self.quota_bytes.map(|bytes| json!(bytes)));
        put("read_only", self.read_only.map(|read_only| json!(read_only)));
        put("public_prefixes", (!self.public_prefixes.is_empty()).then(|| json!(self.public_prefixes)));
        body
    }
}

pub(super) fn run(command: &Command, server: &Server) -> Outcome {
    match command {
        Command::List => Ok(Shown::table(
            flat(server.get("/buckets")?),
            &[
                ("NAME", "name"),
                ("BACKEND", "backend"),
                ("OBJECTS", "objects"),
                ("BYTES", "bytes"),
                ("QUOTA", "quota_bytes"),
                ("READ-ONLY", "read_only"),
                ("OWNER", "owner"),
            ],
        )),
        Command::Show { name } => Ok(shown(server.get(&path(name))?)),
        Command::Create { name, settings } => {
            let mut body = settings.body();
            body.insert("name".to_owned(), json!(name));
            Ok(shown(server.post("/buckets", &body.into())?))
        }
        Command::Set { name, settings, no_quota, no_alias, dry_run } => {
            let mut body = settings.body();
            for (field, none) in [("quota_bytes", no_quota), ("alias", no_alias)] {
                if *none {
                    body.insert(field.to_owned(), Value::Null);
                }
            }
            Ok(planned(server.put(&format!("{}?dry_run={dry_run}", path(name)), &body.into())?))
        }
        Command::Delete { name } => {
            server.delete(&path(name))?;
            Ok(Shown::new(format!("bucket {name} is gone\n"), json!({"deleted": name})))
        }
    }
}

fn path(name: &str) -> String {
    format!("/buckets/{}", percent_encoded(name))
}

/// What each holds beside its name, where a table finds it.
fn flat(mut list: Value) -> Value {
    for bucket in list.as_array_mut().into_iter().flatten() {
        for field in ["objects", "bytes"] {
            bucket[field] = bucket["usage"][field].clone();
        }
    }
    list
}

fn shown(bucket: Value) -> Shown {
    let mut text = format!("{}\n", words(&bucket["name"]));
    for field in [
        "backend",
        "alias",
        "owner",
        "created_at",
        "public_prefixes",
        "quota_bytes",
        "read_only",
        "pinned",
        "backend_up",
    ] {
        text.push_str(&format!("{field}: {}\n", words(&bucket[field])));
    }
    let usage = &bucket["usage"];
    text.push_str(&format!(
        "objects: {}\nbytes: {}\ncounted: {}\n",
        words(&usage["objects"]),
        words(&usage["bytes"]),
        words(&usage["counted_at"])
    ));
    Shown::new(text, bucket)
}

/// A plan, line by line.
fn planned(plan: Value) -> Shown {
    let mut text = String::new();
    for change in plan["changes"].as_array().into_iter().flatten() {
        text.push_str(&format!(
            "{}: {} -> {}\n",
            words(&change["field"]),
            words(&change["from"]),
            words(&change["to"])
        ));
    }
    for warning in plan["warnings"].as_array().into_iter().flatten() {
        text.push_str(&format!("warning: {}\n", words(warning)));
    }
    text.push_str(if plan["applied"] == true { "in force\n" } else { "nothing was changed yet\n" });
    Shown::new(text, plan)
}
