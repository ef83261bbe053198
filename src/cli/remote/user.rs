//! `user …`: people and programs.

use super::client::Server;
use super::rule::{Rules, lines, permit, revoke};
use super::show::{Shown, words};
use super::{Outcome, id_of, named};
use clap::Subcommand;
use serde_json::{Value, json};

/// What to do with users.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List them.
    List,
    /// Show one, with its keys and rules.
    Show {
        /// Name or id.
        name: String,
    },
    /// Make one; its secret access key is printed this once.
    Create {
        /// Its name.
        name: String,
        /// The name of a group to put it into; repeatable.
        #[arg(long, value_name = "NAME")]
        group: Vec<String>,
        #[command(flatten)]
        rules: Rules,
    },
    /// Give it more rules.
    Permit {
        /// Name or id.
        name: String,
        #[command(flatten)]
        rules: Rules,
    },
    /// Take one of its rules away.
    Revoke {
        /// Name or id.
        name: String,
        /// The rule's id, as `user show` lists it.
        rule: String,
    },
    /// Let it in again.
    Enable {
        /// Name or id.
        name: String,
    },
    /// Keep it out: its keys sign nothing, its sessions end.
    Disable {
        /// Name or id.
        name: String,
    },
    /// Replace its key pair at once; the new secret is printed this once.
    RotateKeys {
        /// Name or id.
        name: String,
    },
    /// Remove it with all its keys.
    Delete {
        /// Name or id.
        name: String,
    },
}

pub(super) fn run(command: &Command, server: &Server) -> Outcome {
    match command {
        Command::List => Ok(Shown::table(
            server.get("/users")?,
            &[
                ("NAME", "name"),
                ("ENABLED", "enabled"),
                ("ACCESS KEY", "access_key_id"),
                ("CREATED", "created_at"),
                ("ID", "id"),
            ],
        )),
        Command::Show { name } => answer(find(server, name)?),
        Command::Create { name, group, rules } => {
            let groups = if group.is_empty() { Value::Null } else { server.get("/groups")? };
            let ids: Result<Vec<Value>, _> = group
                .iter()
                .map(|group| named(groups.clone(), "group", group).map(|group| group["id"].clone()))
                .collect();
            let body = json!({"name": name, "group_ids": ids?, "permissions": rules.read(server)?});
            let user = server.post("/users", &body)?;
            Ok(Shown::new(pair(&user), user))
        }
        Command::Permit { name, rules } => answer(permit(server, "user", &find(server, name)?, rules)?),
        Command::Revoke { name, rule } => answer(revoke(server, "user", &find(server, name)?, rule)?),
        Command::Enable { name } => update(server, &find(server, name)?, &json!({"enabled": true})),
        Command::Disable { name } => update(server, &find(server, name)?, &json!({"enabled": false})),
        Command::RotateKeys { name } => {
            let user = server.post(&format!("/users/{}/rotate-keys", id_of(&find(server, name)?)), &json!({}))?;
            Ok(Shown::new(pair(&user), user))
        }
        Command::Delete { name } => {
            let user = find(server, name)?;
            server.delete(&format!("/users/{}", id_of(&user)))?;
            Ok(Shown::new(
                format!("user {} is gone, with its keys\n", words(&user["name"])),
                json!({"deleted": user["id"]}),
            ))
        }
    }
}

/// The user of this name or id.
pub(super) fn find(server: &Server, name: &str) -> Result<Value, super::Failure> {
    named(server.get("/users")?, "user", name)
}

fn update(server: &Server, user: &Value, change: &Value) -> Outcome {
    answer(server.put(&format!("/users/{}", id_of(user)), change)?)
}

fn answer(user: Value) -> Outcome {
    Ok(Shown::new(shown(&user), user))
}

/// The one time that a secret is printed: as the environment of the usual clients takes it.
pub(super) fn pair(user: &Value) -> String {
    format!(
        "# user {} ({}); the secret is shown this once\nAWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
        words(&user["name"]),
        words(&user["id"]),
        words(&user["access_key_id"]),
        words(&user["secret_access_key"])
    )
}

fn shown(user: &Value) -> String {
    let key = |key: &Value| {
        let state = if key["active"] == true { "active" } else { "inactive" };
        format!(
            "  {}  {state}, expires {}, last used {}\n",
            words(&key["access_key_id"]),
            words(&key["expires_at"]),
            words(&key["last_used_at"])
        )
    };
    let keys: String = user["access_keys"].as_array().map(Vec::as_slice).unwrap_or_default().iter().map(key).collect();
    format!(
        "{} ({})\nenabled: {}\ngroups: {}\nlast sign-in: {}\nkeys:\n{keys}rules:\n{}",
        words(&user["name"]),
        words(&user["id"]),
        words(&user["enabled"]),
        words(&user["group_ids"]),
        words(&user["last_login_at"]),
        lines(&user["permissions"])
    )
}
