//! Reads a wide directory into the index, piece by piece, so that listings and writers go on meanwhile.

use super::Index;
use super::names::{self, Name};
use super::open::{self, Begun, Open};
use super::rows::Change;
use crate::Result;
use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};

/// So many names are read at once.
const PIECE: usize = 8192;

impl Index {
    /// Takes in every directory that is wanted, and removes what is left of those that are not.
    pub(super) fn work(&self) {
        while let Some(dir) = self.next_wanted() {
            match self.build(&dir) {
                Ok(true) => {}
                Ok(false) => {
                    let mut state = self.lock();
                    if let Some(open) = &mut state.open {
                        open.forget(&dir);
                    }
                    state.refuse(dir);
                }
                Err(error) => self.lock().give_up(&error),
            }
        }
        while self.tidy() {}
    }

    fn next_wanted(&self) -> Option<PathBuf> {
        self.lock().wanted.pop_front()
    }

    /// Takes a directory in; false where it does not fit.
    fn build(&self, dir: &Path) -> Result<bool> {
        let Some(Begun { id, dir: opened }) = self.begin(dir)? else { return Ok(false) };
        let Ok(mut entries) = std::fs::read_dir(open::way(&opened)) else { return Ok(false) };
        loop {
            let (mut read, mut continued) = (Vec::new(), Vec::new());
            let mut left = 0;
            for entry in entries.by_ref().take(PIECE) {
                left += 1;
                if entry.and_then(|entry| gather(&entry, &mut read, &mut continued)).is_err() {
                    return Ok(false);
                }
            }
            if left == 0 {
                break;
            }
            // In order they are written to fewer places.
            read.sort_unstable_by(|a, b| a.name().cmp(b.name()));
            if !self.step(|open| open.take(dir, id, read, continued))? {
                return Ok(false);
            }
        }
        self.step(|open| open.end(dir, id))
    }

    fn begin(&self, dir: &Path) -> Result<Option<Begun>> {
        let mut state = self.lock();
        // A directory that was moved here is known under its old name until that is heard.
        state.caught_up();
        let open = match &mut state.open {
            Some(open) => open,
            closed => closed.insert(Open::new(&self.internal)?),
        };
        open.begin(dir)
    }

    /// One step of the reading, with everything that has happened so far; false where it cannot go on.
    fn step(&self, step: impl FnOnce(&mut Open) -> Result<bool>) -> Result<bool> {
        let mut state = self.lock();
        let Some(open) = state.caught_up() else { return Ok(true) };
        step(open)
    }

    /// Removes some of what nobody needs; false where there is nothing of the kind.
    fn tidy(&self) -> bool {
        let mut state = self.lock();
        if state.wanted.is_empty() && state.open.as_ref().is_some_and(|open| open.len() == 0) {
            state.open = None;
        }
        match state.open.as_mut().map(Open::tidy) {
            Some(Ok(more)) => more,
            Some(Err(error)) => {
                state.give_up(&error);
                false
            }
            None => false,
        }
    }
}

fn gather(entry: &DirEntry, read: &mut Vec<Change>, continued: &mut Vec<String>) -> io::Result<()> {
    let kind = entry.file_type()?;
    let Ok(name) = entry.file_name().into_string() else { return Ok(()) };
    match names::read(&name) {
        Name::Component(component) if kind.is_dir() => {
            let (object, below) = names::orders(component);
            read.extend([Change::Add(object), Change::Add(below)]);
        }
        Name::Component(component) if kind.is_file() => read.push(Change::Add(component)),
        Name::Continued if kind.is_dir() => continued.push(name),
        _ => {}
    }
    Ok(())
}
