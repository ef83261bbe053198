//! The account of one bucket: what it holds, what is reserved, how far a count has come. Pure.

use super::Refused;
use crate::domain::clock::Timestamp;
use crate::domain::names::BucketName;

/// A write into a bucket that is less known than this share of its quota away from it waits for the count.
const NEAR: u64 = 20;

/// A bucket's place: the backend's id and the bucket's name there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) backend_id: String,
    pub(super) bucket: BucketName,
}

/// What a bucket holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Objects.
    pub objects: u64,
    /// Their logical bytes.
    pub bytes: u64,
    /// The bytes of parts whose uploads are open.
    pub parts: u64,
    /// When it was last counted from what lies there.
    pub counted_at: Timestamp,
    /// Every write since is in it.
    pub exact: bool,
}

impl Usage {
    /// What counts against a quota.
    pub fn total(&self) -> u64 {
        self.bytes + self.parts
    }
}

/// What one change does to a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Delta {
    pub(super) objects: i64,
    pub(super) bytes: i64,
    pub(super) parts: i64,
}

/// What is known of a bucket.
#[derive(Debug, Default)]
pub(super) struct Account {
    usage: Usage,
    /// How much of it is true.
    known: Known,
    reserved: u64,
    /// The count under way: what it found so far, and the last key that it has seen.
    count: Option<(Usage, String)>,
    /// Changes under way of which nobody looks what they replace.
    blind: u32,
    /// There was such a change since the count began.
    missed: bool,
    /// It changed since it was saved.
    pub(super) dirty: bool,
}

/// How much of an account is true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    #[default]
    Nothing,
    /// It is what was saved before an unclean stop.
    About,
    /// It was so when it was counted.
    Counted,
    Exactly,
}

impl Account {
    /// What was saved: all of it after a clean stop, about so much after another.
    pub(super) fn restored(usage: Usage, clean: bool) -> Self {
        let known = match (usage.exact, clean) {
            (true, true) => Known::Exactly,
            (true, false) => Known::About,
            (false, _) => Known::Counted,
        };
        Self { usage, known, ..Self::default() }
    }

    /// What the bucket holds, where that is known.
    pub(super) fn usage(&self) -> Option<Usage> {
        let exact = self.known == Known::Exactly;
        (self.known >= Known::Counted).then_some(Usage { exact, ..self.usage })
    }

    /// Whether somebody must count. A quota asks for more than that it was counted once.
    pub(super) fn wants_count(&self, quota: bool) -> bool {
        self.known < if quota { Known::Exactly } else { Known::Counted }
    }

    /// Makes room, or says why not. Gives how much was reserved.
    pub(super) fn reserve(&mut self, quota: u64, bytes: u64, replaced: u64) -> Result<u64, Refused> {
        let room = bytes.saturating_sub(replaced);
        let wanted = self.usage.total().saturating_add(self.reserved).saturating_add(room);
        match self.known {
            _ if quota == 0 => return Err(Refused::Full),
            Known::Exactly if wanted > quota => return Err(Refused::Full),
            Known::Nothing => return Err(Refused::Uncounted),
            Known::About | Known::Counted if wanted > quota - quota / NEAR => return Err(Refused::Uncounted),
            Known::Exactly | Known::About | Known::Counted => {}
        }
        self.reserved += room;
        Ok(room)
    }

    /// Before a commit: what was reserved becomes what is needed, if there is room for it.
    pub(super) fn adjust(&mut self, quota: Option<u64>, reserved: u64, needed: u64) -> Result<u64, Refused> {
        self.release(reserved);
        let fits = quota.is_none_or(|quota| {
            self.known != Known::Exactly
                || needed <= reserved
                || self.usage.total().saturating_add(self.reserved).saturating_add(needed) <= quota
        });
        if !fits {
            return Err(Refused::Full);
        }
        self.reserved += needed;
        Ok(needed)
    }

    /// Gives room back.
    pub(super) fn release(&mut self, bytes: u64) {
        self.reserved = self.reserved.saturating_sub(bytes);
    }

    /// What a change of this key did. A count that has not come to the key yet will see it by itself.
    pub(super) fn settle(&mut self, key: &str, delta: Delta) {
        add(&mut self.usage, delta);
        self.dirty = true;
        if let Some((found, seen)) = &mut self.count {
            let objects = Delta { parts: 0, ..delta };
            if key <= seen.as_str() {
                add(found, objects);
            }
        }
    }

    /// Something happened of which nobody knows how it ended.
    pub(super) fn doubt(&mut self) {
        self.known = match self.known {
            Known::Nothing => Known::Nothing,
            Known::About | Known::Counted | Known::Exactly => Known::About,
        };
        // A count that began before may have missed it.
        self.count = None;
        self.dirty = true;
    }

    /// A change begins of which nobody looks what it replaces.
    pub(super) fn begin_blind(&mut self) {
        self.blind += 1;
        self.missed = true;
        if self.known == Known::Exactly {
            self.known = Known::Counted;
            self.dirty = true;
        }
    }

    /// It has ended.
    pub(super) fn end_blind(&mut self) {
        self.blind = self.blind.saturating_sub(1);
    }

    /// A count begins.
    pub(super) fn begin(&mut self) {
        self.count = Some((Usage::default(), String::new()));
        self.missed = self.blind > 0;
    }

