//! `hash-password`: a password on standard input → the hash that `DGP_BOOTSTRAP_PASSWORD_HASH` takes; `--check` looks at a hash.

use super::out;
use crate::exit::Exit;
use actors::db::password::PasswordHash;
use actors::domain::secret::Secret;
use actors::{Error, ErrorKind, Result};
use std::io::{self, BufRead};

/// A line above this is neither a password nor a hash.
const MAX_BYTES: u64 = 4096;

/// Runs `hash-password`.
pub(super) fn run(check: bool) -> Exit {
    let said = first_line(io::stdin().lock()).and_then(|line| if check { checked(&line) } else { hashed(&line) });
    match said {
        Ok(text) => out::print(&text),
        Err(error) => out::failed(&error),
    }
}

fn hashed(password: &Secret) -> Result<String> {
    Ok(format!("{}\n", PasswordHash::make(password.expose())?.expose()))
}

fn checked(hash: &Secret) -> Result<String> {
    let parameters = *PasswordHash::parse(hash.expose())?.parameters();
    let opens = match parameters.open_by_password() {
        true => "the password or the hash opens a database that is keyed by it",
        false => "only the hash opens a database that is keyed by it: the password alone does not, so keep the hash",
    };
    Ok(format!("ok: {}\n{opens}\n", parameters.canonical()))
}

/// The first line without its end: what a pipe or a terminal gives.
fn first_line(input: impl BufRead) -> Result<Secret> {
    const OPERATION: &str = "read standard input";
    let mut line = String::new();
    let read = input.take(MAX_BYTES).read_line(&mut line);
    let line = Secret::new(line);
    read.map_err(|error| Error::io(OPERATION, error))?;
    let text = line.expose().trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(Error::new(ErrorKind::Invalid, OPERATION, "standard input gave nothing")
            .with_hint("type it and press Enter, or pipe it in"));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_made_that_the_password_opens() {
        let password = first_line("correct horse\r\nrest".as_bytes()).unwrap();
        let hash = hashed(&password).unwrap();
        assert!(PasswordHash::parse(&hash).unwrap().verify("correct horse"));
        assert!(checked(&Secret::new(hash)).unwrap().contains("the password or the hash opens"));
    }

    #[test]
    fn nothing_and_no_hash_are_refused() {
        assert_eq!(first_line("\n".as_bytes()).err().map(|error| Exit::from(&error)), Some(Exit::Rejected));
        assert_eq!(checked(&Secret::new("hunter2")).err().map(|error| Exit::from(&error)), Some(Exit::Rejected));
    }
}
