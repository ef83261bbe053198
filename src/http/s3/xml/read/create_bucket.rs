//! The body of CreateBucket.

use super::{Step, is_blank, walk};
use crate::http::s3::error::S3Error;

/// What the body of CreateBucket asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateBucketConfiguration {
    /// `LocationConstraint`.
    pub location: Option<String>,
}

/// Reads the body of CreateBucket; an empty one asks for nothing.
pub fn create_bucket(body: &[u8]) -> Result<CreateBucketConfiguration, S3Error> {
    let (mut wanted, mut located) = (CreateBucketConfiguration::default(), false);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(wanted);
    }
    walk(body, |path, step| match (path, step) {
        (["CreateBucketConfiguration"], Step::Close(text)) if !is_blank(text) => Err(S3Error::malformed_xml()),
        (["CreateBucketConfiguration"], _) => Ok(()),
        // One location, or it would be a guess which of them counts.
        (["CreateBucketConfiguration", "LocationConstraint"], Step::Open) if !std::mem::replace(&mut located, true) => {
            Ok(())
        }
        (["CreateBucketConfiguration", "LocationConstraint"], Step::Open) => Err(S3Error::malformed_xml()),
        (["CreateBucketConfiguration", "LocationConstraint"], Step::Close(text)) => {
            let name = text.trim();
            wanted.location = (!name.is_empty()).then(|| name.to_owned());
            Ok(())
        }
        (["CreateBucketConfiguration", element, ..], _) => {
            Err(S3Error::not_implemented(&format!("the element {element} of CreateBucketConfiguration")))
        }
        _ => Err(S3Error::malformed_xml()),
    })?;
    Ok(wanted)
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
        for bad in [
            "<a/>",
            "<CreateBucketConfiguration>",
            "nonsense",
            "<!DOCTYPE a><CreateBucketConfiguration/>",
            "<CreateBucketConfiguration>text</CreateBucketConfiguration>",
            "<CreateBucketConfiguration/><CreateBucketConfiguration/>",
            "<CreateBucketConfiguration/>text",
            "text<CreateBucketConfiguration/>",
            "<CreateBucketConfiguration><LocationConstraint/><LocationConstraint/></CreateBucketConfiguration>",
        ] {
            assert_eq!(read(bad).unwrap_err().code(), "MalformedXML", "{bad}");
        }
    }
}
