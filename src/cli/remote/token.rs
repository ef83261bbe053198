//! `token …`: API tokens for automation.

use super::Outcome;
use super::client::Server;
use super::rule::Rules;
use super::show::{Shown, words};
use super::{id_of, named};
use clap::Subcommand;
use serde_json::json;

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List them.
    List,
    /// Make one; its text is printed this once.
    Create {
        /// Its name.
        name: String,
        /// It is void after this long: 24h, 7d.
        #[arg(long, value_name = "DURATION")]
        expires_in: Option<String>,
        #[command(flatten)]
        rules: Rules,
    },
    /// Make it void.
    Delete {
        /// Name or id.
        name: String,
    },
}

pub(super) fn run(command: &Command, server: &Server) -> Outcome {
    match command {
        Command::List => Ok(Shown::table(
            server.get("/tokens")?,
            &[
                ("NAME", "name"),
                ("CREATED", "created_at"),
                ("EXPIRES", "expires_at"),
                ("LAST USED", "last_used_at"),
                ("ID", "id"),
            ],
        )),
        Command::Create { name, expires_in, rules } => {
            let mut body = json!({"name": name, "permissions": rules.read(server)?});
            if let Some(expires_in) = expires_in {
                body["expires_in"] = json!(expires_in);
            }
            let token = server.post("/tokens", &body)?;
            let text = format!(
                "# token {}; it is shown this once\nDGP_TOKEN={}\n",
                words(&token["name"]),
                words(&token["token"])
            );
            Ok(Shown::new(text, token))
        }
        Command::Delete { name } => {
            let token = named(server.get("/tokens")?, "token", name)?;
            server.delete(&format!("/tokens/{}", id_of(&token)))?;
            Ok(Shown::new(format!("token {} is void\n", words(&token["name"])), json!({"deleted": token["id"]})))
        }
    }
}
