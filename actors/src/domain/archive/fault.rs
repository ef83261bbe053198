//! Every way in which an archive can be bad: one table from the fault to its code, kind, stage, title and hint.

use crate::{Error, ErrorKind as Kind};

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
    /// `version_1_not_supported`: archives of version 1 cannot be restored yet.
    VersionOneLater,
    /// `encrypted_archive_not_supported`: encrypted archives cannot be read yet.
    AgeLater,
    /// `legacy_json_not_supported`: the JSON form of the IAM import cannot be read yet.
    LegacyJsonLater,
}

type Row = (&'static str, Kind, &'static str, &'static str, &'static str);

impl ArchiveFault {
    /// All of them, in the order of the table.
    pub const ALL: &'static [Self] = &[
        Self::ArchiveTooLarge,
        Self::NotAZip,
        Self::Truncated,
        Self::TrailingData,
        Self::SeveralDisks,
        Self::Zip64Lie,
        Self::DirectoryDamaged,
        Self::HeaderMismatch,
        Self::EntriesOverlap,
        Self::ReadersDisagree,
        Self::TooManyEntries,
        Self::EntryTooLarge,
        Self::TotalTooLarge,
        Self::RatioTooHigh,
        Self::EntryEncrypted,
        Self::CompressionUnknown,
        Self::EntryCorrupt,
        Self::NameNul,
        Self::NameNotUtf8,
        Self::NameBackslash,
        Self::NameAbsolute,
        Self::NameDrive,
        Self::NameTraversal,
        Self::EntryInFolder,
        Self::EntrySymlink,
        Self::EntryNotAFile,
        Self::EntryDuplicate,
        Self::EntryRenamed,
        Self::EntryUnexpected,
        Self::EntryMissing,
        Self::NotUtf8,
        Self::JsonSyntax,
        Self::JsonDuplicateKey,
        Self::JsonTooDeep,
        Self::ManifestShape,
        Self::ManifestVersion,
        Self::ManifestFilesMissing,
        Self::ManifestHashMissing,
        Self::ManifestHashUppercase,
        Self::ManifestHashMalformed,
        Self::ManifestPartUnlisted,
        Self::ManifestPartUnknown,
        Self::ManifestPartDuplicate,
        Self::PartSizeMismatch,
        Self::PartHashMismatch,
        Self::SchemaUnknown,
        Self::SignatureMissing,
        Self::SignatureMalformed,
        Self::SignatureAlgorithm,
        Self::SignatureInvalid,
        Self::ConfigSyntax,
        Self::ConfigShape,
        Self::ConfigDuplicateKey,
        Self::IamShape,
        Self::SecretsShape,
        Self::CountsMismatch,
        Self::IdInvalid,
        Self::PermissionUnknown,
        Self::DuplicateId,
        Self::DuplicateName,
        Self::DuplicateAccessKey,
        Self::DanglingGroup,
        Self::MembershipMismatch,
        Self::DanglingUser,
        Self::DanglingProvider,
        Self::DanglingBackend,
        Self::SecretMissing,
        Self::SecretOrphan,
        Self::KeyMalformed,
        Self::KeyMissing,
        Self::KeyUnlisted,
        Self::KeyFingerprint,
        Self::KeyActive,
        Self::VersionOneLater,
        Self::AgeLater,
        Self::LegacyJsonLater,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// The kind: `Invalid` is 400, `TooLarge` 413, `NotImplemented` 501.
    pub fn kind(self) -> Kind {
        self.row().1
    }

