//! The age envelope of an encrypted archive: sealed for recipients or with a passphrase, opened from whoever sent it.
//!
//! What comes out is a standard age v1 file, binary; what is read may also be in its ASCII armour.

use crate::domain::archive::fault::ArchiveFault;
use crate::domain::secret::Secret;
use crate::zipper::source::{Source, Spool, check_length};
use crate::{Error, ErrorKind, Result};
use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, Encryptor, Identity, Recipient, scrypt, x25519};
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};

/// log2 of the work of a passphrase: what is written, and the most that is read. It takes 256 MiB, as the age CLI's does.
pub const WORK_FACTOR: u8 = 18;
/// How many recipients one envelope may have.
pub const MAX_RECIPIENTS: usize = 64;
/// The longest header that is read: it is parsed line by line, and a stranger wrote it.
const MAX_HEADER: u64 = 16 << 10;
const BINARY: &[u8] = b"age-encryption.org/";
const ARMORED: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// Whether it begins as an age file does.
pub fn is_sealed(archive: &Source) -> bool {
    let head = archive.head(ARMORED.len() as u64);
    head.starts_with(BINARY) || head.starts_with(ARMORED)
}

/// How long an age file is whose header, the nonce behind it included, has `header` bytes, around `content` bytes: each piece of 64 KiB
/// takes a tag of 16 bytes, and there is always one piece.
pub fn sealed_length(header: u64, content: u64) -> u64 {
    header + content + 16 * content.div_ceil(64 << 10).max(1)
}

/// A sealed envelope that nothing was put into yet.
pub struct Envelope(Encryptor);

/// Encrypts what is written to it; [`Seal::finish`] must be called.
pub struct Seal<W: Write>(StreamWriter<W>);

impl Envelope {
    /// For everybody who has the identity of one of these `age1…` recipients.
    pub fn for_recipients<T: AsRef<str>>(recipients: &[T]) -> Result<Self> {
        if recipients.len() > MAX_RECIPIENTS {
            return Err(bad(format!("{} recipients; at most {MAX_RECIPIENTS} are taken", recipients.len())));
        }
        let recipients = recipients.iter().map(|text| recipient(text.as_ref())).collect::<Result<Vec<_>>>()?;
        Self::new(recipients.iter().map(|recipient| recipient as &dyn Recipient))
    }

    /// For everybody who has the passphrase. Takes a second and 256 MiB: run it where passwords are hashed.
    pub fn with_passphrase(passphrase: &Secret) -> Result<Self> {
        if passphrase.expose().chars().count() < 8 {
            return Err(bad("the passphrase is shorter than 8 characters".to_owned()));
        }
        let mut recipient = scrypt::Recipient::new(SecretString::from(passphrase.expose()));
        recipient.set_work_factor(WORK_FACTOR);
        Self::new(std::iter::once(&recipient as &dyn Recipient))
    }

    fn new<'a>(recipients: impl Iterator<Item = &'a dyn Recipient>) -> Result<Self> {
        Encryptor::with_recipients(recipients).map(Self).map_err(|error| {
            Error::new(ErrorKind::Invalid, "encrypt archive", error.to_string()).with_code("bad_parameter")
        })
    }

    /// Writes the header; what is written to the seal is encrypted behind it.
    pub fn seal<W: Write>(self, output: W) -> Result<Seal<W>> {
        self.0.wrap_output(output).map(Seal).map_err(|error| Error::io("encrypt archive", error))
    }

    /// The whole of `bytes`, encrypted.
    pub fn seal_all(self, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut seal = self.seal(Vec::with_capacity(bytes.len() + 4096))?;
        seal.write_all(bytes).map_err(|error| Error::io("encrypt archive", error))?;
        seal.finish()
    }
}

impl<W: Write> Seal<W> {
    /// Ends the file: without it, it is a truncated one.
    pub fn finish(self) -> Result<W> {
        self.0.finish().map_err(|error| Error::io("encrypt archive", error))
    }
}

impl<W: Write> Write for Seal<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// What opens an envelope.
#[derive(Clone, Debug)]
pub enum Key {
    /// The passphrase that it was sealed with. Opening takes a second and 256 MiB: run it where passwords are hashed.
    Passphrase(Secret),
    /// An `AGE-SECRET-KEY-1…`.
    Identity(Secret),
}

/// An envelope whose key fits; its content is still to be read.
pub struct Unlocked(StreamReader<Box<dyn BufRead + Send>>);

