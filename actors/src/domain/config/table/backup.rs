//! The keys of `backup`: backups of the system's own state.

use super::{Key, Kind};
use crate::domain::config::rule::Rule;

pub(super) const KEYS: &[Key] = &[
    Key::new("backup", Kind::Section, "Backups of the system's own state."),
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
