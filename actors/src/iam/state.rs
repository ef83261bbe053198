//! A batch of changes on a state. Pure.

use crate::Result;
use crate::domain::change::{Changed, StateChange};
use crate::domain::clock::Timestamp;
use crate::domain::state::State;

/// What a batch makes of a state, before anything is durable.
pub(super) struct Batch {
    /// The next state; its generation is one higher if anything changed.
    pub(super) next: State,
    /// One answer a change, in order.
    pub(super) answers: Vec<Result<Changed>>,
    /// Whether there is anything to write.
    pub(super) changed: bool,
}

/// Applies the changes one after another; one that breaks a rule leaves no trace in the others.
pub(super) fn run(current: &State, changes: Vec<StateChange>, now: Timestamp) -> Batch {
    let mut next = current.clone();
    let mut answers = Vec::with_capacity(changes.len());
    for change in changes {
        // A change that fails half-way must not leave its first half behind, so each works on its own copy.
        let mut attempt = next.clone();
        let answer = change.apply(&mut attempt, now);
        if answer.is_ok() {
            next = attempt;
        }
        answers.push(answer);
    }
    let changed = next != *current;
    if changed {
        next.meta.generation += 1;
    }
    Batch { next, answers, changed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Secret;

    fn put(name: &str) -> StateChange {
        StateChange::PutSecret { name: name.into(), value: Secret::new("v") }
    }

    #[test]
    fn a_change_that_breaks_a_rule_fails_alone() {
        let changes = vec![put("a"), StateChange::DeleteSecret { name: "none".into() }, put("b")];
        let batch = run(&State::default(), changes, Timestamp::from_secs(1));
        assert_eq!(batch.answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
        assert_eq!(batch.next.secrets.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(batch.next.meta.generation, 1, "a batch is one generation");
    }

    #[test]
    fn a_batch_that_changes_nothing_writes_nothing() {
        let batch =
            run(&State::default(), vec![StateChange::DeleteSecret { name: "none".into() }], Timestamp::from_secs(1));
        assert!(!batch.changed);
        assert_eq!(batch.next.meta.generation, 0);
    }
}
