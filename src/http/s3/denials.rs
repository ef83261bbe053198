//! Refused requests in the audit log: the first at once, what repeats it within a minute as one row with a count.
//!
//! Anybody can send requests that are refused, so a flood of them must not become a flood of rows (`access.md` §6).

use actors::audit::{AuditHandle, Event, Outcome};
use serde_json::json;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What repeats within this long is one row.
const WINDOW: Duration = Duration::from_secs(60);
/// New kinds of denial in one second; each costs two rows at most, so the log grows by 100 rows a second at most.
const MOST: u32 = 50;

/// What makes two denials the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Denial {
    /// Who, as far as it was proven.
    pub(super) actor: String,
    /// The AWS action, or `authenticate`.
    pub(super) action: &'static str,
    /// On which bucket.
    pub(super) bucket: String,
    /// The S3 code.
    pub(super) reason: &'static str,
}

/// The denials of the last minute.
#[derive(Clone, Debug, Default)]
pub(super) struct Denials {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    /// How often each was repeated since its row was written.
    repeats: HashMap<Denial, u64>,
    second: Option<Instant>,
    new_in_second: u32,
}

impl Denials {
    /// Notes a denial. Nobody waits for the row.
    pub(super) fn note(&self, audit: &AuditHandle, denial: Denial, ip: String, request_id: String) {
        let Some(denial) = self.lock(|table| table.admit(denial, Instant::now())) else { return };
        let (denials, audit) = (self.clone(), audit.clone());
        actix_web::rt::spawn(async move {
            write(&audit, &denial, 1, ip, request_id.clone()).await;
            tokio::time::sleep(WINDOW).await;
            let repeats = denials.lock(|table| table.repeats.remove(&denial)).unwrap_or_default();
            if repeats > 0 {
                write(&audit, &denial, repeats, String::new(), request_id).await;
            }
        });
    }

    fn lock<T>(&self, work: impl FnOnce(&mut Table) -> T) -> T {
        work(&mut self.table.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Table {
    /// The denial where it is the first of its kind; above the limit, buckets are no longer told apart.
    fn admit(&mut self, mut denial: Denial, now: Instant) -> Option<Denial> {
        if let Some(repeats) = self.repeats.get_mut(&denial) {
            *repeats += 1;
            return None;
        }
        if self.second.is_none_or(|begun| now.duration_since(begun) >= Duration::from_secs(1)) {
            (self.second, self.new_in_second) = (Some(now), 0);
        }
        if self.new_in_second >= MOST {
            denial.bucket = "*".to_owned();
        }
        match self.repeats.entry(denial.clone()) {
            Entry::Occupied(mut repeats) => {
                *repeats.get_mut() += 1;
                None
            }
            Entry::Vacant(first) => {
                first.insert(0);
                self.new_in_second += 1;
                Some(denial)
            }
        }
    }
}

async fn write(audit: &AuditHandle, denial: &Denial, count: u64, ip: String, request_id: String) {
    let event = Event {
        actor: denial.actor.clone(),
        action: denial.action,
        target: denial.bucket.clone(),
        outcome: Outcome::Denied,
        ip,
        request_id,
        detail: json!({"code": denial.reason, "count": count}),
    };
    if let Err(error) = audit.record(event).await {
        log::error!("a denial could not be written to the audit log: {error:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(bucket: &str) -> Denial {
        Denial { actor: "$anonymous".into(), action: "authenticate", bucket: bucket.into(), reason: "AccessDenied" }
    }

    #[test]
    fn what_repeats_is_counted_and_a_flood_is_folded() {
        let (mut table, now) = (Table::default(), Instant::now());
        assert!(table.admit(denial("a"), now).is_some());
        assert!(table.admit(denial("a"), now).is_none());
        assert_eq!(table.repeats[&denial("a")], 1);
        let new = (0..1000).filter_map(|n| table.admit(denial(&format!("b{n}")), now)).count();
        assert_eq!(new, 50, "49 buckets and one row for all others");
        assert_eq!(table.repeats[&denial("*")], 950);
        assert!(table.admit(denial("later"), now + Duration::from_secs(1)).is_some());
    }
}
