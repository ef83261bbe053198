//! One page of a listing, read live from the directories, in byte order of the keys.
//!
//! A directory is read into memory and sorted; what lies below it is read when its turn comes. A long component's `%+`
//! directories belong to the level where they begin, because their keys lie among those of their siblings.

use super::Fs;
use super::layout::{self, SELF_NAME};
use super::lookup::plain_meta;
use crate::disk::reach;
use crate::domain::listing::{ListPage, ListQuery, ListedObject};
use crate::domain::names::BucketName;
use crate::{Error, Result};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

const OPERATION: &str = "list objects";

/// One page.
pub(super) fn list(fs: &Fs, bucket: &BucketName, query: &ListQuery) -> Result<ListPage> {
    fs.check_bucket(bucket)?;
    let mut lister = Lister { fs, bucket, query, page: ListPage::default(), last: None };
    if query.max_keys == 0 {
        return Ok(lister.page);
    }
    // All keys under `a/b/` lie in that directory, so the listing begins there.
    let (start, mut dir) =
        (query.prefix.rfind('/').map_or("", |at| &query.prefix[..=at]), PathBuf::from(bucket.as_str()));
    if let Some(parent) = start.strip_suffix('/') {
        dir.extend(layout::encode(parent));
        if !fs.is_dir_beneath(&dir)? {
            return Ok(lister.page);
        }
    }
    lister.run(&fs.root.join(dir), start)?;
    Ok(lister.page)
}

struct Lister<'a> {
    fs: &'a Fs,
    bucket: &'a BucketName,
    query: &'a ListQuery,
    page: ListPage,
    /// The last name on the page.
    last: Option<String>,
}

/// What a level holds under a name.
enum Entry {
    /// The object of the key.
    Object(String),
    /// The keys that begin with this, which ends in a slash.
    Below(String, PathBuf),
}

impl Entry {
    fn order(&self) -> &str {
        match self {
            Self::Object(name) | Self::Below(name, _) => name,
        }
    }
}

