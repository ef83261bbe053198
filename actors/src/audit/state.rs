//! What is recorded, and which events wait to be written together. Pure.

use serde_json::Value;

/// One transaction takes at most this many events.
const BATCH: usize = 256;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Who: the principal's display name, or `$anonymous`.
    pub actor: String,
    /// What: `login`, `user.create`, `backup.export`, ….
    pub action: &'static str,
    /// To what: a user id, a group id, a restore id; empty where there is nothing to name.
    pub target: String,
    /// How it ended.
    pub outcome: Outcome,
    /// From where.
    pub ip: String,
    /// In which request.
    pub request_id: String,
    /// What else a reader wants to know; never a secret.
    pub detail: Value,
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Begun; another row says how it ended.
    Started,
    /// Done.
    Success,
    /// Refused for want of rights or proof.
    Denied,
    /// Tried, and failed.
    Failed,
}

impl Outcome {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Success => "success",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// Events that wait while a transaction runs; they make the next one together, so that many cost one flush.
#[derive(Debug)]
pub(super) struct Queue<T> {
    waiting: Vec<T>,
    writing: bool,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: Vec::new(), writing: false }
    }
}

impl<T> Queue<T> {
    /// One more waits.
    pub(super) fn push(&mut self, waiting: T) {
        self.waiting.push(waiting);
    }

    /// The next batch, if there is something to write and nothing is being written.
    pub(super) fn next(&mut self) -> Option<Vec<T>> {
        if self.writing || self.waiting.is_empty() {
            return None;
        }
        self.writing = true;
        let rest = self.waiting.split_off(self.waiting.len().min(BATCH));
        Some(std::mem::replace(&mut self.waiting, rest))
    }

    /// The batch under way has ended.
    pub(super) fn written(&mut self) {
        self.writing = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_while_a_batch_is_written_makes_the_next_one() {
        let mut queue = Queue::default();
        assert!(queue.next().is_none());
        queue.push(1);
        assert_eq!(queue.next().unwrap().len(), 1);
        for _ in 0..BATCH + 1 {
            queue.push(1);
        }
        assert!(queue.next().is_none(), "one batch at a time");
        queue.written();
        assert_eq!(queue.next().unwrap().len(), BATCH);
        queue.written();
        assert_eq!(queue.next().unwrap().len(), 1);
    }
}
