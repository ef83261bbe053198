//! The body of DeleteObjects.

use super::{Step, is_blank, once, walk};
use crate::http::s3::error::S3Error;

/// The most keys of one request (AWS).
const MOST: usize = 1000;

/// What the body of DeleteObjects asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delete {
    /// Only failures are reported.
    pub quiet: bool,
    /// In the order of the document.
    pub keys: Vec<DeleteKey>,
}

/// One key to be deleted, as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteKey {
    /// `Key`.
    pub key: String,
    /// `VersionId`.
    pub version: Option<String>,
    /// `ETag`: delete only if it fits.
    pub etag: Option<String>,
}

/// Reads the body of DeleteObjects.
pub fn delete_objects(body: &[u8]) -> Result<Delete, S3Error> {
    let (mut wanted, mut quiet) = (Delete::default(), None);
    let (mut key, mut version, mut etag) = (None, None, None);
    walk(body, |path, step| match (path, step) {
        (["Delete"] | ["Delete", "Quiet"] | ["Delete", "Object", "Key" | "VersionId" | "ETag"], Step::Open) => Ok(()),
        (["Delete", "Object"], Step::Open) => {
            (key, version, etag) = (None, None, None);
            Ok(())
        }
        (["Delete", "Quiet"], Step::Close(text)) => once(&mut quiet, text.trim()),
        (["Delete", "Object", "Key"], Step::Close(text)) => once(&mut key, text),
        (["Delete", "Object", "VersionId"], Step::Close(text)) => once(&mut version, text),
        (["Delete", "Object", "ETag"], Step::Close(text)) => once(&mut etag, text),
        (["Delete", "Object"], Step::Close(text)) if is_blank(text) && wanted.keys.len() < MOST => {
            let key = key.take().ok_or_else(S3Error::malformed_xml)?;
            wanted.keys.push(DeleteKey { key, version: version.take(), etag: etag.take() });
            Ok(())
        }
        (["Delete"], Step::Close(text)) if is_blank(text) && !wanted.keys.is_empty() => Ok(()),
        (["Delete", "Object", element @ ("LastModifiedTime" | "Size")], _) => {
            Err(S3Error::not_implemented(&format!("the element {element} of DeleteObjects")))
        }
        _ => Err(S3Error::malformed_xml()),
    })?;
    wanted.quiet = match quiet.as_deref() {
        None | Some("" | "false" | "0") => false,
        Some("true" | "1") => true,
        Some(_) => return Err(S3Error::malformed_xml()),
    };
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(inner: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n{inner}</Delete>\n"
        )
    }

    #[test]
    fn keys_are_read_to_the_letter() {
        let text = document(
            "<Quiet>true</Quiet> <Object><Key> a &amp;&lt;&#x3;&#13;b </Key></Object>\n\
             <o:Object xmlns:o=\"x\"><o:VersionId>null</o:VersionId><o:Key><![CDATA[<k>]]></o:Key></o:Object>\
             <Object><Key>dir/</Key><ETag>&quot;abc&quot;</ETag></Object>",
        );
        let wanted = delete_objects(text.as_bytes()).unwrap();
        assert!(wanted.quiet);
        let keys: Vec<&str> = wanted.keys.iter().map(|key| key.key.as_str()).collect();
        assert_eq!(keys, [" a &<\u{3}\rb ", "<k>", "dir/"]);
        assert_eq!(wanted.keys[1].version.as_deref(), Some("null"));
        assert_eq!(wanted.keys[2].etag.as_deref(), Some("\"abc\""));
    }

    #[test]
    fn up_to_a_thousand_keys_are_taken() {
        let keys = |count| document(&"<Object><Key>k</Key></Object>".repeat(count));
        assert_eq!(delete_objects(keys(1000).as_bytes()).unwrap().keys.len(), 1000);
        assert_eq!(delete_objects(keys(1001).as_bytes()).unwrap_err().code(), "MalformedXML");
    }

    #[test]
    fn anything_else_is_refused() {
        let rows = [
            "",
            "<Object/>",
            "<Object><Key>a</Key><Key>b</Key></Object>",
            "<Object><Key>a</Key>text</Object>",
            "<Object><Key>a</Key></Object>text",
            "text<Object><Key>a</Key></Object>",
            "<Object><Key>a<b/></Key></Object>",
            "<Object><Key>a</Key><Unknown/></Object>",
            "<Object><Key>&unknown;</Key></Object>",
            "<Object><Key>&#xD800;</Key></Object>",
            "<Quiet>maybe</Quiet><Object><Key>a</Key></Object>",
            "<Quiet>true</Quiet><Quiet>true</Quiet><Object><Key>a</Key></Object>",
            "<Object><Key>a</Object></Key>",
        ];
        for row in rows {
            assert_eq!(delete_objects(document(row).as_bytes()).unwrap_err().code(), "MalformedXML", "{row}");
        }
        let entity = "<!DOCTYPE d [<!ENTITY e \"x\">]><Delete><Object><Key>&e;</Key></Object></Delete>";
        assert_eq!(delete_objects(entity.as_bytes()).unwrap_err().code(), "MalformedXML");
        let sized = document("<Object><Key>a</Key><Size>1</Size></Object>");
        assert_eq!(delete_objects(sized.as_bytes()).unwrap_err().code(), "NotImplemented");
    }
}
