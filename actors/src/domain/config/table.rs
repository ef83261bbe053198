//! The table of keys: the one home of everything that is known of a key of the configuration.
//!
//! The strict reader, its suggestions, the environment overrides, the defaults, the JSON Schema, the annotated defaults and
//! the list of host settings are all made from it.

use super::rule::Rule;

/// What is known of one key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Where it stands: `storage.backends[].name` (`[]` an item of a list, `*` a name that the operator chose).
    pub path: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Its value where it is not written, as it would be written.
    pub default: Option<&'static str>,
    /// One sentence for the schema, the example and the console.
    pub doc: &'static str,
    /// Well-known environment variables beside the mechanical one.
    pub env: &'static [&'static str],
    /// What a change takes.
    pub reload: Reload,
    /// It belongs to the host: a restore leaves it as it is.
    pub host_setting: bool,
    /// Where the older flat shape has it.
    pub flat: Option<&'static str>,
}

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A map of keys that are in the table.
    Section,
    /// A list of such maps.
    Items,
    /// A map by names that the operator chose, of such maps.
    Named(Rule),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A text that follows a rule.
    Text(Rule),
    /// A list of such texts.
    Texts(Rule),
    /// `IP:port`.
    Address,
    /// `true` or `false`.
    Flag,
    /// A whole number, from and to.
    Count(u64, u64),
    /// A duration, from and to, in seconds.
    Duration(u64, u64),
    /// A size, from and to, in bytes.
    Size(u64, u64),
    /// A secret: a reference or a literal.
    Secret(Rule),
    /// A list that must be empty until the feature is there.
    Nothing,
}

/// What a change of a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// The next request sees it.
    Live,
    /// The backend is opened anew.
    Reconnect,
    /// The process must start again.
    Restart,
}

impl Reload {
    /// The word that the schema and the console use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Reconnect => "reconnect",
            Self::Restart => "restart",
        }
    }
}

impl Key {
    const fn new(path: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { path, kind, default: None, doc, env: &[], reload: Reload::Live, host_setting: false, flat: None }
    }

    const fn default(self, text: &'static str) -> Self {
        Self { default: Some(text), ..self }
    }

    const fn env(self, names: &'static [&'static str]) -> Self {
        Self { env: names, ..self }
    }

    const fn reconnect(self) -> Self {
        Self { reload: Reload::Reconnect, ..self }
    }

    const fn restart(self) -> Self {
        Self { reload: Reload::Restart, ..self }
    }

    const fn host(self) -> Self {
        Self { host_setting: true, ..self }
    }

    const fn flat(self, name: &'static str) -> Self {
        Self { flat: Some(name), ..self }
    }

    /// The last part of the path.
    pub fn name(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }

    /// The path of the key or item that this one stands in; empty at the root.
    pub fn parent(&self) -> &'static str {
        self.path.rsplit_once('.').map_or("", |(parent, _)| parent)
    }

    /// True where it holds other keys.
    pub fn is_container(&self) -> bool {
        matches!(self.kind, Kind::Section | Kind::Items | Kind::Named(_))
    }
}

const DAY: u64 = 86_400;

