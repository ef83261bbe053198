//! Makes the place for a key: its directories, the change-over of an object in the way, and what must be durable of them.

use super::layout::{self, SELF_NAME};
use super::lookup::symlink_in_the_way;
use super::scan::ignore_missing;
use super::writer::TempFile;
use super::{Fs, temp_name};
use crate::disk::reach;
use crate::domain::names::{BucketName, ObjectKey};
use crate::{Error, ErrorKind, Result};
use std::io;
use std::path::{Path, PathBuf};

const OPERATION: &str = "make room for object";
/// How often a place is made anew after somebody tidied it away in between.
pub(super) const TRIES: usize = 64;

/// Where a key goes.
pub(super) struct Place {
    /// The directories from the bucket's own down to the file's, the bucket's first.
    pub(super) dirs: Vec<PathBuf>,
    /// The file's name in the last of them.
    pub(super) name: String,
    /// The directories' names, without the bucket's.
    names: Vec<String>,
}

/// Whether the directories of a key are there.
pub(super) enum Room {
    /// They are.
    Made,
    /// The object of this key is a file where a directory must be: its lock is needed for the change-over.
    Occupied(String),
}

impl Place {
    /// The directory of the file.
    pub(super) fn dir(&self) -> &Path {
        // The bucket's directory is always there, so the list is never empty.
        self.dirs.last().map_or(Path::new("."), PathBuf::as_path)
    }

    /// The file itself, where the key is no prefix.
    pub(super) fn file(&self) -> PathBuf {
        self.dir().join(&self.name)
    }
}

impl Fs {
    /// Where a key goes, whatever is there.
    pub(super) fn place(&self, bucket: &BucketName, key: &ObjectKey) -> Place {
        let mut names = layout::encode(key.as_str());
        let name = names.pop().unwrap_or_default();
        let mut dir = self.bucket_dir(bucket);
        let mut dirs = vec![dir.clone()];
        for name in &names {
            dir.push(name);
            dirs.push(dir.clone());
        }
        Place { dirs, name, names }
    }

    /// Makes the directories of a key. An object in the way becomes `%self` of a directory if its key's lock is `held`.
    pub(super) fn make_room(&self, bucket: &BucketName, place: &Place, held: &[String]) -> Result<Room> {
        if self.dirs_exist(bucket, &place.names)? {
            return Ok(Room::Made);
        }
        self.check_bucket(bucket)?;
        let (mut at, mut setbacks) = (1, 0);
        while let Some(dir) = place.dirs.get(at) {
            let setback = match self.disk.create_dir(dir, 0o700) {
                Ok(()) => false,
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => match reach::symlink_metadata(dir) {
                    Ok(meta) if meta.is_dir() => false,
                    Ok(meta) if meta.is_file() => {
                        let Some(key) = layout::decode(&place.names[..at]) else { return Err(in_the_way()) };
                        if !held.contains(&key) {
                            return Ok(Room::Occupied(key));
                        }
                        self.change_over(dir).map_err(|e| Error::io(OPERATION, e))?;
                        false
                    }
                    Ok(meta) if meta.is_symlink() => return Err(symlink_in_the_way()),
                    Ok(_) => return Err(in_the_way()),
                    Err(e) if e.kind() == io::ErrorKind::NotFound => true,
                    Err(e) => return Err(Error::io(OPERATION, e)),
                },
                Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => true,
                Err(e) => return Err(Error::io(OPERATION, e)),
            };
            at = if setback { 1 } else { at + 1 };
            if setback {
                // Somebody tidied a directory away in between: begin anew below the bucket.
                self.check_bucket(bucket)?;
                setbacks += 1;
                if setbacks > TRIES {
                    return Err(gone(bucket));
                }
            }
        }
        Ok(Room::Made)
    }

    /// A file in the making as near to a key's place as can be without changing what is there.
    pub(super) fn temp_near(&self, bucket: &BucketName, key: &ObjectKey) -> Result<TempFile> {
        let place = self.place(bucket, key);
        for _ in 0..TRIES {
            let dir = match self.make_room(bucket, &place, &[])? {
                Room::Made => place.dir(),
                // An object is in the way; the commit changes it over. The bucket's directory is always there.
                Room::Occupied(_) => &place.dirs[0],
            };
            match TempFile::create(&self.disk, dir) {
                Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                other => return other.map_err(|e| Error::io(OPERATION, e)),
            }
        }
        Err(gone(bucket))
    }

    /// Makes the names of directories durable, deepest first, as far as they are not known to be.
    pub(super) fn sync_dirs(&self, dirs: &[PathBuf]) -> io::Result<()> {
        let directories = &self.shared.directories;
        for dir in dirs.iter().rev() {
            if directories.is_durable(dir) {
                continue;
            }
            let moment = directories.moment();
            directories.sync(self.disk.as_ref(), dir.parent().unwrap_or(&self.root))?;
            directories.remember(moment, dir);
        }
        Ok(())
    }

    /// Turns the file of an object into a directory that holds it as `%self`, in one step for every reader.
    fn change_over(&self, file: &Path) -> io::Result<()> {
        let Some(parent) = file.parent() else { return Err(io::ErrorKind::InvalidInput.into()) };
        let prepared = parent.join(temp_name());
        let inside = prepared.join(SELF_NAME);
        let exchange = || {
            self.disk.create_dir(&prepared, 0o700)?;
            self.disk.hard_link(file, &inside)?;
            self.shared.directories.sync(self.disk.as_ref(), &prepared)?;
            self.disk.exchange(&prepared, file)
        };
        if let Err(e) = exchange() {
            // What stays of a failed attempt is a second name, swept at the next start.
            let _ = self.disk.remove_file(&inside);
            let _ = self.disk.remove_dir(&prepared);
            return Err(e);
        }
        let moment = self.shared.directories.moment();
        self.shared.directories.sync(self.disk.as_ref(), parent)?;
        self.shared.directories.remember(moment, file);
        ignore_missing(self.disk.remove_file(&prepared))
    }

    fn dirs_exist(&self, bucket: &BucketName, names: &[String]) -> Result<bool> {
        let mut path = PathBuf::from(bucket.as_str());
        path.extend(names);
        self.is_dir_beneath(&path)
    }
}

/// The bucket or its directories were removed again and again while an object was being written.
pub(super) fn gone(bucket: &BucketName) -> Error {
    Error::new(
        ErrorKind::NoSuchBucket,
        OPERATION,
        format!("the bucket {bucket} was removed while the object was written"),
    )
}

fn in_the_way() -> Error {
    Error::new(ErrorKind::Internal, OPERATION, "a file that is no object lies where this key needs a directory")
}
