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
    failed_with(Exit::from(error), error.message(), error.hint())
}

/// The same where the exit code is known.
pub(super) fn failed_with(exit: Exit, message: &str, hint: Option<&str>) -> Exit {
    let hint = hint.map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
    failed_as(exit, &format!("error: {message}\n{hint}"))
}

/// The same in words of its own.
pub(super) fn failed_as(exit: Exit, text: &str) -> Exit {
    // Where standard error is closed the exit code is what is left.
    let _ = io::stderr().lock().write_all(text.as_bytes());
    exit
}