/// Finds the file key. What is there besides is read, and checked, by [`Unlocked::read`].
pub fn unlock(sealed: &Source, key: &Key) -> Result<Unlocked> {
    let mut head = Vec::new();
    let read = binary(sealed).take(MAX_HEADER).read_to_end(&mut head);
    read.map_err(|error| ArchiveFault::EnvelopeDamaged.error(error.to_string()))?;
    if !head.windows(5).any(|line| line == b"\n--- ") {
        return Err(ArchiveFault::EnvelopeDamaged.error(format!("its header does not end within {MAX_HEADER} bytes")));
    }
    let decryptor = Decryptor::new_buffered(binary(sealed)).map_err(fault)?;
    let by_passphrase = decryptor.is_scrypt();
    let identity: Box<dyn Identity> = match key {
        Key::Passphrase(passphrase) if by_passphrase => {
            let mut identity = scrypt::Identity::new(SecretString::from(passphrase.expose()));
            identity.set_max_work_factor(WORK_FACTOR);
            Box::new(identity)
        }
        Key::Passphrase(_) => {
            let detail = "it was encrypted to recipients, not with a passphrase (send X-DGP-Backup-Identity)";
            return Err(ArchiveFault::EnvelopeKey.error(detail));
        }
        Key::Identity(_) if by_passphrase => {
            let detail = "it was encrypted with a passphrase, not to recipients (send X-DGP-Backup-Passphrase)";
            return Err(ArchiveFault::EnvelopeKey.error(detail));
        }
        Key::Identity(text) => {
            let identity = text.expose().trim().parse::<x25519::Identity>();
            Box::new(identity.map_err(|_| bad("the identity is no `AGE-SECRET-KEY-1…`".to_owned()))?)
        }
    };
    decryptor.decrypt(std::iter::once(identity.as_ref())).map(Unlocked).map_err(fault)
}

impl Unlocked {
    /// Decrypts the content into a spool, up to its limit.
    pub fn spool(self, spool: &mut Spool) -> Result<()> {
        spool.take_all(self.0, |error| ArchiveFault::EnvelopeDamaged.error(error.to_string()))
    }

    /// Decrypts the content, at most `limit` bytes of it.
    pub fn read(self, limit: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.0.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| ArchiveFault::EnvelopeDamaged.error(error.to_string()))?;
        check_length(bytes.len() as u64, limit)?;
        Ok(bytes)
    }
}

/// The binary form, out of its armour where it is in one.
fn binary(sealed: &Source) -> Box<dyn BufRead + Send> {
    match sealed.head(ARMORED.len() as u64) == ARMORED {
        true => Box::new(BufReader::new(ArmoredReader::new(sealed.reader()))),
        false => Box::new(sealed.reader()),
    }
}

fn recipient(text: &str) -> Result<x25519::Recipient> {
    text.parse().map_err(|_| bad(format!("`{}` is no recipient (`age1…`)", text.escape_debug())))
}

fn fault(error: DecryptError) -> Error {
    match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed | DecryptError::NoMatchingKeys => {
            ArchiveFault::EnvelopeKey.error("the passphrase or identity is another one")
        }
        DecryptError::ExcessiveWork { required, .. } => {
            ArchiveFault::EnvelopeWork.error(format!("it is {required}, the limit is {WORK_FACTOR}"))
        }
        other => ArchiveFault::EnvelopeDamaged.error(other.to_string()),
    }
}

fn bad(message: String) -> Error {
    Error::new(ErrorKind::Invalid, "encrypt archive", message).with_code("bad_parameter")
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Envelope")
    }
}

