//! Bytes → an [`Archive`] whose every sum, signature, shape and reference was checked. Touches no state.

use crate::Result;
use crate::domain::archive::config_part::ConfigPart;
use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::manifest::{self, ENTRIES, FileEntry};
use crate::domain::archive::older::{self, Converted};
use crate::domain::archive::parts::{IamPart, SecretsPart};
use crate::domain::archive::{Archive, check};
use crate::domain::config::model::ArchiveLimits;
use crate::zipper::read::{self, Form};
use crate::zipper::sign;
use sha2::{Digest, Sha256};

/// Reads and checks an archive of whatever form and version. The error's code is that of an [`ArchiveFault`].
pub fn verify(bytes: &[u8], limits: &ArchiveLimits) -> Result<Archive> {
    if read::form(bytes, limits)? == Form::Json {
        return converted(older::json(bytes)?);
    }
    let [head, config, iam, secrets] = read::unpack(bytes, limits)?;
    let (version, tree) = manifest::tree(&head)?;
    if version == 1 {
        let parts = [config.as_slice(), &iam, &secrets];
        sums(&older::listed(&tree)?, parts)?;
        return converted(older::version_1(&tree, parts)?);
    }
    let (manifest, signed) = manifest::parse(&tree)?;
    sums(&manifest.files, [&config, &iam, &secrets])?;
    let Some(signature) = &manifest.signature else {
        return Err(ArchiveFault::SignatureMissing.error("manifest.json has no `signature`"));
    };
    sign::verify(signature, &signed)?;
    let signer = Some(signature.key.clone());
    let iam = IamPart::parse(&iam)?;
    let secrets = SecretsPart::parse(&secrets)?;
    let config = ConfigPart::parse(&config, &secrets)?;
    check::iam(&iam)?;
    check::secrets(&manifest, &iam, &secrets)?;
    check::counts(&manifest, &iam, config.registry.len())?;
    Ok(Archive { manifest, config, iam, secrets, signer, conversion: None })
}

/// Checks what an older archive was made into, as strictly as one that was written so.
fn converted(converted: Converted) -> Result<Archive> {
    let Converted { mut manifest, config, iam, secrets, conversion } = converted;
    let config = ConfigPart::parse(config.as_bytes(), &secrets)?;
    check::iam(&iam)?;
    check::secrets(&manifest, &iam, &secrets)?;
    manifest.counts = check::count(&iam, config.registry.len());
    Ok(Archive { manifest, config, iam, secrets, signer: None, conversion: Some(conversion) })
}

fn sums(files: &[FileEntry], parts: [&[u8]; 3]) -> Result<()> {
    for (name, bytes) in ENTRIES[1..].iter().zip(parts) {
        // `manifest::parse` has seen that each part is listed once.
        let Some(listed) = files.iter().find(|file| file.name == *name) else {
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
