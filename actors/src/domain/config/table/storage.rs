//! The keys of `storage`: where objects are.

use super::{Key, Kind};
use crate::domain::bucket::settings::LARGEST_QUOTA;
use crate::domain::config::rule::Rule;
use crate::domain::config::shape::Shape;

const KINDS: &[&str] = &["filesystem", "s3"];
const ENDPOINT: &str =
    "`http(s)://host[:port]` of the S3 service, of the type `s3`; AWS's own of the region where it is not set.";
const REGION: &str = "The region that requests to it are signed for; us-east-1 where it is not set.";
const PATH_STYLE: &str = "Buckets are named in the path of requests, not in the host name; nothing else is supported.";
const KEY_ID: &str = "The public half of the key pair of the S3 account.";
const SECRET: &str = "The secret half: `{env: NAME}`, `{file: PATH}`, `{stored: NAME}`, or the secret itself.";

pub(super) const KEYS: &[Key] = &[
    Key::new(
        "storage",
        Kind::Section,
        "Where objects are: `filesystem`, `backend` or `backends`, one of the three forms.",
    ),
    Key::new(
        "storage.filesystem",
        Kind::Text(Rule::Path),
        "Short for one filesystem backend named `default` in this directory.",
    )
    .default("./data")
    .env(&["DGP_DATA_DIR"])
    .reconnect(),
    Key::new("storage.backend", Kind::Section, "One backend named `default`.").reconnect().flat("backend"),
    Key::new("storage.backend.type", Kind::Choice(KINDS), "The kind of the backend.").reconnect(),
    Key::new("storage.backend.path", Kind::Text(Rule::Path), "Its directory, of the type `filesystem`.").reconnect(),
    Key::new("storage.backend.endpoint", Kind::Text(Rule::Endpoint), ENDPOINT).env(&["DGP_S3_ENDPOINT"]).reconnect(),
    Key::new("storage.backend.region", Kind::Text(Rule::Region), REGION).env(&["DGP_S3_REGION"]).reconnect(),
    Key::new("storage.backend.force_path_style", Kind::Flag, PATH_STYLE).env(&["DGP_S3_PATH_STYLE"]).reconnect(),
    Key::new("storage.backend.access_key_id", Kind::Text(Rule::Word), KEY_ID)
        .env(&["DGP_BE_AWS_ACCESS_KEY_ID"])
        .reconnect(),
    Key::new("storage.backend.secret_access_key", Kind::Secret(Rule::Word), SECRET)
        .env(&["DGP_BE_AWS_SECRET_ACCESS_KEY"])
        .reconnect(),
    Key::new("storage.backends", Kind::Items, "Several backends, each with a name of its own.")
        .reconnect()
        .flat("backends"),
    Key::new("storage.backends[].name", Kind::Text(Rule::BackendName), "The name that buckets are routed by.")
        .reconnect(),
    Key::new("storage.backends[].type", Kind::Choice(KINDS), "The kind of the backend.").reconnect(),
    Key::new("storage.backends[].path", Kind::Text(Rule::Path), "Its directory, of the type `filesystem`.").reconnect(),
    Key::new("storage.backends[].endpoint", Kind::Text(Rule::Endpoint), ENDPOINT).reconnect(),
    Key::new("storage.backends[].region", Kind::Text(Rule::Region), REGION).reconnect(),
    Key::new("storage.backends[].force_path_style", Kind::Flag, PATH_STYLE).reconnect(),
    Key::new("storage.backends[].access_key_id", Kind::Text(Rule::Word), KEY_ID).reconnect(),
    Key::new("storage.backends[].secret_access_key", Kind::Secret(Rule::Word), SECRET).reconnect(),
    Key::new("storage.backends[].read_only", Kind::Flag, "Objects are read, and no write is taken.").reconnect(),
    Key::new("storage.backends[].encryption", Kind::Section, "How objects are encrypted at rest.").reconnect(),
    Key::new(
        "storage.backends[].encryption.mode",
        Kind::Choice(&["none", "aes256-gcm-proxy"]),
        "Whether new objects are encrypted, and by whom; `none` where it is not set.",
    )
    .reconnect(),
    Key::new(
        "storage.backends[].encryption.keys",
        Kind::Named(Rule::Word),
        "The keys by their ids, each a reference: what was ever used stays, for the objects under it.",
    )
    .reconnect(),
    Key::new("storage.backends[].encryption.keys.*.env", Kind::Text(Rule::Word), "The variable that holds the key.")
        .reconnect(),
    Key::new("storage.backends[].encryption.keys.*.file", Kind::Text(Rule::Path), "The file that holds the key.")
        .reconnect(),
    Key::new(
        "storage.backends[].encryption.keys.*.stored",
        Kind::Text(Rule::Word),
        "The name of the key in the encrypted store.",
    )
    .reconnect(),
    Key::new(
        "storage.backends[].encryption.active",
        Kind::Text(Rule::Word),
        "The id of the key that new objects use; needed where there are several.",
    )
    .reconnect(),
    Key::new(
        "storage.default_backend",
        Kind::Text(Rule::BackendName),
        "Where a new bucket goes; the first backend where it is not set.",
    )
    .flat("default_backend"),
    Key::new(
        "storage.buckets",
        Kind::Named(Rule::BucketName),
        "What the file pins of the bucket registry, by bucket name.",
    )
    .flat("buckets"),
    Key::new("storage.buckets.*.backend", Kind::Text(Rule::BackendName), "The backend that holds the bucket."),
    Key::new(
        "storage.buckets.*.alias",
        Kind::Text(Rule::BucketName),
        "The name of the bucket on its backend, where it is another.",
    ),
    Key::new(
        "storage.buckets.*.public_prefixes",
        Kind::Texts(Rule::PublicPrefix),
        "Prefixes whose objects anybody may read and list; each ends in `/`, and an empty one is the whole bucket.",
    ),
    Key::new(
        "storage.buckets.*.public",
        Kind::Flag,
        "`true`: anybody may read and list the whole bucket; `false`: nobody without credentials may.",
    ),
    Key::new("storage.buckets.*.tags", Kind::Data(Shape::Tags), "Tags of the bucket, by key."),
    Key::new(
        "storage.buckets.*.cors",
        Kind::Data(Shape::Cors),
        "What browsers of other origins may do: rules of `allowed_origins`, `allowed_methods`, `allowed_headers`, `expose_headers`, `max_age_seconds`.",
    ),
    Key::new(
        "storage.buckets.*.lifecycle",
        Kind::Data(Shape::Lifecycle),
        "Rules by which objects expire; kept and served by the S3 API, not carried out by this version.",
    ),
    Key::new(
        "storage.buckets.*.quota_bytes",
        Kind::Size(0, LARGEST_QUOTA),
        "The most bytes that its objects may have together; 0 takes no write at all.",
    ),
    Key::new("storage.buckets.*.read_only", Kind::Flag, "Objects are read, and none is written or removed."),
];

