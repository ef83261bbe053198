//! The documents that answer multipart requests.

use crate::http::body::checksum::Algorithm;
use crate::http::s3::bucket::list::{Owner, url};
use crate::http::s3::operation::{ListMultipartUploads, ListParts, PutObject, Upload};
use crate::http::s3::xml::write::Document;
use actors::domain::checksum::{ChecksumKind, Checksums};
use actors::domain::object::{ObjectAttributes, ObjectMeta};
use actors::storage::multipart::{PartInfo, PartPage, UploadInfo, UploadPage};

/// Of CreateMultipartUpload.
pub(super) fn initiated(to: &PutObject, begun: &UploadInfo) -> String {
    let mut document = Document::new("InitiateMultipartUploadResult");
    document.text("Bucket", to.bucket.as_str()).text("Key", to.key.as_str()).text("UploadId", begun.id.as_str());
    document.finish()
}

/// Of UploadPartCopy.
pub(super) fn copied(part: &PartInfo) -> String {
    let mut document = Document::new("CopyPartResult");
    document.text("LastModified", &part.modified.s3_xml()).text("ETag", &part.etag.quoted());
    checksums(&mut document, &part.checksums);
    document.finish()
}

/// Of CompleteMultipartUpload.
pub(super) fn completed(upload: &Upload, location: &str, stored: &ObjectMeta) -> String {
    let mut document = Document::new("CompleteMultipartUploadResult");
    document.text("Location", location).text("Bucket", upload.bucket.as_str()).text("Key", upload.key.as_str());
    document.text("ETag", &stored.etag.quoted());
    checksums(&mut document, &stored.attributes.checksums);
    if let Some(value) = stored.attributes.checksums.values().next() {
        document.text("ChecksumType", ChecksumKind::of(value).name());
    }
    document.finish()
}

/// Of ListParts.
pub(super) fn parts(list: &ListParts, page: &PartPage, owner: &Owner) -> String {
    let upload = &list.upload;
    let key = if list.url_encoded { url(upload.key.as_str()) } else { upload.key.as_str().to_owned() };
    let mut document = Document::new("ListPartsResult");
    document.text("Bucket", upload.bucket.as_str()).text("Key", &key).text("UploadId", &upload.id);
    document.text("PartNumberMarker", &list.marker.to_string());
    let last = page.parts.last().map_or(0, |part| part.number.get());
    document.text("NextPartNumberMarker", &last.to_string()).text("MaxParts", &list.max_parts.to_string());
    document.text("IsTruncated", if page.next.is_some() { "true" } else { "false" });
    document.optional("EncodingType", list.url_encoded.then_some("url"));
    for part in &page.parts {
        document.open("Part").text("PartNumber", &part.number.to_string());
        document.text("LastModified", &part.modified.s3_xml()).text("ETag", &part.etag.quoted());
        document.text("Size", &part.size.to_string());
        checksums(&mut document, &part.checksums);
        document.close();
    }
    people(&mut document, &page.upload, owner);
    summed(&mut document, &page.upload);
    document.finish()
}

/// Of ListMultipartUploads.
pub(super) fn uploads(list: &ListMultipartUploads, page: &UploadPage, owner: &Owner) -> String {
    let text = |text: &str| if list.url_encoded { url(text) } else { text.to_owned() };
    let mut document = Document::new("ListMultipartUploadsResult");
    document.text("Bucket", list.bucket.as_str());
    document.text("KeyMarker", &text(&list.after)).text("UploadIdMarker", &list.after_id);
    if let Some((key, id)) = &page.next {
        document.text("NextKeyMarker", &text(key));
        document.text("NextUploadIdMarker", id.as_ref().map_or("", |id| id.as_str()));
    }
    document.text("Prefix", &text(&list.prefix));
    if !list.delimiter.is_empty() {
        document.text("Delimiter", &text(&list.delimiter));
    }
    document.optional("EncodingType", list.url_encoded.then_some("url"));
    document.text("MaxUploads", &list.max_uploads.to_string());
    document.text("IsTruncated", if page.next.is_some() { "true" } else { "false" });
    for upload in &page.uploads {
        document.open("Upload").text("Key", &text(upload.key.as_str())).text("UploadId", upload.id.as_str());
        people(&mut document, upload, owner);
        document.text("Initiated", &upload.initiated.s3_xml());
        summed(&mut document, upload);
        document.close();
    }
    for prefix in &page.prefixes {
        document.open("CommonPrefixes").text("Prefix", &text(prefix)).close();
    }
    document.finish()
}

fn people(document: &mut Document, upload: &UploadInfo, owner: &Owner) {
    let initiator = &upload.initiator;
    document.open("Initiator").text("ID", &initiator.id).text("DisplayName", &initiator.name).close();
    document.open("Owner").text("ID", &owner.0).text("DisplayName", &owner.1).close();
    document.text("StorageClass", class(&upload.attributes));
}

fn class(attributes: &ObjectAttributes) -> &str {
    attributes.headers.storage_class.as_deref().unwrap_or("STANDARD")
}

fn summed(document: &mut Document, upload: &UploadInfo) {
    if let Some(checksum) = upload.checksum {
        document.text("ChecksumAlgorithm", checksum.algorithm.name()).text("ChecksumType", checksum.kind.name());
    }
}

fn checksums(document: &mut Document, checksums: &Checksums) {
    for algorithm in Algorithm::ALL {
        document.optional(algorithm.element(), checksums.get(algorithm.name()).map(String::as_str));
    }
}

#[cfg(test)]
mod tests;
