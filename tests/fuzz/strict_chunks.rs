//! A strict reader of whole bodies in chunks, written from AWS's pages and apart from the server's decoder.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// What signs the chunks: key, seed signature, time, scope.
pub struct Seal {
    pub key: Vec<u8>,
    pub seed: String,
    pub stamp: String,
    pub scope: String,
}

/// Content and trailer of a body, or `None` where anything is wrong with it.
pub fn read(
    body: &[u8],
    seal: Option<&Seal>,
    length: usize,
    trailer: Option<&str>,
) -> Option<(Vec<u8>, Option<String>)> {
    let (mut rest, mut content) = (body, Vec::new());
    let mut last = seal.map(|seal| seal.seed.clone()).unwrap_or_default();
    loop {
        let line = take_line(&mut rest)?;
        let (size, signature) = match seal {
            Some(_) => line.split_once(";chunk-signature=")?,
            None => (line.as_str(), ""),
        };
        if size.is_empty() || size.len() > 16 || !size.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let size = usize::try_from(u64::from_str_radix(size, 16).ok()?).ok()?;
        if size > rest.len() || content.len().checked_add(size)? > length {
            return None;
        }
        let (piece, after) = rest.split_at(size);
        if let Some(seal) = seal {
            let sums = format!("{}\n{}", hex::encode(Sha256::digest(b"")), hex::encode(Sha256::digest(piece)));
            last = seal.sign("AWS4-HMAC-SHA256-PAYLOAD", &last, &sums);
            if last != signature {
                return None;
            }
        }
        content.extend_from_slice(piece);
        rest = after;
        if size == 0 {
            break;
        }
        rest = rest.strip_prefix(b"\r\n")?;
    }
    let value = trailer.map(|name| end(&mut rest, name, seal, &last));
    if value.as_ref().is_some_and(Option::is_none) || rest != b"\r\n" || content.len() != length {
        return None;
    }
    Some((content, value.flatten()))
}

/// The trailer, signed where the chunks are. AWS's page ends its lines with `\n`, its SDKs with `\r\n`.
fn end(rest: &mut &[u8], name: &str, seal: Option<&Seal>, last: &str) -> Option<String> {
    let bare = rest.iter().position(|byte| *byte == b'\n').is_some_and(|at| at == 0 || rest[at - 1] != b'\r');
    let line = take_trailer_line(rest)?;
    let (sent, value) = line.split_once(':')?;
    if !sent.eq_ignore_ascii_case(name) {
        return None;
    }
    let value = value.trim_matches([' ', '\t']).to_owned();
    if let Some(seal) = seal {
        let mut line = take_trailer_line(rest)?;
        if bare && line.is_empty() {
            line = take_trailer_line(rest)?;
        }
        let (sent, signature) = line.split_once(':')?;
        let digest = hex::encode(Sha256::digest(format!("{name}:{value}\n")));
        let expected = seal.sign("AWS4-HMAC-SHA256-TRAILER", last, &digest);
        if !sent.eq_ignore_ascii_case("x-amz-trailer-signature") || signature.trim_matches([' ', '\t']) != expected {
            return None;
        }
    }
    Some(value)
}

impl Seal {
    fn sign(&self, kind: &str, last: &str, sums: &str) -> String {
        let text = format!("{kind}\n{}\n{}\n{last}\n{sums}", self.stamp, self.scope);
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }
}

/// A line that ends in `\r\n`, of at most 1 KiB.
fn take_line(rest: &mut &[u8]) -> Option<String> {
    let line = take_any_line(rest)?;
    String::from_utf8(line.strip_suffix(b"\r\n")?.to_vec()).ok()
}

fn take_trailer_line(rest: &mut &[u8]) -> Option<String> {
    let line = take_any_line(rest)?;
    let text = line.strip_suffix(b"\r\n").or_else(|| line.strip_suffix(b"\n"))?;
    String::from_utf8(text.to_vec()).ok()
}

fn take_any_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')? + 1;
    let (line, after) = rest.split_at(end);
    *rest = after;
    (line.len() <= 1024).then_some(line)
}
