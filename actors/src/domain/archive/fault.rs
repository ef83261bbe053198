//! Every way in which an archive can be bad, with its code, kind, stage, title and hint.

use crate::domain::archive::fault_table::{Row, TABLE};
use crate::{Error, ErrorKind};

/// What is wrong with an archive. The codes are part of the interface (`web/docs/backup-format.md`) and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArchiveFault {
    /// `archive_too_large`: the archive is above the size limit.
    ArchiveTooLarge,
    /// `not_a_zip`: this is not a zip archive.
    NotAZip,
    /// `archive_truncated`: the archive ends early.
    Truncated,
    /// `trailing_data`: there are bytes before, between or after the entries that belong to none.
    TrailingData,
    /// `several_disks`: the archive is split over several files.
    SeveralDisks,
    /// `zip64_lie`: the zip64 sizes contradict the archive.
    Zip64Lie,
    /// `directory_damaged`: the zip directory is damaged.
    DirectoryDamaged,
    /// `header_mismatch`: an entry's own header contradicts the zip directory.
    HeaderMismatch,
    /// `entries_overlap`: entries overlap.
    EntriesOverlap,
    /// `readers_disagree`: two zip readers see different entries in this archive.
    ReadersDisagree,
    /// `too_many_entries`: the archive has too many entries.
    TooManyEntries,
    /// `entry_too_large`: an entry is above the size limit.
    EntryTooLarge,
    /// `total_too_large`: the entries together are above the size limit.
    TotalTooLarge,
    /// `ratio_too_high`: an entry inflates beyond the permitted ratio.
    RatioTooHigh,
    /// `entry_encrypted`: an entry is encrypted by the zip format.
    EntryEncrypted,
    /// `compression_unknown`: an entry uses a compression other than deflate or none.
    CompressionUnknown,
    /// `entry_corrupt`: an entry does not inflate to what the zip directory says.
    EntryCorrupt,
    /// `name_nul`: an entry's name has a NUL byte.
    NameNul,
    /// `name_not_utf8`: an entry's name is not UTF-8.
    NameNotUtf8,
    /// `name_backslash`: an entry's name has a backslash.
    NameBackslash,
    /// `name_absolute`: an entry's name is an absolute path.
    NameAbsolute,
    /// `name_drive`: an entry's name begins with a drive letter.
    NameDrive,
    /// `name_traversal`: an entry's name has `..` in it.
    NameTraversal,
    /// `entry_in_folder`: an entry is in a sub-folder.
    EntryInFolder,
    /// `entry_symlink`: an entry is a symbolic link.
    EntrySymlink,
    /// `entry_not_a_file`: an entry is no regular file.
    EntryNotAFile,
    /// `entry_duplicate`: an entry is there twice.
    EntryDuplicate,
    /// `entry_renamed`: an entry has a name that a backup does not have, and one is missing.
    EntryRenamed,
    /// `entry_unexpected`: there is an entry that a backup does not have.
    EntryUnexpected,
    /// `entry_missing`: an entry is missing.
    EntryMissing,
    /// `not_utf8`: a part is not UTF-8.
    NotUtf8,
    /// `json_syntax`: a part is not JSON.
    JsonSyntax,
    /// `json_duplicate_key`: a JSON object has a key twice.
    JsonDuplicateKey,
    /// `json_too_deep`: JSON is nested too deeply.
    JsonTooDeep,
    /// `manifest_shape`: the manifest has the wrong shape.
    ManifestShape,
    /// `manifest_version`: the archive's version is not known.
    ManifestVersion,
    /// `manifest_files_missing`: the manifest has no file list.
    ManifestFilesMissing,
    /// `manifest_hash_missing`: a part has no hash in the manifest.
    ManifestHashMissing,
    /// `manifest_hash_uppercase`: a hash in the manifest is in upper case.
    ManifestHashUppercase,
    /// `manifest_hash_malformed`: a hash in the manifest is not 64 lower-case hex digits.
    ManifestHashMalformed,
    /// `manifest_part_unlisted`: the manifest does not list a part.
    ManifestPartUnlisted,
    /// `manifest_part_unknown`: the manifest lists a part that a backup does not have.
    ManifestPartUnknown,
    /// `manifest_part_duplicate`: the manifest lists a part twice.
    ManifestPartDuplicate,
    /// `part_size_mismatch`: a part has another size than the manifest says.
    PartSizeMismatch,
    /// `part_hash_mismatch`: a part has another sha256 than the manifest says.
    PartHashMismatch,
    /// `schema_unknown`: a part has a schema that is not known.
    SchemaUnknown,
    /// `signature_missing`: the manifest is not signed.
    SignatureMissing,
    /// `signature_malformed`: the manifest's signature has the wrong form.
    SignatureMalformed,
    /// `signature_algorithm`: the signature's algorithm is not known.
    SignatureAlgorithm,
    /// `signature_invalid`: the manifest's signature does not verify.
    SignatureInvalid,
    /// `config_syntax`: config.yaml is not YAML.
    ConfigSyntax,
    /// `config_shape`: config.yaml has the wrong shape.
    ConfigShape,
    /// `config_duplicate_key`: config.yaml has a key twice.
    ConfigDuplicateKey,
    /// `iam_shape`: iam.json has the wrong shape.
    IamShape,
    /// `secrets_shape`: secrets.json has the wrong shape.
    SecretsShape,
    /// `counts_mismatch`: the parts hold another number of entries than the manifest says.
    CountsMismatch,
    /// `id_invalid`: an id or name is empty or not permitted.
    IdInvalid,
    /// `permission_unknown`: a permission names an action that does not exist.
    PermissionUnknown,
    /// `duplicate_id`: two entries have one id.
    DuplicateId,
    /// `duplicate_name`: two entries have one name.
    DuplicateName,
    /// `duplicate_access_key`: two users have one access key id.
    DuplicateAccessKey,
    /// `dangling_group`: a reference to a group that is not there.
    DanglingGroup,
    /// `membership_mismatch`: a group's members are not the users who say they are in it.
    MembershipMismatch,
    /// `dangling_user`: a reference to a user that is not there.
    DanglingUser,
    /// `dangling_provider`: a reference to a provider that is not there.
    DanglingProvider,
    /// `dangling_backend`: a bucket on a backend that is not there.
    DanglingBackend,
    /// `secret_missing`: a secret that the archive needs is not in secrets.json.
    SecretMissing,
    /// `secret_orphan`: secrets.json has a secret for something that is not there.
    SecretOrphan,
    /// `key_malformed`: an at-rest key is not 64 lower-case hex digits.
    KeyMalformed,
    /// `key_missing`: an at-rest key that the manifest calls included is not in secrets.json.
    KeyMissing,
    /// `key_unlisted`: secrets.json has an at-rest key that the manifest does not list.
    KeyUnlisted,
    /// `key_fingerprint_mismatch`: an at-rest key has another fingerprint than the manifest says.
    KeyFingerprint,
    /// `key_active_twice`: two keys of one purpose are active.
    KeyActive,
    /// `archive_encrypted`: the archive is encrypted, and nothing to open it with was sent.
    ArchiveEncrypted,
    /// `envelope_key`: the passphrase or identity does not open this archive.
    EnvelopeKey,
    /// `envelope_work`: the passphrase of this archive costs more work than is permitted.
    EnvelopeWork,
    /// `envelope_damaged`: the encryption of the archive is damaged.
    EnvelopeDamaged,
}

