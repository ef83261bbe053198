//! The lists that the rules read: each entry says why it is there.

/// Files that may be longer than 400 lines: (path, why).
pub const LONG_FILES: &[(&str, &str)] =
    &[("actors/src/zipper/testkit.rs", "one builder, a method for each way to spoil an archive")];

/// Text fields named like secrets that are none: (file or `*`, field, why).
pub const PLAIN_TEXT_FIELDS: &[(&str, &str, &str)] = &[
    ("*", "access_key_id", "the public half of a key pair"),
    ("*", "key_id", "the name of an at-rest key, which stored objects bear"),
    ("actors/src/domain/state.rs", "auth_exception", "a SHA-256, compared only"),
    ("actors/src/backup/messages.rs", "caller_token_sha256", "a SHA-256, compared only"),
    ("actors/src/backup/messages.rs", "key", "the same, beside what was asked under it"),
    ("actors/src/domain/archive/manifest.rs", "key", "the public half of the signing key"),
    ("actors/src/domain/archive/plan/mod.rs", "caller_token", "a SHA-256, compared only"),
    ("actors/src/domain/config/tree.rs", "key", "a key of the configuration"),
    ("src/cli/remote/key.rs", "key", "the public half of a key pair, as it is typed"),
    ("src/http/s3/operation/listing.rs", "token", "the continuation token of a listing"),
    ("src/http/s3/xml/read/delete_objects.rs", "key", "an object key"),
    ("src/http/admin/trace.rs", "key", "an object key"),
    ("actors/src/domain/listing.rs", "key", "an object key"),
    ("actors/src/storage/fs/attributes.rs", "key", "an object key"),
    ("actors/src/storage/fs/uploads/records.rs", "key", "an object key"),
    ("actors/src/storage/s3/meta.rs", "key", "an object key"),
    ("actors/src/storage/s3/read.rs", "key", "an object key"),
    ("actors/src/storage/s3/temp.rs", "key", "an object key"),
    ("actors/src/storage/s3/uploads/mod.rs", "key", "an object key"),
];

/// What may stand at the top of the tree.
pub const TOP_LEVEL: &[&str] = &[
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

/// What an owner's folder shares beside its handle: (`owner::module` or `owner::module::Name`, why).
pub const SHARED: &[(&str, &str)] = &[
    ("audit::Event", "what a handle records"),
    ("audit::Outcome", "how what a handle records ended"),
    ("config::file", "the file as it was loaded: a start reads it before there is an owner"),
    ("config::instance", "who this instance is: read at start"),
    ("config::locate", "where the config file is: asked at start"),
    ("config::resolve", "secret references: resolved at start and while a restore is staged"),
    ("config::roots", "where directories may lie: checked at start and while a restore is staged"),
    ("config::state_dir", "where state lies, and its lock: taken at start"),
    ("iam::messages::Applied", "the answer that a handle gives"),
    ("system::messages::NextSystem", "what a handle takes to swap all state"),
    ("system::staging", "what was staged, handed over with the message that swaps"),
    ("system::stores", "a restore proves that the stores can be built"),
    ("system::swap", "a restore is staged in the form that the swap moves"),
    ("system::view", "the view that everybody reads"),
];