impl fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unlocked")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (String, Key) {
        let identity = x25519::Identity::generate();
        use age::secrecy::ExposeSecret;
        let secret = identity.to_string();
        (identity.to_public().to_string(), Key::Identity(Secret::new(secret.expose_secret())))
    }

    fn code<T>(result: Result<T>) -> &'static str {
        result.err().and_then(|error| error.code()).unwrap_or("none")
    }

    #[test]
    fn an_envelope_opens_with_each_of_its_identities_and_with_no_other() {
        let ((one, key_one), (two, key_two), (_, other)) = (pair(), pair(), pair());
        let content = vec![7; 200_000];
        let sealed = Source::from(Envelope::for_recipients(&[one, two]).unwrap().seal_all(&content).unwrap());
        assert!(is_sealed(&sealed));
        for key in [&key_one, &key_two] {
            assert_eq!(unlock(&sealed, key).unwrap().read(1 << 20).unwrap(), content);
        }
        assert_eq!(code(unlock(&sealed, &other)), "envelope_key");
        assert_eq!(code(unlock(&sealed, &Key::Passphrase(Secret::new("a passphrase")))), "envelope_key");
        assert_eq!(code(unlock(&sealed, &Key::Identity(Secret::new("AGE-SECRET-KEY-1X")))), "bad_parameter");
        assert_eq!(code(unlock(&sealed, &key_one).unwrap().read(100_000)), "archive_too_large");
    }

    #[test]
    fn an_envelope_opens_with_its_passphrase() {
        let key = |text: &str| Key::Passphrase(Secret::new(text));
        let Key::Passphrase(passphrase) = key("correct horse") else { unreachable!() };
        let sealed = Source::from(Envelope::with_passphrase(&passphrase).unwrap().seal_all(b"hello").unwrap());
        assert_eq!(unlock(&sealed, &key("correct horse")).unwrap().read(99).unwrap(), b"hello");
        assert_eq!(code(unlock(&sealed, &key("wrong horse"))), "envelope_key");
        assert_eq!(code(unlock(&sealed, &pair().1)), "envelope_key");
        assert_eq!(code(Envelope::with_passphrase(&Secret::new("short"))), "bad_parameter");
    }

    #[test]
    fn too_much_work_is_refused_before_it_is_done() {
        let mut recipient = scrypt::Recipient::new(SecretString::from("correct horse"));
        recipient.set_work_factor(2);
        let sealed = Envelope::new(std::iter::once(&recipient as &dyn Recipient)).unwrap().seal_all(b"hello").unwrap();
        let text = String::from_utf8_lossy(&sealed).into_owned();
        let line = text.lines().nth(1).unwrap().to_owned();
        let more = format!("{} 19", line.strip_suffix(" 2").unwrap());
        let at = line.len() + b"age-encryption.org/v1\n".len();
        let mut raised = format!("age-encryption.org/v1\n{more}").into_bytes();
        raised.extend(&sealed[at..]);
        let key = Key::Passphrase(Secret::new("correct horse"));
        assert_eq!(code(unlock(&raised.into(), &key)), "envelope_work");
        assert_eq!(unlock(&sealed.into(), &key).unwrap().read(99).unwrap(), b"hello");
    }

    #[test]
    fn a_spoilt_envelope_is_damaged_wherever_it_is_spoilt() {
        let (recipient, key) = pair();
        let sealed = Envelope::for_recipients(&[recipient]).unwrap().seal_all(&[1; 100]).unwrap();
        let open = |bytes: Vec<u8>| unlock(&bytes.into(), &key).and_then(|unlocked| unlocked.read(1 << 20));
        for at in BINARY.len()..sealed.len() {
            let mut spoilt = sealed.clone();
            spoilt[at] ^= 1;
            let code = code(open(spoilt));
            assert!(matches!(code, "envelope_damaged" | "envelope_key"), "byte {at}: {code}");
        }
        for length in BINARY.len()..sealed.len() {
            assert_eq!(code(open(sealed[..length].to_vec())), "envelope_damaged", "cut at {length}");
        }
        let endless = [BINARY, b"v1\n", "-> X\n\n".repeat(10_000).as_bytes()].concat();
        assert_eq!(code(open(endless)), "envelope_damaged");
    }

    #[test]
    fn the_length_is_known_from_the_header() {
        let (recipient, _) = pair();
        for length in [0, 1, 65_535, 65_536, 65_537, 200_000] {
            let seal = Envelope::for_recipients(&[&recipient]).unwrap().seal(Vec::new()).unwrap();
            let empty = seal.finish().unwrap().len() as u64;
            let header = empty - 16;
            // Another envelope has another header: only what comes behind it is compared.
            let sealed = Envelope::for_recipients(&[&recipient]).unwrap().seal_all(&vec![7; length]).unwrap();
            let mac = sealed.windows(5).position(|line| line == b"\n--- ").unwrap();
            let nonce_ends = sealed[mac + 1..].iter().position(|byte| *byte == b'\n').unwrap() + mac + 2 + 16;
            assert_eq!(sealed.len() as u64, sealed_length(nonce_ends as u64, length as u64));
            assert_eq!(empty, sealed_length(header, 0));
        }
    }

    #[test]
    fn armour_is_taken_off() {
        let (recipient, key) = pair();
        let mut armour = age::armor::ArmoredWriter::wrap_output(Vec::new(), age::armor::Format::AsciiArmor).unwrap();
        let sealed = Envelope::for_recipients(&[recipient]).unwrap().seal_all(b"hello").unwrap();
        armour.write_all(&sealed).unwrap();
        let text = armour.finish().unwrap();
        assert!(is_sealed(&text.clone().into()));
        assert_eq!(unlock(&text.clone().into(), &key).unwrap().read(99).unwrap(), b"hello");
        assert_eq!(code(unlock(&text[..text.len() / 2].to_vec().into(), &key)), "envelope_damaged");
    }
}
