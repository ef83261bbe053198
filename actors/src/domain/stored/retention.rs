//! Which stored backups are kept: the last so many, and those that are young enough. The last verified one always is.

use crate::domain::clock::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;

/// What the operator asked for. Where nothing is, everything is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// This many, the latest.
    pub last: Option<u64>,
    /// Those younger than this many days.
    pub days: Option<u64>,
}

/// A stored backup that may have to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Its name.
    pub id: &'a str,
    /// When what is in it was captured.
    pub at: Timestamp,
    /// It was read back and found whole.
    pub verified: bool,
}

/// The names of those that go. One is kept where either rule keeps it, or where it is the last verified one.
pub fn expired(candidates: &[Candidate<'_>], keep: Keep, now: Timestamp) -> BTreeSet<String> {
    if keep == Keep::default() {
        return BTreeSet::new();
    }
    let mut sorted: Vec<&Candidate<'_>> = candidates.iter().collect();
    sorted.sort_by(|a, b| (b.at, b.id).cmp(&(a.at, a.id)));
    let last = usize::try_from(keep.last.unwrap_or(0)).unwrap_or(usize::MAX);
    let young =
        |at: Timestamp| keep.days.is_some_and(|days| now.since(at) < Duration::from_secs(days.saturating_mul(86_400)));
    let last_verified = last_verified(candidates);
    let goes = |(place, candidate): &(usize, &&Candidate<'_>)| {
        *place >= last && !young(candidate.at) && Some(candidate.id) != last_verified
    };
    sorted.iter().enumerate().filter(goes).map(|(_, candidate)| candidate.id.to_owned()).collect()
}

/// The one that must never go: the latest that was read back and found whole.
pub fn last_verified<'a>(candidates: &[Candidate<'a>]) -> Option<&'a str> {
    let verified = candidates.iter().filter(|candidate| candidate.verified);
    verified.max_by_key(|candidate| (candidate.at, candidate.id)).map(|candidate| candidate.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1000 * 86_400);
    const IDS: [&str; 5] = ["a", "b", "c", "d", "e"];

    /// One a day, `a` of today, each as verified as it is said.
    fn daily(verified: [bool; 5]) -> Vec<Candidate<'static>> {
        let at = |days: i64| Timestamp::from_secs(NOW.secs() - days * 86_400);
        (0..5).zip(verified).map(|(n, verified)| Candidate { id: IDS[n], at: at(n as i64), verified }).collect()
    }

    fn gone(verified: [bool; 5], last: Option<u64>, days: Option<u64>) -> Vec<String> {
        expired(&daily(verified), Keep { last, days }, NOW).into_iter().collect()
    }

    #[test]
    fn either_rule_keeps() {
        let all = [true; 5];
        assert_eq!(gone(all, None, None), [""; 0]);
        assert_eq!(gone(all, Some(2), None), ["c", "d", "e"]);
        assert_eq!(gone(all, None, Some(3)), ["d", "e"]);
        assert_eq!(gone(all, Some(4), Some(1)), ["e"]);
        assert_eq!(gone(all, Some(1), Some(4)), ["e"]);
        assert_eq!(gone(all, Some(99), Some(1)), [""; 0]);
    }

    #[test]
    fn the_last_verified_one_never_goes() {
        assert_eq!(gone([false, false, false, true, true], Some(1), None), ["b", "c", "e"]);
        assert_eq!(gone([false; 5], Some(1), None), ["b", "c", "d", "e"], "there is none");
        let old = [Candidate { id: "only", at: Timestamp::from_secs(0), verified: true }];
        assert_eq!(expired(&old, Keep { last: None, days: Some(1) }, NOW), BTreeSet::new());
    }

    #[test]
    fn two_of_one_moment_are_told_apart_by_name() {
        let candidate = |id| Candidate { id, at: NOW, verified: true };
        let both = [candidate("x_2.zip"), candidate("x.zip")];
        assert_eq!(expired(&both, Keep { last: Some(1), days: None }, NOW), BTreeSet::from(["x.zip".to_owned()]));
    }
}
