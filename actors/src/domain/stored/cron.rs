//! Cron expressions of five fields (minute, hour, day of the month, month, day of the week), in UTC.
//!
//! A field is `*`, a number, a range `a-b`, any of them with a step `/n`, or several with commas. Months and days of the week may
//! be named (`JAN`, `SUN`); 7 is Sunday, too. Where both days are bounded, either is enough, as everywhere in cron.

use crate::domain::clock::Timestamp;
use std::ops::RangeInclusive;
use time::{Date, Duration, OffsetDateTime, Time};

/// Leap days are at most eight years apart, so what does not come within nine never comes.
const HORIZON_DAYS: i64 = 9 * 366;
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// When something comes, again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// One of the two kinds of days is not bounded, so both must hold; otherwise either is enough.
    both_days: bool,
}

/// One field: its name in complaints, its range, and the names that its numbers have.
struct Field {
    what: &'static str,
    range: RangeInclusive<u8>,
    names: &'static [&'static str],
    first_name: u8,
}

const FIELDS: [Field; 5] = [
    Field { what: "minute", range: 0..=59, names: &[], first_name: 0 },
    Field { what: "hour", range: 0..=23, names: &[], first_name: 0 },
    Field { what: "day of the month", range: 1..=31, names: &[], first_name: 0 },
    Field { what: "month", range: 1..=12, names: &MONTHS, first_name: 1 },
    Field { what: "day of the week", range: 0..=7, names: &WEEKDAYS, first_name: 0 },
];

impl Cron {
    /// Reads an expression; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split_ascii_whitespace().collect();
        if parts.len() != FIELDS.len() {
            return Err(format!("`{text}` has {} fields, not five", parts.len()));
        }
        let mut sets = [0_u64; 5];
        for ((set, part), field) in sets.iter_mut().zip(&parts).zip(&FIELDS) {
            *set = field.parse(part)?;
        }
        let [minutes, hours, days, months, mut weekdays] = sets;
        if weekdays & (1 << 7) != 0 {
            weekdays |= 1;
        }
        let both_days = parts[2].starts_with('*') || parts[4].starts_with('*');
        let cron = Self { text: parts.join(" "), minutes, hours, days, months, weekdays, both_days };
        match cron.next_after(Timestamp::from_secs(0)) {
            Some(_) => Ok(cron),
            None => Err(format!("`{text}` never comes")),
        }
    }

    /// The expression, with single blanks.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first minute after `at` that it names.
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        let from = OffsetDateTime::from_unix_timestamp(at.secs()).ok()? + Duration::MINUTE;
        let (mut date, mut earliest) = (from.date(), from.time());
        for _ in 0..HORIZON_DAYS {
            if self.names_day(date)
                && let Some(time) = self.first_from(earliest)
            {
                return Some(Timestamp::from_secs(date.with_time(time).assume_utc().unix_timestamp()));
            }
            (date, earliest) = (date.next_day()?, Time::MIDNIGHT);
        }
        None
    }

    fn names_day(&self, date: Date) -> bool {
        let day = self.days & (1 << date.day()) != 0;
        let weekday = self.weekdays & (1 << date.weekday().number_days_from_sunday()) != 0;
        let days = if self.both_days { day && weekday } else { day || weekday };
        days && self.months & (1 << u8::from(date.month())) != 0
    }

    /// The first time of a day from `earliest` on.
    fn first_from(&self, earliest: Time) -> Option<Time> {
        (earliest.hour()..24).filter(|hour| self.hours & (1 << hour) != 0).find_map(|hour| {
            let from = if hour == earliest.hour() { earliest.minute() } else { 0 };
            let minute = (from..60).find(|minute| self.minutes & (1 << minute) != 0)?;
            Time::from_hms(hour, minute, 0).ok()
        })
    }
}

impl Field {
    fn parse(&self, text: &str) -> Result<u64, String> {
        text.split(',').try_fold(0, |set, part| Ok(set | self.item(part)?))
    }

    fn item(&self, text: &str) -> Result<u64, String> {
        let (bounds, step) = match text.split_once('/') {
            Some((bounds, step)) => (bounds, self.step(step)?),
            None => (text, 1),
        };
        let (from, to) = match bounds.split_once('-') {
            _ if bounds == "*" => (*self.range.start(), *self.range.end()),
            Some((from, to)) => (self.number(from)?, self.number(to)?),
            // `5/15` means from 5 on.
            None if text.contains('/') => (self.number(bounds)?, *self.range.end()),
            None => (self.number(bounds)?, self.number(bounds)?),
        };
        if from > to {
            return Err(format!("`{text}` runs backwards ({})", self.what));
        }
        Ok((from..=to).step_by(step).fold(0, |set, number| set | 1 << number))
    }

