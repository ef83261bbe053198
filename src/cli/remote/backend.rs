//! `backend …`: where objects are kept.

use super::client::{Failure, Server};
use super::show::{Shown, words};
use super::{Outcome, percent_encoded};
use crate::cli::secret::secret;
use actors::domain::secret::Secret;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What to do with backends.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List them.
    List,
    /// Show one.
    Show {
        /// Its name.
        name: String,
    },
    /// Add one: it is opened before it comes into force.
    Create {
        /// Its name.
        name: String,
        #[command(flatten)]
        place: Place,
        /// It takes no writes.
        #[arg(long)]
        read_only: bool,
        /// New buckets go there.
        #[arg(long)]
        default: bool,
        /// Only say what it would do.
        #[arg(long)]
        dry_run: bool,
    },
    /// Change one.
    Set {
        /// Its name.
        name: String,
        #[command(flatten)]
        place: Place,
        /// Whether it takes no writes.
        #[arg(long)]
        read_only: Option<bool>,
        /// New buckets go there.
        #[arg(long)]
        default: bool,
        /// What may be done to a place that does not bear its id: `init` or `adopt`.
        #[arg(long)]
        claim: Option<String>,
        /// Only say what it would do.
        #[arg(long)]
        dry_run: bool,
    },
    /// Remove one that no bucket is on. What lies there stays.
    Delete {
        /// Its name.
        name: String,
    },
    /// Look at one now.
    Probe {
        /// Its name.
        name: String,
    },
    /// Make a root that lost its `.dg/backend.json` its own again.
    Init {
        /// Its name.
        name: String,
    },
    /// Take a root over under the id that it bears, with all buckets that nobody knows.
    Adopt {
        /// Its name.
        name: String,
    },
}

/// Where a backend is: a directory, or an S3 account.
#[derive(Debug, Args)]
pub struct Place {
    /// The directory of a filesystem backend.
    #[arg(long, conflicts_with_all = ["endpoint", "region", "access_key_id", "secret_access_key_file"])]
    path: Option<String>,
    /// The address of an S3 account, `http(s)://host[:port]`; without it AWS's own of the region.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The region that requests to the account are signed for.
    #[arg(long)]
    region: Option<String>,
    /// The public half of the account's key pair.
    #[arg(long, value_name = "ID")]
    access_key_id: Option<String>,
    /// The file that holds the secret half; `-` reads standard input. It goes into the config database alone.
    #[arg(long, value_name = "FILE")]
    secret_access_key_file: Option<PathBuf>,
}

impl Place {
    /// The fields of the call that say it.
    fn fields(&self) -> Result<Value, Failure> {
        let secret = self.secret_access_key_file.as_deref().map(secret).transpose()?;
        Ok(json!({
            "path": self.path, "endpoint": self.endpoint, "region": self.region,
            "access_key_id": self.access_key_id, "secret_access_key": secret.as_ref().map(Secret::expose),
        }))
    }

    fn kind(&self) -> &'static str {
        let account = self.endpoint.is_some() || self.region.is_some() || self.access_key_id.is_some();
        if account { "s3" } else { "filesystem" }
    }
}

pub(super) fn run(command: &Command, server: &Server) -> Outcome {
    match command {
        Command::List => Ok(Shown::table(
            flat(server.get("/backends")?),
            &[
                ("NAME", "name"),
                ("TYPE", "type"),
                ("UP", "up"),
                ("DEFAULT", "default"),
                ("READ-ONLY", "read_only"),
                ("BUCKETS", "buckets"),
                ("ROOT", "root"),
                ("ID", "backend_id"),
            ],
        )),
        Command::Show { name } => Ok(shown(server.get(&path(name, ""))?)),
        Command::Create { name, place, read_only, default, dry_run } => {
            let mut body = place.fields()?;
            (body["name"], body["type"]) = (json!(name), json!(place.kind()));
            (body["read_only"], body["default"]) = (json!(read_only), json!(default));
            Ok(planned(server.post(&format!("/backends?dry_run={dry_run}"), &body)?))
        }
        Command::Set { name, place, read_only, default, claim, dry_run } => {
            let mut body = place.fields()?;
            (body["read_only"], body["claim"]) = (json!(read_only), json!(claim));
            if *default {
                body["default"] = json!(true);
            }
            Ok(planned(server.put(&format!("{}?dry_run={dry_run}", path(name, "")), &body)?))
        }
        Command::Delete { name } => Ok(planned(server.delete(&path(name, ""))?)),
        Command::Probe { name } => {
            let probed = server.post_nothing(&path(name, "/probe"))?;
            let (look, health) = (&probed["look"], &probed["health"]);
            let text =
                format!("{}: {}\nup: {}\n", words(&look["state"]), words(&look["message"]), words(&health["up"]));
            Ok(Shown::new(text, probed))
        }
        Command::Init { name } => Ok(claimed(server.post_nothing(&path(name, "/init"))?)),
        Command::Adopt { name } => Ok(claimed(server.post_nothing(&path(name, "/adopt"))?)),
    }
}

fn path(name: &str, call: &str) -> String {
    format!("/backends/{}{call}", percent_encoded(name))
}

/// The health of each beside its name, where a table finds it.
fn flat(mut list: Value) -> Value {
    for backend in list.as_array_mut().into_iter().flatten() {
        backend["up"] = backend["health"]["up"].clone();
    }
    list
}

fn shown(backend: Value) -> Shown {
    let mut text = format!("{} ({})\n", words(&backend["name"]), words(&backend["type"]));
    for field in ["path", "endpoint", "region", "access_key_id"].into_iter().filter(|field| !backend[*field].is_null())
    {
        text.push_str(&format!("{field}: {}\n", words(&backend[field])));
    }
    for field in ["root", "backend_id", "default", "read_only", "sealed", "conditional_writes", "origin", "buckets"] {
        text.push_str(&format!("{field}: {}\n", words(&backend[field])));
    }
    let health = &backend["health"];
    text.push_str(&format!("up: {}\n", words(&health["up"])));
    if !health["reason"].is_null() {
        text.push_str(&format!("reason: {}\n", words(&health["reason"])));
    }
    Shown::new(text, backend)
}

/// A plan, line by line.
fn planned(plan: Value) -> Shown {
    let mut text = String::new();
    for change in plan["changes"].as_array().into_iter().flatten() {
        text.push_str(&format!("{}: {} -> {}\n", words(&change["path"]), words(&change["from"]), words(&change["to"])));
    }
    for moved in plan["buckets_moved"].as_array().into_iter().flatten() {
        text.push_str(&format!(
            "bucket {} moves: {} objects stay behind\n",
            words(&moved["bucket"]),
            words(&moved["objects"])
        ));
    }
    if !plan["probe"].is_null() {
        text.push_str(&format!("{}\n", words(&plan["probe"]["message"])));
    }
    for warning in plan["warnings"].as_array().into_iter().flatten() {
        text.push_str(&format!("warning: {}\n", words(warning)));
    }
    text.push_str(if plan["applied"] == true { "in force\n" } else { "nothing was changed yet\n" });
    Shown::new(text, plan)
}

fn claimed(claimed: Value) -> Shown {
    let text = format!(
        "{} is backend {}\nadopted: {}\non other backends, too: {}\n",
        words(&claimed["name"]),
        words(&claimed["backend_id"]),
        words(&claimed["adopted"]),
        words(&claimed["doubles"])
    );
    Shown::new(text, claimed)
}
