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

/// What no new bucket's name may begin with (AWS: "General purpose bucket naming rules").
const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
/// What it may not end in.
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

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
            && !is_address(name);
        if good {
            return Ok(Self(name.to_owned()));
        }
        Err(Error::new(ErrorKind::InvalidBucketName, "bucket name", "The specified bucket is not valid.").with_hint(
            "use 3 to 63 of a-z, 0-9, dot and hyphen, beginning and ending with a letter or digit, not formed like an IP address",
        ))
    }

    /// Checks that the name is none that AWS keeps for itself. Asked where a bucket is made: one that is there already stays usable.
    pub fn check_unreserved(&self) -> Result<(), Error> {
        let starts = RESERVED_PREFIXES.iter().any(|prefix| self.0.starts_with(prefix));
        if starts || RESERVED_SUFFIXES.iter().any(|suffix| self.0.ends_with(suffix)) {
            return Err(Error::new(ErrorKind::InvalidBucketName, "bucket name", "The specified bucket is not valid.")
                .with_hint(
                    "use a name without the prefixes and suffixes that AWS reserves, such as `xn--` and `-s3alias`",
                ));
        }
        Ok(())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Four numbers with dots between them, in the range of an address or not.
fn is_address(name: &str) -> bool {
    let mut parts = 0;
    let numbers = name.split('.').all(|part| {
        parts += 1;
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())
    });
    numbers && parts == 4
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
        for bad in [
            "ab",
            "Abc",
            "-abc",
            "abc-",
            "a..b",
            "192.168.1.1",
            "999.1.1.999",
            "a_b",
            "_",
            "",
            "a".repeat(64).as_str(),
            "ä-b",
        ] {
            assert!(BucketName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_new_bucket_has_no_name_that_aws_reserves() {
        let unreserved = |name: &str| BucketName::new(name).and_then(|name| name.check_unreserved()).is_ok();
        for good in ["axn--b", "s3alias", "1.2.3", "1.2.3.4a"] {
            assert!(unreserved(good), "{good}");
        }
        for bad in
            ["xn--a", "sthree-a", "sthree-configurator", "amzn-s3-demo-a", "a-s3alias", "a--ol-s3", "a.mrap", "a--x-s3"]
        {
            assert!(!unreserved(bad), "{bad}");
        }
    }

    #[test]
    fn a_key_has_1_to_1024_bytes() {
        assert!(ObjectKey::new("").is_err());
        assert!(ObjectKey::new("k".repeat(1024)).is_ok());
        assert_eq!(ObjectKey::new("k".repeat(1025)).map_err(|e| e.kind()), Err(ErrorKind::KeyTooLong));
    }
}
