//! `group …`: rights that several users share.

use super::client::{Failure, Server};
use super::rule::{Rules, lines, permit, revoke};
use super::show::{Shown, words};
use super::{Outcome, id_of, named, user};
use clap::Subcommand;
use serde_json::{Value, json};

/// What to do with groups.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List them.
    List,
    /// Show one, with its members and rules.
    Show {
        /// Name or id.
        name: String,
    },
    /// Make one.
    Create {
        /// Its name.
        name: String,
        /// For people.
        #[arg(long, default_value = "")]
        description: String,
        #[command(flatten)]
        rules: Rules,
    },
    /// Give all its members more rules.
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
        /// The rule's id, as `group show` lists it.
        rule: String,
    },
    /// Put a user into it.
    Add {
        /// Name or id of the group.
        name: String,
        /// Name or id of the user.
        user: String,
    },
    /// Take a user out of it.
    Remove {
        /// Name or id of the group.
        name: String,
        /// Name or id of the user.
        user: String,
    },
    /// Remove it; its members stay, without its rules.
    Delete {
        /// Name or id.
        name: String,
    },
}

pub(super) fn run(command: &Command, server: &Server) -> Outcome {
    match command {
        Command::List => Ok(Shown::table(
            server.get("/groups")?,
            &[("NAME", "name"), ("DESCRIPTION", "description"), ("CREATED", "created_at"), ("ID", "id")],
        )),
        Command::Show { name } => answer(find(server, name)?),
        Command::Create { name, description, rules } => {
            let body = json!({"name": name, "description": description, "permissions": rules.read(server)?});
            answer(server.post("/groups", &body)?)
        }
        Command::Permit { name, rules } => answer(permit(server, "group", &find(server, name)?, rules)?),
        Command::Revoke { name, rule } => answer(revoke(server, "group", &find(server, name)?, rule)?),
        Command::Add { name, user } => {
            let (group, user) = (find(server, name)?, user::find(server, user)?);
            let body = json!({"user_id": user["id"]});
            answer(server.post(&format!("/groups/{}/members", id_of(&group)), &body)?)
        }
        Command::Remove { name, user } => {
            let (group, user) = (find(server, name)?, user::find(server, user)?);
            server.delete(&format!("/groups/{}/members/{}", id_of(&group), id_of(&user)))?;
            answer(find(server, name)?)
        }
        Command::Delete { name } => {
            let group = find(server, name)?;
            server.delete(&format!("/groups/{}", id_of(&group)))?;
            Ok(Shown::new(format!("group {} is gone\n", words(&group["name"])), json!({"deleted": group["id"]})))
        }
    }
}

fn find(server: &Server, name: &str) -> Result<Value, Failure> {
    named(server.get("/groups")?, "group", name)
}

fn answer(group: Value) -> Outcome {
    let text = format!(
        "{} ({})\nmembers: {}\nrules:\n{}",
        words(&group["name"]),
        words(&group["id"]),
        words(&group["member_ids"]),
        lines(&group["permissions"])
    );
    Ok(Shown::new(text, group))
}