impl Lister<'_> {
    /// Lists what lies below a directory whose keys begin with `base`, until the page is full.
    ///
    /// The levels are a list, not calls within calls: a key may have a thousand components, a thread's stack has its limit.
    fn run(&mut self, dir: &Path, base: &str) -> Result<()> {
        let mut levels = vec![self.level(dir, base)?];
        while let Some(level) = levels.last_mut() {
            let full = match level.next() {
                None => {
                    levels.pop();
                    continue;
                }
                Some(Entry::Object(key)) => self.object(key)?,
                Some(Entry::Below(below, dir)) => match self.rolled(&below).map(str::to_owned) {
                    Some(rolled) => self.below(rolled, &dir)?,
                    None => {
                        levels.push(self.level(&dir, &below)?);
                        ControlFlow::Continue(())
                    }
                },
            };
            if full.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// One directory, in the order of its keys.
    fn level(&self, dir: &Path, base: &str) -> Result<IntoIter<Entry>> {
        let mut entries = Vec::new();
        self.read_level(dir, base, &mut Vec::new(), &mut entries)?;
        entries.sort_unstable_by(|a, b| a.order().cmp(b.order()));
        Ok(entries.into_iter())
    }

    /// Gathers what may belong to the page; `begun` are the `%+` directories of a long component.
    fn read_level(&self, dir: &Path, base: &str, begun: &mut Vec<String>, entries: &mut Vec<Entry>) -> Result<()> {
        let listing = match reach::read_dir(dir) {
            Ok(listing) => listing,
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
            Err(e) => return Err(Error::io(OPERATION, e)),
        };
        for entry in listing {
            let entry = entry.map_err(|e| Error::io(OPERATION, e))?;
            let kind = entry.file_type().map_err(|e| Error::io(OPERATION, e))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with(layout::RESERVED) || name == SELF_NAME || !(kind.is_file() || kind.is_dir()) {
                continue;
            }
            let path = dir.join(&name);
            begun.push(name);
            if let Some(component) = layout::decode_component(begun) {
                let key = format!("{base}{component}");
                if kind.is_dir() {
                    self.take_dir(key, path, entries);
                } else if self.may_hold(&key, true) {
                    entries.push(Entry::Object(key));
                }
            } else if kind.is_dir() && self.goes_on(base, begun) {
                self.read_level(&path, base, begun, entries)?;
            }
            begun.pop();
        }
        Ok(())
    }

    fn take_dir(&self, key: String, dir: PathBuf, entries: &mut Vec<Entry>) {
        let below = format!("{key}/");
        if self.may_hold(&key, true) && reach::symlink_metadata(&dir.join(SELF_NAME)).is_ok_and(|m| m.is_file()) {
            entries.push(Entry::Object(key));
        }
        if self.may_hold(&below, false) {
            entries.push(Entry::Below(below, dir));
        }
    }

    /// May this key, or a key that begins with this, be on the page?
    fn may_hold(&self, name: &str, whole: bool) -> bool {
        let (prefix, after) = (self.query.prefix.as_str(), self.query.start_after.as_str());
        if whole {
            return !name.is_empty() && name.starts_with(prefix) && (after.is_empty() || name > after);
        }
        (name.starts_with(prefix) || prefix.starts_with(name)) && (name > after || after.starts_with(name))
    }

    fn goes_on(&self, base: &str, begun: &[String]) -> bool {
        let pieces: Option<String> = begun.iter().map(|name| layout::decode_continued(name)).collect();
        pieces.is_some_and(|begin| self.may_hold(&format!("{base}{begin}"), false))
    }

    fn object(&mut self, key: String) -> Result<ControlFlow<()>> {
        if let Some(rolled) = self.rolled(&key) {
            let rolled = rolled.to_owned();
            return if self.is_done(&rolled) || !matches!(self.fs.find(self.bucket, &key), Ok(Some(_))) {
                Ok(ControlFlow::Continue(()))
            } else {
                Ok(self.add_prefix(rolled))
            };
        }
        // Found anew by its key: since the directory was read, it may have been removed or have become a prefix.
        let meta = match self.fs.look(self.bucket, &key) {
            Ok(seen) => seen.map(|(_, described)| described.meta),
            // One object that cannot be read takes the listing away from no other, nor does it vanish from it.
            Err(error) => {
                log::warn!(bucket:% = self.bucket, key = key.as_str(), error:? = error; "an object's metadata cannot be read");
                self.fs.find(self.bucket, &key).ok().flatten().map(|found| plain_meta(&key, &found.stat))
            }
        };
        let Some(meta) = meta else { return Ok(ControlFlow::Continue(())) };
        if self.is_full() {
            return Ok(self.stop());
        }
        self.last = Some(key.clone());
        self.page.objects.push(ListedObject {
            key,
            size: meta.size,
            etag: meta.etag,
            modified: meta.modified,
            storage_class: meta.attributes.headers.storage_class,
        });
        Ok(ControlFlow::Continue(()))
    }

    /// All keys here roll up into one prefix: one object is enough to show it.
    fn below(&mut self, rolled: String, dir: &Path) -> Result<ControlFlow<()>> {
        if self.is_done(&rolled) || !self.any_object(dir)? {
            return Ok(ControlFlow::Continue(()));
        }
        Ok(self.add_prefix(rolled))
    }

    /// The prefix that a name rolls up into.
    fn rolled<'n>(&self, name: &'n str) -> Option<&'n str> {
        let (prefix, delimiter) = (self.query.prefix.as_str(), self.query.delimiter.as_str());
        let rest = name.strip_prefix(prefix).filter(|_| !delimiter.is_empty())?;
        rest.find(delimiter).map(|at| &name[..prefix.len() + at + delimiter.len()])
    }

    /// True for a prefix that is on the page already, or was on one before.
    fn is_done(&self, rolled: &str) -> bool {
        rolled <= self.query.start_after.as_str() || self.page.prefixes.last().is_some_and(|last| last == rolled)
    }

    fn add_prefix(&mut self, rolled: String) -> ControlFlow<()> {
        if self.is_full() {
            return self.stop();
        }
        self.last = Some(rolled.clone());
        self.page.prefixes.push(rolled);
        ControlFlow::Continue(())
    }

    fn is_full(&self) -> bool {
        self.page.objects.len() + self.page.prefixes.len() >= self.query.max_keys
    }

    /// More follows.
    fn stop(&mut self) -> ControlFlow<()> {
        self.page.next = self.last.take();
        ControlFlow::Break(())
    }

    fn any_object(&self, dir: &Path) -> Result<bool> {
        let names = dir.strip_prefix(self.fs.bucket_dir(self.bucket)).unwrap_or(dir);
        let names = names.iter().map(|n| n.to_string_lossy().into_owned()).collect();
        super::scan::object_below(&self.fs.bucket_dir(self.bucket), names).map_err(|e| Error::io(OPERATION, e))
    }
}
