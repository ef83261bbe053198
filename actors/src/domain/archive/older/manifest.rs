//! `manifest.json` of version 1: `version`, `captured_at`, `server_version` and the list of files with their sums.

use crate::Error;
use crate::domain::archive::decode::decode;
use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::json::Node;
use crate::domain::archive::manifest::{BootstrapPassword, Counts, FileEntry, Manifest, SCHEMA, Schema, check_files};
use crate::domain::clock::Timestamp;
use serde::Deserialize;

/// What stands for the instance that an older archive does not name: no instance has it, so what is restored is a clone.
const NOBODY: &str = "dgp-1.x";

#[derive(Deserialize)]
struct Older {
    captured_at: Timestamp,
    #[serde(default)]
    server_version: String,
    files: Vec<OlderFile>,
}

#[derive(Deserialize)]
struct OlderFile {
    name: String,
    bytes: u64,
    sha256: String,
}

/// The listed files; a manifest without its list is an error, and so is one with a hash in upper case.
pub(super) fn files(tree: &Node) -> Result<Vec<FileEntry>, Error> {
    check_files(tree)?;
    Ok(older(tree)?
        .files
        .into_iter()
        .map(|file| FileEntry { name: file.name, bytes: file.bytes, sha256: file.sha256 })
        .collect())
}

/// What the manifest says, in the form of version 2.
pub(super) fn read(tree: &Node) -> Result<Manifest, Error> {
    let files = files(tree)?;
    let older = older(tree)?;
    Ok(Manifest { captured_at: older.captured_at, server_version: older.server_version, files, ..unknown() })
}

/// For what has no manifest at all.
pub(super) fn unknown() -> Manifest {
    Manifest {
        version: 1,
        captured_at: Timestamp::default(),
        server_version: String::new(),
        instance_id: NOBODY.to_owned(),
        epoch: 0,
        generation: 0,
        schema: Schema { config: SCHEMA, iam: SCHEMA, secrets: SCHEMA },
        files: Vec::new(),
        encryption_keys: Vec::new(),
        backends: Vec::new(),
        counts: Counts::default(),
        bootstrap_password: BootstrapPassword::default(),
        audit: None,
        signature: None,
    }
}

fn older(tree: &Node) -> Result<Older, Error> {
    decode(tree).map_err(|e| ArchiveFault::ManifestShape.error(format!("manifest.json, {e}")))
}
