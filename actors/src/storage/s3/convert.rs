//! Keys ↔ stored keys, values ↔ headers, and the little of XML that rusoto does not read for us. Pure.

use crate::domain::clock::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_xml::escape::unescape;

/// What is the store's own begins with this; no client's key is stored under it.
pub(super) const INTERNAL: &str = ".dg/";
/// What clients' keys that begin with `.dg` are stored under. One character in its middle keeps their order.
const ESCAPED: &str = ".dg-";
const RESERVED: &str = ".dg";

/// What keys that begin with a slash are stored under: not every service tells them from keys that do not. They are listed apart.
pub(super) const SLASHED: &str = ".dg+";

/// The key under which a client's key is stored.
pub(super) fn stored(key: &str) -> String {
    match (key.strip_prefix(RESERVED), key.strip_prefix('/')) {
        (Some(rest), _) => format!("{ESCAPED}{rest}"),
        (_, Some(rest)) => format!("{SLASHED}{rest}"),
        _ => key.to_owned(),
    }
}

/// The client's key of a stored one; `None` for what is the store's own, or nobody's.
pub(super) fn original(stored: &str) -> Option<String> {
    if !stored.starts_with(RESERVED) {
        return Some(stored.to_owned());
    }
    let slashed = || stored.strip_prefix(SLASHED).map(|rest| format!("/{rest}"));
    stored.strip_prefix(ESCAPED).map(|rest| format!("{RESERVED}{rest}")).or_else(slashed)
}

/// A key of a listing with `encoding-type=url`.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        match (first, after) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                rest = &after[2..];
                continue;
            }
            (byte, _) => bytes.push(*byte),
        }
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// The text of the first element of this name.
pub(super) fn element(xml: &str, name: &str) -> Option<String> {
    let begin = xml.find(&format!("<{name}>"))? + name.len() + 2;
    let text = &xml[begin..];
    let text = &text[..text.find(&format!("</{name}>"))?];
    unescape(text).ok().map(|text| text.trim().to_owned())
}

/// A value of metadata as a header carries it: as it is where it is plain, else as RFC 2047 has it.
pub(super) fn header_value(value: &str) -> String {
    let plain = !value.is_empty()
        && value.bytes().all(|b| (0x20..0x7f).contains(&b))
        && value.trim() == value
        && !value.contains("  ")
        && !value.starts_with("=?");
    if plain { value.to_owned() } else { format!("=?UTF-8?B?{}?=", STANDARD.encode(value)) }
}

/// What such a header meant.
pub(super) fn value_of_header(header: &str) -> String {
    let encoded = header.strip_prefix("=?UTF-8?B?").and_then(|rest| rest.strip_suffix("?="));
    let bytes = encoded.and_then(|text| STANDARD.decode(text).ok());
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| header.to_owned())
}

/// A moment to one second, which is what every upstream tells in every answer.
pub(super) fn to_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_secs(moment.secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_of_a_client_is_the_stores_own_and_their_order_stays() {
        let keys = [".", ".a", ".dg", ".dg-", ".dg-x", ".dg/", ".dg/backend.json", ".dg0", ".dgz/y", ".dh", "0"];
        let mut sorted = keys.map(stored).to_vec();
        for (key, stored) in keys.iter().zip(&sorted) {
            assert!(!stored.starts_with(INTERNAL), "{key}");
            assert_eq!(original(stored).as_deref(), Some(*key));
        }
        sorted.sort();
        assert_eq!(sorted, keys.map(stored));
        for slashed in ["/", "//", "/.dg/x", "/a"] {
            assert!(stored(slashed).starts_with(SLASHED));
            assert_eq!(original(&stored(slashed)).as_deref(), Some(slashed));
        }
        for own in [".dg/meta/x", ".dg", ".dgx"] {
            assert_eq!(original(own), None, "{own}");
        }
    }

    #[test]
    fn values_that_a_header_would_change_are_encoded_and_come_back() {
        for value in ["plain text", "", " x", "a  b", "a\tb", "café", "=?UTF-8?B?eA==?=", "=?", "日本"] {
            let header = header_value(value);
            assert!(header.bytes().all(|b| (0x20..0x7f).contains(&b)) && !header.contains("  "), "{header}");
            assert_eq!(value_of_header(&header), value);
        }
        assert_eq!(header_value("plain text"), "plain text");
    }

    #[test]
    fn listed_keys_and_elements_are_read() {
        assert_eq!(decoded("a+b%2Bc%25%E2%82%AC%01").as_deref(), Some("a b+c%€\u{1}"));
        assert_eq!(decoded("%zz"), None);
        assert_eq!(element("<a><Code>No&amp;Such</Code></a>", "Code").as_deref(), Some("No&Such"));
        assert_eq!(element("<a/>", "Code"), None);
    }
}
