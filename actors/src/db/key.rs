//! The keys of the databases, and how SQLCipher takes them.

use crate::db::password::PasswordHash;
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// What is mixed into every key of the config DB, before the canonical parameters of the hash.
const INFO: &[u8] = b"dgp-config-db/1";

/// A raw key of SQLCipher, and, for the config DB, the salt that its header begins with.
#[derive(Clone, PartialEq, Eq)]
pub struct DbKey {
    key: Zeroizing<[u8; 32]>,
    salt: Option<[u8; 16]>,
}

impl DbKey {
    /// The key of the config DB: HKDF-SHA256(digest ‖ salt, info = `dgp-config-db/1` ‖ canonical parameters) over the decoded hash.
    ///
    /// The salt of the hash becomes the salt in the file's header, so that a password can be tried against the file alone.
    pub fn of_config_db(hash: &PasswordHash) -> Self {
        let mut material = Zeroizing::new(hash.digest().to_vec());
        material.extend_from_slice(hash.salt());
        let mut info = INFO.to_vec();
        info.extend_from_slice(hash.parameters().canonical().as_bytes());
        Self { key: expand(&material, &info), salt: Some(*hash.salt()) }
    }

    /// The key of the state DB: the instance's own 32 random bytes as they are. The header's salt is SQLCipher's own choice.
    pub fn of_state_db(state_key: &[u8; 32]) -> Self {
        Self { key: Zeroizing::new(*state_key), salt: None }
    }

    /// `x'<64 hex digits of key>[<32 hex digits of salt>]'`, SQLCipher's raw form. A wrong length would be taken as a passphrase
    /// without a word; here it cannot be wrong.
    pub(super) fn raw(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(99));
        text.push_str("x'");
        for byte in self.key.iter().chain(self.salt.iter().flatten()) {
            // Writing into a `String` never fails.
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\'');
        text
    }
}

impl fmt::Debug for DbKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DbKey(«secret»)")
    }
}

/// A key for another purpose, derived from one that is kept.
pub(super) fn expand(material: &[u8], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    // 32 bytes are far below the 8,160 that HKDF-SHA256 can give, so this cannot fail.
    Hkdf::<Sha256>::new(None, material).expand(info, key.as_mut_slice()).expect("32 bytes");
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::password::{OWN_PARAMETERS, Parameters};

    #[test]
    fn the_key_of_a_hash_never_changes() {
        let hash = PasswordHash::derive("correct horse", *b"0123456789abcdef", &OWN_PARAMETERS).unwrap();
        let raw = DbKey::of_config_db(&hash).raw();
        assert_eq!(raw.len(), 99);
        assert!(raw.ends_with("30313233343536373839616263646566'"));
        assert_eq!(raw[2..66], *GOLDEN_ARGON2);
        let hash =
            PasswordHash::derive("correct horse", *b"0123456789abcdef", &Parameters::Bcrypt { cost: 4 }).unwrap();
        assert_eq!(DbKey::of_config_db(&hash).raw()[2..66], *GOLDEN_BCRYPT);
        assert_eq!(DbKey::of_state_db(&[0xab; 32]).raw().as_str(), format!("x'{}'", "ab".repeat(32)));
    }

    /// Computed with other implementations: Python's `argon2-cffi` and `bcrypt`, and HKDF written out from RFC 5869.
    const GOLDEN_ARGON2: &str = "b024d50ba1724add2c6c78a9b02be199c5f0ca0d7b8cc4e46f1e5dc8a4c19159";
    const GOLDEN_BCRYPT: &str = "224c8ffecac1fef66dcb3baa0d7e9e61ebcb899454ffd09bb81449052098625f";
}
