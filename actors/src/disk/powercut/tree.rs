//! A directory tree as a value: read from a directory, hashed, laid out into another.

use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files and directories by number; number 0 is the root. A file with two names is one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    pub(super) nodes: Vec<Node>,
}

/// A file or a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    File { mode: u32, bytes: Arc<[u8]>, xattrs: Xattrs },
    Dir { mode: u32, entries: BTreeMap<OsString, usize> },
}

pub(super) type Xattrs = BTreeMap<String, Vec<u8>>;

impl Tree {
    /// Reads everything below a directory. Only files and directories are known.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self { nodes: Vec::new() };
        tree.read_dir(root, &mut HashMap::new())?;
        Ok(tree)
    }

    /// Lays the tree out into an existing, empty directory.
    pub fn lay_out(&self, root: &Path) -> io::Result<()> {
        self.lay_out_dir(0, root, &mut HashMap::new())
    }

    /// Two trees with the same hash look the same to every reader, shared inodes included.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        // Numbers are given in the order of the walk, so they do not depend on how the tree came about.
        let mut numbers = HashMap::new();
        self.hash_node(0, &mut numbers, &mut hash);
        hash.finalize().into()
    }

    /// One line for each name, for messages.
    pub fn describe(&self) -> String {
        let mut lines = Vec::new();
        self.describe_dir(0, Path::new(""), &mut lines);
        lines.join("\n")
    }

    fn read_dir(&mut self, dir: &Path, seen: &mut HashMap<(u64, u64), usize>) -> io::Result<usize> {
        let number = self.nodes.len();
        let mode = fs::metadata(dir)?.permissions().mode() & 0o7777;
        self.nodes.push(Node::Dir { mode, entries: BTreeMap::new() });
        let mut entries = BTreeMap::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let child = if entry.file_type()?.is_dir() {
                self.read_dir(&entry.path(), seen)?
            } else {
                self.read_file(&entry.path(), seen)?
            };
            entries.insert(entry.file_name(), child);
        }
        self.nodes[number] = Node::Dir { mode, entries };
        Ok(number)
    }

    fn read_file(&mut self, path: &Path, seen: &mut HashMap<(u64, u64), usize>) -> io::Result<usize> {
        let metadata = fs::symlink_metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, format!("{} is no file", path.display())));
        }
        let inode = (metadata.dev(), metadata.ino());
        if let Some(number) = seen.get(&inode) {
            return Ok(*number);
        }
        let mut xattrs = Xattrs::new();
        for name in xattr::list(path)? {
            // Names of other spaces (`security.…`) are the host's, not ours.
            let Some(own) = name.to_str().filter(|name| name.starts_with("user.")) else { continue };
            if let Some(value) = xattr::get(path, &name)? {
                xattrs.insert(own.to_owned(), value);
            }
        }
        let mode = metadata.permissions().mode() & 0o7777;
        let number = self.nodes.len();
        self.nodes.push(Node::File { mode, bytes: fs::read(path)?.into(), xattrs });
        seen.insert(inode, number);
        Ok(number)
    }

    fn lay_out_dir(&self, number: usize, dir: &Path, made: &mut HashMap<usize, PathBuf>) -> io::Result<()> {
        let Node::Dir { entries, .. } = &self.nodes[number] else { return Ok(()) };
        for (name, child) in entries {
            let path = dir.join(name);
            match &self.nodes[*child] {
                Node::Dir { mode, .. } => {
                    DirBuilder::new().mode(0o700).create(&path)?;
                    self.lay_out_dir(*child, &path, made)?;
                    fs::set_permissions(&path, Permissions::from_mode(*mode))?;
                }
                Node::File { mode, bytes, xattrs } => {
                    if let Some(first) = made.get(child) {
                        fs::hard_link(first, &path)?;
                        continue;
                    }
                    let mut file = OpenOptions::new().write(true).create_new(true).mode(*mode).open(&path)?;
                    file.write_all(bytes)?;
                    for (name, value) in xattrs {
                        xattr::set(&path, name, value)?;
                    }
                    made.insert(*child, path);
                }
            }
        }
        Ok(())
    }

    fn hash_node(&self, number: usize, numbers: &mut HashMap<usize, u64>, hash: &mut Sha256) {
        let next = numbers.len() as u64;
        let walked = *numbers.entry(number).or_insert(next);
        hash.update(walked.to_le_bytes());
        if walked != next {
            return;
        }
        match &self.nodes[number] {
            Node::File { mode, bytes, xattrs } => {
                hash.update(b"f");
                hash.update(mode.to_le_bytes());
                hash_field(hash, bytes);
                hash.update((xattrs.len() as u64).to_le_bytes());
                for (name, value) in xattrs {
                    hash_field(hash, name.as_bytes());
                    hash_field(hash, value);
                }
            }
            Node::Dir { mode, entries } => {
                hash.update(b"d");
                hash.update(mode.to_le_bytes());
                hash.update((entries.len() as u64).to_le_bytes());
                for (name, child) in entries {
                    hash_field(hash, name.as_bytes());
                    self.hash_node(*child, numbers, hash);
                }
            }
        }
    }

    fn describe_dir(&self, number: usize, dir: &Path, lines: &mut Vec<String>) {
        let Node::Dir { entries, .. } = &self.nodes[number] else { return };
        for (name, child) in entries {
            let path = dir.join(name);
            match &self.nodes[*child] {
                Node::Dir { .. } => {
                    lines.push(format!("  {}/", path.display()));
                    self.describe_dir(*child, &path, lines);
                }
                Node::File { bytes, xattrs, .. } => {
                    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]);
                    let names: Vec<_> = xattrs.keys().map(String::as_str).collect();
                    lines.push(format!(
                        "  {} (node {child}, {} bytes: {start:?}, xattrs: {names:?})",
                        path.display(),
                        bytes.len()
                    ));
                }
            }
        }
    }
}

fn hash_field(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}
