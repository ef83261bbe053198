//! What a command says: results to standard output, errors to standard error.

use crate::exit::Exit;
use actors::Error;
use std::io::{self, ErrorKind, Write};

/// Prints a result.
pub(super) fn print(text: &str) -> Exit {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Exit::Ok,
        // Who reads has read enough (`| head`).
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Ok,
        Err(_) => Exit::Io,
    }
}

/// Says why a command failed, and what can be done about it.
pub(super) fn failed(error: &Error) -> Exit {
    let hint = error.hint().map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
    // Where standard error is closed the exit code is what is left.
    let _ = io::stderr().lock().write_all(format!("error: {}\n{hint}", error.message()).as_bytes());
    Exit::from(error)
}