/// What an archive's `config.yaml` says of each bucket beyond what the file may pin: the registry's part of the entry.
pub const REGISTRY_KEYS: &[Key] = &[
    Key::new(
        "storage.buckets.*.origin",
        Kind::Choice(&["registry", "config"]),
        "Whether a restore puts the entry into the registry or the file.",
    ),
    Key::new(
        "storage.buckets.*.owner",
        Kind::Text(Rule::Word),
        "The user id that made the bucket, or `$bootstrap`, `$config`.",
    ),
    Key::new("storage.buckets.*.created_at", Kind::Text(Rule::Timestamp), "When the bucket was made (RFC 3339)."),
    Key::new(
        "storage.buckets.*.registered",
        Kind::Section,
        "What the registry says of a bucket that the config pins, too.",
    ),
    Key::new("storage.buckets.*.registered.backend", Kind::Text(Rule::BackendName), "The backend in the registry."),
    Key::new("storage.buckets.*.registered.alias", Kind::Text(Rule::BucketName), "The alias in the registry."),
    Key::new("storage.buckets.*.registered.owner", Kind::Text(Rule::Word), "The owner in the registry."),
    Key::new("storage.buckets.*.registered.created_at", Kind::Text(Rule::Timestamp), "When the bucket was made."),
    Key::new(
        "storage.buckets.*.registered.public_prefixes",
        Kind::Texts(Rule::PublicPrefix),
        "The public prefixes in the registry.",
    ),
    Key::new("storage.buckets.*.registered.tags", Kind::Data(Shape::Tags), "The tags in the registry."),
    Key::new("storage.buckets.*.registered.cors", Kind::Data(Shape::Cors), "The CORS rules in the registry."),
    Key::new(
        "storage.buckets.*.registered.lifecycle",
        Kind::Data(Shape::Lifecycle),
        "The lifecycle rules in the registry.",
    ),
    Key::new("storage.buckets.*.registered.quota_bytes", Kind::Size(0, LARGEST_QUOTA), "The quota in the registry."),
    Key::new("storage.buckets.*.registered.read_only", Kind::Flag, "Whether the registry takes no writes."),
];
