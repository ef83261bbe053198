//! GetObjectAttributes: what is known of an object, as a document, without its body.

use crate::http::body::checksum::Algorithm;
use crate::http::reply;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::{Attribute, GetAttributes};
use crate::http::s3::xml::write::Document;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LAST_MODIFIED};
use actors::domain::checksum::ChecksumKind;
use actors::domain::layout::PartLayout;
use actors::domain::object::ObjectMeta;

/// Answers with the attributes that are asked for; what an object does not have is left out.
pub(in crate::http::s3) async fn answer(call: &Call, wanted: &GetAttributes) -> Result<HttpResponse, S3Error> {
    let route = call.view.route(&wanted.bucket)?;
    let meta = route
        .store
        .head(&route.bucket, &wanted.key)
        .await
        .map_err(|error| call.hide_missing(&wanted.bucket, &wanted.key, error))?;
    let mut response = reply::xml(StatusCode::OK, document(wanted, &meta));
    if let Ok(value) = HeaderValue::from_str(&meta.modified.http_date()) {
        response.headers_mut().insert(LAST_MODIFIED, value);
    }
    Ok(response)
}

fn document(wanted: &GetAttributes, meta: &ObjectMeta) -> String {
    let asked = |attribute| wanted.wanted.contains(&attribute);
    let mut document = Document::new("GetObjectAttributesOutput");
    if asked(Attribute::ETag) {
        document.text("ETag", meta.etag.as_str());
    }
    let checksums = &meta.attributes.checksums;
    if asked(Attribute::Checksum) && !checksums.is_empty() {
        document.open("Checksum");
        for algorithm in Algorithm::ALL {
            if let Some(value) = checksums.get(algorithm.name()) {
                // The number of parts stands with the parts.
                let digest = value.split_once('-').map_or(value.as_str(), |(digest, _)| digest);
                document.text(algorithm.element(), digest).text("ChecksumType", ChecksumKind::of(value).name());
            }
        }
        document.close();
    }
    if let Some(layout) = meta.parts.as_ref().filter(|_| asked(Attribute::ObjectParts)) {
        parts(&mut document, wanted, layout);
    }
    if asked(Attribute::StorageClass) {
        document.text("StorageClass", meta.attributes.headers.storage_class.as_deref().unwrap_or("STANDARD"));
    }
    if asked(Attribute::ObjectSize) {
        document.text("ObjectSize", &meta.size.to_string());
    }
    document.finish()
}

/// A page of parts. Where they have no checksums AWS tells their number only, and so does this.
fn parts(document: &mut Document, wanted: &GetAttributes, layout: &PartLayout) {
    document.open("ObjectParts").text("PartsCount", &layout.count().to_string());
    if layout.has_checksums() {
        let mut left = layout.after(wanted.marker);
        let page: Vec<_> = left.by_ref().take(wanted.max_parts).collect();
        let last = page.last().map_or(wanted.marker, |part| part.number);
        document.text("PartNumberMarker", &wanted.marker.to_string());
        document.text("NextPartNumberMarker", &last.to_string()).text("MaxParts", &wanted.max_parts.to_string());
        document.text("IsTruncated", if left.next().is_some() { "true" } else { "false" });
        for part in page {
            document
                .open("Part")
                .text("PartNumber", &part.number.to_string())
                .text("Size", &part.range.len.to_string());
            if let Some((algorithm, value)) = &part.checksum {
                document.text(algorithm.element(), value);
            }
            document.close();
        }
    }
    document.close();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::s3::operation::{Names, Operation, parse};
    use actors::domain::checksum::{ChecksumAlgorithm, Checksums};
    use actors::domain::clock::Timestamp;
    use actors::domain::object::{ETag, ObjectAttributes};

    fn ask(headers: &[(&str, &str)]) -> GetAttributes {
        let headers: Names = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        match parse("GET", b"/bkt/k", &[("attributes".into(), String::new())].into(), &headers) {
            Ok(Operation::GetObjectAttributes(wanted)) => wanted,
            other => panic!("{other:?}"),
        }
    }

    fn shown(headers: &[(&str, &str)], meta: &ObjectMeta) -> String {
        let document = document(&ask(headers), meta);
        document.split_once("2006-03-01/\">").unwrap().1.replace("</GetObjectAttributesOutput>", "")
    }

    #[test]
    fn the_parts_come_in_pages() {
        let sums: Vec<Checksums> =
            ["AAAAAQ==", "AAAAAg==", "AAAAAw=="].map(|sum| [("CRC32".to_owned(), sum.to_owned())].into()).into();
        let layout = PartLayout::new([5, 5, 2].into_iter().zip(&sums), Some(ChecksumAlgorithm::Crc32));
        let meta = ObjectMeta {
            size: 12,
            etag: ETag::new("e-3"),
            modified: Timestamp::from_secs(1),
            sha256: None,
            attributes: ObjectAttributes {
                checksums: [("CRC32".to_owned(), "AAAABA==-3".to_owned())].into(),
                ..Default::default()
            },
            parts: Some(layout),
        };
        let of = |marker| {
            shown(
                &[
                    ("x-amz-object-attributes", "ObjectParts"),
                    ("x-amz-max-parts", "2"),
                    ("x-amz-part-number-marker", marker),
                ],
                &meta,
            )
        };
        assert_eq!(
            of("0"),
            "<ObjectParts><PartsCount>3</PartsCount><PartNumberMarker>0</PartNumberMarker><NextPartNumberMarker>2</NextPartNumberMarker>\
             <MaxParts>2</MaxParts><IsTruncated>true</IsTruncated><Part><PartNumber>1</PartNumber><Size>5</Size>\
             <ChecksumCRC32>AAAAAQ==</ChecksumCRC32></Part><Part><PartNumber>2</PartNumber><Size>5</Size>\
             <ChecksumCRC32>AAAAAg==</ChecksumCRC32></Part></ObjectParts>"
        );
        assert!(
            of("2").contains("<IsTruncated>false</IsTruncated><Part><PartNumber>3</PartNumber><Size>2</Size>"),
            "{}",
            of("2")
        );
        assert!(of("9").contains("<NextPartNumberMarker>9</NextPartNumberMarker>"));
        let rest = shown(&[("x-amz-object-attributes", "ETag, Checksum,StorageClass,ObjectSize")], &meta);
        assert_eq!(
            rest,
            "<ETag>e-3</ETag><Checksum><ChecksumCRC32>AAAABA==</ChecksumCRC32><ChecksumType>COMPOSITE</ChecksumType></Checksum>\
             <StorageClass>STANDARD</StorageClass><ObjectSize>12</ObjectSize>"
        );
    }

    #[test]
    fn what_is_asked_for_must_be_an_attribute() {
        for bad in ["", "Etag", "ETag,", "Owner"] {
            let headers = [("x-amz-object-attributes".to_owned(), bad.to_owned())].into();
            let query = [("attributes".to_owned(), String::new())].into();
            assert_eq!(parse("GET", b"/bkt/k", &query, &headers).unwrap_err().code(), "InvalidArgument", "{bad}");
        }
    }
}
