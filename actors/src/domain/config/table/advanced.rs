//! The keys of `advanced`: how the process runs.

use super::{Key, Kind};
use crate::domain::config::rule::Rule;

pub(super) const KEYS: &[Key] = &[
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
        "advanced.auth_sigv2_post",
        Kind::Flag,
        "Forms of browsers (POST) may be signed in version 2, too, which is HMAC-SHA-1; all else stays version 4.",
    )
    .default("false"),
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
    Key::new(
        "advanced.trusted_proxies",
        Kind::Texts(Rule::Network),
        "Addresses and networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed; nobody's where it is empty.",
    )
    .env(&["DGP_TRUSTED_PROXIES", "DGP_TRUSTED_PROXY_CIDRS"]),
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
    Key::new("advanced.audit", Kind::Section, "How much of the audit log is kept, and where else it goes."),
    Key::new(
        "advanced.audit.keep_rows",
        Kind::Count(1_000, 1_000_000_000),
        "So many of the latest rows are kept; older ones are pruned, and a signed stub stays.",
    )
    .default("5000000"),
    Key::new(
        "advanced.audit.keep_days",
        Kind::Count(1, 36_500),
        "Rows older than this are pruned; where it is not set, age prunes none.",
    ),
    Key::new(
        "advanced.audit.file",
        Kind::Text(Rule::Path),
        "A file that every row is appended to as well, one JSON object a line, with a checkpoint every five minutes.",
    )
    .host(),
    Key::new("advanced.audit.webhook", Kind::Section, "An address that every row is sent to as well, with a checkpoint every five minutes."),
    Key::new(
        "advanced.audit.webhook.url",
        Kind::Text(Rule::Endpoint),
        "Where rows are sent by POST, as `{instance_id, rows, checkpoint}`; any 2xx takes them.",
    ),
    Key::new("advanced.audit.webhook.headers", Kind::Items, "Headers that are sent along: a token, say."),
    Key::new("advanced.audit.webhook.headers[].name", Kind::Text(Rule::HeaderName), "The name of the header."),
    Key::new(
        "advanced.audit.webhook.headers[].value",
        Kind::Secret(Rule::Word),
        "Its value; better a reference than a literal.",
    ),
];
