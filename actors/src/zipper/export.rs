//! One published view → one signed archive, made twice: once into nothing, which finds every error and gives the exact length and the sum,
//! and then into whatever takes it. Nothing of it is held but the config and the manifest.

use crate::domain::archive::check;
use crate::domain::archive::config_part::{BACKEND_SECRET, ConfigPart};
use crate::domain::archive::manifest::{
    self, AuditCheckpoint, BackendEntry, BootstrapPassword, ENTRIES, FileEntry, KeyEntry, Manifest, SCHEMA, Schema,
    VERSION,
};
use crate::domain::archive::parts::{IamOf, IamPart, SecretsPart};
use crate::domain::clock::Timestamp;
use crate::domain::config::load::Loaded;
use crate::domain::config::model::{ArchiveLimits, BackendKind, S3Account, SecretRef};
use crate::domain::secret::Secret;
use crate::domain::state::State;
use crate::zipper::read::Summed;
use crate::zipper::source::check_length;
use crate::zipper::{read, sign, verify, write};
use crate::{Error, Result};
use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::{fmt, iter, thread};

/// More than the headers of an entry and the descriptor of the one before take.
const HEADERS: u64 = 256;

/// What an export is made of: all of it from one view.
#[derive(Clone, Debug)]
pub struct ExportInput<'a> {
    /// The effective config.
    pub config: &'a Loaded,
    /// The state.
    pub state: Arc<State>,
    /// This instance.
    pub instance_id: &'a str,
    /// The version of this server.
    pub server_version: &'a str,
    /// When the view was taken.
    pub captured_at: Timestamp,
    /// `signing_key` of `.deltaglider_instance`.
    pub signing_seed: &'a [u8; 32],
    /// The bootstrap hash in force.
    pub bootstrap_hash: Option<&'a Secret>,
    /// What each `env:NAME` and `file:PATH` reference in use gives, secret or not.
    pub resolved: &'a BTreeMap<String, Secret>,
    /// What import accepts, and so what export may make.
    pub limits: &'a ArchiveLimits,
    /// Where the audit log stands.
    pub audit: Option<AuditCheckpoint>,
}

/// An archive that can be written, as often as somebody wants it.
pub struct Prepared {
    state: Arc<State>,
    secrets: SecretsPart,
    config: Vec<u8>,
    head: Vec<u8>,
    length: u64,
    sha256: String,
    filename: String,
}

/// The first pass: every part is serialised and read back as an import reads it, then the whole is packed into nothing. What could not
/// be imported is an error here.
pub fn prepare(input: &ExportInput<'_>) -> Result<Prepared> {
    let state = input.state.clone();
    let secrets = secrets(input);
    let (iam_sum, iam) = read_back(|out| IamOf(&state).write(out), IamPart::read)?;
    let (secrets_sum, all_secrets) = read_back(|out| secrets.write(&state, out), SecretsPart::read)?;
    let config = ConfigPart::to_bytes(input.config, state.buckets.values().map(|bucket| &**bucket));
    let parsed = ConfigPart::parse(&config, &all_secrets)?;
    let config_sum = Summed { bytes: config.len() as u64, sha256: hex::encode(Sha256::digest(&config)) };
    let mut manifest = Manifest {
        version: VERSION,
        captured_at: input.captured_at,
        server_version: input.server_version.to_owned(),
        instance_id: input.instance_id.to_owned(),
        epoch: state.meta.epoch,
        generation: state.meta.generation,
        schema: Schema { config: SCHEMA, iam: SCHEMA, secrets: SCHEMA },
        files: ENTRIES[1..]
            .iter()
            .zip([config_sum, iam_sum, secrets_sum])
            .map(|(name, sum)| listed(name, sum))
            .collect(),
        encryption_keys: keys(&state),
        backends: backends(&state),
        counts: check::count(&iam, state.buckets.len()),
        bootstrap_password: BootstrapPassword {
            set_at: state.meta.password_set_at,
            logged: state.meta.password_logged,
        },
        audit: input.audit.clone(),
        signature: None,
    };
    manifest.signature = Some(sign::sign(input.signing_seed, &manifest.signed_bytes()?)?);
    let head = manifest.to_bytes()?;
    let (_, signed) = manifest::parse(&manifest::tree(&head)?.1)?;
    manifest.signature.as_ref().map_or(Ok(()), |signature| sign::verify(signature, &signed))?;
    verify::meaning(&manifest, &iam, &all_secrets, &parsed)?;
    let filename = format!("dgp-backup-v{}-{}.zip", input.server_version, input.captured_at.compact());
    let mut prepared = Prepared { state, secrets, config, head, length: 0, sha256: String::new(), filename };
    prepared.measure(&manifest, input.limits)?;
    Ok(prepared)
}

