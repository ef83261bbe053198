//! What a file system has promised after a run of operations: for each name and each file, what is durable and what is pending.
//!
//! A name is one entry of one directory and has a list of versions; a power cut leaves any version from the last durable one on.
//! A file's data and attributes are durable up to the last fsync of that file. Names and files are independent of each other.
//! The one promise between names is `rename`: the old name goes only once the new one is there.

use super::tree::{Node, Tree, Xattrs};
use crate::disk::recording::Op;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::Path;

/// An entry of a directory: the directory's node and the name.
pub(super) type Name = (usize, OsString);

/// A version of a name.
pub(super) type NameVersion = (Name, usize);

/// What the disk is and may become.
#[derive(Debug)]
pub(super) struct Model {
    inodes: Vec<Inode>,
    names: BTreeMap<Name, Vec<Version>>,
    /// The node of each file made, by its number in the record.
    files: HashMap<usize, usize>,
    /// "If the first is at least at this version, the second is too."
    promises: Vec<(NameVersion, NameVersion)>,
}

#[derive(Debug)]
enum Inode {
    File(FileInode),
    Dir { mode: u32 },
}

#[derive(Debug)]
struct FileInode {
    mode: u32,
    data: Vec<u8>,
    durable_len: usize,
    xattrs: Xattrs,
    durable_xattrs: Xattrs,
}

#[derive(Debug)]
struct Version {
    node: Option<usize>,
    synced: bool,
}

/// What a power cut leaves of a file's un-synced bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// None of them.
    Missing,
    /// The first half of them.
    Torn,
    /// Their length, but not their content.
    Zeros,
    /// All of them.
    Whole,
}

/// One outcome of a power cut: the version of each pending name, and what is left of each pending file. What is not listed is durable.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub names: BTreeMap<Name, usize>,
    pub data: BTreeMap<usize, Data>,
    pub xattrs: BTreeMap<usize, bool>,
}

/// What is not durable: for each name its durable and its last version, and the files with un-synced data and attributes.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub names: BTreeMap<Name, (usize, usize)>,
    pub data: Vec<usize>,
    pub xattrs: Vec<usize>,
}

impl Model {
    /// A disk on which all of this is durable.
    pub(super) fn new(tree: &Tree) -> Self {
        let mut model =
            Self { inodes: Vec::new(), names: BTreeMap::new(), files: HashMap::new(), promises: Vec::new() };
        for (number, node) in tree.nodes.iter().enumerate() {
            model.inodes.push(match node {
                Node::File { mode, bytes, xattrs } => Inode::File(FileInode {
                    mode: *mode,
                    data: bytes.to_vec(),
                    durable_len: bytes.len(),
                    xattrs: xattrs.clone(),
                    durable_xattrs: xattrs.clone(),
                }),
                Node::Dir { mode, entries } => {
                    for (name, child) in entries {
                        let version = Version { node: Some(*child), synced: true };
                        model.names.insert((number, name.clone()), vec![version]);
                    }
                    Inode::Dir { mode: *mode }
                }
            });
        }
        model
    }