impl ArchiveFault {
    /// All of them, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    /// The stable code.
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// The kind: `Invalid` is 400, `TooLarge` 413, `NotImplemented` 501.
    pub fn kind(self) -> ErrorKind {
        self.row().2
    }

    /// Where it was found: `envelope`, `container`, `names`, `parse`, `manifest`, `checksum`, `signature`, `config`, `iam`, `secrets`, `references`.
    pub fn stage(self) -> &'static str {
        self.row().3
    }

    /// What is wrong, in one line.
    pub fn title(self) -> &'static str {
        self.row().4
    }

    /// What the sender can do.
    pub fn hint(self) -> &'static str {
        self.row().5
    }

    /// The fault with this code: for the edge, which adds stage and title to its answer.
    pub fn by_code(code: &str) -> Option<Self> {
        Self::all().find(|fault| fault.code() == code)
    }

    /// The error that a caller gets; `detail` names the place and never a secret.
    pub fn error(self, detail: impl AsRef<str>) -> Error {
        Error::new(self.kind(), "archive", format!("{}: {}", self.title(), detail.as_ref()))
            .with_code(self.code())
            .with_hint(self.hint())
    }

    /// The table has the order of the enum; the test below checks it.
    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_code_of_its_own_that_leads_back_to_it() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.0 as usize, index, "{:?}", row.0);
            assert_eq!(ArchiveFault::by_code(row.1), Some(row.0));
        }
    }
}
