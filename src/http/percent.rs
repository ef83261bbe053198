//! Percent-encoding as SigV4 and S3 define it: `%XX` and nothing else; `+` is a plus.

/// An escape that is not `%` and two hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadEscape;

/// Undoes each `%XX` once.
pub fn decode(text: &str) -> Result<Vec<u8>, BadEscape> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'%' {
            let high = bytes.get(at + 1).copied().and_then(hex_digit).ok_or(BadEscape)?;
            let low = bytes.get(at + 2).copied().and_then(hex_digit).ok_or(BadEscape)?;
            out.push(high << 4 | low);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    Ok(out)
}

/// Writes `bytes` with everything escaped but `A-Z a-z 0-9 - . _ ~` (RFC 3986's unreserved characters).
pub fn encode(bytes: &[u8], out: &mut String) {
    encode_except(bytes, |_| false, out);
}

/// The same, but `/` stays: a path, or a name in a listing with `encoding-type=url`.
pub fn encode_path(bytes: &[u8], out: &mut String) {
    encode_except(bytes, |byte| byte == b'/', out);
}

fn encode_except(bytes: &[u8], keep: impl Fn(u8) -> bool, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || keep(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_escape_is_undone_once_and_a_plus_is_a_plus() {
        assert_eq!(decode("a%2Fb+c%2520"), Ok(b"a/b+c%20".to_vec()));
        assert_eq!(decode("%e2%82%AC"), Ok("€".as_bytes().to_vec()));
        for bad in ["%", "%4", "%zz", "a%g0"] {
            assert_eq!(decode(bad), Err(BadEscape), "{bad}");
        }
    }

    #[test]
    fn only_unreserved_characters_stay() {
        let mut out = String::new();
        encode(b"a b/+~\xff", &mut out);
        encode_path(b"|a/b", &mut out);
        assert_eq!(out, "a%20b%2F%2B~%FF%7Ca/b");
    }
}
