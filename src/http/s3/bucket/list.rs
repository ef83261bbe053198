//! ListObjects, versions 1 and 2: one page of what the caller may see.

use super::scan;
use crate::http::percent;
use crate::http::reply;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::{ListObjects, ListVersion, write_token};
use crate::http::s3::xml::write::Document;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actors::domain::iam::principal::Principal;
use actors::domain::iam::scope;
use actors::domain::listing::{ListPage, ListQuery};
use actors::domain::names::BucketName;
use std::borrow::Cow;

/// Lists a page.
pub(in crate::http::s3) async fn answer(call: &Call, list: &ListObjects) -> Result<HttpResponse, S3Error> {
    let page = page(call, list, "s3:ListBucket").await?;
    let nameless = ListObjects { owner: false, ..list.clone() };
    // Who made a bucket is nobody's business who does not say who asks.
    let shown = if *call.principal() == Principal::Anonymous { &nameless } else { list };
    Ok(reply::xml(StatusCode::OK, document(shown, &page, &owner(call, &list.bucket))))
}

/// What the caller may see of the page that it asks for.
pub(super) async fn page(call: &Call, list: &ListObjects, action: &str) -> Result<ListPage, S3Error> {
    let name = list.bucket.as_str();
    let visible = scope::list_scope(&call.view.state, call.principal(), action, name, &call.access)
        .map_err(|_| S3Error::access_denied())?;
    let route = call.view.route(&list.bucket)?;
    if list.max_keys == 0 {
        return Ok(ListPage::default());
    }
    let query = ListQuery {
        prefix: list.prefix.clone(),
        delimiter: list.delimiter.clone(),
        start_after: list.after.clone(),
        max_keys: list.max_keys,
    };
    Ok(scan::page(&route.store, &route.bucket, query, &visible).await?)
}

/// An owner's id and the name that is shown.
pub(in crate::http::s3) type Owner = (String, String);

/// Objects belong to whoever made the bucket.
pub(in crate::http::s3) fn owner(call: &Call, bucket: &BucketName) -> Owner {
    let state = &call.view.state;
    let id = state.buckets.get(bucket).map_or_else(|| "$config".to_owned(), |bucket| bucket.owner.clone());
    let name = Principal::User(id.clone()).display_name(state);
    let name = if id.starts_with('$') { id.clone() } else { name };
    (id, name)
}

fn document(list: &ListObjects, page: &ListPage, owner: &Owner) -> String {
    let text = |text: &str| -> String { encoded(list, text).into_owned() };
    let mut document = Document::new("ListBucketResult");
    document.text("Name", list.bucket.as_str()).text("Prefix", &text(&list.prefix));
    match list.version {
        ListVersion::V1 | ListVersion::Versions => {
            document.text("Marker", &text(&list.marker));
            if let (Some(next), false) = (&page.next, list.delimiter.is_empty()) {
                document.text("NextMarker", &text(next));
            }
        }
        ListVersion::V2 => {
            document.optional("StartAfter", list.start_after.as_deref().map(text).as_deref());
            document.optional("ContinuationToken", list.token.as_deref());
            document.optional("NextContinuationToken", page.next.as_deref().map(write_token).as_deref());
            document.text("KeyCount", &(page.objects.len() + page.prefixes.len()).to_string());
        }
    }
    document.text("MaxKeys", &list.max_keys.to_string());
    if !list.delimiter.is_empty() {
        document.text("Delimiter", &text(&list.delimiter));
    }
    document.optional("EncodingType", list.url_encoded.then_some("url"));
    document.text("IsTruncated", if page.next.is_some() { "true" } else { "false" });
    for object in &page.objects {
        document.open("Contents").text("Key", &text(&object.key)).text("LastModified", &object.modified.s3_xml());
        document.text("ETag", &object.etag.quoted()).text("Size", &object.size.to_string());
        if list.owner {
            document.open("Owner").text("ID", &owner.0).text("DisplayName", &owner.1).close();
        }
        document.text("StorageClass", object.storage_class.as_deref().unwrap_or("STANDARD")).close();
    }
    for prefix in &page.prefixes {
        document.open("CommonPrefixes").text("Prefix", &text(prefix)).close();
    }
    document.finish()
}

/// A name of a listing, encoded where that was asked.
pub(super) fn encoded<'a>(list: &ListObjects, text: &'a str) -> Cow<'a, str> {
    if list.url_encoded { url(text).into() } else { text.into() }
}

/// With `encoding-type=url`, names are percent-encoded; `/` stays.
pub(in crate::http::s3) fn url(text: &str) -> String {
    let mut out = String::new();
    percent::encode_path(text.as_bytes(), &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::s3::operation::{Names, Operation, parse};
    use actors::domain::clock::Timestamp;
    use actors::domain::listing::ListedObject;
    use actors::domain::object::ETag;

    fn ask(query: &[(&str, &str)]) -> ListObjects {
        let query: Names = query.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        match parse("GET", b"/bkt", &query, &Names::new()) {
            Ok(Operation::ListObjects(list)) => list,
            other => panic!("{other:?}"),
        }
    }

    fn page() -> ListPage {
        let object = ListedObject {
            key: "a b+c".into(),
            size: 3,
            etag: ETag::new("e1"),
            modified: Timestamp::from_secs(1_795_338_000),
            storage_class: None,
        };
        ListPage { objects: vec![object], prefixes: vec!["d\u{1}/".into()], next: Some("d\u{1}/".into()) }
    }

    #[test]
    fn version_2_is_as_aws_writes_it() {
        let owner = ("u1".to_owned(), "ci".to_owned());
        let list = ask(&[("list-type", "2"), ("delimiter", "/"), ("max-keys", "2"), ("start-after", "A")]);
        assert_eq!(
            document(&list, &page(), &owner),
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <Name>bkt</Name><Prefix/><StartAfter>A</StartAfter><NextContinuationToken>{}</NextContinuationToken>\
                 <KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><Delimiter>/</Delimiter><IsTruncated>true</IsTruncated>\
                 <Contents><Key>a b+c</Key><LastModified>2026-11-22T09:00:00.000Z</LastModified>\
                 <ETag>&quot;e1&quot;</ETag><Size>3</Size><StorageClass>STANDARD</StorageClass></Contents>\
                 <CommonPrefixes><Prefix>d&#x1;/</Prefix></CommonPrefixes></ListBucketResult>",
                write_token("d\u{1}/")
            )
        );
    }

    #[test]
    fn version_1_shows_owners_and_encodes_names_when_asked() {
        let owner = ("u1".to_owned(), "ci".to_owned());
        let list = ask(&[("delimiter", "/"), ("encoding-type", "url"), ("marker", "A&")]);
        let document = document(&list, &page(), &owner);
        for part in [
            "<Marker>A%26</Marker><NextMarker>d%01/</NextMarker>",
            "<Key>a%20b%2Bc</Key>",
            "<Owner><ID>u1</ID><DisplayName>ci</DisplayName></Owner>",
            "<EncodingType>url</EncodingType>",
            "<Prefix>d%01/</Prefix>",
        ] {
            assert!(document.contains(part), "{part} is not in {document}");
        }
    }
}
