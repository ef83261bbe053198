//! A start in declarative mode: what the config file says of IAM comes into force where an operator has edited it.

use crate::boot::Host;
use crate::boot::error::BootError;
use crate::domain::change::StateChange;
use crate::domain::clock::Timestamp;
use crate::domain::config::{Loaded, canonical, emit};
use crate::domain::iam::declare;
use crate::domain::state::{ConfigRevision, State};
use std::collections::BTreeMap;

/// What the config file declares of IAM, where it is not what the database has: an operator edited the file.
pub(super) fn declared(
    host: &Host,
    loaded: &Loaded,
    state: &State,
    notices: &mut Vec<String>,
    now: Timestamp,
) -> Result<Option<(String, [StateChange; 2])>, BootError> {
    let declared = &loaded.config.access.iam;
    if declared.is_empty() {
        // Refused as a document would be: nobody is deleted because a file lost its lists.
        notices.push(NOBODY_DECLARED.to_owned());
        log::warn!("{NOBODY_DECLARED}");
        return Ok(None);
    }
    let (nothing, base) = (BTreeMap::new(), host.config_base());
    let means = declare::Means {
        resolve: &|reference| host.resolve(reference, &loaded.config, &base, state),
        user_secrets: &nothing,
        client_secrets: &nothing,
        new_id: &|| uuid::Uuid::new_v4().to_string(),
        now,
    };
    let applied = declare::apply(declared, state, &means).map_err(BootError::Config)?;
    for warning in &applied.diff.warnings {
        log::warn!("declared IAM: {warning}");
    }
    if applied.diff.no_changes {
        return Ok(None);
    }
    let summary = applied.diff.summary();
    log::info!("the config file declares other users, groups or providers than there were: {summary}");
    let yaml = emit::emit(&canonical::file_tree(loaded, canonical::Literals::Store));
    let revision = ConfigRevision { number: 0, at: now, actor: "$start".to_owned(), yaml };
    Ok(Some((summary, [StateChange::Declare(Box::new(applied.state)), StateChange::RecordConfig(revision)])))
}

/// What health shows of a declarative config without lists.
const NOBODY_DECLARED: &str = "access.iam_mode is `declarative` and the config file lists no users, groups, providers or mapping rules: \
    those of the database stay in force";
