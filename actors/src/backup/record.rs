//! The record of restores: of those that came into force in the swapped database, of those that failed beside it.

use crate::backup::handle::Tools;
use crate::backup::messages::Repeat;
use crate::db::runtime::{list_failed_restores, put_failed_restore};
use crate::domain::state::{ConfigRevision, RestoreRecord, State};
use crate::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use std::sync::Arc;

/// Where a record notes the `Idempotency-Key` of its request; nobody is shown it.
const REPEAT: &str = "idempotency";
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
    Ok(records.into_iter().map(|record| shown(&record.outcome)).collect())
}

/// Puts the record of this swap and the revision of the config into the state that is staged.
pub(super) fn put(
    tools: &Tools,
    next: &mut State,
    restore_id: &str,
    who: &str,
    answer: &Value,
    repeat: Option<&Repeat>,
    config: Option<String>,
) {
    let (at, actor) = (tools.clock.now(), who.to_owned());
    let mut outcome = answer.clone();
    if let (Some(repeat), Some(fields)) = (repeat, outcome.as_object_mut()) {
        fields.insert(REPEAT.to_owned(), json!({"key": repeat.key, "asked": repeat.asked}));
    }
    let record = RestoreRecord { restore_id: restore_id.to_owned(), at, actor: actor.clone(), outcome };
    next.restores.insert(restore_id.to_owned(), Arc::new(record));
    if let Some(yaml) = config {
        let number = next.config_history.keys().next_back().map_or(1, |last| last + 1);
        next.config_history.insert(number, Arc::new(ConfigRevision { number, at, actor, yaml }));
    }
}

/// The first outcome under an `Idempotency-Key`. It came into force with the swap, so no restart forgets it; a key that was used for
/// something else is refused.
pub(super) fn repeated(state: &State, repeat: Option<&Repeat>) -> Result<Option<Value>> {
    let Some(repeat) = repeat else { return Ok(None) };
    for record in state.restores.values() {
        let Some(known) = record.outcome.get(REPEAT) else { continue };
        if known.get("key").and_then(Value::as_str) != Some(&repeat.key) {
            continue;
        }
        if known.get("asked").and_then(Value::as_str) == Some(&repeat.asked) {
            return Ok(Some(shown(&record.outcome)));
        }
        return Err(Error::new(
            ErrorKind::Conflict,
            "restore",
            "this Idempotency-Key was used for another request; nothing was changed",
        )
        .with_code("idempotency_key_reused")
        .with_hint("send another key"));
    }
    Ok(None)
}

/// An outcome as the caller got it.
fn shown(outcome: &Value) -> Value {
    let mut outcome = outcome.clone();
    if let Some(fields) = outcome.as_object_mut() {
        fields.remove(REPEAT);
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_gets_the_first_outcome_and_a_reused_key_is_refused() {
        let mut state = State::default();
        let outcome = json!({"restored": true, REPEAT: {"key": "k", "asked": "this"}});
        let record = RestoreRecord { restore_id: "r".into(), at: Default::default(), actor: "a".into(), outcome };
        state.restores.insert("r".into(), Arc::new(record));
        let repeat = |key: &str, asked: &str| Repeat { key: key.into(), asked: asked.into() };
        assert_eq!(repeated(&state, Some(&repeat("k", "this"))).unwrap(), Some(json!({"restored": true})));
        assert_eq!(repeated(&state, Some(&repeat("other", "this"))).unwrap(), None);
        assert_eq!(repeated(&state, None).unwrap(), None);
        let reused = repeated(&state, Some(&repeat("k", "that"))).unwrap_err();
        assert_eq!(reused.code(), Some("idempotency_key_reused"));
    }
}
