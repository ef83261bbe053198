//! When the next backup is due: by the schedule, once for all the times that were missed; after a burst of changes; and again
//! after a failure.

use crate::domain::clock::Timestamp;
use crate::domain::stored::Trigger;
use crate::domain::stored::cron::Cron;
use std::time::Duration;

/// The first try after a failure; each next one waits twice as long.
const RETRY: Duration = Duration::from_secs(300);
/// No try waits longer.
const RETRY_MOST: Duration = Duration::from_secs(3600);
/// Changes that never rest are saved after this many times the rest that was asked for.
const PATIENCE: u32 = 6;
/// A last run that lies further ahead than this was noted by a clock that has been put back since.
const SKEW: Duration = Duration::from_secs(24 * 3600);

/// What is remembered between two looks at the clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agenda {
    /// The schedule that `since` is about.
    schedule: Option<String>,
    /// The last scheduled run, or when the schedule was first seen.
    since: Option<Timestamp>,
    /// The version of the last backup.
    covered: Option<String>,
    burst: Option<Burst>,
    /// The last failure of a run that nobody asked for, and how many there were in a row.
    failed: Option<(Timestamp, u32)>,
}

/// Changes that are not saved yet.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Burst {
    version: String,
    began: Timestamp,
    last: Timestamp,
}

/// What the configuration asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// `backup.schedule`.
    pub cron: Option<&'a Cron>,
    /// `backup.on_change`.
    pub on_change: Option<Duration>,
}

impl Agenda {
    /// As it was left: the schedule of the last scheduled run and when that was, the version of the last backup, and how many
    /// runs failed since a success, the last of them when.
    pub fn resumed(
        scheduled: Option<(String, Timestamp)>,
        covered: Option<String>,
        failed: Option<(Timestamp, u32)>,
    ) -> Self {
        let (schedule, since) = scheduled.unzip();
        Self { schedule, since, covered, burst: None, failed }
    }

    /// Whether a schedule is seen for the first time (or anew after the clock was put back): it counts from now on. The caller
    /// keeps that, so that a restart does not begin to count again.
    pub fn arm(&mut self, wanted: &Wanted<'_>, now: Timestamp) -> bool {
        let schedule = wanted.cron.map(Cron::as_str);
        let ahead = self.since.is_some_and(|since| since.since(now) > SKEW);
        if schedule == self.schedule.as_deref() && !ahead {
            return false;
        }
        self.schedule = schedule.map(str::to_owned);
        self.since = schedule.map(|_| now);
        schedule.is_some()
    }

    /// Whether a run is due, the state being at `version`.
    pub fn due(&mut self, wanted: &Wanted<'_>, version: &str, now: Timestamp) -> Option<Trigger> {
        let changed = self.changed(wanted.on_change, version, now);
        if let Some((at, times)) = self.failed {
            let wait = RETRY.saturating_mul(1 << (times.clamp(1, 16) - 1)).min(RETRY_MOST);
            // After a clock that was put back the time is over, too.
            if now.since(at) < wait && at.since(now) < SKEW {
                return None;
            }
            if wanted.cron.is_some() {
                return Some(Trigger::Schedule);
            }
        }
        let next = wanted.cron.zip(self.since).and_then(|(cron, since)| cron.next_after(since));
        match next {
            Some(next) if next <= now => Some(Trigger::Schedule),
            _ => changed.then_some(Trigger::Change),
        }
    }

    /// When the schedule comes next; in the past where it is overdue.
    pub fn next(&self, wanted: &Wanted<'_>, now: Timestamp) -> Option<Timestamp> {
        wanted.cron?.next_after(self.since.unwrap_or(now))
    }

    /// A run ended well.
    pub fn succeeded(&mut self, trigger: Trigger, version: &str, now: Timestamp) {
        if trigger == Trigger::Schedule {
            self.since = Some(now);
        }
        (self.covered, self.burst, self.failed) = (Some(version.to_owned()), None, None);
    }

    /// A run failed; one that somebody asked for is not tried again.
    pub fn failed(&mut self, trigger: Trigger, now: Timestamp) {
        if trigger == Trigger::Request {
            return;
        }
        if trigger == Trigger::Schedule {
            self.since = Some(now);
        }
        self.failed = Some((now, self.failed.map_or(1, |(_, times)| times.saturating_add(1))));
    }

