//! Secrets that a command is given: in files, so that they stand in no list of processes and in no history of a shell.

use super::remote::Failure;
use crate::exit::Exit;
use actors::domain::secret::Secret;
use std::path::Path;

/// The text of a file; `-` is standard input.
pub(super) fn text(path: &Path) -> Result<String, Failure> {
    let text = match path == Path::new("-") {
        true => std::io::read_to_string(std::io::stdin()),
        false => std::fs::read_to_string(path),
    };
    text.map_err(|error| Failure::new(Exit::Io, format!("{}: {error}", path.display())))
}

/// The secret in a file, without its line end.
pub(super) fn secret(path: &Path) -> Result<Secret, Failure> {
    Ok(Secret::new(text(path)?.trim_end_matches(['\r', '\n'])))
}
