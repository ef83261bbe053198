//! The XML bodies that clients send. Unknown elements are refused, not ignored.

use crate::http::s3::error::S3Error;
use quick_xml::Reader;
use quick_xml::events::Event;

/// What the body of CreateBucket asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateBucketConfiguration {
    /// `LocationConstraint`.
    pub location: Option<String>,
}

/// Reads the body of CreateBucket; an empty one asks for nothing.
pub fn create_bucket(body: &[u8]) -> Result<CreateBucketConfiguration, S3Error> {
    let mut wanted = CreateBucketConfiguration::default();
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(wanted);
    }
    let text = std::str::from_utf8(body).map_err(|_| S3Error::malformed_xml())?;
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut value = String::new();
    loop {
        match reader.read_event().map_err(|_| S3Error::malformed_xml())? {
            Event::Start(start) => {
                path.push(local_name(start.local_name().as_ref())?);
                check_place(&path)?;
                value.clear();
            }
            Event::Empty(start) => {
                path.push(local_name(start.local_name().as_ref())?);
                check_place(&path)?;
                path.pop();
            }
            Event::Text(piece) if path.is_empty() && !piece.iter().all(u8::is_ascii_whitespace) => {
                return Err(S3Error::malformed_xml());
            }
            Event::Text(piece) => value.push_str(&piece.decode().map_err(|_| S3Error::malformed_xml())?),
            Event::End(_) => {
                if path.pop().as_deref() == Some("LocationConstraint") {
                    let name = value.trim();
                    wanted.location = (!name.is_empty()).then(|| name.to_owned());
                }
            }
            Event::Eof if path.is_empty() => return Ok(wanted),
            Event::Decl(_) | Event::Comment(_) => {}
            _ => return Err(S3Error::malformed_xml()),
        }
    }
}

fn check_place(path: &[String]) -> Result<(), S3Error> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["CreateBucketConfiguration"] | ["CreateBucketConfiguration", "LocationConstraint"] => Ok(()),
        ["CreateBucketConfiguration", element, ..] => {
            Err(S3Error::not_implemented(&format!("the element {element} of CreateBucketConfiguration")))
        }
        _ => Err(S3Error::malformed_xml()),
    }
}

fn local_name(bytes: &[u8]) -> Result<String, S3Error> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| S3Error::malformed_xml())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_read_and_anything_else_refused() {
        let read = |text: &str| create_bucket(text.as_bytes()).map(|wanted| wanted.location);
        let document = |inner: &str| {
            format!(
                "<?xml version=\"1.0\"?><CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</CreateBucketConfiguration>"
            )
        };
        assert_eq!(read("").unwrap(), None);
        assert_eq!(
            read(&document("<LocationConstraint>eu-west-1</LocationConstraint>")).unwrap().as_deref(),
            Some("eu-west-1")
        );
        assert_eq!(read(&document("<LocationConstraint/>")).unwrap(), None);
        assert_eq!(read(&document("<Tags/>")).unwrap_err().code(), "NotImplemented");
        for bad in ["<a/>", "<CreateBucketConfiguration>", "nonsense", "<!DOCTYPE a><CreateBucketConfiguration/>"] {
            assert_eq!(read(bad).unwrap_err().code(), "MalformedXML", "{bad}");
        }
    }
}
