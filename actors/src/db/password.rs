//! Hashes of the bootstrap password: how they are written, made, verified and compared.
//!
//! Our own are argon2id v19 m=19456 t=2 p=1, salt 16, output 32, as a PHC string. bcrypt (`$2a$`, `$2b$`, `$2y$`) and other
//! argon2 parameters are accepted; each of them also in base64, as environment files carry `$` badly.

use crate::{Error, ErrorKind, Result};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, STANDARD_NO_PAD};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The parameters that a password is tried with where only the DB's header is known. A change of our own is a new row here; no
/// row is ever removed, because each may have keyed a DB. The costs of bcrypt that are tried are [`BCRYPT_COSTS`].
pub const KNOWN_PARAMETERS: &[Parameters] = &[OWN_PARAMETERS];

/// The parameters of every hash that we make.
pub const OWN_PARAMETERS: Parameters =
    Parameters::Argon2 { variant: Variant::Id, version: 19, memory: 19456, passes: 2, lanes: 1, output: 32 };

/// The costs of bcrypt that a password is tried with.
pub const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=14;

/// The command that makes a hash that is right in every respect.
const REMEDY: &str = "make one with `deltaglider_proxy hash-password`";

/// bcrypt's own alphabet; the last bits of its salt and digest are not always zero.
const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// How a digest is made from a password and a salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// argon2 (RFC 9106).
    Argon2 {
        /// i, d or id.
        variant: Variant,
        /// 16 or 19.
        version: u32,
        /// KiB.
        memory: u32,
        /// Iterations.
        passes: u32,
        /// Parallelism.
        lanes: u32,
        /// Bytes of the digest.
        output: usize,
    },
    /// bcrypt; the letter of its prefix names bugs of old implementations and changes nothing here.
    Bcrypt {
        /// log2 of the rounds.
        cost: u32,
    },
}

/// The variants of argon2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// `argon2d`
    D,
    /// `argon2i`
    I,
    /// `argon2id`
    Id,
}

/// A hash, decoded. Two are equal where they decode to the same, however they are written.
#[derive(Clone)]
pub struct PasswordHash {
    parameters: Parameters,
    salt: [u8; 16],
    digest: Zeroizing<Vec<u8>>,
    text: Zeroizing<String>,
}

impl PasswordHash {
    /// Reads a PHC string, a bcrypt hash, or either in base64.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.starts_with('$') {
            return Self::parse_plain(text);
        }
        let bytes = Zeroizing::new(
            STANDARD_NO_PAD
                .decode(text.trim_end_matches('='))
                .map_err(|_| invalid("it is neither a PHC string, nor a bcrypt hash, nor either in base64"))?,
        );
        let decoded = std::str::from_utf8(&bytes).map_err(|_| invalid("its base64 holds no text"))?;
        Self::parse_plain(decoded.trim())
    }

    /// A new hash of a password with our own parameters and a random salt.
    pub fn make(password: &str) -> Result<Self> {
        let mut salt = [0; 16];
        openssl::rand::rand_bytes(&mut salt).map_err(|error| Error::internal("make a salt", error))?;
        Self::derive(password, salt, &OWN_PARAMETERS)
    }

    /// The hash of a password with this salt and these parameters.
    pub fn derive(password: &str, salt: [u8; 16], parameters: &Parameters) -> Result<Self> {
        let digest = parameters.digest(password, &salt)?;
        let text = Zeroizing::new(parameters.write(&salt, &digest));
        Ok(Self { parameters: *parameters, salt, digest, text })
    }

    /// Whether this is the password. Takes as long as making the hash: tens of milliseconds and more.
    pub fn verify(&self, password: &str) -> bool {
        let made = self.parameters.digest(password, &self.salt);
        made.is_ok_and(|made| made.ct_eq(&self.digest).into())
    }

    /// How the digest was made.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The salt: what the header of the DB begins with.
    pub fn salt(&self) -> &[u8; 16] {
        &self.salt
    }

    /// The digest, from which the DB's key is derived.
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// The hash as `DGP_BOOTSTRAP_PASSWORD_HASH` and the hash file take it. It opens the DB: to be written there only.
    pub fn expose(&self) -> &str {
        &self.text
    }

    fn parse_plain(text: &str) -> Result<Self> {
        let fields: Vec<&str> = text.split('$').collect();
        let (parameters, salt, digest) = match fields.as_slice() {
            ["", "2a" | "2b" | "2y", cost, rest] => parse_bcrypt(cost, rest)?,
            ["", name, fields @ ..] if name.starts_with("argon2") => parse_argon2(name, fields)?,
            ["", name, ..] => return Err(invalid(format!("`{name}` is neither argon2 nor bcrypt ($2a, $2b, $2y)"))),
            _ => return Err(invalid("it does not begin with `$`")),
        };
        let length = salt.len();
        let salt = <[u8; 16]>::try_from(salt).map_err(|_| {
            invalid(format!("its salt has {length} bytes, and the header of the database takes 16"))
                .with_code("salt_not_16_bytes")
        })?;
        Ok(Self { parameters, salt, digest, text: Zeroizing::new(text.to_owned()) })
    }
}

