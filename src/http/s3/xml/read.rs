//! The XML bodies that clients send. Unknown elements are refused, not ignored; a document type is never read.

mod complete;
mod cors;
mod create_bucket;
mod delete_objects;
mod form;
mod lifecycle;
mod tagging;

pub use complete::{ListedPart, complete_multipart_upload};
pub use cors::cors;
pub use create_bucket::{CreateBucketConfiguration, create_bucket};
pub use delete_objects::{Delete, DeleteKey, delete_objects};
pub use lifecycle::lifecycle;
pub use tagging::tagging;

use crate::http::s3::error::S3Error;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

/// What is met on the way through a document.
#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    /// An element begins: may it be here?
    Open,
    /// It ends, with the text that it holds.
    Close(&'a str),
}

/// Walks through a document; `visit` gets the names from the root to the element.
fn walk(body: &[u8], mut visit: impl FnMut(&[&str], Step<'_>) -> Result<(), S3Error>) -> Result<(), S3Error> {
    let text = std::str::from_utf8(body).map_err(|_| S3Error::malformed_xml())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // The reader takes one more mark away by itself, where a second one is a text outside the root.
    if text.starts_with('\u{feff}') || !form::has_legal_characters(text) {
        return Err(S3Error::malformed_xml());
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    // The names from the root, the text of the innermost element, and whether it held another.
    let (mut path, mut value, mut nested) = (Vec::<String>::new(), String::new(), false);
    let (mut begun, mut first) = (false, true);
    loop {
        match reader.read_event().map_err(|_| S3Error::malformed_xml())? {
            Event::Start(start) => {
                check_form(&start, form::is_tag)?;
                check_begin(&path, begun, &value)?;
                path.push(local_name(start.local_name().as_ref())?);
                visit(&names(&path), Step::Open)?;
                (begun, nested) = (true, false);
                value.clear();
            }
            Event::Empty(start) => {
                check_form(&start, form::is_tag)?;
                check_begin(&path, begun, &value)?;
                path.push(local_name(start.local_name().as_ref())?);
                visit(&names(&path), Step::Open)?;
                visit(&names(&path), Step::Close(""))?;
                path.pop();
                (begun, nested) = (true, true);
            }
            Event::Text(piece) if piece.windows(3).any(|end| end == b"]]>") => return Err(S3Error::malformed_xml()),
            Event::CData(_) | Event::GeneralRef(_) if path.is_empty() => return Err(S3Error::malformed_xml()),
            Event::Text(piece) => value.push_str(&piece.xml10_content().map_err(|_| S3Error::malformed_xml())?),
            Event::CData(piece) => value.push_str(&piece.xml10_content().map_err(|_| S3Error::malformed_xml())?),
            Event::GeneralRef(reference) => value.push(character(&reference)?),
            Event::End(_) => {
                if nested && !is_blank(&value) {
                    return Err(S3Error::malformed_xml());
                }
                visit(&names(&path), Step::Close(&value))?;
                path.pop();
                nested = true;
                value.clear();
            }
            Event::Eof if path.is_empty() && begun && is_blank(&value) => return Ok(()),
            Event::Decl(declaration) if first => check_form(&declaration, form::is_declaration)?,
            Event::Comment(_) => {}
            Event::Eof | Event::Decl(_) | Event::DocType(_) | Event::PI(_) => return Err(S3Error::malformed_xml()),
        }
        first = false;
    }
}

/// The inside of a tag is as XML wants it, which the reader does not check.
fn check_form(content: &[u8], is_well_formed: impl Fn(&str) -> bool) -> Result<(), S3Error> {
    let well_formed = std::str::from_utf8(content).is_ok_and(is_well_formed);
    well_formed.then_some(()).ok_or_else(S3Error::malformed_xml)
}

/// There is one root, and no text beside elements.
fn check_begin(path: &[String], begun: bool, value: &str) -> Result<(), S3Error> {
    match is_blank(value) && (!begun || !path.is_empty()) {
        true => Ok(()),
        false => Err(S3Error::malformed_xml()),
    }
}

/// `&amp;` and its like, `&#10;` or `&#xA;`; there are no other entities without a document type.
fn character(reference: &BytesRef<'_>) -> Result<char, S3Error> {
    let text = reference.decode().map_err(|_| S3Error::malformed_xml())?;
    referred(&text).ok_or_else(S3Error::malformed_xml)
}

fn referred(name: &str) -> Option<char> {
    let code = match (name.strip_prefix("#x"), name.strip_prefix('#')) {
        (Some(hex), _) => u32::from_str_radix(hex, 16).ok().filter(|_| !hex.starts_with('+')),
        (None, Some(digits)) => digits.parse().ok().filter(|_| !digits.starts_with('+')),
        (None, None) => match name {
            "amp" => Some(u32::from('&')),
            "lt" => Some(u32::from('<')),
            "gt" => Some(u32::from('>')),
            "quot" => Some(u32::from('"')),
            "apos" => Some(u32::from('\'')),
            _ => None,
        },
    };
    code.and_then(char::from_u32)
}

/// Each element comes once.
fn once(slot: &mut Option<String>, text: &str) -> Result<(), S3Error> {
    match slot.replace(text.to_owned()) {
        None => Ok(()),
        Some(_) => Err(S3Error::malformed_xml()),
    }
}

/// A whole number in digits.
fn number<T: std::str::FromStr>(text: &str) -> Result<T, S3Error> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(S3Error::malformed_xml)
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_whitespace())
}

fn names(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

fn local_name(bytes: &[u8]) -> Result<String, S3Error> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| S3Error::malformed_xml())
}
