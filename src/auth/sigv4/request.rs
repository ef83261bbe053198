//! The request as it came over the wire: what the signature covers and what the operation is read from, both from the same bytes.

use super::refusal::Refusal;
use crate::http::percent;

/// A request before anything was decoded.
#[derive(Clone, Debug)]
pub struct RawRequest<'a> {
    /// The bucket that the host names; the whole path is the key then.
    pub bucket: Option<&'a str>,
    /// The method, in upper case.
    pub method: &'a str,
    /// The path as it was sent; empty counts as `/`.
    pub path: &'a str,
    /// What follows the `?`, without it.
    pub query: &'a str,
    /// Names in lower case with their values; repeated headers in their order.
    pub headers: Vec<(&'a str, &'a [u8])>,
}

/// A name and its value, decoded.
pub type Pair = (Vec<u8>, Vec<u8>);

impl<'a> RawRequest<'a> {
    /// The values of a header, in order.
    pub fn values<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'a [u8]> + 'r {
        self.headers.iter().filter(move |(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// True where the header is there at least once.
    pub fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// The one value of a header that may come once only; a value that is not UTF-8 counts as malformed.
    pub fn once(&self, name: &'static str) -> Result<Option<&'a str>, Refusal> {
        let mut values = self.values(name);
        let Some(first) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Refusal::Duplicate(name));
        }
        match std::str::from_utf8(first) {
            Ok(text) => Ok(Some(text.trim_matches([' ', '\t']))),
            Err(_) => Err(Refusal::Malformed(format!("the header {name} is not UTF-8"))),
        }
    }

    /// The path, each escape undone once.
    pub fn decoded_path(&self) -> Result<Vec<u8>, Refusal> {
        let path = if self.path.is_empty() { "/" } else { self.path };
        percent::decode(path).map_err(|_| Refusal::BadUri("the path holds a `%` that begins no escape"))
    }

    /// The parameters of the query in the order they came: split at `&` and the first `=`, then each escape undone once.
    pub fn decoded_query(&self) -> Result<Vec<Pair>, Refusal> {
        let bad = |_| Refusal::BadUri("the query holds a `%` that begins no escape");
        self.query
            .split('&')
            .filter(|piece| !piece.is_empty())
            .map(|piece| {
                let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
                Ok((percent::decode(name).map_err(bad)?, percent::decode(value).map_err(bad)?))
            })
            .collect()
    }
}