impl Prepared {
    /// Its exact length.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// SHA-256 of it in lower-case hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// `dgp-backup-v<version>-<UTC stamp>.zip`.
    pub fn filename(&self) -> &str {
        &self.filename
    }

    /// Writes it. An error means that what was written is not the archive; it may come at the very end.
    pub fn write(&self, out: impl Write) -> Result<()> {
        let written = self.pack(Summing::new(out), |_| {})?;
        match written.length == self.length && written.sum() == self.sha256 {
            true => Ok(()),
            false => Err(Error::internal("write archive", "the passes of one export differ")),
        }
    }

    /// The whole of it, for what is small.
    pub fn to_vec(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.write(&mut bytes)?;
        Ok(bytes)
    }

    /// Length and sum, and whether an import takes so much.
    fn measure(&mut self, manifest: &Manifest, limits: &ArchiveLimits) -> Result<()> {
        let mut begun = Vec::new();
        let count = Rc::new(Cell::new(0));
        let counted = Counting { out: Summing::new(io::sink()), count: count.clone() };
        let whole = self.pack(counted, |_| begun.push(count.get()))?.out;
        begun.push(whole.length);
        let sizes = iter::once(self.head.len() as u64).chain(manifest.files.iter().map(|file| file.bytes));
        // What lies between one entry's beginning and the next one's is its data and some headers, which pack nothing.
        let packed = begun.windows(2).map(|pair| (pair[1] - pair[0]).saturating_sub(HEADERS));
        read::fit(
            ENTRIES.iter().zip(sizes.zip(packed)).map(|(name, (size, packed))| ((*name).into(), size, packed)),
            limits,
        )?;
        check_length(whole.length, limits.body)?;
        (self.length, self.sha256) = (whole.length, whole.sum());
        Ok(())
    }

    fn pack<W: Write>(&self, out: W, mut begins: impl FnMut(usize)) -> Result<W> {
        let failed = |error| Error::io("write archive", error);
        write::pack(out, |number, out| {
            begins(number);
            match ENTRIES[number] {
                "manifest.json" => out.write_all(&self.head).map_err(failed),
                "config.yaml" => out.write_all(&self.config).map_err(failed),
                "iam.json" => IamOf(&self.state).write(out),
                _ => self.secrets.write(&self.state, out),
            }
        })
    }
}

/// An archive is a keystore: no debug output shows anything of it.
impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prepared({}, {} bytes)", self.filename, self.length)
    }
}

/// Serialises a part on a thread of its own while it is parsed here; gives its sum and what it is read as.
fn read_back<T>(
    write: impl FnOnce(&mut Summing<io::PipeWriter>) -> Result<()> + Send,
    read: impl FnOnce(io::PipeReader) -> Result<T>,
) -> Result<(Summed, T)> {
    let failed = |error| Error::io("write archive", error);
    let (reader, writer) = io::pipe().map_err(failed)?;
    thread::scope(|scope| {
        let writing = scope.spawn(move || {
            let mut out = Summing::new(writer);
            write(&mut out).map(|()| Summed { bytes: out.length, sha256: out.sum() })
        });
        let read = read(reader);
        let written = writing.join().map_err(|_| Error::internal("write archive", "a pass of the export panicked"))?;
        match (written, read) {
            (Ok(sum), Ok(part)) => Ok((sum, part)),
            // A reader that gives up has the writer fail as well; its own error says more.
            (_, Err(error)) | (Err(error), _) => Err(error),
        }
    })
}

