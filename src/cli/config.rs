//! `config check|schema|defaults`: looking at the configuration without a server. `config declarative` asks one.

use super::args::{Cli, ConfigCommand};
use super::settings::ServeSettings;
use super::{out, remote};
use crate::exit::Exit;
use actors::Error;
use actors::config::file::ConfigFile;
use actors::config::locate::locate;
use actors::config::roots;
use actors::domain::config::check::Form;
use actors::domain::config::problem::{Problem, Problems};
use actors::domain::config::{Source, annotated, load_from, reader, schema};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Runs `config …`.
pub(super) fn run(command: &ConfigCommand, cli: &Cli, environment: BTreeMap<String, String>) -> Exit {
    match command {
        ConfigCommand::Check { file, json } => {
            let mut settings = ServeSettings::new(cli, environment);
            settings.config = file.clone().or(settings.config);
            match check(&settings) {
                Ok(checked) if *json => checked.exit.unless(out::print(&format!("{:#}\n", checked.json()))),
                Ok(checked) => checked.exit.unless(out::print(&checked.text())),
                Err(error) => out::failed(&error),
            }
        }
        ConfigCommand::Declarative(command) => remote::declare(command, &cli.remote, &environment),
        ConfigCommand::Schema => out::print(&format!("{:#}\n", schema::schema())),
        ConfigCommand::Defaults => out::print(&annotated::annotated()),
    }
}

/// What a check found.
struct Checked {
    /// How the file is called in the output; `None` where there is none.
    file: Option<String>,
    problems: Vec<Problem>,
    warnings: Vec<String>,
    exit: Exit,
}

/// Reads the config as a start would, without locking or making anything.
fn check(settings: &ServeSettings) -> Result<Checked, Error> {
    let state_dir = settings.state_dir();
    let located = locate(settings.named_config().as_deref(), &state_dir)?;
    let (file, text) = ConfigFile::read(&located)?;
    let source = Source { text: &text, environment: &settings.environment, set: &[], form: Form::File };
    let (problems, warnings, exit) = match load_from(&source) {
        Err(Problems(problems)) if reader::read(&text).is_err() => (problems, Vec::new(), Exit::Parse),
        Err(Problems(problems)) => (problems, Vec::new(), Exit::Rejected),
        Ok(loaded) => {
            let config_dir = file.sha256.as_ref().and(file.path.parent());
            let problems = roots::check(&loaded, &file.base, config_dir, &state_dir);
            let exit = if problems.is_empty() { Exit::Ok } else { Exit::Rejected };
            (problems, loaded.warnings, exit)
        }
    };
    let name = located.exists.then(|| located.path.display().to_string());
    Ok(Checked { file: name, problems, warnings, exit })
}

impl Checked {
    /// Lines that an editor can jump to: `file:line:column: path: message (suggestion)`.
    fn text(&self) -> String {
        let name = self.file.as_deref().unwrap_or("(no file)");
        let mut text = String::new();
        for problem in &self.problems {
            let bare = Problem { line: 0, ..problem.clone() };
            match problem.line {
                0 => text.push_str(&format!("{name}: {bare}\n")),
                line => text.push_str(&format!("{name}:{line}:{}: {bare}\n", problem.column)),
            }
        }
        for warning in &self.warnings {
            text.push_str(&format!("{name}: warning: {warning}\n"));
        }
        text.push_str(&match self.problems.len() {
            0 => format!("{name}: ok\n"),
            1 => format!("{name}: 1 problem\n"),
            several => format!("{name}: {several} problems\n"),
        });
        text
    }

    fn json(&self) -> Value {
        let problem = |problem: &Problem| {
            json!({
                "path": problem.path,
                "line": problem.line,
                "column": problem.column,
                "message": problem.message,
                "suggestion": problem.suggestion,
            })
        };
        json!({
            "ok": self.problems.is_empty(),
            "file": self.file,
            "problems": self.problems.iter().map(problem).collect::<Vec<Value>>(),
            "warnings": self.warnings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn checked(text: &str) -> Checked {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dgp.yaml");
        std::fs::write(&path, text).unwrap();
        let cli = Cli::parse_from(["deltaglider_proxy", "--config", &path.display().to_string()]);
        check(&ServeSettings::new(&cli, BTreeMap::new())).unwrap()
    }

    #[test]
    fn a_check_ends_as_documented_and_names_the_line() {
        assert_eq!(checked("advanced: {log_level: info}\n").exit, Exit::Ok);
        assert_eq!(checked("a: [\n").exit, Exit::Parse);
        assert_eq!(checked("storage: {filesystem: .}\n").exit, Exit::Rejected);
        let bad = checked("advanced:\n  log_levl: info\n");
        assert_eq!(bad.exit, Exit::Rejected);
        let text = bad.text();
        assert!(text.contains("dgp.yaml:2:3: advanced.log_levl: unknown key (did you mean `log_level`?)\n"), "{text}");
        assert!(text.ends_with("dgp.yaml: 1 problem\n"), "{text}");
        assert_eq!(bad.json()["problems"][0]["line"], 2);
    }

    #[test]
    fn a_missing_file_is_an_error_of_its_own() {
        let cli = Cli::parse_from(["deltaglider_proxy", "--config", "/nowhere/dgp.yaml"]);
        let error = check(&ServeSettings::new(&cli, BTreeMap::new())).err().unwrap();
        assert_eq!(Exit::from(&error), Exit::NotFound);
    }
}
