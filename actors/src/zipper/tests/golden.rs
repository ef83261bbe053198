//! Archives that were written once and must be read for ever: what each version of this server wrote.

use crate::domain::archive::captured;
use crate::domain::config::model::ArchiveLimits;
use crate::domain::secret::Secret;
use crate::zipper::envelope::{Key, unlock};
use crate::zipper::tests::testkit::verify;

const PLAIN: &[u8] = include_bytes!("../../../../tests/fixtures/archives/v2.zip");
const TO_RECIPIENT: &[u8] = include_bytes!("../../../../tests/fixtures/archives/v2.recipient.zip.age");
const BY_PASSPHRASE: &[u8] = include_bytes!("../../../../tests/fixtures/archives/v2.passphrase.zip.age");
const IDENTITY: &str = include_str!("../../../../tests/fixtures/archives/identity.txt");

#[test]
fn the_golden_archive_of_version_2_is_read() {
    let archive = verify(PLAIN, &ArchiveLimits::default()).unwrap();
    let state = captured::state(&archive);
    let mut names: Vec<&str> = state.users.values().map(|user| user.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["alice", "bob"]);
    assert_eq!((state.groups.len(), state.tokens.len(), state.keyring.len()), (1, 1, 1));
    assert_eq!(archive.config.loaded.config.storage.backends.len(), 2);
    assert!(archive.signer.is_some() && archive.conversion.is_none());
}

#[test]
fn the_golden_envelopes_open_to_the_golden_archive() {
    let identity = IDENTITY.lines().find(|line| line.starts_with("AGE-SECRET-KEY-1")).unwrap();
    let identity = Key::Identity(Secret::new(identity));
    let passphrase = Key::Passphrase(Secret::new("golden-passphrase"));
    for (sealed, key) in [(TO_RECIPIENT, identity), (BY_PASSPHRASE, passphrase)] {
        assert_eq!(unlock(&sealed.into(), &key).unwrap().read(1 << 20).unwrap(), PLAIN);
    }
}
