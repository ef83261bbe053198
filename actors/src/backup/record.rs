//! The record of restores: of those that came into force in the swapped database, of those that failed beside it.

use crate::backup::handle::Tools;
use crate::db::runtime::{list_failed_restores, put_failed_restore};
use crate::domain::archive::plan::Plan;
use crate::domain::state::{ConfigRevision, RestoreRecord};
use crate::{Error, Result};
use serde_json::{Value, json};
use std::sync::Arc;

/// Failed restores that a list shows.
const FAILED_SHOWN: usize = 100;

/// Notes why a restore changed nothing.
pub(super) async fn note_failure(tools: &Tools, restore_id: &str, actor: String, error: &Error) {
    let record = RestoreRecord {
        restore_id: restore_id.to_owned(),
        at: tools.clock.now(),
        actor,
        outcome: json!({
            "restored": false,
            "restore_id": restore_id,
            "error": { "code": error.code(), "stage": error.operation(), "detail": error.message(), "hint": error.hint() },
        }),
    };
    let noted = tools.state_db.run(move |connection| put_failed_restore(connection, &record)).await;
    if let Err(error) = noted {
        log::warn!("the failure of restore {restore_id} is not on record: {error:?}");
    }
}

/// The record of restores, those that failed on this host among them; the latest first.
pub(super) async fn restores(tools: &Tools) -> Result<Vec<Value>> {
    let failed = tools.state_db.run(|connection| list_failed_restores(connection, FAILED_SHOWN)).await?;
    let view = tools.system.view();
    let mut records: Vec<RestoreRecord> = view.state.restores.values().map(|record| (**record).clone()).collect();
    records.extend(failed);
    records.sort_by_key(|record| std::cmp::Reverse(record.at));
    Ok(records.into_iter().map(|record| record.outcome).collect())
}

/// Puts the record of this restore and the revision of the config into the state that is staged.
pub(super) fn put(tools: &Tools, plan: &mut Plan, restore_id: &str, who: &str, answer: &Value) {
    let at = tools.clock.now();
    plan.record(restore_id, at, who, answer.clone());
    let number = plan.next.config_history.keys().next_back().map_or(1, |last| last + 1);
    let revision = ConfigRevision { number, at, actor: who.to_owned(), yaml: plan.next_file.clone() };
    plan.next.config_history.insert(number, Arc::new(revision));
}
