//! The lists that the rules read: each entry says why it is there.

/// Text fields named like secrets that are none: (file or `*`, field, why).
pub const PLAIN_TEXT_FIELDS: [(&str, &str, &str); 8] = [
    ("*", "access_key_id", "the public half of a key pair"),
    ("actors/src/domain/state.rs", "auth_exception", "a SHA-256, compared only"),
    ("actors/src/domain/archive/manifest.rs", "key", "a public key"),
    ("actors/src/domain/archive/plan/mod.rs", "caller_token", "a SHA-256, compared only"),
    ("actors/src/domain/config/tree.rs", "key", "a key of the configuration"),
    ("src/http/s3/operation/listing.rs", "token", "the continuation token of a listing"),
    ("actors/src/domain/listing.rs", "key", "an object key"),
    ("actors/src/storage/fs/attributes.rs", "key", "an object key, and the id of a metadata key"),
];

/// What may stand at the top of the tree.
pub const TOP_LEVEL: [&str; 17] = [
    ".cargo",
    ".ci",
    ".config",
    ".deny.toml",
    ".gitattributes",
    ".gitignore",
    ".rustfmt.toml",
    "ARCHITECTURE.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "actors",
    "config",
    "src",
    "tests",
    "web",
];
