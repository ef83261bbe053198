//! What users, groups, tokens and access keys may be called.

use crate::domain::iam::model::AccessKey;
use crate::{Error, ErrorKind, Result};

/// Checks the name of a user, a group or a token: 1–128 characters, not beginning with `$` (the built-in principals),
/// without control characters and without white space at its ends.
pub fn check_name(what: &'static str, name: &str) -> Result<()> {
    let why = match name {
        _ if name.is_empty() => "is empty",
        _ if name.chars().count() > 128 => "has more than 128 characters",
        _ if name.starts_with('$') => "begins with `$`, which is reserved",
        _ if name.chars().any(char::is_control) => "has a control character",
        _ if name.trim() != name => "begins or ends with white space",
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::Invalid, "check name", format!("the {what}'s name {why}")).with_code("invalid_name"))
}

/// Checks a key pair: what a SigV4 `Credential` can carry, so no `/`, comma, quote or `=` in the public half.
pub fn check_access_key(key: &AccessKey) -> Result<()> {
    let visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let id = key.access_key_id.as_str();
    let why = if id.is_empty() || id.len() > 128 || !visible(id) || id.contains(['/', ',', '=', '"']) {
        "an access key id has 1 to 128 visible ASCII characters other than / , = and quotes"
    } else if key.secret.is_empty() || key.secret.expose().len() > 256 || !visible(key.secret.expose()) {
        "a secret access key has 1 to 256 visible ASCII characters"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Invalid, "check access key", why).with_code("invalid_access_key"))
}
