//! One page of a listing, in byte order of the keys: level after level, and no further than the page goes.

use super::Fs;
use super::layout;
use super::level::{Effort, Entry, Level, Search};
use super::lookup::plain_meta;
use crate::domain::listing::{ListPage, ListQuery, ListedObject};
use crate::domain::names::BucketName;
use crate::{Error, Result};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

const OPERATION: &str = "list objects";

/// One page, and what it cost.
pub(super) fn list(fs: &Fs, bucket: &BucketName, query: &ListQuery) -> Result<(ListPage, Effort)> {
    fs.check_bucket(bucket)?;
    let search = Search::new(&fs.shared.index, query);
    let mut lister = Lister { fs, bucket, query, search, page: ListPage::default(), last: None };
    if query.max_keys == 0 {
        return Ok((lister.page, Effort::default()));
    }
    // All keys under `a/b/` lie in that directory, so the listing begins there.
    let (start, mut dir) =
        (query.prefix.rfind('/').map_or("", |at| &query.prefix[..=at]), PathBuf::from(bucket.as_str()));
    if let Some(parent) = start.strip_suffix('/') {
        dir.extend(layout::encode(parent));
        if !fs.is_dir_beneath(&dir)? {
            return Ok((lister.page, Effort::default()));
        }
    }
    lister.run(fs.root.join(dir), start)?;
    Ok((lister.page, lister.search.effort))
}

struct Lister<'a> {
    fs: &'a Fs,
    bucket: &'a BucketName,
    query: &'a ListQuery,
    search: Search<'a>,
    page: ListPage,
    /// The last name on the page.
    last: Option<String>,
}

impl Lister<'_> {
    /// Lists what lies below a directory whose keys begin with `base`, until the page is full.
    ///
    /// The levels are a list, not calls within calls: a key may have a thousand components, a thread's stack has its limit.
    fn run(&mut self, dir: PathBuf, base: &str) -> Result<()> {
        let mut levels = vec![Level::open(&mut self.search, dir, base)?];
        while let Some(level) = levels.last_mut() {
            let full = match level.next(&mut self.search)? {
                None => {
                    levels.pop();
                    continue;
                }
                Some(Entry::Object(key)) => self.object(key)?,
                Some(Entry::Below(below)) => {
                    let dir = level.dir_of(&below);
                    match self.rolled(&below).map(str::to_owned) {
                        Some(rolled) => self.below(rolled, &dir)?,
                        None => {
                            levels.push(Level::open(&mut self.search, dir, &below)?);
                            ControlFlow::Continue(())
                        }
                    }
                }
            };
            if full.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn object(&mut self, key: String) -> Result<ControlFlow<()>> {
        if let Some(rolled) = self.rolled(&key) {
            let rolled = rolled.to_owned();
            if self.is_done(&rolled) {
                self.search.skip(&rolled);
            } else if matches!(self.fs.find(self.bucket, &key), Ok(Some(_))) {
                return Ok(self.add_prefix(rolled));
            }
            return Ok(ControlFlow::Continue(()));
        }
        // Found anew by its key: a directory has one only with a `%self`, and what was a file may be gone by now.
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
        if self.is_done(&rolled) {
            self.search.skip(&rolled);
        } else if self.any_object(dir)? {
            return Ok(self.add_prefix(rolled));
        }
        Ok(ControlFlow::Continue(()))
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
        self.search.skip(&rolled);
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