impl Parameters {
    /// What names them in the derivation of the DB's key: never changed, or no DB opens any more.
    pub fn canonical(&self) -> String {
        match self {
            Self::Argon2 { variant, version, memory, passes, lanes, output: _ } => {
                format!("{}$v={version}$m={memory},t={passes},p={lanes}", variant.name())
            }
            Self::Bcrypt { cost } => format!("bcrypt${cost}"),
        }
    }

    /// Whether a password alone opens a DB that is keyed by such a hash. Otherwise only the hash itself does, and start, plan and
    /// `hash-password --check` say so.
    pub fn open_by_password(&self) -> bool {
        match self {
            Self::Argon2 { .. } => KNOWN_PARAMETERS.contains(self),
            Self::Bcrypt { cost } => BCRYPT_COSTS.contains(cost),
        }
    }

    /// Everything that a password is tried with, cheap and likely first.
    pub fn candidates() -> impl Iterator<Item = Self> {
        KNOWN_PARAMETERS.iter().copied().chain(BCRYPT_COSTS.map(|cost| Self::Bcrypt { cost }))
    }

    fn digest(&self, password: &str, salt: &[u8; 16]) -> Result<Zeroizing<Vec<u8>>> {
        match *self {
            Self::Argon2 { variant, version, memory, passes, lanes, output } => {
                let version = if version == 16 { Version::V0x10 } else { Version::V0x13 };
                let params = Params::new(memory, passes, lanes, Some(output)).map_err(failed)?;
                let mut digest = Zeroizing::new(vec![0; output]);
                Argon2::new(variant.algorithm(), version, params)
                    .hash_password_into(password.as_bytes(), salt, &mut digest)
                    .map_err(failed)?;
                Ok(digest)
            }
            Self::Bcrypt { cost } => {
                let parts = bcrypt::hash_with_salt(password.as_bytes(), cost, *salt).map_err(failed)?;
                let text = Zeroizing::new(parts.to_string());
                let (_, _, digest) = parse_bcrypt(&format!("{cost:02}"), text.get(7..).unwrap_or_default())?;
                Ok(digest)
            }
        }
    }

    fn write(&self, salt: &[u8; 16], digest: &[u8]) -> String {
        match self {
            Self::Argon2 { .. } => {
                let (salt, digest) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(digest));
                format!("${}${salt}${digest}", self.canonical())
            }
            Self::Bcrypt { cost } => {
                format!("$2b${cost:02}${}{}", BCRYPT_BASE64.encode(salt), BCRYPT_BASE64.encode(digest))
            }
        }
    }
}

impl Variant {
    fn name(self) -> &'static str {
        match self {
            Self::D => "argon2d",
            Self::I => "argon2i",
            Self::Id => "argon2id",
        }
    }

    fn algorithm(self) -> Algorithm {
        match self {
            Self::D => Algorithm::Argon2d,
            Self::I => Algorithm::Argon2i,
            Self::Id => Algorithm::Argon2id,
        }
    }
}

