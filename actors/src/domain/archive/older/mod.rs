//! Archives of DeltaGlider Proxy 1.x, version 1 and the IAM-only JSON: a pure step makes them what version 2 says, and a line for
//! everything that they lack or that this version has no place for.

mod config;
mod iam;
mod manifest;
mod report;
mod secrets;
mod shapes;
mod write;

pub use report::{Conversion, Gap, MissingKey};
pub use write::legacy_json;

use crate::Error;
use crate::domain::archive::json::{self, Node};
use crate::domain::archive::manifest::{FileEntry, Manifest};
use crate::domain::archive::parts::{IamPart, SecretsPart};
use crate::domain::clock::Timestamp;
use iam::Ids;
use report::Report;

/// What [`Conversion::from`] calls the legacy JSON.
pub const LEGACY_JSON: &str = "legacy-json";

/// What an older archive becomes: the parts of version 2, before any check of theirs.
#[derive(Clone, Debug)]
pub struct Converted {
    /// What it says of itself; without instance, signature, keys and counts.
    pub manifest: Manifest,
    /// `config.yaml` in the form of an archive.
    pub config: String,
    /// `iam.json`.
    pub iam: IamPart,
    /// `secrets.json`.
    pub secrets: SecretsPart,
    /// What was lacking.
    pub conversion: Conversion,
}

/// The files that the manifest of version 1 lists, each with its sum.
pub fn listed(manifest: &Node) -> Result<Vec<FileEntry>, Error> {
    manifest::files(manifest)
}

/// Converts an archive of version 1. `parts` are config.yaml, iam.json and secrets.json; their sums were checked.
pub fn version_1(manifest: &Node, parts: [&[u8]; 3]) -> Result<Converted, Error> {
    let mut report = Report::default();
    let manifest = manifest::read(manifest)?;
    let when = manifest.captured_at;
    let theirs = secrets::read(&json::parse("secrets.json", parts[2])?, &mut report)?;
    let document = iam::read("iam.json", &json::parse("iam.json", parts[1])?, &mut report)?;
    let mut secrets = SecretsPart::default();
    let iam = iam::convert(document, &theirs.oauth_client_secrets, when, Ids::Numbers, &mut secrets, &mut report);
    let config = config::convert(parts[0], &theirs, &iam, when, &mut secrets, &mut report)?;
    secrets::place(theirs, &mut secrets, &mut report);
    Ok(Converted { manifest, config, iam, secrets, conversion: report.finish("version-1") })
}

/// Converts the JSON that scripts older than 1.x's zip send: users, groups and what belongs to them, shapes v1 and v2. It says
/// nothing of when it was made, so it counts as older than everything that was ever revoked.
pub fn json(bytes: &[u8]) -> Result<Converted, Error> {
    let mut report = Report::default();
    let document = iam::read("the JSON", &json::parse("the JSON", bytes)?, &mut report)?;
    let when = Timestamp::default();
    let mut secrets = SecretsPart::default();
    let iam = iam::convert(document, &Default::default(), when, Ids::Digests, &mut secrets, &mut report);
    let manifest = manifest::unknown();
    Ok(Converted { manifest, config: String::new(), iam, secrets, conversion: report.finish(LEGACY_JSON) })
}
