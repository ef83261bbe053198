//! A batch of changes on a state. Pure.

use crate::domain::change::{Asked, Changed};
use crate::domain::clock::Timestamp;
use crate::domain::iam::grants;
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};

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
pub(super) fn run(current: &State, changes: Vec<Asked>, now: Timestamp) -> Batch {
    let mut next = current.clone();
    let mut answers = Vec::with_capacity(changes.len());
    for Asked { change, if_version, author } in changes {
        if let Some(version) = if_version
            && (version != current.meta.version() || next != *current)
        {
            answers.push(Err(moved_on(&version)));
            continue;
        }
        // On the state that the change is made to: what an earlier one took away is not there to be given.
        if let Some(Err(refusal)) = author.map(|author| grants::check(&next, &author, &change)) {
            answers.push(Err(refusal));
            continue;
        }
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

fn moved_on(version: &str) -> Error {
    let message = format!("the state moved on from {version}; nothing was changed");
    Error::new(ErrorKind::StaleGeneration, "change state", message)
        .with_code("generation_changed")
        .with_hint("read it again, and repeat the change with its ETag")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::StateChange;
    use crate::domain::secret::Secret;

    fn put(name: &str) -> Asked {
        StateChange::PutSecret { name: name.into(), value: Secret::new("v") }.into()
    }

    fn put_at(version: &str, name: &str) -> Asked {
        Asked { if_version: Some(version.into()), ..put(name) }
    }

    fn delete(name: &str) -> Asked {
        StateChange::DeleteSecret { name: name.into() }.into()
    }

    #[test]
    fn of_two_who_read_the_same_version_one_wins() {
        let batch = run(&State::default(), vec![put_at("0.0", "a"), put_at("0.0", "b")], Timestamp::from_secs(1));
        let lost = batch.answers[1].as_ref().unwrap_err();
        assert_eq!((batch.answers[0].is_ok(), lost.kind()), (true, ErrorKind::StaleGeneration));
        let late = run(&batch.next, vec![put_at("0.0", "b"), put_at("0.1", "c")], Timestamp::from_secs(1));
        assert_eq!(late.answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true]);
        assert_eq!(late.next.secrets.keys().collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn a_change_that_breaks_a_rule_fails_alone() {
        let changes = vec![put("a"), delete("none"), put("b")];
        let batch = run(&State::default(), changes, Timestamp::from_secs(1));
        assert_eq!(batch.answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
        assert_eq!(batch.next.secrets.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(batch.next.meta.generation, 1, "a batch is one generation");
    }

    #[test]
    fn a_batch_that_changes_nothing_writes_nothing() {
        let batch = run(&State::default(), vec![delete("none")], Timestamp::from_secs(1));
        assert!(!batch.changed);
        assert_eq!(batch.next.meta.generation, 0);
    }
}
