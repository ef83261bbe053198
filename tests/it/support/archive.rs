//! Archives to take apart, change and put together again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{Cursor, Read, Write};
use zip::write::SimpleFileOptions;

/// The entries of an archive, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// (name, content).
    pub entries: Vec<(String, Vec<u8>)>,
}

impl Archive {
    /// Takes a zip apart.
    #[track_caller]
    pub fn read(bytes: &[u8]) -> Self {
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("the archive is a zip");
        let mut entries = Vec::new();
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).expect("the entry can be opened");
            let name = entry.name().expect("the name is text").into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("the entry can be read");
            entries.push((name, content));
        }
        Self { entries }
    }

    /// Puts it together, deflated, without changing a byte of the content.
    pub fn zip(&self) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in &self.entries {
            zip.start_file(name.as_str(), SimpleFileOptions::default()).expect("the name is new");
            zip.write_all(content).expect("memory takes it");
        }
        zip.finish().expect("memory takes it").into_inner()
    }

    /// One entry's content.
    #[track_caller]
    pub fn entry(&self, name: &str) -> &[u8] {
        &self.entries.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("there is no {name}")).1
    }

    /// One entry as JSON.
    #[track_caller]
    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(self.entry(name)).unwrap_or_else(|e| panic!("{name} is no JSON: {e}"))
    }

    /// Replaces one entry's content.
    #[track_caller]
    pub fn set(&mut self, name: &str, content: impl Into<Vec<u8>>) {
        self.entries.iter_mut().find(|(n, _)| n == name).unwrap_or_else(|| panic!("there is no {name}")).1 =
            content.into();
    }

    /// Changes one entry as JSON.
    #[track_caller]
    pub fn edit(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut value = self.json(name);
        change(&mut value);
        self.set(name, value.to_string());
    }

    /// Makes the manifest fit the other entries again and signs it with a new key: what somebody with the format's
    /// description and bad intentions can do.
    pub fn reseal(mut self) -> Self {
        let files: Vec<Value> = self
            .entries
            .iter()
            .filter(|(name, _)| name != "manifest.json")
            .map(|(name, content)| json!({"name": name, "bytes": content.len(), "sha256": hex::encode(Sha256::digest(content))}))
            .collect();
        self.edit("manifest.json", |manifest| {
            manifest["files"] = files.into();
        });
        self.sign()
    }

    /// Signs the manifest as it is with a new key.
    pub fn sign(mut self) -> Self {
        let key = PKey::generate_ed25519().expect("OpenSSL makes keys");
        self.edit("manifest.json", |manifest| {
            if let Some(fields) = manifest.as_object_mut() {
                fields.remove("signature");
            }
            // Sorted keys and no white space: for texts and whole numbers these are RFC 8785's bytes.
            let bytes = manifest.to_string();
            let signature = Signer::new_without_digest(&key).and_then(|mut s| s.sign_oneshot_to_vec(bytes.as_bytes()));
            manifest["signature"] = json!({
                "alg": "ed25519",
                "key": BASE64.encode(key.raw_public_key().expect("ed25519 keys have a raw form")),
                "value": BASE64.encode(signature.expect("OpenSSL signs")),
            });
        });
        self
    }

    /// What the archive says of the state, without what differs between two exports of the same state.
    pub fn state(&self) -> (Value, Vec<(String, Vec<u8>)>) {
        let mut manifest = self.json("manifest.json");
        if let Some(fields) = manifest.as_object_mut() {
            for volatile in ["captured_at", "signature", "audit", "audit_checkpoint"] {
                fields.remove(volatile);
            }
        }
        (manifest, self.entries.iter().filter(|(name, _)| name != "manifest.json").cloned().collect())
    }
}

/// An entry as no zip library would write it.
#[derive(Clone, Debug, Default)]
pub struct RawEntry {
    /// The name's bytes.
    pub name: Vec<u8>,
    /// The content; stored, not deflated.
    pub content: Vec<u8>,
    /// General purpose flags (1 = encrypted).
    pub flags: u16,
    /// The Unix mode in the external attributes.
    pub mode: u32,
}

impl Archive {
    /// The entries in raw form, as regular files.
    pub fn raw(&self) -> Vec<RawEntry> {
        let entry = |(name, content): &(String, Vec<u8>)| RawEntry {
            name: name.clone().into_bytes(),
            content: content.clone(),
            flags: 0,
            mode: 0o100_600,
        };
        self.entries.iter().map(entry).collect()
    }
}

/// Writes a zip by hand (APPNOTE 4.3), whatever the entries say.
pub fn raw_zip(entries: &[RawEntry]) -> Vec<u8> {
    let mut zip = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let offset = zip.len() as u32;
        let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &entry.content) as u32;
        let size = entry.content.len() as u32;
        // From "version needed" to "extra length" both headers agree: stored, 1980-01-01.
        let mut common = Vec::new();
        for field in [20, entry.flags, 0, 0, 0x21] {
            common.extend(field.to_le_bytes());
        }
        for field in [crc, size, size] {
            common.extend(field.to_le_bytes());
        }
        common.extend((entry.name.len() as u16).to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        zip.extend(*b"PK\x03\x04");
        zip.extend(&common);
        zip.extend(&entry.name);
        zip.extend(&entry.content);
        // Made by Unix, so that the mode counts; no comment, disk 0.
        directory.extend(*b"PK\x01\x02\x14\x03");
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(&entry.name);
    }
    let start = zip.len() as u32;
    let size = directory.len() as u32;
    let count = (entries.len() as u16).to_le_bytes();
    zip.extend(&directory);
    zip.extend(*b"PK\x05\x06\0\0\0\0");
    zip.extend(count);
    zip.extend(count);
    zip.extend(size.to_le_bytes());
    zip.extend(start.to_le_bytes());
    zip.extend(0_u16.to_le_bytes());
    zip
}
