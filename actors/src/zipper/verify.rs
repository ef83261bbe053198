//! Bytes → an [`Archive`] whose every sum, signature, shape and reference was checked. Touches no state.

use crate::Result;
use crate::domain::archive::config_part::ConfigPart;
use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::manifest::{self, ENTRIES, Manifest};
use crate::domain::archive::parts::{IamPart, SecretsPart};
use crate::domain::archive::{Archive, check};
use crate::domain::config::model::ArchiveLimits;
use crate::zipper::{read, sign};
use sha2::{Digest, Sha256};

/// Reads and checks an archive. The error's code is that of an [`ArchiveFault`].
pub fn verify(bytes: &[u8], limits: &ArchiveLimits) -> Result<Archive> {
    let [head, config, iam, secrets] = read::unpack(bytes, limits)?;
    let (manifest, signed) = manifest::parse(&head)?;
    sums(&manifest, [&config, &iam, &secrets])?;
    let Some(signature) = &manifest.signature else {
        return Err(ArchiveFault::SignatureMissing.error("manifest.json has no `signature`"));
    };
    sign::verify(signature, &signed)?;
    let signer = signature.key.clone();
    let iam = IamPart::parse(&iam)?;
    let secrets = SecretsPart::parse(&secrets)?;
    let config = ConfigPart::parse(&config, &secrets)?;
    check::iam(&iam)?;
    check::secrets(&manifest, &iam, &secrets)?;
    check::counts(&manifest, &iam, config.registry.len())?;
    Ok(Archive { manifest, config, iam, secrets, signer })
}

fn sums(manifest: &Manifest, parts: [&[u8]; 3]) -> Result<()> {
    for (name, bytes) in ENTRIES[1..].iter().zip(parts) {
        // `manifest::parse` has seen that each part is listed once.
        let Some(listed) = manifest.files.iter().find(|file| file.name == *name) else {
            return Err(ArchiveFault::ManifestPartUnlisted.error(format!("`{name}`")));
        };
        if listed.bytes != bytes.len() as u64 {
            let message = format!("`{name}` has {} bytes, the manifest says {}", bytes.len(), listed.bytes);
            return Err(ArchiveFault::PartSizeMismatch.error(message));
        }
        if listed.sha256 != hex::encode(Sha256::digest(bytes)) {
            return Err(ArchiveFault::PartHashMismatch.error(format!("`{name}`")));
        }
    }
    Ok(())
}