    fn step(&self, text: &str) -> Result<usize, String> {
        match digits(text) {
            Some(step @ 1..) if step <= *self.range.end() => Ok(usize::from(step)),
            _ => Err(format!("`/{text}` is no step ({})", self.what)),
        }
    }

    fn number(&self, text: &str) -> Result<u8, String> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let named = named.and_then(|at| u8::try_from(at).ok()).map(|at| at + self.first_name);
        let (start, end) = (self.range.start(), self.range.end());
        match named.or_else(|| digits(text)) {
            Some(number) if self.range.contains(&number) => Ok(number),
            _ => Err(format!("`{text}` is no {} ({start} to {end})", self.what)),
        }
    }
}

/// One or two digits, and nothing else.
fn digits(text: &str) -> Option<u8> {
    let short = matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit());
    if short { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(text: &str, at: &str) -> String {
        let at = Timestamp::parse_rfc3339(at).unwrap();
        Cron::parse(text).unwrap().next_after(at).unwrap().rfc3339()
    }

    #[test]
    fn the_next_time_is_the_first_named_minute_after() {
        // 22 November 2026 is a Sunday.
        for (text, at, expected) in [
            ("0 2 * * *", "2026-11-22T01:59:59.999Z", "2026-11-22T02:00:00Z"),
            ("0 2 * * *", "2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z"),
            ("*/15 * * * *", "2026-11-22T09:14:00Z", "2026-11-22T09:15:00Z"),
            ("5/20 * * * *", "2026-11-22T09:26:00Z", "2026-11-22T09:45:00Z"),
            ("30 8-10,20 * * *", "2026-11-22T10:30:00Z", "2026-11-22T20:30:00Z"),
            ("0 0 1 * *", "2026-12-31T23:59:00Z", "2027-01-01T00:00:00Z"),
            ("0 0 29 2 *", "2026-11-22T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 0 29 FEB *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
            ("15 3 * * MON-FRI", "2026-11-21T00:00:00Z", "2026-11-23T03:15:00Z"),
            ("0 0 * * 7", "2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"),
            ("0 0 * * sun", "2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"),
            // Both days bounded: the 13th, and every Friday.
            ("0 0 13 * 5", "2026-11-22T00:00:00Z", "2026-11-27T00:00:00Z"),
            ("0 0 13 * 5", "2026-12-12T00:00:00Z", "2026-12-13T00:00:00Z"),
            // A step from `*` bounds nothing in this sense: both must hold.
            ("0 0 */2 * 1", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"),
            ("0 0 */2 * 1", "2026-11-23T00:00:00Z", "2026-12-07T00:00:00Z"),
        ] {
            assert_eq!(next(text, at), expected, "{text} after {at}");
        }
    }

    #[test]
    fn what_is_no_expression_says_why() {
        for (text, says) in [
            ("", "0 fields"),
            ("@daily", "1 fields"),
            ("0 2 * *", "4 fields"),
            ("0 2 * * * *", "6 fields"),
            ("60 2 * * *", "`60` is no minute (0 to 59)"),
            ("0 24 * * *", "is no hour"),
            ("0 2 0 * *", "is no day of the month"),
            ("0 2 * 13 *", "is no month"),
            ("0 2 * * 8", "is no day of the week"),
            ("0 2 * * FUN", "`FUN` is no day of the week"),
            ("+1 2 * * *", "is no minute"),
            ("001 2 * * *", "is no minute"),
            ("5-1 2 * * *", "runs backwards"),
            ("*/0 2 * * *", "is no step"),
            ("*/99 2 * * *", "is no step"),
            ("1, 2 * * *", "is no minute"),
            ("0 0 30 2 *", "never comes"),
        ] {
            let error = Cron::parse(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        assert_eq!(Cron::parse(" 0  2 *\t* * ").unwrap().as_str(), "0 2 * * *");
    }

    /// Every minute of a year is named or not as a reader of the five fields would say, one by one.
    #[test]
    fn no_named_minute_is_left_out() {
        let cron = Cron::parse("7,37 */6 1-10/3 1,5-7 *").unwrap();
        let mut at = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
        let end = Timestamp::parse_rfc3339("2027-01-01T00:00:00Z").unwrap();
        let mut found = 0;
        while let Some(next) = cron.next_after(at).filter(|next| *next < end) {
            let text = next.rfc3339();
            let (month, day, hour, minute) = (&text[5..7], &text[8..10], &text[11..13], &text[14..16]);
            assert!(["01", "05", "06", "07"].contains(&month) && ["01", "04", "07", "10"].contains(&day), "{text}");
            assert!(["00", "06", "12", "18"].contains(&hour) && ["07", "37"].contains(&minute), "{text}");
            (at, found) = (next, found + 1);
        }
        assert_eq!(found, 4 * 4 * 4 * 2);
    }
}