/// Counts and sums what goes through.
struct Summing<W> {
    out: W,
    hash: Sha256,
    length: u64,
}

impl<W: Write> Summing<W> {
    fn new(out: W) -> Self {
        Self { out, hash: Sha256::new(), length: 0 }
    }

    fn sum(&self) -> String {
        hex::encode(self.hash.clone().finalize())
    }
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Tells from outside how much went through.
struct Counting<W> {
    out: W,
    count: Rc<Cell<u64>>,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.count.set(self.count.get() + written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn listed(name: &str, sum: Summed) -> FileEntry {
    FileEntry { name: name.to_owned(), bytes: sum.bytes, sha256: sum.sha256 }
}

fn secrets(input: &ExportInput<'_>) -> SecretsPart {
    let mut secrets = SecretsPart::beside_users(&input.state);
    secrets.bootstrap_password_hash = input.bootstrap_hash.cloned();
    let access = &input.config.config.access;
    if let Some(SecretRef::Literal(secret)) = &access.secret_access_key {
        secrets.access.access_key_id = access.access_key_id.as_deref().map(Secret::new);
        secrets.access.secret_access_key = Some(secret.clone());
    }
    for (name, backend) in &input.config.config.storage.backends {
        if let BackendKind::S3(S3Account { secret_access_key: Some(SecretRef::Literal(secret)), .. }) = &backend.kind {
            let fields = secrets.storage_backends.entry(name.to_string()).or_default();
            fields.insert(BACKEND_SECRET.to_owned(), secret.clone());
        }
    }
    let headers = input.config.config.advanced.audit.webhook.iter().flat_map(|webhook| &webhook.headers);
    for (name, value) in headers {
        if let Some(SecretRef::Literal(secret)) = value {
            secrets.event_delivery.webhook_headers.insert(name.clone(), secret.clone());
        }
    }
    // What resolves now wins over what an earlier restore left behind for the same reference.
    secrets.resolved.extend(input.resolved.clone());
    secrets
}

fn keys(state: &State) -> Vec<KeyEntry> {
    let entry = |key: &crate::domain::state::StoredKey| KeyEntry {
        id: key.id.clone(),
        fingerprint: key.fingerprint(),
        included: true,
        purpose: key.purpose,
        created_at: key.created_at,
        active: key.active,
    };
    state.keyring.values().map(|key| entry(key)).collect()
}

fn backends(state: &State) -> Vec<BackendEntry> {
    state.backends.iter().map(|(name, id)| BackendEntry { name: name.clone(), id: id.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use crate::zipper::tests::testkit::{exported, prepared, state};

    #[test]
    fn a_pass_that_differs_is_an_error() {
        let mut prepared = prepared(&state());
        assert_eq!(prepared.to_vec().unwrap(), exported(&state()).bytes);
        prepared.config.push(b'#');
        assert!(prepared.to_vec().is_err());
    }

    #[test]
    fn what_no_import_takes_is_no_export() {
        use crate::domain::config::model::ArchiveLimits;
        use crate::zipper::tests::testkit::prepared_within;
        let all = ArchiveLimits::default();
        for (limits, code) in [
            (ArchiveLimits { body: 1000, ..all }, "archive_too_large"),
            (ArchiveLimits { entry: 1000, ..all }, "entry_too_large"),
            (ArchiveLimits { total: 3000, ..all }, "total_too_large"),
        ] {
            assert_eq!(prepared_within(&state(), &limits).unwrap_err().code(), Some(code));
        }
    }
}