    /// A page of the count: what is on it, and its last key. False where the count is void by now.
    pub(super) fn page(&mut self, objects: u64, bytes: u64, last: Option<&str>) -> bool {
        let Some((found, seen)) = &mut self.count else { return false };
        found.objects += objects;
        found.bytes += bytes;
        match last {
            Some(last) => *seen = last.to_owned(),
            // Whatever comes after the last key was seen as well.
            None => *seen = "\u{10FFFF}".repeat(300),
        }
        true
    }

    /// The count has come to its end, with the parts of open uploads.
    pub(super) fn counted(&mut self, parts: u64, now: Timestamp) {
        if let Some((found, _)) = self.count.take() {
            self.usage = Usage { parts, counted_at: now, ..found };
            self.known = if self.missed { Known::Counted } else { Known::Exactly };
            self.dirty = true;
        }
    }

    /// What is to be saved, where it changed.
    pub(super) fn take_dirty(&mut self) -> Option<Usage> {
        // What is about right is saved as what was exact: after an unclean stop it is taken for about right again.
        let exact = self.known != Known::Counted;
        (std::mem::take(&mut self.dirty) && self.known != Known::Nothing).then_some(Usage { exact, ..self.usage })
    }
}

fn add(usage: &mut Usage, delta: Delta) {
    usage.objects = usage.objects.saturating_add_signed(delta.objects);
    usage.bytes = usage.bytes.saturating_add_signed(delta.bytes);
    usage.parts = usage.parts.saturating_add_signed(delta.parts);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(bytes: u64) -> Account {
        let mut account = Account::default();
        account.begin();
        assert!(account.page(1, bytes, None));
        account.counted(0, Timestamp::from_secs(1));
        account
    }

    #[test]
    fn reservations_and_what_is_there_never_exceed_the_quota() {
        let mut account = counted(60);
        assert_eq!(account.reserve(100, 40, 0), Ok(40));
        assert_eq!(account.reserve(100, 1, 0), Err(Refused::Full));
        assert_eq!(account.reserve(100, 60, 60), Ok(0), "what is replaced makes room");
        account.release(40);
        assert_eq!(account.reserve(100, 41, 0), Err(Refused::Full));
        assert_eq!(account.reserve(0, 0, 0), Err(Refused::Full), "no write at all");
        // The object that was to be replaced went meanwhile, and another write took its room.
        account.settle("a", Delta { objects: 0, bytes: 35, parts: 0 });
        assert_eq!(account.adjust(Some(100), 0, 6), Err(Refused::Full));
        assert_eq!(account.adjust(Some(100), 0, 5), Ok(5));
    }

    #[test]
    fn what_is_not_counted_takes_writes_only_far_from_the_quota() {
        let mut account = Account::default();
        assert_eq!(account.reserve(100, 1, 0), Err(Refused::Uncounted));
        let mut account = Account::restored(Usage { bytes: 50, exact: true, ..Usage::default() }, false);
        assert_eq!(account.reserve(100, 45, 0), Ok(45));
        assert_eq!(account.reserve(100, 1, 0), Err(Refused::Uncounted));
        assert_eq!(account.usage(), None, "about is no number to show");
        assert!(Account::restored(Usage { exact: true, ..Usage::default() }, true).usage().is_some());
    }

    #[test]
    fn a_count_beside_changes_that_nobody_looked_at_is_not_exact() {
        let exact = |account: &Account| account.usage().unwrap().exact;
        let mut account = counted(60);
        assert!(exact(&account) && !account.wants_count(true));
        account.begin_blind();
        assert!(!exact(&account) && account.wants_count(true) && !account.wants_count(false));
        assert_eq!(account.reserve(100, 36, 0), Err(Refused::Uncounted));
        // One that was there when the count began, and one that came and went meanwhile.
        for during in [false, true] {
            account.begin();
            assert!(account.page(1, 60, None));
            if during {
                account.begin_blind();
            }
            account.end_blind();
            account.counted(0, Timestamp::from_secs(2));
            assert!(!exact(&account), "{during}");
        }
        account.begin();
        assert!(account.page(1, 70, None));
        account.counted(0, Timestamp::from_secs(3));
        assert!(exact(&account) && account.reserve(100, 30, 0) == Ok(30));
        let usage = Usage { bytes: 5, ..Usage::default() };
        assert!(!exact(&Account::restored(usage, true)) && !exact(&Account::restored(usage, false)));
    }

    #[test]
    fn a_count_sees_every_change_once() {
        let mut account = Account::default();
        account.begin();
        assert!(account.page(2, 20, Some("m")));
        let more = |bytes| Delta { objects: 1, bytes, parts: 0 };
        account.settle("a", more(1));
        account.settle("m", more(2));
        account.settle("z", more(4));
        assert!(account.page(1, 4, None), "the page has `z`");
        account.settle("zz", more(8));
        account.counted(3, Timestamp::from_secs(1));
        let usage = account.usage().unwrap();
        assert_eq!((usage.objects, usage.bytes, usage.parts), (6, 35, 3));
        account.begin();
        account.doubt();
        assert!(!account.page(1, 1, None) && account.wants_count(true));
    }
}
