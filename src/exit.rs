//! The exit codes of the binary, stable for scripts.

use actors::boot::BootError;
use actors::domain::archive::fault::ArchiveFault;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// The command line makes no sense.
    Usage = 2,
    /// A file, directory or address cannot be used.
    Io = 3,
    /// A text is not what it should be: no YAML, no JSON.
    Parse = 4,
    /// The server answered with an error, or not at all.
    Http = 5,
    /// A rule refused the input.
    Rejected = 6,
    /// Nobody proved who they are, or they may not.
    Auth = 7,
    /// The thing named does not exist.
    NotFound = 8,
    /// Something is damaged or not what its sum says.
    Integrity = 9,
    /// A part was done.
    Partial = 10,
    /// A swap was broken off after its commit point; the next start finishes it.
    SwapBrokenOff = 11,
    /// A journal cannot be rolled forward; nothing was touched.
    JournalStuck = 12,
    /// The guardian gave up on an owner.
    GuardianGaveUp = 13,
}

impl Exit {
    /// This code, unless another step failed.
    pub fn unless(self, other: Self) -> Self {
        if other == Self::Ok { self } else { other }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<&BootError> for Exit {
    /// How a process ends that could not start.
    fn from(error: &BootError) -> Self {
        match error {
            BootError::Io(_) => Self::Io,
            BootError::Config(_) => Self::Parse,
            BootError::Journal(_) => Self::JournalStuck,
            BootError::State(_) => Self::Integrity,
        }
    }
}

impl From<&actors::Error> for Exit {
    /// How a command ends that met this error.
    fn from(error: &actors::Error) -> Self {
        use actors::ErrorKind;
        if error.code().is_some_and(|code| ArchiveFault::by_code(code).is_some()) {
            return Self::Integrity;
        }
        match error.kind() {
            ErrorKind::Conflict | ErrorKind::StaleGeneration | ErrorKind::RestoreInProgress => Self::Rejected,
            ErrorKind::Invalid => Self::Rejected,
            ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::Locked => Self::Auth,
            ErrorKind::NotFound | ErrorKind::NoSuchBucket | ErrorKind::NoSuchKey => Self::NotFound,
            ErrorKind::BadDigest | ErrorKind::MetadataStripped => Self::Integrity,
            _ => Self::Io,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_documented_ones() {
        let codes =
            [Exit::Ok, Exit::Usage, Exit::Io, Exit::Parse, Exit::Http, Exit::Rejected, Exit::Auth, Exit::NotFound];
        assert_eq!(codes.map(|code| code as u8), [0, 2, 3, 4, 5, 6, 7, 8]);
        let codes = [Exit::Integrity, Exit::Partial, Exit::SwapBrokenOff, Exit::JournalStuck, Exit::GuardianGaveUp];
        assert_eq!(codes.map(|code| code as u8), [9, 10, 11, 12, 13]);
    }
}
