//! The names of things, checked once, on construction.

use crate::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A bucket name by AWS's general-purpose rules: 3–63 of `a-z 0-9 . -`, begins and ends with a letter or digit,
/// no `..`, not formed like an IPv4 address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BucketName(String);

/// An object key: 1–1,024 bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(String);

/// The operator's name of a backend: 1–64 of `a-z A-Z 0-9 . _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BackendName(String);

impl BucketName {
    /// Checks the rules.
    pub fn new(name: &str) -> Result<Self, Error> {
        let bytes = name.as_bytes();
        let alnum = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let good = (3..=63).contains(&bytes.len())
            && bytes.iter().all(|b| alnum(b) || *b == b'.' || *b == b'-')
            && bytes.first().is_some_and(alnum)
            && bytes.last().is_some_and(alnum)
            && !name.contains("..")
            && name.parse::<std::net::Ipv4Addr>().is_err();
        if good {
            return Ok(Self(name.to_owned()));
        }
        Err(Error::new(ErrorKind::InvalidBucketName, "bucket name", "The specified bucket is not valid.").with_hint(
            "use 3 to 63 of a-z, 0-9, dot and hyphen, beginning and ending with a letter or digit, not formed like an IP address",
        ))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ObjectKey {
    /// Checks the length; any UTF-8 is a key.
    pub fn new(key: impl Into<String>) -> Result<Self, Error> {
        let key = key.into();
        if key.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "object key", "The object key must not be empty."));
        }
        if key.len() > 1024 {
            return Err(Error::new(ErrorKind::KeyTooLong, "object key", "Your key is too long"));
        }
        Ok(Self(key))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl BackendName {
    /// Checks the rules.
    pub fn new(name: &str) -> Result<Self, Error> {
        let good = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if good {
            return Ok(Self(name.to_owned()));
        }
        Err(Error::new(ErrorKind::Invalid, "backend name", format!("`{name}` is no backend name"))
            .with_hint("use 1 to 64 of a-z, A-Z, 0-9, dot, underscore and hyphen"))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! text_name {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

text_name!(BucketName);
text_name!(ObjectKey);
text_name!(BackendName);

impl TryFrom<String> for BucketName {
    type Error = Error;
    fn try_from(name: String) -> Result<Self, Error> {
        Self::new(&name)
    }
}

impl TryFrom<String> for BackendName {
    type Error = Error;
    fn try_from(name: String) -> Result<Self, Error> {
        Self::new(&name)
    }
}

impl FromStr for BucketName {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::new(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_follow_the_rules_of_aws() {
        for good in ["abc", "my-bucket.v2", "0ab", "a".repeat(63).as_str()] {
            assert!(BucketName::new(good).is_ok(), "{good}");
        }
        for bad in ["ab", "Abc", "-abc", "abc-", "a..b", "192.168.1.1", "a_b", "_", "", "a".repeat(64).as_str(), "ä-b"]
        {
            assert!(BucketName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_has_1_to_1024_bytes() {
        assert!(ObjectKey::new("").is_err());
        assert!(ObjectKey::new("k".repeat(1024)).is_ok());
        assert_eq!(ObjectKey::new("k".repeat(1025)).map_err(|e| e.kind()), Err(ErrorKind::KeyTooLong));
    }
}
