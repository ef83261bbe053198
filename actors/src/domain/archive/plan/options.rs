//! What the caller of a restore may choose.

use crate::{Error, ErrorKind, Result};
use std::collections::BTreeSet;

/// What a restore touches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Everything, the bootstrap password included.
    #[default]
    Full,
    /// Everything but the bootstrap password.
    PreserveBootstrap,
    /// Users, groups and what belongs to them.
    IamOnly,
    /// The config.
    ConfigOnly,
}

/// How what is captured meets what is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// The captured point in time.
    #[default]
    Replace,
    /// Adds what is missing.
    Merge,
}

/// Whether what was revoked after the capture comes back enabled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Revive {
    /// Nothing.
    #[default]
    None,
    /// These user, access key, token and identity ids.
    Ids(BTreeSet<String>),
    /// Everything.
    All,
}

/// The choices of one restore.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What it touches.
    pub mode: Mode,
    /// How it meets what is there.
    pub strategy: Strategy,
    /// What comes back enabled.
    pub revive: Revive,
    /// Config paths and the values to put over the archive's.
    pub set: Vec<(String, String)>,
    /// Registry entries go although their backend holds objects.
    pub prune_buckets: bool,
    /// Host settings come from the archive, too.
    pub host_settings_of_archive: bool,
    /// Backends whose keys nobody has come up read-only.
    pub allow_missing_keys: bool,
}

impl Mode {
    /// As the query parameter writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::PreserveBootstrap => "preserve-bootstrap",
            Self::IamOnly => "iam-only",
            Self::ConfigOnly => "config-only",
        }
    }

    /// Reads the query parameter.
    pub fn parse(text: &str) -> Result<Self> {
        let all = [Self::Full, Self::PreserveBootstrap, Self::IamOnly, Self::ConfigOnly];
        all.into_iter().find(|mode| mode.as_str() == text).ok_or_else(|| {
            invalid(format!("`mode={text}` is not known"), "use full, preserve-bootstrap, iam-only or config-only")
        })
    }
}

impl Strategy {
    /// As the query parameter writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Merge => "merge",
        }
    }

    /// Reads the query parameter.
    pub fn parse(text: &str) -> Result<Self> {
        let all = [Self::Replace, Self::Merge];
        all.into_iter()
            .find(|strategy| strategy.as_str() == text)
            .ok_or_else(|| invalid(format!("`strategy={text}` is not known"), "use replace or merge"))
    }
}

impl Revive {
    /// From the values of the query parameter; `all` among them means all.
    pub fn parse<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let ids: BTreeSet<String> = values.into_iter().map(str::to_owned).collect();
        match (ids.is_empty(), ids.contains("all")) {
            (true, _) => Self::None,
            (_, true) => Self::All,
            _ => Self::Ids(ids),
        }
    }

    /// Whether the thing with this id comes back enabled.
    pub fn includes(&self, id: &str) -> bool {
        match self {
            Self::None => false,
            Self::Ids(ids) => ids.contains(id),
            Self::All => true,
        }
    }
}

impl Mode {
    /// Whether users, groups and what belongs to them come from the archive.
    pub fn takes_iam(self) -> bool {
        self != Self::ConfigOnly
    }

    /// Whether the config and the bucket registry come from the archive.
    pub fn takes_config(self) -> bool {
        self != Self::IamOnly
    }
}

impl Options {
    /// What the legacy JSON asks for, whatever else is said: users and what belongs to them are added.
    pub fn for_legacy_json(self) -> Result<Self> {
        if self.mode == Mode::ConfigOnly {
            return Err(invalid("the JSON form brings no config".to_owned(), "leave `mode` out, or send a zip"));
        }
        Ok(Self { mode: Mode::IamOnly, strategy: Strategy::Merge, ..self })
    }

    /// Whether the bootstrap password of the archive comes into force: a merge overwrites nothing, that neither.
    pub fn takes_password(&self) -> bool {
        self.mode == Mode::Full && self.strategy == Strategy::Replace
    }

    /// Refuses what contradicts itself.
    pub fn check(&self) -> Result<()> {
        if self.mode.takes_config() || (self.set.is_empty() && !self.host_settings_of_archive) {
            return Ok(());
        }
        Err(invalid(
            "`set` and `host_settings` need a mode that restores the config".to_owned(),
            "leave them out, or use another mode",
        ))
    }
}

fn invalid(message: String, hint: &str) -> Error {
    Error::new(ErrorKind::Invalid, "plan restore", message).with_code("bad_parameter").with_hint(hint)
}
