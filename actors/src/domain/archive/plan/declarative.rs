//! Where a config file owns IAM (`backup.md` §4, rule 17): only a restore that takes file and IAM of one capture may touch it.

use super::Current;
use super::options::{Mode, Options, Strategy};
use crate::domain::config::model::Config;
use crate::domain::iam::declare;
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};

/// Refuses what would change IAM beside this host's file, which the next start would take back.
pub(super) fn check_ours(current: Current<'_>, options: &Options) -> Result<()> {
    let beside = options.mode == Mode::IamOnly || options.strategy == Strategy::Merge;
    if !current.config.config.is_declarative() || !beside {
        return Ok(());
    }
    Err(refused("this host's config file owns its users and groups"))
}

/// The captured file and the state beside it say the same of every user, those that a revocation disables included.
pub(super) fn agree(theirs: &mut Config, options: &Options, next: &State) -> Result<()> {
    if !theirs.is_declarative() {
        return Ok(());
    }
    if !options.mode.takes_iam() || options.strategy == Strategy::Merge {
        return Err(refused("the archive's config file owns its users and groups"));
    }
    declare::agree(&mut theirs.access.iam, next);
    Ok(())
}

fn refused(why: &str) -> Error {
    let message = format!("{why}, so file and users are restored together or not at all; nothing was changed");
    Error::new(ErrorKind::Conflict, "plan restore", message).with_code("iam_declarative").with_hint(
        "use mode=full with strategy=replace, or set access.iam_mode to gui here first; a file alone is applied with \
         POST config/declarative-iam-apply",
    )
}