/// Every key. Sections come before what stands in them; canonical YAML keeps this order.
pub const KEYS: &[Key] = &[
    Key::new("defaults", Kind::Choice(&["v1"]), "The generation of defaults that this file was written for.")
        .default("v1"),
    Key::new("admission", Kind::Section, "Which requests are looked at, before anybody is asked who they are."),
    Key::new("admission.blocks", Kind::Nothing, "Rules of admission: none are supported yet, so the list is empty."),
    Key::new("access", Kind::Section, "Who you are."),
    Key::new(
        "access.authentication",
        Kind::Choice(&["required", "none"]),
        "Whether S3 and the admin API ask who you are.",
    )
    .default("required")
    .env(&["DGP_AUTHENTICATION"])
    .flat("authentication"),
    Key::new(
        "access.access_key_id",
        Kind::Text(Rule::AccessKeyId),
        "The public half of the config key pair, which has full rights on S3.",
    )
    .env(&["DGP_ACCESS_KEY_ID"])
    .flat("access_key_id"),
    Key::new(
        "access.secret_access_key",
        Kind::Secret(Rule::SecretKey),
        "The secret half of the config key pair; better a reference than a literal.",
    )
    .env(&["DGP_SECRET_ACCESS_KEY"])
    .flat("secret_access_key"),
    Key::new(
        "access.reauth_window",
        Kind::Duration(60, DAY),
        "Export with secrets, restore and password need a login no older than this.",
    )
    .default("1h"),
    Key::new("access.session_lifetime", Kind::Duration(300, 90 * DAY), "A session ends this long after login.")
        .default("12h"),
    Key::new("access.session_idle", Kind::Duration(60, 90 * DAY), "A session ends after this long without a call.")
        .default("4h"),
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
    Key::new("storage.backend.type", Kind::Choice(&["filesystem"]), "The kind of the backend.").reconnect(),
    Key::new("storage.backend.path", Kind::Text(Rule::Path), "Its directory.").reconnect(),
    Key::new("storage.backends", Kind::Items, "Several backends, each with a name of its own.")
        .reconnect()
        .flat("backends"),
    Key::new("storage.backends[].name", Kind::Text(Rule::BackendName), "The name that buckets are routed by.")
        .reconnect(),
    Key::new("storage.backends[].type", Kind::Choice(&["filesystem"]), "The kind of the backend.").reconnect(),
    Key::new("storage.backends[].path", Kind::Text(Rule::Path), "Its directory.").reconnect(),
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
    Key::new("advanced", Kind::Section, "How the process runs."),
    Key::new("advanced.listen_addr", Kind::Address, "Where the one port listens.")
        .default("127.0.0.1:9000")
        .env(&["DGP_LISTEN_ADDR"])
        .restart()
        .host()
        .flat("listen_addr"),
    Key::new("advanced.tls", Kind::Section, "Serve https instead of http on the one port.").flat("tls"),
    Key::new(
        "advanced.tls.enabled",
        Kind::Flag,
        "Whether https is served: without it, where both paths are set; `true` without paths makes a pair of its own at each start.",
    )
    .env(&["DGP_TLS_ENABLED"])
    .restart()
    .host(),
    Key::new(
        "advanced.tls.cert_path",
        Kind::Text(Rule::Path),
        "The certificate and its chain (PEM); a changed file is taken in while the server runs.",
    )
    .env(&["DGP_TLS_CERT"])
    .restart()
    .host(),
    Key::new("advanced.tls.key_path", Kind::Text(Rule::Path), "The private key of the certificate (PEM).")
        .env(&["DGP_TLS_KEY"])
        .restart()
        .host(),
    Key::new("advanced.log_level", Kind::Text(Rule::LogFilter), "What is logged: a level, or `level,module=level,…`.")
        .default("info")
        .env(&["DGP_LOG_LEVEL"])
        .host()
        .flat("log_level"),
    Key::new(
        "advanced.log_format",
        Kind::Choice(&["text", "json"]),
        "Log lines for people, or one JSON object a line.",
    )
    .default("text")
    .env(&["DGP_LOG_FORMAT"])
    .restart()
    .host(),
    Key::new(
        "advanced.bootstrap_password_hash",
        Kind::Secret(Rule::PasswordHash),
        "A pinned bootstrap password hash (argon2id PHC or bcrypt, or base64 of it).",
    )
    .env(&["DGP_BOOTSTRAP_PASSWORD_HASH", "DGP_ADMIN_PASSWORD_HASH"])
    .restart()
    .flat("bootstrap_password_hash"),
    Key::new(
        "advanced.data_roots",
        Kind::Texts(Rule::Path),
        "Where filesystem backends may lie; the parent of the configured data directory where it is empty.",
    )
    .restart(),
    Key::new("advanced.secret_roots", Kind::Texts(Rule::Path), "Where `{file: PATH}` references may lie.").restart(),
    Key::new(
        "advanced.clock_skew_seconds",
        Kind::Count(1, 3600),
        "How far the time of a signature may be off, in seconds.",
    )
    .default("900")
    .env(&["DGP_CLOCK_SKEW_SECONDS"]),
    Key::new(
        "advanced.region",
        Kind::Text(Rule::Region),
        "The one region that signatures may name; any where it is not set.",
    )
    .env(&["DGP_REGION"]),
    Key::new("advanced.public_url", Kind::Text(Rule::Origin), "The address of the console as people type it.")
        .env(&["DGP_PUBLIC_URL"]),
    Key::new(
        "advanced.domains",
        Kind::Texts(Rule::Host),
        "Names under which each bucket has a host of its own: `s3.example.com` makes `BUCKET.s3.example.com` one.",
    )
    .env(&["DGP_DOMAINS"]),
    Key::new(
        "advanced.console_host",
        Kind::Text(Rule::Host),
        "The one host name that serves the console and the admin API; every name that is no bucket's where it is not set.",
    )
    .env(&["DGP_CONSOLE_HOST"]),
    Key::new("advanced.max_requests", Kind::Count(4, 65_536), "Requests under way on one backend before 503 SlowDown.")
        .default("256")
        .env(&["DGP_MAX_CONCURRENT_REQUESTS"])
        .reconnect(),
    Key::new(
        "advanced.idle_timeout",
        Kind::Duration(1, 3600),
        "A peer that neither gives nor takes a byte for this long is cut off.",
    )
    .default("30s"),
    Key::new("backup", Kind::Section, "Backups of the system's own state."),
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
];

/// The key at a path of the table.
pub fn key(path: &str) -> Option<&'static Key> {
    KEYS.iter().chain(REGISTRY_KEYS).find(|key| key.path == path)
}

/// The keys that stand directly in a section or item.
pub fn children(parent: &str) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |key| key.parent() == parent)
}

/// The keys that belong to the host; a restore leaves them as they are.
pub fn host_settings() -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter(|key| key.host_setting).map(|key| key.path)
}