    fn changed(&mut self, rest: Option<Duration>, version: &str, now: Timestamp) -> bool {
        let Some(rest) = rest else {
            self.burst = None;
            return false;
        };
        if self.covered.as_deref() == Some(version) {
            self.burst = None;
            return false;
        }
        let burst = self.burst.get_or_insert_with(|| Burst { version: version.to_owned(), began: now, last: now });
        if burst.version != version {
            (burst.version, burst.last) = (version.to_owned(), now);
        }
        // What was noted by a clock that is behind its own notes now begins anew.
        if burst.last > now || burst.began > now {
            (burst.began, burst.last) = (now, now);
        }
        now.since(burst.last) >= rest || now.since(burst.began) >= rest.saturating_mul(PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn nightly() -> Cron {
        Cron::parse("0 2 * * *").unwrap()
    }

    #[test]
    fn a_schedule_counts_from_when_it_is_first_seen_and_missed_times_are_made_up_for_once() {
        let cron = nightly();
        let wanted = Wanted { cron: Some(&cron), on_change: None };
        let mut agenda = Agenda::default();
        assert!(agenda.arm(&wanted, at(3 * 3600)));
        assert!(!agenda.arm(&wanted, at(4 * 3600)));
        assert_eq!(agenda.next(&wanted, at(4 * 3600)), Some(at(DAY + 2 * 3600)));
        assert_eq!(agenda.due(&wanted, "1.1", at(DAY)), None);
        // Five nights pass while the process is down.
        let mut agenda = Agenda::resumed(Some(("0 2 * * *".into(), at(3 * 3600))), None, None);
        let later = at(5 * DAY + 3 * 3600);
        assert!(!agenda.arm(&wanted, later));
        assert_eq!(agenda.due(&wanted, "1.1", later), Some(Trigger::Schedule));
        agenda.succeeded(Trigger::Schedule, "1.1", later);
        assert_eq!(agenda.due(&wanted, "1.1", later.after(Duration::from_secs(1))), None);
        assert_eq!(agenda.due(&wanted, "1.1", at(6 * DAY + 2 * 3600)), Some(Trigger::Schedule));
    }

    #[test]
    fn another_schedule_makes_up_for_nothing_and_none_asks_for_nothing() {
        let (cron, hourly) = (nightly(), Cron::parse("0 * * * *").unwrap());
        let mut agenda = Agenda::resumed(Some(("0 2 * * *".into(), at(0))), None, None);
        let now = at(9 * DAY + 10);
        let wanted = Wanted { cron: Some(&hourly), on_change: None };
        assert!(agenda.arm(&wanted, now));
        assert_eq!(agenda.due(&wanted, "1.1", now), None);
        assert!(!agenda.arm(&Wanted::default(), now));
        assert_eq!(agenda.due(&Wanted::default(), "1.2", at(99 * DAY)), None);
        assert!(agenda.arm(&Wanted { cron: Some(&cron), on_change: None }, now));
    }

    #[test]
    fn a_clock_that_was_put_back_does_not_end_the_backups() {
        let cron = nightly();
        let wanted = Wanted { cron: Some(&cron), on_change: Some(Duration::from_secs(60)) };
        let mut agenda = Agenda::resumed(Some(("0 2 * * *".into(), at(400 * DAY))), None, Some((at(400 * DAY), 3)));
        assert!(agenda.arm(&wanted, at(10 * DAY)));
        assert!(agenda.due(&wanted, "1.1", at(11 * DAY + 2 * 3600)).is_some());
        let mut agenda = Agenda::default();
        let wanted = Wanted { cron: None, on_change: Some(Duration::from_secs(60)) };
        assert_eq!(agenda.due(&wanted, "1.1", at(1000)), None);
        assert_eq!(agenda.due(&wanted, "1.1", at(10)), None);
        assert_eq!(agenda.due(&wanted, "1.1", at(70)), Some(Trigger::Change));
    }

    #[test]
    fn a_burst_of_changes_is_saved_when_it_rests_or_has_lasted_long() {
        let wanted = Wanted { cron: None, on_change: Some(Duration::from_secs(60)) };
        let mut agenda = Agenda::resumed(None, Some("1.1".into()), None);
        assert_eq!(agenda.due(&wanted, "1.1", at(0)), None, "nothing has changed since the last backup");
        assert_eq!(agenda.due(&wanted, "1.2", at(100)), None);
        assert_eq!(agenda.due(&wanted, "1.3", at(150)), None);
        assert_eq!(agenda.due(&wanted, "1.3", at(209)), None);
        assert_eq!(agenda.due(&wanted, "1.3", at(210)), Some(Trigger::Change));
        agenda.succeeded(Trigger::Change, "1.3", at(211));
        assert_eq!(agenda.due(&wanted, "1.3", at(999)), None);
        let mut secs = 1000;
        while agenda.due(&wanted, &format!("1.{secs}"), at(secs)).is_none() {
            secs += 30;
        }
        assert_eq!(secs, 1000 + 6 * 60);
    }

    #[test]
    fn a_failure_is_tried_again_later_and_later() {
        let cron = nightly();
        let wanted = Wanted { cron: Some(&cron), on_change: None };
        let mut agenda = Agenda::resumed(Some(("0 2 * * *".into(), at(0))), None, None);
        let mut now = at(2 * 3600);
        for wait in [300, 600, 1200, 2400, 3600, 3600] {
            assert_eq!(agenda.due(&wanted, "1.1", now), Some(Trigger::Schedule));
            agenda.failed(Trigger::Schedule, now);
            assert_eq!(agenda.due(&wanted, "1.1", now.after(Duration::from_secs(wait - 1))), None);
            now = now.after(Duration::from_secs(wait));
        }
        agenda.succeeded(Trigger::Schedule, "1.1", now);
        assert_eq!(agenda.due(&wanted, "1.1", now.after(RETRY_MOST)), None);
        agenda.failed(Trigger::Request, now);
        assert_eq!(agenda.due(&wanted, "1.1", now.after(RETRY_MOST)), None, "who asked hears of it");
    }
}
