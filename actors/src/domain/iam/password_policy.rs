//! What a password of the bootstrap admin must be like.

use crate::{Error, ErrorKind, Result};

/// The fewest characters.
pub const MIN_CHARS: usize = 12;
/// The most characters.
pub const MAX_CHARS: usize = 128;

/// 12 to 128 characters, none of them a control character (RFC 8265 §4.2: a password is text).
pub fn check_password(password: &str) -> Result<()> {
    let chars = password.chars().count();
    if !(MIN_CHARS..=MAX_CHARS).contains(&chars) || password.chars().any(char::is_control) {
        let message = format!("a password has {MIN_CHARS} to {MAX_CHARS} characters, none of them a control character");
        return Err(Error::new(ErrorKind::Invalid, "check password", message).with_code("invalid_password"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_12_to_128_characters() {
        assert!(check_password("twelve chars").is_ok());
        assert!(check_password("ä".repeat(12).as_str()).is_ok());
        assert!(check_password(&"x".repeat(128)).is_ok());
        assert!(check_password("eleven char").is_err());
        assert!(check_password(&"x".repeat(129)).is_err());
        assert!(check_password("twelve chars\n").is_err());
    }
}
