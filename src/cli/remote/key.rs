//! `key …`: a user's access keys.

use super::Outcome;
use super::client::Server;
use super::show::{Shown, words};
use super::{id_of, user};
use clap::Subcommand;
use serde_json::{Value, json};

/// What to do with a user's keys.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List them.
    List {
        /// The user's name or id.
        user: String,
    },
    /// Make another one; its secret is printed this once.
    Create {
        /// The user's name or id.
        user: String,
        /// It signs nothing after this long: 24h, 30d.
        #[arg(long, value_name = "DURATION")]
        expires_in: Option<String>,
    },
    /// Let it sign again.
    Enable {
        /// The user's name or id.
        user: String,
        /// The access key id.
        key: String,
    },
    /// Let it sign nothing, until it is enabled.
    Disable {
        /// The user's name or id.
        user: String,
        /// The access key id.
        key: String,
    },
    /// Remove it.
    Delete {
        /// The user's name or id.
        user: String,
        /// The access key id.
        key: String,
    },
}

pub(super) fn run(command: &Command, server: &Server) -> Outcome {
    match command {
        Command::List { user } => {
            let keys = server.get(&keys_of(server, user)?)?;
            Ok(Shown::table(
                keys,
                &[
                    ("ACCESS KEY", "access_key_id"),
                    ("ACTIVE", "active"),
                    ("CREATED", "created_at"),
                    ("EXPIRES", "expires_at"),
                    ("LAST USED", "last_used_at"),
                ],
            ))
        }
        Command::Create { user, expires_in } => {
            let mut body = json!({});
            if let Some(expires_in) = expires_in {
                body["expires_in"] = json!(expires_in);
            }
            let key = server.post(&keys_of(server, user)?, &body)?;
            let text = format!(
                "# the secret is shown this once\nAWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
                words(&key["access_key_id"]),
                words(&key["secret_access_key"])
            );
            Ok(Shown::new(text, key))
        }
        Command::Enable { user, key } => set_active(server, user, key, true),
        Command::Disable { user, key } => set_active(server, user, key, false),
        Command::Delete { user, key } => {
            server.delete(&one(server, user, key)?)?;
            Ok(Shown::new(format!("key {key} is gone\n"), json!({"deleted": key})))
        }
    }
}

fn set_active(server: &Server, user: &str, key: &str, active: bool) -> Outcome {
    let answer: Value = server.put(&one(server, user, key)?, &json!({"active": active}))?;
    let word = if active { "signs again" } else { "signs nothing more" };
    Ok(Shown::new(format!("key {key} {word}\n"), answer))
}

fn keys_of(server: &Server, name: &str) -> Result<String, super::Failure> {
    Ok(format!("/users/{}/keys", id_of(&user::find(server, name)?)))
}

fn one(server: &Server, name: &str, key: &str) -> Result<String, super::Failure> {
    let mut path = keys_of(server, name)? + "/";
    crate::http::percent::encode(key.as_bytes(), &mut path);
    Ok(path)
}
