//! Where a config file owns IAM (`backup.md` §4, rule 17): file and users are restored together, or the users are made what the file says.

use super::options::{Mode, Options, Strategy};
use super::revocations::{self, Since};
use super::{Current, Host, references, rules};
use crate::domain::archive::Archive;
use crate::domain::config::model::{Config, SecretRef};
use crate::domain::iam::declare::{self, Means};
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};
use std::cell::Cell;

/// Refuses what would change IAM beside this host's file, which the next start would take back.
pub(super) fn check_ours(current: Current<'_>, options: &Options) -> Result<()> {
    let beside = options.mode == Mode::IamOnly || options.strategy == Strategy::Merge;
    if !current.config.config.is_declarative() || !beside {
        return Ok(());
    }
    Err(refused("this host's config file owns its users and groups"))
}

/// A file that comes without the users of its capture.
pub(super) struct Alone<'a> {
    pub(super) current: Current<'a>,
    pub(super) archive: &'a Archive,
    pub(super) host: &'a Host<'a>,
    pub(super) since: &'a Since<'a>,
}

/// The captured file and the state beside it say the same of every user, those that a revocation disables included. Where the file
/// comes alone, its users become those of the state, as `declarative-apply` would make them.
pub(super) fn agree(
    theirs: &mut Config,
    options: &Options,
    alone: &Alone<'_>,
    next: &mut State,
    warnings: &mut Vec<String>,
) -> Result<()> {
    if !theirs.is_declarative() {
        return Ok(());
    }
    if options.strategy == Strategy::Merge {
        return Err(refused("the archive's config file owns its users and groups"));
    }
    if !options.mode.takes_iam() {
        apply(theirs, options, alone, next, warnings)?;
    }
    declare::agree(&mut theirs.access.iam, next);
    Ok(())
}

fn apply(
    theirs: &Config,
    options: &Options,
    alone: &Alone<'_>,
    next: &mut State,
    warnings: &mut Vec<String>,
) -> Result<()> {
    if theirs.access.iam.is_empty() {
        // As at a start: nobody is deleted because a file lost its lists.
        warnings
            .push("the archive's config file owns its users and groups and lists none: those of here stay".to_owned());
        return Ok(());
    }
    let Alone { current, archive, host, since } = *alone;
    let resolve = |reference: &SecretRef| {
        references::value(archive, host, reference).ok_or_else(|| {
            let name = reference.name().unwrap_or_default();
            let message = format!("`{name}` resolves neither here nor in the backup; nothing was changed");
            Error::new(ErrorKind::Conflict, "plan restore", message)
                .with_code("config_unfit")
                .with_hint("set the variable or make the file that is named")
        })
    };
    let made = Cell::new(0);
    let means = Means {
        resolve: &resolve,
        user_secrets: &archive.secrets.user_secrets,
        client_secrets: &archive.secrets.oauth_client_secrets,
        new_id: &|| new_id(archive, host, made.replace(made.get() + 1)),
        now: host.now,
    };
    let applied = declare::apply(&theirs.access.iam, next, &means)?;
    warnings.extend(applied.diff.warnings);
    *next = applied.state;
    revocations::apply(current.state, since, &options.revive, next, warnings)?;
    rules::credential_versions(current.state, next);
    Ok(())
}

/// An id that nothing else has: of this archive, on this instance, at this moment, the `number`th.
fn new_id(archive: &Archive, host: &Host<'_>, number: u64) -> String {
    let signature = archive.manifest.signature.as_ref().map_or("", |signature| signature.value.as_str());
    let text = format!("{} {} {signature} {number}", host.instance_id, host.now.rfc3339());
    let digest = Sha256::digest(text);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

fn refused(why: &str) -> Error {
    let message = format!("{why}, so file and users are restored together or not at all; nothing was changed");
    Error::new(ErrorKind::Conflict, "plan restore", message).with_code("iam_declarative").with_hint(
        "use strategy=replace with mode=full or config-only, or set access.iam_mode to gui here first; a file alone is applied with \
         POST config/declarative-iam-apply",
    )
}
