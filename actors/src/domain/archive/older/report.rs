//! The report of a conversion: one line for each thing that the older form lacked, or that found no place.

use serde::Serialize;

/// What became of an older archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conversion {
    /// `version-1` or `legacy-json`.
    pub from: &'static str,
    /// Each gap.
    pub gaps: Vec<Gap>,
    /// At-rest keys that the archive names and does not have, by the backend that needs them; these backends come back read-only.
    pub missing_keys: Vec<MissingKey>,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What kind of gap: stable, for programs.
    pub code: &'static str,
    /// Where in the archive.
    pub place: String,
    /// What is missing, for people.
    pub what: String,
    /// The call that fills it, where one does.
    pub call: Option<String>,
}

/// An at-rest key that only its backend's encryption names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingKey {
    /// Its id.
    pub key_id: String,
    /// The backend that needs it.
    pub backend: String,
}

/// Collects the lines.
#[derive(Debug, Default)]
pub(super) struct Report {
    gaps: Vec<Gap>,
    missing_keys: Vec<MissingKey>,
}

impl Report {
    pub(super) fn gap(
        &mut self,
        code: &'static str,
        place: impl Into<String>,
        what: impl Into<String>,
        call: Option<String>,
    ) {
        self.gaps.push(Gap { code, place: place.into(), what: what.into(), call });
    }

    pub(super) fn missing_key(&mut self, key_id: &str, backend: &str) {
        self.missing_keys.push(MissingKey { key_id: key_id.to_owned(), backend: backend.to_owned() });
    }

    pub(super) fn finish(self, from: &'static str) -> Conversion {
        Conversion { from, gaps: self.gaps, missing_keys: self.missing_keys }
    }
}

/// What version 1 writes in place of a secret.
pub(super) fn is_redacted(text: &str) -> bool {
    text == "__redacted__"
}