    /// Where it was found: `container`, `names`, `parse`, `manifest`, `checksum`, `signature`, `config`, `iam`, `secrets`, `references`.
    pub fn stage(self) -> &'static str {
        self.row().2
    }

    /// What is wrong, in one line.
    pub fn title(self) -> &'static str {
        self.row().3
    }

    /// What the sender can do.
    pub fn hint(self) -> &'static str {
        self.row().4
    }

    /// The fault with this code: for the edge, which adds stage and title to its answer.
    pub fn by_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.code() == code)
    }

    /// The error that a caller gets; `detail` names the place and never a secret.
    pub fn error(self, detail: impl AsRef<str>) -> Error {
        Error::new(self.kind(), "archive", format!("{}: {}", self.title(), detail.as_ref()))
            .with_code(self.code())
            .with_hint(self.hint())
    }

    fn row(self) -> Row {
        match self {
            Self::ArchiveTooLarge => (
                "archive_too_large",
                Kind::TooLarge,
                "container",
                "the archive is above the size limit",
                "raise `backup.limits.body`, or check that the right file was sent",
            ),
            Self::NotAZip => (
                "not_a_zip",
                Kind::Invalid,
                "container",
                "this is not a zip archive",
                "send the file that the export gave, unchanged",
            ),
            Self::Truncated => (
                "archive_truncated",
                Kind::Invalid,
                "container",
                "the archive ends early",
                "download or copy the archive again",
            ),
            Self::TrailingData => (
                "trailing_data",
                Kind::Invalid,
                "container",
                "there are bytes before, between or after the entries that belong to none",
                "send the file that the export gave, unchanged",
            ),
            Self::SeveralDisks => (
                "several_disks",
                Kind::Invalid,
                "container",
                "the archive is split over several files",
                "join it into one file first",
            ),
            Self::Zip64Lie => (
                "zip64_lie",
                Kind::Invalid,
                "container",
                "the zip64 sizes contradict the archive",
                "send the file that the export gave, unchanged",
            ),
            Self::DirectoryDamaged => (
                "directory_damaged",
                Kind::Invalid,
                "container",
                "the zip directory is damaged",
                "download or copy the archive again",
            ),
            Self::HeaderMismatch => (
                "header_mismatch",
                Kind::Invalid,
                "container",
                "an entry's own header contradicts the zip directory",
                "download or copy the archive again",
            ),
            Self::EntriesOverlap => (
                "entries_overlap",
                Kind::Invalid,
                "container",
                "entries overlap",
                "send the file that the export gave, unchanged",
            ),
            Self::ReadersDisagree => (
                "readers_disagree",
                Kind::Invalid,
                "container",
                "two zip readers see different entries in this archive",
                "send the file that the export gave, unchanged",
            ),
            Self::TooManyEntries => (
                "too_many_entries",
                Kind::TooLarge,
                "container",
                "the archive has too many entries",
                "a backup has exactly four; `backup.limits.entries` is how many are looked at",
            ),
            Self::EntryTooLarge => (
                "entry_too_large",
                Kind::TooLarge,
                "container",
                "an entry is above the size limit",
                "raise `backup.limits.entry` if the archive is yours",
            ),
            Self::TotalTooLarge => (
                "total_too_large",
                Kind::TooLarge,
                "container",
                "the entries together are above the size limit",
                "raise `backup.limits.total` if the archive is yours",
            ),
            Self::RatioTooHigh => (
                "ratio_too_high",
                Kind::TooLarge,
                "container",
                "an entry inflates beyond the permitted ratio",
                "raise `backup.limits.ratio` if the archive is yours",
            ),
            Self::EntryEncrypted => (
                "entry_encrypted",
                Kind::Invalid,
                "container",
                "an entry is encrypted by the zip format",
                "unpack it and pack it again without a zip password",
            ),
            Self::CompressionUnknown => (
                "compression_unknown",
                Kind::Invalid,
                "container",
                "an entry uses a compression other than deflate or none",
                "pack it again with deflate",
            ),
            Self::EntryCorrupt => (
                "entry_corrupt",
                Kind::Invalid,
                "container",
                "an entry does not inflate to what the zip directory says",
                "download or copy the archive again",
            ),
            Self::NameNul => (
                "name_nul",
                Kind::Invalid,
                "names",
                "an entry's name has a NUL byte",
                "send the file that the export gave, unchanged",
            ),
            Self::NameNotUtf8 => (
                "name_not_utf8",
                Kind::Invalid,
                "names",
                "an entry's name is not UTF-8",
                "send the file that the export gave, unchanged",
            ),
            Self::NameBackslash => (
                "name_backslash",
                Kind::Invalid,
                "names",
                "an entry's name has a backslash",
                "pack the four files at the top level of the archive",
            ),
            Self::NameAbsolute => (
                "name_absolute",
                Kind::Invalid,
                "names",
                "an entry's name is an absolute path",
                "pack the four files at the top level of the archive",
            ),
            Self::NameDrive => (
                "name_drive",
                Kind::Invalid,
                "names",
                "an entry's name begins with a drive letter",
                "pack the four files at the top level of the archive",
            ),
            Self::NameTraversal => (
                "name_traversal",
                Kind::Invalid,
                "names",
                "an entry's name has `..` in it",
                "pack the four files at the top level of the archive",
            ),
            Self::EntryInFolder => (
                "entry_in_folder",
                Kind::Invalid,
                "names",
                "an entry is in a sub-folder",
                "pack the four files at the top level of the archive",
            ),
            Self::EntrySymlink => {
                ("entry_symlink", Kind::Invalid, "names", "an entry is a symbolic link", "pack the files themselves")
            }
            Self::EntryNotAFile => (
                "entry_not_a_file",
                Kind::Invalid,
                "names",
                "an entry is no regular file",
                "pack the four files and nothing else",
            ),
            Self::EntryDuplicate => (
                "entry_duplicate",
                Kind::Invalid,
                "names",
                "an entry is there twice",
                "send the file that the export gave, unchanged",
            ),
            Self::EntryRenamed => (
                "entry_renamed",
                Kind::Invalid,
                "names",
                "an entry has a name that a backup does not have, and one is missing",
                "give the entry its name back",
            ),
            Self::EntryUnexpected => (
                "entry_unexpected",
                Kind::Invalid,
                "names",
                "there is an entry that a backup does not have",
                "pack the four files and nothing else",
            ),
            Self::EntryMissing => (
                "entry_missing",
                Kind::Invalid,
                "names",
                "an entry is missing",
                "a backup has manifest.json, config.yaml, iam.json and secrets.json",
            ),
            Self::NotUtf8 => (
                "not_utf8",
                Kind::Invalid,
                "parse",
                "a part is not UTF-8",
                "send the file that the export gave, unchanged",
            ),
            Self::JsonSyntax => (
                "json_syntax",
                Kind::Invalid,
                "parse",
                "a part is not JSON",
                "the place is named; parts must not be edited by hand",
            ),
            Self::JsonDuplicateKey => (
                "json_duplicate_key",
                Kind::Invalid,
                "parse",
                "a JSON object has a key twice",
                "the place is named; parts must not be edited by hand",
            ),
            Self::JsonTooDeep => {
                ("json_too_deep", Kind::Invalid, "parse", "JSON is nested too deeply", "parts nest at most 64 deep")
            }
            Self::ManifestShape => (
                "manifest_shape",
                Kind::Invalid,
                "manifest",
                "the manifest has the wrong shape",
                "the place is named; the manifest must not be edited by hand",
            ),
            Self::ManifestVersion => (
                "manifest_version",
                Kind::Invalid,
                "manifest",
                "the archive's version is not known",
                "this server reads version 2; a newer archive needs a newer server",
            ),
            Self::ManifestFilesMissing => (
                "manifest_files_missing",
                Kind::Invalid,
                "manifest",
                "the manifest has no file list",
                "without sums nothing in the archive can be checked; export it again",
            ),
            Self::ManifestHashMissing => (
                "manifest_hash_missing",
                Kind::Invalid,
                "manifest",
                "a part has no hash in the manifest",
                "export the archive again",
            ),
            Self::ManifestHashUppercase => (
                "manifest_hash_uppercase",
                Kind::Invalid,
                "manifest",
                "a hash in the manifest is in upper case",
                "hashes are 64 lower-case hex digits; export the archive again",
            ),
            Self::ManifestHashMalformed => (
                "manifest_hash_malformed",
                Kind::Invalid,
                "manifest",
                "a hash in the manifest is not 64 lower-case hex digits",
                "export the archive again",
            ),
            Self::ManifestPartUnlisted => (
                "manifest_part_unlisted",
                Kind::Invalid,
                "manifest",
                "the manifest does not list a part",
                "export the archive again",
            ),
            Self::ManifestPartUnknown => (
                "manifest_part_unknown",
                Kind::Invalid,
                "manifest",
                "the manifest lists a part that a backup does not have",
                "export the archive again",
            ),
            Self::ManifestPartDuplicate => (
                "manifest_part_duplicate",
                Kind::Invalid,
                "manifest",
                "the manifest lists a part twice",
                "export the archive again",
            ),
            Self::PartSizeMismatch => (
                "part_size_mismatch",
                Kind::Invalid,
                "checksum",
                "a part has another size than the manifest says",
                "download or copy the archive again",
            ),
            Self::PartHashMismatch => (
                "part_hash_mismatch",
                Kind::Invalid,
                "checksum",
                "a part has another sha256 than the manifest says",
                "download or copy the archive again",
            ),
            Self::SchemaUnknown => (
                "schema_unknown",
                Kind::Invalid,
                "manifest",
                "a part has a schema that is not known",
                "a newer archive needs a newer server",
            ),
            Self::SignatureMissing => (
                "signature_missing",
                Kind::Invalid,
                "signature",
                "the manifest is not signed",
                "archives of version 2 are always signed; export the archive again",
            ),
            Self::SignatureMalformed => (
                "signature_malformed",
                Kind::Invalid,
                "signature",
                "the manifest's signature has the wrong form",
                "the key is 32 and the value 64 bytes of standard base64 with padding",
            ),
            Self::SignatureAlgorithm => (
                "signature_algorithm",
                Kind::Invalid,
                "signature",
                "the signature's algorithm is not known",
                "this server knows ed25519",
            ),
            Self::SignatureInvalid => (
                "signature_invalid",
                Kind::Invalid,
                "signature",
                "the manifest's signature does not verify",
                "the manifest was changed after it was signed; export the archive again",
            ),
            Self::ConfigSyntax => {
                ("config_syntax", Kind::Invalid, "config", "config.yaml is not YAML", "the place is named")
            }
            Self::ConfigShape => {
                ("config_shape", Kind::Invalid, "config", "config.yaml has the wrong shape", "the place is named")
            }
            Self::ConfigDuplicateKey => {
                ("config_duplicate_key", Kind::Invalid, "config", "config.yaml has a key twice", "the place is named")
            }
            Self::IamShape => ("iam_shape", Kind::Invalid, "iam", "iam.json has the wrong shape", "the place is named"),
            Self::SecretsShape => (
                "secrets_shape",
                Kind::Invalid,
                "secrets",
                "secrets.json has the wrong shape",
                "the path is named; values are never shown",
            ),
            Self::CountsMismatch => (
                "counts_mismatch",
                Kind::Invalid,
                "references",
                "the parts hold another number of entries than the manifest says",
                "export the archive again",
            ),
            Self::IdInvalid => {
                ("id_invalid", Kind::Invalid, "iam", "an id or name is empty or not permitted", "the place is named")
            }
            Self::PermissionUnknown => (
                "permission_unknown",
                Kind::Invalid,
                "iam",
                "a permission names an action that does not exist",
                "see the page on permissions for the actions there are",
            ),
            Self::DuplicateId => ("duplicate_id", Kind::Invalid, "iam", "two entries have one id", "the id is named"),
            Self::DuplicateName => {
                ("duplicate_name", Kind::Invalid, "iam", "two entries have one name", "the name is named")
            }
            Self::DuplicateAccessKey => (
                "duplicate_access_key",
                Kind::Invalid,
                "iam",
                "two users have one access key id",
                "the access key id is named",
            ),
            Self::DanglingGroup => (
                "dangling_group",
                Kind::Invalid,
                "references",
                "a reference to a group that is not there",
                "the place is named",
            ),
            Self::MembershipMismatch => (
                "membership_mismatch",
                Kind::Invalid,
                "references",
                "a group's members are not the users who say they are in it",
                "the group is named; export the archive again",
            ),
            Self::DanglingUser => (
                "dangling_user",
                Kind::Invalid,
                "references",
                "a reference to a user that is not there",
                "the place is named",
            ),
            Self::DanglingProvider => (
                "dangling_provider",
                Kind::Invalid,
                "references",
                "a reference to a provider that is not there",
                "the place is named",
            ),
            Self::DanglingBackend => (
                "dangling_backend",
                Kind::Invalid,
                "references",
                "a bucket on a backend that is not there",
                "the bucket is named",
            ),
            Self::SecretMissing => (
                "secret_missing",
                Kind::Invalid,
                "references",
                "a secret that the archive needs is not in secrets.json",
                "export the archive again",
            ),
            Self::SecretOrphan => (
                "secret_orphan",
                Kind::Invalid,
                "references",
                "secrets.json has a secret for something that is not there",
                "export the archive again",
            ),
            Self::KeyMalformed => (
                "key_malformed",
                Kind::Invalid,
                "secrets",
                "an at-rest key is not 64 lower-case hex digits",
                "export the archive again",
            ),
            Self::KeyMissing => (
                "key_missing",
                Kind::Invalid,
                "references",
                "an at-rest key that the manifest calls included is not in secrets.json",
                "export the archive again",
            ),
            Self::KeyUnlisted => (
                "key_unlisted",
                Kind::Invalid,
                "references",
                "secrets.json has an at-rest key that the manifest does not list",
                "export the archive again",
            ),
            Self::KeyFingerprint => (
                "key_fingerprint_mismatch",
                Kind::Invalid,
                "references",
                "an at-rest key has another fingerprint than the manifest says",
                "export the archive again",
            ),
            Self::KeyActive => (
                "key_active_twice",
                Kind::Invalid,
                "manifest",
                "two keys of one purpose are active",
                "export the archive again",
            ),
            Self::VersionOneLater => (
                "version_1_not_supported",
                Kind::NotImplemented,
                "container",
                "archives of version 1 cannot be restored yet",
                "export from this server gives version 2",
            ),
            Self::AgeLater => (
                "encrypted_archive_not_supported",
                Kind::NotImplemented,
                "container",
                "encrypted archives cannot be read yet",
                "decrypt it with `age --decrypt` and send the zip",
            ),
            Self::LegacyJsonLater => (
                "legacy_json_not_supported",
                Kind::NotImplemented,
                "container",
                "the JSON form of the IAM import cannot be read yet",
                "send a zip archive",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_code_of_its_own_that_leads_back_to_it() {
        for fault in ArchiveFault::ALL {
            assert_eq!(ArchiveFault::by_code(fault.code()), Some(*fault));
        }
    }
}
