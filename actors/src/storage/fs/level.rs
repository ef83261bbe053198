//! One directory of a listing, in the order of its keys and in windows: what it keeps in memory has a bound.
//!
//! An entry is named by its order: the key's component for an object, the component and a slash for what lies below it. A long
//! component's `%+` directories belong to the level where they begin, because their keys lie among those of their siblings.

use super::index::{Index, WIDE, Window};
use super::layout::{self, SELF_NAME};
use crate::disk::reach;
use crate::domain::listing::ListQuery;
use crate::{Error, Result};
use std::collections::BinaryHeap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec::IntoIter;

const OPERATION: &str = "list objects";
/// So many names of a directory that is read live are kept; what comes after them is another read.
/// So many are taken from the index at first, and twice as many with each window after it.
const FIRST_WINDOW: usize = 16;
const LAST_WINDOW: usize = 1024;
const LIVE_WINDOW: usize = if cfg!(test) { 8 } else { 4096 };
/// After a prefix, every name that begins with it comes before this, as no UTF-8 holds the byte.
const AFTER_ALL: u8 = 0xFF;

/// What a level holds under a name, given as the whole of it.
pub(super) enum Entry {
    /// Maybe the object of this key.
    Object(String),
    /// The keys that begin with this, which ends in a slash.
    Below(String),
}

/// What a listing looks for, and what it has cost so far.
pub(super) struct Search<'a> {
    index: &'a Arc<Index>,
    query: &'a ListQuery,
    /// Nothing before this is of use any more: all of it is rolled up.
    skip: Vec<u8>,
    pub(super) effort: Effort,
}

/// How much was read for a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effort {
    /// Directories read live.
    pub(super) reads: usize,
    /// Names read of them.
    pub(super) names: usize,
    /// Names taken from the index.
    pub(super) indexed: usize,
}

/// One directory, from some name on.
pub(super) struct Level {
    dir: PathBuf,
    base: String,
    window: IntoIter<String>,
    /// Where the next window begins.
    more: Option<Vec<u8>>,
    /// How much is taken from the index next.
    room: usize,
}

/// The smallest names within bounds, as many as there is room for.
struct Gathering {
    from: Vec<u8>,
    to: Vec<u8>,
    room: usize,
    names: BinaryHeap<String>,
    left_out: bool,
}

impl<'a> Search<'a> {
    pub(super) fn new(index: &'a Arc<Index>, query: &'a ListQuery) -> Self {
        Self { index, query, skip: Vec::new(), effort: Effort::default() }
    }

    /// All names that begin with this are done.
    pub(super) fn skip(&mut self, rolled: &str) {
        self.skip = [rolled.as_bytes(), &[AFTER_ALL]].concat();
    }

    /// Where a level begins to be of use.
    fn from(&self, base: &str) -> Vec<u8> {
        let after = self.query.start_after.as_str();
        // There is no empty key.
        let mut from = if base.is_empty() { vec![0] } else { Vec::new() };
        if let Some(rest) = after.strip_prefix(base).filter(|_| !after.is_empty()) {
            let begun = match rest.find('/') {
                Some(slash) => rest[..=slash].into(),
                None => [rest.as_bytes(), &[0]].concat(),
            };
            from = from.max(begun);
        } else if after > base {
            return vec![AFTER_ALL];
        }
        if let Some(rest) = self.query.prefix.strip_prefix(base) {
            from = from.max(rest.into());
        }
        from
    }

    /// What no name of a level that is of use reaches.
    fn to(&self, base: &str) -> Vec<u8> {
        let rest = self.query.prefix.strip_prefix(base).unwrap_or_default();
        [rest.as_bytes(), &[AFTER_ALL]].concat()
    }

    /// Another delimiter than the slash rolls up names that lie all over a level: reading it anew after each would be a read for
    /// every prefix of the page.
    fn live_room(&self) -> usize {
        if matches!(self.query.delimiter.as_str(), "" | "/") { LIVE_WINDOW } else { usize::MAX }
    }
}

impl Level {
    /// The directory whose keys begin with `base`.
    pub(super) fn open(search: &mut Search<'_>, dir: PathBuf, base: &str) -> Result<Self> {
        let from = search.from(base);
        let mut level =
            Self { dir, base: base.to_owned(), window: Vec::new().into_iter(), more: None, room: FIRST_WINDOW };
        level.fill(search, from)?;
        Ok(level)
    }

