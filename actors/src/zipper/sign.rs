//! The signature of a manifest: ed25519, by the instance's signing key.

use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::manifest::Signature;
use crate::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::pkey::{Id, PKey};
use openssl::sign::{Signer, Verifier};

/// The one algorithm.
const ALGORITHM: &str = "ed25519";

/// Signs `bytes` with the 32 bytes of `signing_key` in `.deltaglider_instance`.
pub fn sign(seed: &[u8; 32], bytes: &[u8]) -> Result<Signature> {
    let failed = |e: openssl::error::ErrorStack| Error::internal("sign manifest", e);
    let key = PKey::private_key_from_raw_bytes(seed, Id::ED25519).map_err(failed)?;
    let value = Signer::new_without_digest(&key).and_then(|mut s| s.sign_oneshot_to_vec(bytes)).map_err(failed)?;
    let public = key.raw_public_key().map_err(failed)?;
    Ok(Signature { alg: ALGORITHM.into(), key: STANDARD.encode(public), value: STANDARD.encode(value) })
}

/// The public key of a seed, as signatures and `trusted_signers` write it.
pub fn public_key(seed: &[u8; 32]) -> Result<String> {
    let failed = |e: openssl::error::ErrorStack| Error::internal("read signing key", e);
    let key = PKey::private_key_from_raw_bytes(seed, Id::ED25519).map_err(failed)?;
    Ok(STANDARD.encode(key.raw_public_key().map_err(failed)?))
}

/// Checks that `signature` is one over `bytes` by the key that it names. Whether that key is trusted is another question.
pub fn verify(signature: &Signature, bytes: &[u8]) -> Result<()> {
    if signature.alg != ALGORITHM {
        return Err(ArchiveFault::SignatureAlgorithm.error(format!("`{}`", signature.alg)));
    }
    let key = decoded::<32>(&signature.key, "signature.key")?;
    let value = decoded::<64>(&signature.value, "signature.value")?;
    let key = PKey::public_key_from_raw_bytes(&key, Id::ED25519)
        .map_err(|_| ArchiveFault::SignatureMalformed.error("signature.key is no ed25519 key"))?;
    // OpenSSL answers an error where a value cannot be a signature at all; for us that is the same no.
    let good = Verifier::new_without_digest(&key).and_then(|mut v| v.verify_oneshot(&value, bytes)).unwrap_or(false);
    match good {
        true => Ok(()),
        false => Err(ArchiveFault::SignatureInvalid.error(format!("signer {}", signature.key))),
    }
}

fn decoded<const N: usize>(text: &str, name: &str) -> Result<[u8; N]> {
    let bytes = STANDARD.decode(text).ok().and_then(|bytes| <[u8; N]>::try_from(bytes).ok());
    bytes.ok_or_else(|| ArchiveFault::SignatureMalformed.error(format!("{name} is not {N} bytes of base64")))
}
