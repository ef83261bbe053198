//! For tests: a zip writer that can lie.

/// An entry whose every field can be made wrong. Stored, not deflated.
#[derive(Clone)]
pub(crate) struct RawEntry {
    pub(crate) name: Vec<u8>,
    pub(crate) local_name: Option<Vec<u8>>,
    pub(crate) data: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) mode: u32,
    pub(crate) crc: u32,
    /// What both headers say of the size, where it is not the truth.
    pub(crate) size: Option<u64>,
    pub(crate) packed: Option<u64>,
    pub(crate) zip64: bool,
    pub(crate) descriptor: bool,
}

impl RawEntry {
    pub(crate) fn new(name: &str, data: &[u8]) -> Self {
        Self {
            name: name.into(),
            local_name: None,
            data: data.to_vec(),
            method: 0,
            flags: 0,
            mode: 0o100_600 << 16,
            crc: crc32(data),
            size: None,
            packed: None,
            zip64: false,
            descriptor: false,
        }
    }

    fn sizes(&self) -> (u64, u64) {
        let length = self.data.len() as u64;
        (self.size.unwrap_or(length), self.packed.unwrap_or(length))
    }

    fn common(&self, out: &mut Vec<u8>, zeros: bool) {
        let (size, packed) = self.sizes();
        let short = |n: u64| if self.zip64 { u32::MAX } else { u32::try_from(n).unwrap() };
        let crc = if zeros { 0 } else { self.crc };
        let flags = self.flags | if self.descriptor { 8 } else { 0 };
        out.extend(20u16.to_le_bytes());
        out.extend(flags.to_le_bytes());
        out.extend(self.method.to_le_bytes());
        out.extend([0, 0, 0x21, 0]);
        out.extend(crc.to_le_bytes());
        out.extend(if zeros { 0 } else { short(packed) }.to_le_bytes());
        out.extend(if zeros { 0 } else { short(size) }.to_le_bytes());
    }

    fn extra(&self) -> Vec<u8> {
        let (size, packed) = self.sizes();
        match self.zip64 {
            true => [&[1, 0, 16, 0][..], &size.to_le_bytes(), &packed.to_le_bytes()].concat(),
            false => Vec::new(),
        }
    }
}

/// A zip of raw entries.
#[derive(Clone)]
pub(crate) struct RawZip {
    pub(crate) entries: Vec<RawEntry>,
    pub(crate) comment: Vec<u8>,
}

impl RawZip {
    pub(crate) fn with(mut self, index: usize, edit: impl FnOnce(&mut RawEntry)) -> Self {
        edit(&mut self.entries[index]);
        self
    }

    pub(crate) fn push(mut self, entry: RawEntry) -> Self {
        self.entries.push(entry);
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let length = |n: usize| u16::try_from(n).unwrap().to_le_bytes();
        let mut out = Vec::new();
        let mut directory = Vec::new();
        for entry in &self.entries {
            let offset = u32::try_from(out.len()).unwrap();
            let name = entry.local_name.as_ref().unwrap_or(&entry.name);
            let extra = entry.extra();
            out.extend(b"PK\x03\x04");
            entry.common(&mut out, entry.descriptor);
            out.extend(length(name.len()));
            out.extend(length(extra.len()));
            out.extend(name);
            out.extend(&extra);
            out.extend(&entry.data);
            if entry.descriptor {
                let (size, packed) = entry.sizes();
                out.extend(b"PK\x07\x08");
                out.extend(entry.crc.to_le_bytes());
                out.extend(u32::try_from(packed).unwrap().to_le_bytes());
                out.extend(u32::try_from(size).unwrap().to_le_bytes());
            }
            directory.extend(b"PK\x01\x02\x14\x03");
            entry.common(&mut directory, false);
            directory.extend(length(entry.name.len()));
            directory.extend(length(extra.len()));
            directory.extend([0; 6]);
            directory.extend(entry.mode.to_le_bytes());
            directory.extend(offset.to_le_bytes());
            directory.extend(&entry.name);
            directory.extend(&extra);
        }
        let offset = u32::try_from(out.len()).unwrap();
        out.extend(&directory);
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend(length(self.entries.len()));
        out.extend(length(self.entries.len()));
        out.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
        out.extend(offset.to_le_bytes());
        out.extend(length(self.comment.len()));
        out.extend(&self.comment);
        out
    }
}

pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1)))
    };
    !bytes.iter().fold(u32::MAX, step)
}