impl PartialEq for PasswordHash {
    fn eq(&self, other: &Self) -> bool {
        self.parameters == other.parameters
            && self.salt == other.salt
            && bool::from(self.digest.as_slice().ct_eq(other.digest.as_slice()))
    }
}

impl Eq for PasswordHash {}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHash").field("parameters", &self.parameters).finish_non_exhaustive()
    }
}

type Decoded = (Parameters, Vec<u8>, Zeroizing<Vec<u8>>);

/// `$2b$<cost>$<22 of salt><31 of digest>`.
fn parse_bcrypt(cost: &str, rest: &str) -> Result<Decoded> {
    let (Ok(cost), 53, true) = (cost.parse::<u32>(), rest.len(), rest.is_ascii()) else {
        return Err(invalid("it is a malformed bcrypt hash"));
    };
    if !(4..=16).contains(&cost) {
        return Err(invalid(format!("bcrypt's cost {cost} is outside 4 to 16")));
    }
    let decode = |text| BCRYPT_BASE64.decode(text).map_err(|_| invalid("it is a malformed bcrypt hash"));
    let (salt, digest) = rest.split_at(22);
    Ok((Parameters::Bcrypt { cost }, decode(salt)?, Zeroizing::new(decode(digest)?)))
}

/// `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<digest>`; without `v=` it is version 16, the parameters come in any order.
fn parse_argon2(name: &str, fields: &[&str]) -> Result<Decoded> {
    let variant = match name {
        "argon2d" => Variant::D,
        "argon2i" => Variant::I,
        "argon2id" => Variant::Id,
        _ => return Err(invalid(format!("`{name}` is no variant of argon2"))),
    };
    let (version, costs, salt, digest) = match fields {
        [version, costs, salt, digest] => (version.strip_prefix("v=").unwrap_or_default(), costs, salt, digest),
        [costs, salt, digest] => ("16", costs, salt, digest),
        _ => return Err(invalid("it is a malformed PHC string")),
    };
    let version = match version {
        "16" => 16,
        "19" => 19,
        _ => return Err(invalid("argon2 has the versions 16 and 19")),
    };
    let (mut memory, mut passes, mut lanes) = (None, None, None);
    for cost in costs.split(',') {
        let (cost, value) = cost.split_once('=').ok_or_else(|| invalid("it is a malformed PHC string"))?;
        let value = value.parse::<u32>().map_err(|_| invalid(format!("`{cost}` is no number")))?;
        let field = match cost {
            "m" => &mut memory,
            "t" => &mut passes,
            "p" => &mut lanes,
            _ => return Err(invalid(format!("`{cost}` is no parameter of argon2"))),
        };
        if field.replace(value).is_some() {
            return Err(invalid(format!("`{cost}` is there twice")));
        }
    }
    let (Some(memory), Some(passes), Some(lanes)) = (memory, passes, lanes) else {
        return Err(invalid("m, t or p is missing"));
    };
    // Whoever logs in pays these costs: what would stop the server is refused.
    if memory > 1 << 20 || passes > 64 || lanes > 16 || u64::from(memory) * u64::from(passes) > 1 << 23 {
        return Err(invalid("its costs are above m=1048576, t=64, p=16, or 8 GiB passed over"));
    }
    let decode = |text: &str| {
        STANDARD_NO_PAD.decode(text).or_else(|_| STANDARD.decode(text)).map_err(|_| invalid("its base64 is malformed"))
    };
    let (salt, digest) = (decode(salt)?, Zeroizing::new(decode(digest)?));
    if !(16..=64).contains(&digest.len()) {
        return Err(invalid("its digest has fewer than 16 or more than 64 bytes"));
    }
    let output = digest.len();
    Params::new(memory, passes, lanes, Some(output)).map_err(|error| invalid(error.to_string()))?;
    Ok((Parameters::Argon2 { variant, version, memory, passes, lanes, output }, salt, digest))
}

fn invalid(why: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Invalid, "read password hash", format!("the bootstrap password hash cannot be used: {why}"))
        .with_code("invalid_password_hash")
        .with_hint(REMEDY)
}

fn failed(error: impl fmt::Display) -> Error {
    Error::internal("hash password", error.to_string())
}

#[cfg(test)]
mod tests;
