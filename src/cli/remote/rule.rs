//! Rules as they are typed: `--allow "read,list builds/*"`, `--deny "delete builds/released/*"`, `--role viewer`.

use super::client::{Failure, Server};
use super::show::words;
use crate::exit::Exit;
use clap::Args;
use serde_json::{Value, json};

/// Rules on the command line.
#[derive(Clone, Debug, Default, Args)]
pub struct Rules {
    /// Allow actions on resources: "read,list builds/*"; repeatable.
    #[arg(long, value_name = "ACTIONS RESOURCES")]
    allow: Vec<String>,
    /// Deny actions on resources; a Deny wins; repeatable.
    #[arg(long, value_name = "ACTIONS RESOURCES")]
    deny: Vec<String>,
    /// The rules of a shipped role (`policy list`); repeatable.
    #[arg(long, value_name = "NAME")]
    role: Vec<String>,
    /// Rules as JSON, from a file or `-`: [{"effect": "Allow", "actions": […], "resources": […], "conditions": {…}}].
    #[arg(long, value_name = "FILE")]
    permissions: Option<String>,
}

impl Rules {
    /// As the admin API takes them.
    pub(super) fn read(&self, server: &Server) -> Result<Vec<Value>, Failure> {
        let mut rules = Vec::new();
        if !self.role.is_empty() {
            let roles = server.get("/policies")?;
            for name in &self.role {
                let role = super::named(roles.clone(), "policy", name)?;
                rules.extend(role["permissions"].as_array().cloned().unwrap_or_default());
            }
        }
        if let Some(file) = &self.permissions {
            rules.extend(from_file(file)?);
        }
        for (effect, texts) in [("Allow", &self.allow), ("Deny", &self.deny)] {
            for text in texts {
                rules.push(parse(effect, text)?);
            }
        }
        Ok(rules)
    }
}

/// The rules in a file, or on standard input.
pub(super) fn from_file(file: &str) -> Result<Vec<Value>, Failure> {
    let text = match file {
        "-" => std::io::read_to_string(std::io::stdin()),
        path => std::fs::read_to_string(path),
    };
    let text = text.map_err(|error| Failure::new(Exit::Io, format!("{file}: {error}")))?;
    match serde_json::from_str(&text) {
        Ok(Value::Array(rules)) => Ok(rules),
        Ok(rule @ Value::Object(_)) => Ok(vec![rule]),
        Ok(_) => Err(Failure::new(Exit::Parse, format!("{file}: rules are a JSON array of objects"))),
        Err(error) => Err(Failure::new(Exit::Parse, format!("{file}: {error}"))),
    }
}

fn parse(effect: &str, text: &str) -> Result<Value, Failure> {
    let mut parts = text.split_whitespace();
    match (parts.next(), parts.next(), parts.next()) {
        (Some(actions), Some(resources), None) => {
            let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<String>>();
            Ok(json!({"effect": effect, "actions": list(actions), "resources": list(resources)}))
        }
        _ => Err(Failure::new(Exit::Usage, format!("`{text}` is no rule"))
            .hint("a rule is \"ACTIONS RESOURCES\", each a list with commas: \"read,list builds/*\"")),
    }
}

/// Gives a user or group more rules.
pub(super) fn permit(server: &Server, kind: &str, entry: &Value, rules: &Rules) -> Result<Value, Failure> {
    let more = rules.read(server)?;
    server.change(&path(kind, entry), |entry| {
        let mut all = entry["permissions"].as_array().cloned().unwrap_or_default();
        all.extend(more);
        Ok(json!({"permissions": all}))
    })
}

/// Takes one rule of a user or group away.
pub(super) fn revoke(server: &Server, kind: &str, entry: &Value, id: &str) -> Result<Value, Failure> {
    server.change(&path(kind, entry), |entry| {
        let rules = entry["permissions"].as_array().cloned().unwrap_or_default();
        let rest: Vec<Value> = rules.iter().filter(|rule| rule["id"] != id).cloned().collect();
        if rest.len() == rules.len() {
            let message = format!("{kind} `{}` has no rule `{id}`", words(&entry["name"]));
            let hint = format!("`{kind} show` lists its rules with their ids");
            return Err(Failure::new(Exit::NotFound, message).hint(hint));
        }
        Ok(json!({"permissions": rest}))
    })
}

fn path(kind: &str, entry: &Value) -> String {
    format!("/{kind}s/{}", super::id_of(entry))
}

/// One line a rule.
pub(super) fn lines(rules: &Value) -> String {
    let rules = rules.as_array().map(Vec::as_slice).unwrap_or_default();
    let line = |rule: &Value| {
        let conditions = match &rule["conditions"] {
            Value::Null => String::new(),
            conditions => format!("  if {conditions}"),
        };
        let (id, effect) = (rule["id"].as_str().unwrap_or_default(), rule["effect"].as_str().unwrap_or_default());
        format!("  {id:>3}  {effect:<5}  {} on {}{conditions}\n", words(&rule["actions"]), words(&rule["resources"]))
    };
    rules.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_actions_and_resources() {
        let rule = parse("Allow", "read,list builds/*,docs").unwrap();
        assert_eq!(rule, json!({"effect": "Allow", "actions": ["read", "list"], "resources": ["builds/*", "docs"]}));
        for bad in ["", "read", "read builds extra"] {
            assert_eq!(parse("Deny", bad).unwrap_err().exit, Exit::Usage, "{bad}");
        }
        let rules = json!([{"id": "1", "effect": "Allow", "actions": ["read"], "resources": ["*"]}]);
        assert_eq!(lines(&rules), "    1  Allow  read on *\n");
    }
}
