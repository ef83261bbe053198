//! The document of tags.

use super::{Step, is_blank, once, walk};
use crate::http::s3::error::S3Error;

/// Reads keys and values, in the order of the document. Whether they may be is not decided here.
pub fn tagging(body: &[u8]) -> Result<Vec<(String, String)>, S3Error> {
    let (mut pairs, mut key, mut value, mut sets) = (Vec::new(), None, None, 0);
    walk(body, |path, step| match (path, step) {
        (["Tagging"] | ["Tagging", "TagSet", "Tag", "Key" | "Value"], Step::Open) => Ok(()),
        (["Tagging", "TagSet"], Step::Open) if sets == 0 => {
            sets += 1;
            Ok(())
        }
        (["Tagging", "TagSet", "Tag"], Step::Open) => {
            (key, value) = (None, None);
            Ok(())
        }
        (["Tagging", "TagSet", "Tag", "Key"], Step::Close(text)) => once(&mut key, text),
        (["Tagging", "TagSet", "Tag", "Value"], Step::Close(text)) => once(&mut value, text),
        (["Tagging", "TagSet", "Tag"], Step::Close(text)) if is_blank(text) => match (key.take(), value.take()) {
            (Some(key), Some(value)) => {
                pairs.push((key, value));
                Ok(())
            }
            _ => Err(S3Error::malformed_xml()),
        },
        (["Tagging", "TagSet"], Step::Close(text)) if is_blank(text) => Ok(()),
        (["Tagging"], Step::Close(text)) if is_blank(text) && sets == 1 => Ok(()),
        _ => Err(S3Error::malformed_xml()),
    })?;
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(inner: &str) -> Result<Vec<(String, String)>, S3Error> {
        tagging(format!("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</Tagging>").as_bytes())
    }

    #[test]
    fn pairs_are_read_to_the_letter() {
        let pairs =
            of("<TagSet> <Tag><Key>a &amp; b</Key><Value/></Tag><Tag><Value>2</Value><Key>b</Key></Tag></TagSet>");
        let pairs = pairs.unwrap();
        assert_eq!(pairs, [("a & b".to_owned(), String::new()), ("b".to_owned(), "2".to_owned())]);
        assert_eq!(of("<TagSet/>").unwrap(), []);
    }

    #[test]
    fn anything_else_is_refused() {
        let rows = [
            "",
            "<TagSet/><TagSet/>",
            "<Tag><Key>a</Key><Value/></Tag>",
            "<TagSet><Tag><Key>a</Key></Tag></TagSet>",
            "<TagSet><Tag><Value>a</Value></Tag></TagSet>",
            "<TagSet><Tag><Key>a</Key><Key>b</Key><Value/></Tag></TagSet>",
            "<TagSet><Tag><Key>a</Key><Value/><Other/></Tag></TagSet>",
            "<TagSet>text</TagSet>",
        ];
        for row in rows {
            assert_eq!(of(row).unwrap_err().code(), "MalformedXML", "{row}");
        }
    }
}
