//! Why a start failed, and with which exit code (`operations.md` §4).

use crate::Error;
use std::fmt;

/// A start that failed.
#[derive(Debug)]
pub enum BootError {
    /// A file or directory cannot be used (exit code 3).
    Io(Error),
    /// The configuration does not load (exit code 4).
    Config(Error),
    /// A journal cannot be rolled forward (exit code 12).
    Journal(String),
    /// The state cannot be used as it is (exit code 9).
    State(Error),
}

impl BootError {
    /// An error of the operating system.
    pub fn io(error: std::io::Error) -> Self {
        Self::Io(Error::io("start", error).with_hint("see the cause in the log"))
    }
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) | Self::State(error) | Self::Config(error) => {
                write!(f, "{error:?}")?;
                error.hint().map_or(Ok(()), |hint| write!(f, " ({hint})"))
            }
            Self::Journal(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for BootError {}

impl From<Error> for BootError {
    fn from(error: Error) -> Self {
        Self::State(error)
    }
}
