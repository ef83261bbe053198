//! What a file alone tells: whether it is whole, and what is in it. No server, no state.

use super::failure;
use super::input::{Opening, Source, read};
use crate::cli::remote::{Failure, Outcome, Shown};
use crate::exit::Exit;
use actors::domain::archive::Archive;
use actors::domain::config::model::ArchiveLimits;
use actors::zipper;
use serde_json::{Value, json};
use std::path::Path;

/// `backup verify FILE`.
pub(super) fn verify(file: &Path, key: &Opening) -> Outcome {
    let archive = archive(file, key)?;
    let (manifest, signer) = (&archive.manifest, &archive.signer);
    let text = format!(
        "whole: captured {} by instance {}, signed by {}\n",
        manifest.captured_at.rfc3339(),
        manifest.instance_id,
        named(signer)
    );
    Ok(Shown::new(text, json!({ "valid": true, "signer": signer, "manifest": to_json(manifest)? })))
}

/// `backup inspect FILE`.
pub(super) fn inspect(source: &Source) -> Outcome {
    let archive = archive(&source.file, &source.key)?;
    let (manifest, iam) = (&archive.manifest, &archive.iam);
    let names = |names: Vec<&str>| names.join(", ");
    let users = iam.users.iter().map(|user| user.name.as_str()).collect::<Vec<_>>();
    let groups = iam.groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>();
    let buckets = archive.config.registry.keys().map(|name| name.as_str()).collect::<Vec<_>>();
    let references: Vec<&str> = archive.secrets.resolved.keys().map(String::as_str).collect();
    let text = format!(
        "version {} of {}, generation {}.{}\ncaptured {} by instance {}\nsigned by {}\nusers ({}): {}\ngroups ({}): {}\n\
         buckets ({}): {}\nencryption keys: {}\nbrings values of: {}\n",
        manifest.version,
        manifest.server_version,
        manifest.epoch,
        manifest.generation,
        manifest.captured_at.rfc3339(),
        manifest.instance_id,
        named(&archive.signer),
        users.len(),
        names(users.clone()),
        groups.len(),
        names(groups.clone()),
        buckets.len(),
        names(buckets.clone()),
        manifest.encryption_keys.len(),
        if references.is_empty() { "no reference".to_owned() } else { names(references.clone()) },
    );
    let json = json!({ "signer": archive.signer, "manifest": to_json(manifest)?, "users": users, "groups": groups,
        "buckets": buckets, "references": references });
    Ok(Shown::new(text, json))
}

/// Who signed, in words.
fn named(signer: &Option<String>) -> &str {
    signer.as_deref().unwrap_or("nobody: the forms before version 2 know no signature")
}

/// Reads and checks a file; whatever is wrong with it ends with 9.
fn archive(file: &Path, key: &Opening) -> Result<Archive, Failure> {
    let archive = key.open(read(file)?)?;
    zipper::verify(&archive, &ArchiveLimits::default()).map_err(|error| failure(&error))
}

fn to_json(manifest: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(manifest).map_err(|error| Failure::new(Exit::Io, error.to_string()))
}
