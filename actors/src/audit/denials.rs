//! Refused requests on their way into the log: the first at once, what repeats it within a minute as one row with a count.
//!
//! Anybody can send requests that are refused, so a flood of them must not become a flood of rows (`access.md` §6). Pure but for the
//! lock around the table.

use crate::audit::state::{Event, Outcome};
use serde_json::{Value, json};
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What repeats within this long is one row.
pub(super) const WINDOW: Duration = Duration::from_secs(60);
/// New kinds of denial in one second that are told apart.
const TOLD_APART: u32 = 40;
/// New kinds in one second above that which keep all but their target; what comes then is one kind. Each kind costs two rows at most,
/// its first and its count, so the log grows by less than 100 rows a second.
const FOLDED: u32 = 9;
/// Addresses that the row with the count names.
const ADDRESSES: usize = 8;

/// A request that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// What makes two denials the same.
    pub kind: DenialKind,
    /// From where.
    pub ip: String,
    /// In which request.
    pub request_id: String,
}

/// What makes two denials the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DenialKind {
    /// Who, as far as it was proven.
    pub actor: String,
    /// What was asked for: the AWS action, `authenticate`, `login`, `denied`.
    pub action: &'static str,
    /// On what: the bucket, the account, the call.
    pub target: String,
    /// Why: the code of the answer.
    pub reason: &'static str,
    /// The right that was missing, where one was.
    pub right: Option<&'static str>,
    /// The block of admission that stopped it, where one did.
    pub rule: Option<String>,
}

/// The denials of the last minute.
#[derive(Debug, Default)]
pub(super) struct Denials {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// What came after the row of each kind was written.
    kinds: HashMap<DenialKind, Repeats>,
    second: Option<Instant>,
    new_in_second: u32,
}

/// What repeated a denial.
#[derive(Debug, Default)]
struct Repeats {
    count: u64,
    addresses: BTreeSet<String>,
    request_id: String,
}

impl Denials {
    /// The row to write now, where this is the first of its kind; whoever writes it calls [`Denials::close`] a [`WINDOW`] later.
    pub(super) fn admit(&self, denial: Denial) -> Option<(DenialKind, Event)> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.admit(denial, Instant::now())
    }

    /// Ends the minute of a kind: the row with the count of what repeated it.
    pub(super) fn close(&self, kind: &DenialKind) -> Option<Event> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.kinds.remove(kind)?.event(kind)
    }

    /// Ends all of them, at shutdown.
    pub(super) fn close_all(&self) -> Vec<Event> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.kinds.drain().filter_map(|(kind, repeats)| repeats.event(&kind)).collect()
    }
}

impl Table {
    fn admit(&mut self, denial: Denial, now: Instant) -> Option<(DenialKind, Event)> {
        let Denial { mut kind, ip, request_id } = denial;
        if let Some(repeats) = self.kinds.get_mut(&kind) {
            repeats.add(ip, request_id);
            return None;
        }
        if self.second.is_none_or(|begun| now.duration_since(begun) >= Duration::from_secs(1)) {
            (self.second, self.new_in_second) = (Some(now), 0);
        }
        if self.new_in_second >= TOLD_APART {
            kind.target = "*".to_owned();
        }
        if self.new_in_second >= TOLD_APART + FOLDED && !self.kinds.contains_key(&kind) {
            let (actor, target) = ("*".to_owned(), "*".to_owned());
            kind = DenialKind { actor, action: "denied", target, reason: "*", right: None, rule: None };
        }
        match self.kinds.entry(kind.clone()) {
            Entry::Occupied(mut repeats) => {
                repeats.get_mut().add(ip, request_id);
                None
            }
            Entry::Vacant(first) => {
                first.insert(Repeats::default());
                self.new_in_second += 1;
                let event = kind.event(ip, request_id, kind.detail(1));
                Some((kind, event))
            }
        }
    }
}

impl Repeats {
    fn add(&mut self, ip: String, request_id: String) {
        self.count += 1;
        if self.addresses.len() < ADDRESSES {
            self.addresses.insert(ip);
        }
        self.request_id = request_id;
    }

    fn event(self, kind: &DenialKind) -> Option<Event> {
        if self.count == 0 {
            return None;
        }
        let mut detail = kind.detail(self.count);
        detail["addresses"] = json!(self.addresses);
        let only = if self.addresses.len() == 1 { self.addresses.into_iter().next() } else { None };
        Some(kind.event(only.unwrap_or_default(), self.request_id, detail))
    }
}

impl DenialKind {
    fn detail(&self, count: u64) -> Value {
        let mut detail = json!({"code": self.reason, "count": count});
        if let Some(right) = self.right {
            detail["right"] = right.into();
        }
        if let Some(rule) = &self.rule {
            detail["rule"] = rule.as_str().into();
        }
        detail
    }

    fn event(&self, ip: String, request_id: String, detail: Value) -> Event {
        Event {
            actor: self.actor.clone(),
            action: self.action,
            target: self.target.clone(),
            outcome: Outcome::Denied,
            ip,
            request_id,
            detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(actor: &str, target: &str, ip: &str) -> Denial {
        let kind = DenialKind {
            actor: actor.into(),
            action: "authenticate",
            target: target.into(),
            reason: "AccessDenied",
            right: None,
            rule: None,
        };
        Denial { kind, ip: ip.into(), request_id: "r".into() }
    }

    #[test]
    fn what_repeats_is_counted_with_its_addresses() {
        let denials = Denials::default();
        let (kind, event) = denials.admit(denial("$anonymous", "b", "1.1.1.1")).unwrap();
        assert_eq!((event.ip.as_str(), &event.detail), ("1.1.1.1", &json!({"code": "AccessDenied", "count": 1})));
        for ip in ["1.1.1.1", "2.2.2.2", "2.2.2.2"] {
            assert!(denials.admit(denial("$anonymous", "b", ip)).is_none());
        }
        let count = denials.close(&kind).unwrap();
        assert_eq!((&count.detail["count"], &count.detail["addresses"]), (&json!(3), &json!(["1.1.1.1", "2.2.2.2"])));
        assert!(denials.close(&kind).is_none(), "the minute ended once");
        let (kind, _) = denials.admit(denial("$anonymous", "b", "1.1.1.1")).unwrap();
        assert!(denials.close(&kind).is_none(), "nothing repeated the second");
    }

    #[test]
    fn a_flood_costs_less_than_a_hundred_rows_a_second_whatever_it_varies() {
        let (mut table, now) = (Table::default(), Instant::now());
        let flood = |table: &mut Table, now| {
            let first = (0..10_000).filter_map(|n| {
                let denial = match n % 3 {
                    0 => denial("$anonymous", &n.to_string(), "1.1.1.1"),
                    1 => denial(&n.to_string(), "b", "1.1.1.1"),
                    _ => denial(&n.to_string(), &n.to_string(), &n.to_string()),
                };
                table.admit(denial, now)
            });
            first.count()
        };
        let rows = flood(&mut table, now);
        assert!((40..=50).contains(&rows), "{rows}");
        let repeated: u64 = table.kinds.values().map(|repeats| repeats.count).sum();
        assert_eq!(rows as u64 + repeated, 10_000, "none is lost");
        let later = flood(&mut table, now + Duration::from_secs(1));
        assert!((1..=50).contains(&later), "{later}");
    }
}