    /// The next entry that is of use.
    pub(super) fn next(&mut self, search: &mut Search<'_>) -> Result<Option<Entry>> {
        loop {
            let skip = search.skip.as_slice();
            let rest = match skip.strip_prefix(self.base.as_bytes()) {
                Some(rest) => rest.to_vec(),
                None if skip > self.base.as_bytes() => return Ok(None),
                None => Vec::new(),
            };
            if let Some(name) = self.window.find(|name| name.as_bytes() >= rest.as_slice()) {
                let whole = format!("{}{name}", self.base);
                return Ok(Some(if name.ends_with('/') { Entry::Below(whole) } else { Entry::Object(whole) }));
            }
            let Some(from) = self.more.take() else { return Ok(None) };
            if rest > from {
                // What is skipped was taken for nothing.
                self.room = FIRST_WINDOW;
            }
            self.fill(search, from.max(rest))?;
        }
    }

    /// The directory of an entry of this level.
    pub(super) fn dir_of(&self, below: &str) -> PathBuf {
        let mut dir = self.dir.clone();
        dir.extend(layout::encode(below.strip_prefix(&self.base).unwrap_or(below).trim_end_matches('/')));
        dir
    }

    fn fill(&mut self, search: &mut Search<'_>, from: Vec<u8>) -> Result<()> {
        let to = search.to(&self.base);
        let mut gathering = match search.index.window(&self.dir, &from, &to, self.room) {
            Some(window) => {
                search.effort.indexed += window.names.len();
                let mut gathering = Gathering::new(from, to, self.room);
                self.room = LAST_WINDOW.min(2 * self.room);
                gathering.take_window(&self.dir, window, &mut search.effort)?;
                gathering
            }
            None => {
                let mut gathering = Gathering::new(from, to, search.live_room());
                let before = search.effort.names;
                gathering.read(&self.dir, &mut Vec::new(), &mut search.effort)?;
                if search.effort.names - before > WIDE {
                    search.index.want(&self.dir);
                }
                gathering
            }
        };
        let names = std::mem::take(&mut gathering.names).into_sorted_vec();
        if gathering.left_out {
            self.more = names.last().map(|last| [last.as_bytes(), &[0]].concat());
        }
        self.window = names.into_iter();
        Ok(())
    }
}

impl Gathering {
    fn new(from: Vec<u8>, to: Vec<u8>, room: usize) -> Self {
        Self { from, to, room, names: BinaryHeap::new(), left_out: false }
    }

    /// Takes what the index has of a directory, and live what it leaves to that. Where the index left something out, its names
    /// fill the room: what comes after them has none.
    fn take_window(&mut self, dir: &Path, window: Window, effort: &mut Effort) -> Result<()> {
        self.left_out = window.left_out;
        self.names.extend(window.names);
        for name in window.continued {
            if self.goes_on(std::slice::from_ref(&name)) {
                self.read(&dir.join(&name), &mut vec![name], effort)?;
            }
        }
        Ok(())
    }

    /// Takes what a directory holds; `begun` are the `%+` directories of a long component.
    fn read(&mut self, dir: &Path, begun: &mut Vec<String>, effort: &mut Effort) -> Result<()> {
        let listing = match reach::read_dir(dir) {
            Ok(listing) => listing,
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
            Err(e) => return Err(Error::io(OPERATION, e)),
        };
        effort.reads += 1;
        for entry in listing {
            let entry = entry.map_err(|e| Error::io(OPERATION, e))?;
            let kind = entry.file_type().map_err(|e| Error::io(OPERATION, e))?;
            effort.names += 1;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with(layout::RESERVED) || name == SELF_NAME || !(kind.is_file() || kind.is_dir()) {
                continue;
            }
            begun.push(name);
            if let Some(component) = layout::decode_component(begun) {
                if kind.is_dir() {
                    self.take(format!("{component}/"));
                }
                // Of a directory, it is the object in its `%self`, if there is one.
                self.take(component);
            } else if kind.is_dir() && self.goes_on(begun) {
                self.read(&dir.join(&begun[begun.len() - 1]), begun, effort)?;
            }
            begun.pop();
        }
        Ok(())
    }

    fn take(&mut self, name: String) {
        if name.as_bytes() < self.from.as_slice() || name.as_bytes() >= self.to.as_slice() {
            return;
        }
        self.names.push(name);
        if self.names.len() > self.room {
            self.names.pop();
            self.left_out = true;
        }
    }

    /// May a component that begins like this be of use?
    fn goes_on(&self, begun: &[String]) -> bool {
        let pieces: Option<String> = begun.iter().map(|name| layout::decode_continued(name)).collect();
        pieces.is_some_and(|begin| {
            let last = [begin.as_bytes(), &[AFTER_ALL]].concat();
            last > self.from && begin.as_bytes() < self.to.as_slice()
        })
    }
}