    /// Applies one operation. An error means that the record does not fit its tree: a change was made past the recording disk.
    pub(super) fn apply(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::Create { file, path, mode } => {
                let inode = FileInode {
                    mode: *mode,
                    data: Vec::new(),
                    durable_len: 0,
                    xattrs: Xattrs::new(),
                    durable_xattrs: Xattrs::new(),
                };
                let node = self.add(Inode::File(inode));
                self.files.insert(*file, node);
                let name = self.name(path)?;
                self.set(name, Some(node));
            }
            Op::Open { file, path } => {
                let node = self.existing(path)?;
                self.files.insert(*file, node);
            }
            Op::Write { file, bytes } => self.file(*file)?.data.extend_from_slice(bytes),
            Op::SetXattr { file, name, value } => {
                self.file(*file)?.xattrs.insert(name.clone(), value.clone());
            }
            Op::SyncFile { file } => {
                let file = self.file(*file)?;
                file.durable_len = file.data.len();
                file.durable_xattrs = file.xattrs.clone();
            }
            Op::Rename { from, to } => self.rename(from, to)?,
            Op::Exchange { a, b } => {
                let (node_a, node_b) = (self.existing(a)?, self.existing(b)?);
                let (a, b) = (self.name(a)?, self.name(b)?);
                let (a, b) = (self.set(a, Some(node_b)), self.set(b, Some(node_a)));
                self.promises.extend([(a.clone(), b.clone()), (b, a)]);
            }
            Op::HardLink { from, to } => {
                let node = self.existing(from)?;
                let to = self.name(to)?;
                self.set(to, Some(node));
            }
            Op::RemoveFile { path } | Op::RemoveDir { path } => {
                self.existing(path)?;
                let name = self.name(path)?;
                self.set(name, None);
            }
            Op::CreateDir { path, mode } => {
                let node = self.add(Inode::Dir { mode: *mode });
                let name = self.name(path)?;
                self.set(name, Some(node));
            }
            Op::SyncDir { path } => {
                let dir = self.existing(path)?;
                for (_, versions) in self.names.iter_mut().filter(|((parent, _), _)| *parent == dir) {
                    versions.iter_mut().for_each(|version| version.synced = true);
                }
            }
            Op::Mark(_) => {}
        }
        Ok(())
    }

    /// What a power cut may take now.
    pub(super) fn pending(&self) -> Pending {
        let floors = self.floors();
        let mut pending = Pending::default();
        for (name, versions) in &self.names {
            let (floor, last) = (floors[name], versions.len() - 1);
            if floor < last {
                pending.names.insert(name.clone(), (floor, last));
            }
        }
        for (node, inode) in self.inodes.iter().enumerate() {
            let Inode::File(file) = inode else { continue };
            if file.durable_len < file.data.len() {
                pending.data.push(node);
            }
            if file.durable_xattrs != file.xattrs {
                pending.xattrs.push(node);
            }
        }
        pending
    }

    /// Keeps the promises between names by applying what is missing.
    pub(super) fn complete(&self, names: &mut BTreeMap<Name, usize>) {
        self.settle(names, |names, _, then| names.insert(then.0.clone(), then.1));
    }

    /// Keeps the promises between names by taking back what came too early.
    pub(super) fn take_back(&self, names: &mut BTreeMap<Name, usize>) {
        self.settle(names, |names, when, _| names.insert(when.0.clone(), when.1 - 1));
    }

    /// The tree that an outcome leaves.
    pub(super) fn tree(&self, outcome: &Outcome) -> Tree {
        let floors = self.floors();
        let mut children: HashMap<usize, BTreeMap<OsString, usize>> = HashMap::new();
        for (name, versions) in &self.names {
            let version = outcome.names.get(name).unwrap_or(&floors[name]);
            if let Some(node) = versions[*version].node {
                children.entry(name.0).or_default().insert(name.1.clone(), node);
            }
        }
        let node = |(number, inode): (usize, &Inode)| match inode {
            Inode::Dir { mode } => Node::Dir { mode: *mode, entries: children.remove(&number).unwrap_or_default() },
            Inode::File(file) => {
                let data = outcome.data.get(&number).copied().unwrap_or(Data::Missing);
                let whole_xattrs = outcome.xattrs.get(&number).copied().unwrap_or(false);
                let xattrs = if whole_xattrs { &file.xattrs } else { &file.durable_xattrs };
                Node::File { mode: file.mode, bytes: file.after(data).into(), xattrs: xattrs.clone() }
            }
        };
        Tree { nodes: self.inodes.iter().enumerate().map(node).collect() }
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Result<(), String> {
        let node = self.existing(from)?;
        let (old, new) = (self.name(from)?, self.name(to)?);
        if self.current(&new) == Some(node) {
            // rename(2) does nothing where both names are the same file.
            return Ok(());
        }
        let (new, old) = (self.set(new, Some(node)), self.set(old, None));
        if matches!(self.inodes[node], Inode::Dir { .. }) {
            // A directory never has two names.
            self.promises.push((new.clone(), old.clone()));
        }
        self.promises.push((old, new));
        Ok(())
    }

    /// The version that each name has at least. A version is durable once its directory was synced and what it was promised with is
    /// durable too: a rename between directories needs the fsync of both.
    fn floors(&self) -> BTreeMap<Name, usize> {
        let mut unmet = std::collections::HashSet::new();
        loop {
            let mut floors: BTreeMap<Name, usize> = BTreeMap::new();
            for (name, versions) in &self.names {
                let floor = (0..versions.len()).rev().find(|v| versions[*v].synced && !unmet.contains(&(name, *v)));
                floors.insert(name.clone(), floor.unwrap_or(0));
            }
            let known = unmet.len();
            for ((name, version), (other, needed)) in &self.promises {
                if floors[other] < *needed {
                    unmet.insert((name, *version));
                }
            }
            if unmet.len() == known {
                self.complete(&mut floors);
                return floors;
            }
        }
    }

    fn settle<R>(
        &self,
        names: &mut BTreeMap<Name, usize>,
        repair: impl Fn(&mut BTreeMap<Name, usize>, &NameVersion, &NameVersion) -> R,
    ) {
        let broken = |names: &BTreeMap<Name, usize>| {
            self.promises.iter().find(|(when, then)| {
                // A name that the outcome does not list is durable, and the durable versions keep every promise.
                match (names.get(&when.0), names.get(&then.0)) {
                    (Some(version), Some(other)) => *version >= when.1 && *other < then.1,
                    _ => false,
                }
            })
        };
        while let Some((when, then)) = broken(names) {
            repair(names, when, then);
        }
    }

    fn add(&mut self, inode: Inode) -> usize {
        self.inodes.push(inode);
        self.inodes.len() - 1
    }

    fn set(&mut self, name: Name, node: Option<usize>) -> NameVersion {
        // Version 0 of a name that is new: it is not there, durably.
        let versions = self.names.entry(name.clone()).or_insert_with(|| vec![Version { node: None, synced: true }]);
        versions.push(Version { node, synced: false });
        (name, versions.len() - 1)
    }

    fn current(&self, name: &Name) -> Option<usize> {
        self.names.get(name).and_then(|versions| versions.last()).and_then(|version| version.node)
    }

    fn name(&self, path: &Path) -> Result<Name, String> {
        let name = path.file_name().ok_or_else(|| format!("{} names nothing", path.display()))?;
        let dir = self.existing(path.parent().unwrap_or(Path::new("")))?;
        Ok((dir, name.to_owned()))
    }

    fn existing(&self, path: &Path) -> Result<usize, String> {
        path.iter().try_fold(0, |dir, name| {
            self.current(&(dir, name.to_owned())).ok_or_else(|| {
                format!("the record does not know {}: it was made past the recording disk", path.display())
            })
        })
    }

    fn file(&mut self, file: usize) -> Result<&mut FileInode, String> {
        match self.files.get(&file).map(|node| &mut self.inodes[*node]) {
            Some(Inode::File(inode)) => Ok(inode),
            _ => Err(format!("the record does not know file {file}")),
        }
    }
}

impl FileInode {
    fn after(&self, data: Data) -> Vec<u8> {
        let (durable, pending) = self.data.split_at(self.durable_len);
        match data {
            Data::Missing => durable.to_vec(),
            Data::Torn => self.data[..durable.len() + pending.len() / 2].to_vec(),
            Data::Zeros => {
                let mut bytes = durable.to_vec();
                bytes.resize(self.data.len(), 0);
                bytes
            }
            Data::Whole => self.data.clone(),
        }
    }
}
