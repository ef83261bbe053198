//! A source → an [`Archive`] whose every sum, signature, shape and reference was checked. Touches no state.

use crate::Result;
use crate::domain::archive::config_part::ConfigPart;
use crate::domain::archive::fault::ArchiveFault;
use crate::domain::archive::manifest::{self, ENTRIES, FileEntry, Manifest};
use crate::domain::archive::older::{self, Converted};
use crate::domain::archive::parts::{IamPart, SecretsPart};
use crate::domain::archive::{Archive, check};
use crate::domain::config::model::ArchiveLimits;
use crate::zipper::read::{self, Form, Opened};
use crate::zipper::sign;
use crate::zipper::source::Source;

/// The places of the parts in [`ENTRIES`].
const MANIFEST: usize = 0;
const CONFIG: usize = 1;
const IAM: usize = 2;
const SECRETS: usize = 3;

/// Reads and checks an archive of whatever form and version. The error's code is that of an [`ArchiveFault`].
pub fn verify(archive: &Source, limits: &ArchiveLimits) -> Result<Archive> {
    if read::form(archive, limits)? == Form::Json {
        // It fits a body, and is made of one value.
        return converted(older::json(&archive.head(limits.body))?);
    }
    let mut opened = read::open(archive, limits)?;
    let (version, tree) = manifest::tree(&opened.bytes(MANIFEST)?)?;
    if version == 1 {
        sums(&older::listed(&tree)?, &mut opened)?;
        let parts = [opened.bytes(CONFIG)?, opened.bytes(IAM)?, opened.bytes(SECRETS)?];
        return converted(older::version_1(&tree, [&parts[0], &parts[1], &parts[2]])?);
    }
    let (manifest, signed) = manifest::parse(&tree)?;
    sums(&manifest.files, &mut opened)?;
    let Some(signature) = &manifest.signature else {
        return Err(ArchiveFault::SignatureMissing.error("manifest.json has no `signature`"));
    };
    sign::verify(signature, &signed)?;
    let signer = Some(signature.key.clone());
    let iam = IamPart::read(opened.reader(IAM)?)?;
    let secrets = SecretsPart::read(opened.reader(SECRETS)?)?;
    let config = ConfigPart::parse(&opened.bytes(CONFIG)?, &secrets)?;
    meaning(&manifest, &iam, &secrets, &config)?;
    Ok(Archive { manifest, config, iam, secrets, signer, conversion: None })
}

/// Checks what the parts mean to one another.
pub(super) fn meaning(manifest: &Manifest, iam: &IamPart, secrets: &SecretsPart, config: &ConfigPart) -> Result<()> {
    check::iam(iam)?;
    check::secrets(manifest, iam, secrets)?;
    check::counts(manifest, iam, config.registry.len())
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

fn sums(files: &[FileEntry], opened: &mut Opened) -> Result<()> {
    for (number, name) in ENTRIES.iter().enumerate().skip(1) {
        // `manifest::parse` has seen that each part is listed once.
        let Some(listed) = files.iter().find(|file| file.name == *name) else {
            return Err(ArchiveFault::ManifestPartUnlisted.error(format!("`{name}`")));
        };
        let found = opened.sum(number)?;
        if listed.bytes != found.bytes {
            let message = format!("`{name}` has {} bytes, the manifest says {}", found.bytes, listed.bytes);
            return Err(ArchiveFault::PartSizeMismatch.error(message));
        }
        if listed.sha256 != found.sha256 {
            return Err(ArchiveFault::PartHashMismatch.error(format!("`{name}`")));
        }
    }
    Ok(())
}
