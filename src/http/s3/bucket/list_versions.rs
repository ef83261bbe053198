//! ListObjectVersions of a bucket without versions: each object has the one version `null`, and it is the latest.

use super::list::{self, Owner, encoded};
use crate::http::reply;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::ListObjects;
use crate::http::s3::xml::write::Document;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actors::domain::listing::ListPage;

/// The one version's id.
const NULL: &str = "null";

/// Lists a page.
pub(in crate::http::s3) async fn answer(call: &Call, list: &ListObjects) -> Result<HttpResponse, S3Error> {
    let page = list::page(call, list, "s3:ListBucketVersions").await?;
    Ok(reply::xml(StatusCode::OK, document(list, &page, &list::owner(call, &list.bucket))))
}

fn document(list: &ListObjects, page: &ListPage, owner: &Owner) -> String {
    let text = |text: &str| -> String { encoded(list, text).into_owned() };
    let mut document = Document::new("ListVersionsResult");
    document.text("Name", list.bucket.as_str()).text("Prefix", &text(&list.prefix));
    document.text("KeyMarker", &text(&list.marker));
    document.text("VersionIdMarker", list.token.as_deref().unwrap_or_default());
    if let Some(next) = &page.next {
        document.text("NextKeyMarker", &text(next));
        if page.prefixes.last() != Some(next) {
            document.text("NextVersionIdMarker", NULL);
        }
    }
    document.text("MaxKeys", &list.max_keys.to_string());
    if !list.delimiter.is_empty() {
        document.text("Delimiter", &text(&list.delimiter));
    }
    document.optional("EncodingType", list.url_encoded.then_some("url"));
    document.text("IsTruncated", if page.next.is_some() { "true" } else { "false" });
    for object in &page.objects {
        document.open("Version").text("Key", &text(&object.key)).text("VersionId", NULL).text("IsLatest", "true");
        document.text("LastModified", &object.modified.s3_xml()).text("ETag", &object.etag.quoted());
        document.text("Size", &object.size.to_string());
        document.open("Owner").text("ID", &owner.0).text("DisplayName", &owner.1).close();
        document.text("StorageClass", object.storage_class.as_deref().unwrap_or("STANDARD")).close();
    }
    for prefix in &page.prefixes {
        document.open("CommonPrefixes").text("Prefix", &text(prefix)).close();
    }
    document.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::s3::operation::{Names, Operation, parse};
    use actors::domain::clock::Timestamp;
    use actors::domain::listing::ListedObject;
    use actors::domain::object::ETag;

    fn ask(query: &[(&str, &str)]) -> Result<ListObjects, S3Error> {
        let query: Names = query.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        match parse("GET", b"/bkt", &query, &Names::new())? {
            Operation::ListObjects(list) => Ok(list),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_object_is_its_one_version() {
        let list =
            ask(&[("versions", ""), ("max-keys", "1"), ("key-marker", "A"), ("version-id-marker", "null")]).unwrap();
        assert_eq!(list.after, "A");
        let object = ListedObject {
            key: "b".into(),
            size: 3,
            etag: ETag::new("e1"),
            modified: Timestamp::from_secs(1_795_338_000),
            storage_class: None,
        };
        let page = ListPage { objects: vec![object], prefixes: Vec::new(), next: Some("b".into()) };
        assert_eq!(
            document(&list, &page, &("u1".to_owned(), "ci".to_owned())),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Name>bkt</Name><Prefix/><KeyMarker>A</KeyMarker><VersionIdMarker>null</VersionIdMarker><NextKeyMarker>b</NextKeyMarker>\
             <NextVersionIdMarker>null</NextVersionIdMarker><MaxKeys>1</MaxKeys><IsTruncated>true</IsTruncated>\
             <Version><Key>b</Key><VersionId>null</VersionId><IsLatest>true</IsLatest>\
             <LastModified>2026-11-22T09:00:00.000Z</LastModified><ETag>&quot;e1&quot;</ETag><Size>3</Size>\
             <Owner><ID>u1</ID><DisplayName>ci</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Version>\
             </ListVersionsResult>"
        );
    }

    #[test]
    fn a_marker_of_another_version_is_refused() {
        for wrong in [
            &[("versions", ""), ("version-id-marker", "null")][..],
            &[("versions", ""), ("key-marker", "A"), ("version-id-marker", "3")],
            &[("versions", ""), ("marker", "A")],
            &[("key-marker", "A")],
        ] {
            assert_eq!(ask(wrong).unwrap_err().code(), "InvalidArgument", "{wrong:?}");
        }
    }
}
