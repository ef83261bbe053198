//! The body of CompleteMultipartUpload.

use super::{Step, is_blank, once, walk};
use crate::http::body::checksum::Algorithm;
use crate::http::s3::error::S3Error;
use actors::domain::checksum::Checksums;
use actors::domain::object::ETag;

/// The most parts of one object (AWS).
const MOST: usize = 10_000;

/// One part that the client wants in the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPart {
    /// `PartNumber`: any number, since a wrong one has an error of its own.
    pub number: i64,
    /// `ETag`.
    pub etag: ETag,
    /// `Checksum…`, as it was sent.
    pub checksums: Checksums,
}

/// Reads the body of CompleteMultipartUpload: at least one part, in the order of the document.
pub fn complete_multipart_upload(body: &[u8]) -> Result<Vec<ListedPart>, S3Error> {
    let (mut parts, mut number, mut etag, mut checksums) = (Vec::new(), None, None, Checksums::new());
    walk(body, |path, step| match (path, step) {
        (["CompleteMultipartUpload"], Step::Open) => Ok(()),
        (["CompleteMultipartUpload"], Step::Close(text)) if is_blank(text) => Ok(()),
        (["CompleteMultipartUpload", "Part"], Step::Open) => {
            (number, etag, checksums) = (None, None, Checksums::new());
            Ok(())
        }
        (["CompleteMultipartUpload", "Part", "PartNumber" | "ETag"], Step::Open) => Ok(()),
        (["CompleteMultipartUpload", "Part", "PartNumber"], Step::Close(text)) => once(&mut number, text.trim()),
        (["CompleteMultipartUpload", "Part", "ETag"], Step::Close(text)) => once(&mut etag, text.trim()),
        (["CompleteMultipartUpload", "Part", element], step) if element.starts_with("Checksum") => {
            let algorithm = Algorithm::ALL.into_iter().find(|algorithm| algorithm.element() == *element);
            let algorithm = algorithm.ok_or_else(|| S3Error::not_implemented(&format!("the element {element}")))?;
            match step {
                Step::Close(text)
                    if checksums.insert(algorithm.name().to_owned(), text.trim().to_owned()).is_some() =>
                {
                    Err(S3Error::malformed_xml())
                }
                Step::Open | Step::Close(_) => Ok(()),
            }
        }
        (["CompleteMultipartUpload", "Part"], Step::Close(text)) if is_blank(text) && parts.len() < MOST => {
            let number = number.take().and_then(|text: String| text.parse().ok()).ok_or_else(S3Error::malformed_xml)?;
            let etag = etag.take().map(|text: String| ETag::new(&text)).ok_or_else(S3Error::malformed_xml)?;
            let mut checksums = std::mem::take(&mut checksums);
            // An empty element says as much as none.
            checksums.retain(|_, value| !value.is_empty());
            parts.push(ListedPart { number, etag, checksums });
            Ok(())
        }
        _ => Err(S3Error::malformed_xml()),
    })?;
    if parts.is_empty() { Err(S3Error::malformed_xml()) } else { Ok(parts) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(inner: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n{inner}</CompleteMultipartUpload>\n"
        )
    }

    #[test]
    fn parts_are_read_however_a_client_writes_them() {
        let text = document(
            "  <Part>\n <ETag>&quot;0cc175b9c0f1b6a831c399e269772661&quot;</ETag><PartNumber> 1 </PartNumber>\n\
             <ChecksumCRC32>AAAAAA==</ChecksumCRC32><ChecksumSHA1/></Part>\n\
             <s:Part xmlns:s=\"x\"><s:PartNumber>3</s:PartNumber><s:ETag>\"b\"</s:ETag></s:Part>",
        );
        let parts = complete_multipart_upload(text.as_bytes()).unwrap();
        let first = ListedPart {
            number: 1,
            etag: ETag::new("0cc175b9c0f1b6a831c399e269772661"),
            checksums: [("CRC32".to_owned(), "AAAAAA==".to_owned())].into(),
        };
        assert_eq!(parts, [first, ListedPart { number: 3, etag: ETag::new("b"), checksums: Checksums::new() }]);
        let bare =
            "<CompleteMultipartUpload><Part><PartNumber>-1</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>";
        assert_eq!(complete_multipart_upload(bare.as_bytes()).unwrap()[0].number, -1);
    }

    #[test]
    fn ten_thousand_parts_are_taken_and_one_more_is_not() {
        let parts = |count| document(&"<Part><PartNumber>1</PartNumber><ETag>a</ETag></Part>".repeat(count));
        assert_eq!(complete_multipart_upload(parts(MOST).as_bytes()).unwrap().len(), MOST);
        assert_eq!(complete_multipart_upload(parts(MOST + 1).as_bytes()).unwrap_err().code(), "MalformedXML");
    }

    #[test]
    fn anything_odd_is_malformed() {
        let odd = [
            String::new(),
            document(""),
            document("<Part/>"),
            document("<Part><PartNumber>1</PartNumber></Part>"),
            document("<Part><ETag>a</ETag></Part>"),
            document("<Part><PartNumber>one</PartNumber><ETag>a</ETag></Part>"),
            document("<Part><PartNumber>1.0</PartNumber><ETag>a</ETag></Part>"),
            document("<Part><PartNumber/><ETag>a</ETag></Part>"),
            document("<Part><PartNumber>1</PartNumber><PartNumber>2</PartNumber><ETag>a</ETag></Part>"),
            document("<Part><PartNumber>1</PartNumber><ETag>a</ETag><Size>1</Size></Part>"),
            document("<Part><PartNumber>1</PartNumber><ETag>a</ETag>text</Part>"),
            document("<Part><PartNumber>1</PartNumber><ETag><b>a</b></ETag></Part>"),
            document("<Part><PartNumber>1</PartNumber><ETag>a</ETag></Part><Part>"),
            document("text<Part><PartNumber>1</PartNumber><ETag>a</ETag></Part>"),
            document(
                "<Part><PartNumber>1</PartNumber><ETag>a</ETag><ChecksumCRC32>a</ChecksumCRC32><ChecksumCRC32>a</ChecksumCRC32></Part>",
            ),
            "<Complete><Part><PartNumber>1</PartNumber><ETag>a</ETag></Part></Complete>".to_owned(),
        ];
        for text in odd {
            assert_eq!(complete_multipart_upload(text.as_bytes()).unwrap_err().code(), "MalformedXML", "{text}");
        }
        let unknown = document("<Part><PartNumber>1</PartNumber><ETag>a</ETag><ChecksumMD5>a</ChecksumMD5></Part>");
        assert_eq!(complete_multipart_upload(unknown.as_bytes()).unwrap_err().code(), "NotImplemented");
    }
}
