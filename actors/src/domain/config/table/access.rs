//! The keys of `access`: who you are.

use super::{DAY, Key, Kind};
use crate::domain::config::rule::Rule;

pub(super) const KEYS: &[Key] = &[
    Key::new("access", Kind::Section, "Who you are."),
    Key::new(
        "access.authentication",
        Kind::Choice(&["required", "none"]),
        "Whether S3 asks who you are; the admin API always does.",
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
        "access.sso_allowed_hosts",
        Kind::Texts(Rule::Host),
        "Hosts of sign-in providers that may speak plain http, or be at a link-local or metadata address.",
    )
    .env(&["DGP_SSO_ALLOWED_HOSTS"]),
];
