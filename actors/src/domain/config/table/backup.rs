//! The keys of `backup`: backups of the system's own state.

use super::{DAY, Key, Kind};
use crate::domain::config::rule::Rule;

pub(super) const KEYS: &[Key] = &[
    Key::new("backup", Kind::Section, "Backups of the system's own state."),
    Key::new(
        "backup.schedule",
        Kind::Text(Rule::Cron),
        "When a backup is stored: five fields of cron, in UTC; a time that was missed is made up for once.",
    ),
    Key::new(
        "backup.on_change",
        Kind::Duration(10, DAY),
        "Stores a backup after changes, too, once they have rested for this long.",
    ),
    Key::new("backup.to", Kind::Section, "Where backups are stored: a directory, or a bucket of this server."),
    Key::new(
        "backup.to.directory",
        Kind::Text(Rule::Path),
        "A directory outside of every backend; it is made (0700) where it is missing.",
    ),
    Key::new(
        "backup.to.bucket",
        Kind::Text(Rule::BucketName),
        "A bucket; nobody but an admin reaches the backups in it, whatever a policy says.",
    ),
    Key::new("backup.to.prefix", Kind::Text(Rule::KeyPrefix), "What the keys of backups begin with, as `dgp/`."),
    Key::new(
        "backup.keep",
        Kind::Section,
        "Which stored backups stay: those that either rule keeps, and always the last verified one; all where it is empty.",
    ),
    Key::new("backup.keep.last", Kind::Count(1, 100_000), "So many, the latest."),
    Key::new("backup.keep.days", Kind::Count(1, 36_500), "Those that are younger than so many days."),
    Key::new("backup.verify", Kind::Flag, "Whether each stored backup is read back and checked.").default("true"),
    Key::new(
        "backup.plaintext_in_bucket",
        Kind::Flag,
        "Stores backups in a bucket although they are not encrypted: each is a keystore in plain text.",
    )
    .default("false"),
    Key::new(
        "backup.recipients",
        Kind::Texts(Rule::Recipient),
        "Age recipients (`age1…`) to whom archives are encrypted where the caller may not choose.",
    ),
    Key::new(
        "backup.trusted_signers",
        Kind::Texts(Rule::Signer),
        "Ed25519 public keys (base64) whose stored archives may be restored.",
    ),
    Key::new("backup.limits", Kind::Section, "What an archive may weigh, on import and export alike."),
    Key::new("backup.limits.body", Kind::Size(1 << 20, 1 << 40), "The body of a request.").default("256MiB"),
    Key::new("backup.limits.entry", Kind::Size(1 << 20, 1 << 40), "One entry, inflated.").default("512MiB"),
    Key::new("backup.limits.total", Kind::Size(1 << 20, 1 << 40), "All entries, inflated.").default("768MiB"),
    Key::new(
        "backup.limits.entries",
        Kind::Count(4, 1024),
        "How many entries are looked at before an archive is refused.",
    )
    .default("16"),
    Key::new("backup.limits.ratio", Kind::Count(10, 10_000), "Inflated to deflated, for entries above 16 MiB.")
        .default("100"),
];
