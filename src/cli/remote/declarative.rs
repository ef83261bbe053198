//! `config declarative …`: IAM as a document that the config file owns.

use super::Outcome;
use super::client::{Failure, Server};
use super::show::{Shown, words};
use crate::exit::Exit;
use clap::Subcommand;
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What to do with a document of users, groups, providers and mapping rules.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what applying it would change.
    Validate {
        /// The YAML file; `-` is standard input.
        file: PathBuf,
    },
    /// Bring it into force: config file and database change together.
    Apply {
        /// The YAML file; `-` is standard input.
        file: PathBuf,
    },
    /// Print the document that says what there is, without secrets.
    Export {
        /// Write it here instead.
        file: Option<PathBuf>,
    },
}

pub(super) fn run(command: &Command, server: &Server) -> Outcome {
    match command {
        Command::Validate { file } => send(server, "validate", file),
        Command::Apply { file } => send(server, "apply", file),
        Command::Export { file } => export(server, file.as_deref()),
    }
}

fn send(server: &Server, verb: &str, file: &Path) -> Outcome {
    let mut yaml = String::new();
    let read = match file.as_os_str() == "-" {
        true => std::io::stdin().read_to_string(&mut yaml),
        false => std::fs::read_to_string(file).map(|text| {
            yaml = text;
            yaml.len()
        }),
    };
    read.map_err(|error| Failure::new(Exit::Io, format!("{} cannot be read: {error}", file.display())))?;
    let answer = server.post(&format!("/config/declarative-iam-{verb}"), &json!({ "yaml": yaml }))?;
    Ok(Shown::new(text(&answer), answer))
}

fn export(server: &Server, file: Option<&Path>) -> Outcome {
    let yaml = server.text("/config/declarative-iam-export")?;
    let json = json!({ "yaml": yaml });
    let Some(file) = file else { return Ok(Shown::new(yaml, json)) };
    std::fs::write(file, &yaml)
        .map_err(|error| Failure::new(Exit::Io, format!("{} cannot be written: {error}", file.display())))?;
    Ok(Shown::new(format!("{}\n", file.display()), json))
}

/// A line for each change, then the sum.
fn text(answer: &Value) -> String {
    let mut text = String::new();
    for item in answer["items"].as_array().into_iter().flatten() {
        let fields = match &item["fields"] {
            Value::Null => String::new(),
            fields => format!(" ({})", words(fields)),
        };
        text.push_str(&format!(
            "{} {} {}{fields}\n",
            words(&item["change"]),
            words(&item["kind"]),
            words(&item["name"])
        ));
    }
    for warning in answer["warnings"].as_array().into_iter().flatten() {
        text.push_str(&format!("warning: {}\n", words(warning)));
    }
    let rules = answer["mapping_rules_replaced"].as_u64().unwrap_or_default();
    if rules > 0 {
        text.push_str(&format!("mapping rules: {rules} from now on\n"));
    }
    text.push_str(match (answer["no_changes"] == true, answer["applied"] == true) {
        (true, _) => "users, groups, providers and mapping rules stay as they are\n",
        (false, true) => "in force\n",
        (false, false) => "nothing was changed yet\n",
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_a_line_for_each_change() {
        let answer = json!({
            "no_changes": false, "applied": false, "mapping_rules_replaced": 2, "warnings": ["look here"],
            "items": [
                {"kind": "user", "name": "ann", "change": "updated", "fields": ["enabled", "groups"]},
                {"kind": "group", "name": "dev", "change": "created"},
            ],
        });
        let expected = "updated user ann (enabled,groups)\ncreated group dev\nwarning: look here\n\
                        mapping rules: 2 from now on\nnothing was changed yet\n";
        assert_eq!(text(&answer), expected);
    }
}
