//! Settings of a bucket as the documents of S3.

use crate::http::s3::xml::write::Document;
use actors::domain::bucket::cors::CorsRule;
use actors::domain::bucket::lifecycle::{Filter, LifecycleRule};
use actors::domain::tags::Tags;

pub(super) fn tagging(tags: &Tags) -> String {
    let mut document = Document::new("Tagging");
    document.open("TagSet");
    for (key, value) in tags {
        tag(&mut document, key, value);
    }
    document.finish()
}

pub(super) fn cors(rules: &[CorsRule]) -> String {
    let mut document = Document::new("CORSConfiguration");
    for rule in rules {
        document.open("CORSRule").optional("ID", rule.id.as_deref());
        for (name, texts) in [
            ("AllowedMethod", &rule.allowed_methods),
            ("AllowedOrigin", &rule.allowed_origins),
            ("AllowedHeader", &rule.allowed_headers),
            ("ExposeHeader", &rule.expose_headers),
        ] {
            for text in texts {
                document.text(name, text);
            }
        }
        document.optional("MaxAgeSeconds", number(rule.max_age_seconds).as_deref()).close();
    }
    document.finish()
}

pub(super) fn lifecycle(rules: &[LifecycleRule]) -> String {
    let mut document = Document::new("LifecycleConfiguration");
    for rule in rules {
        document.open("Rule").text("ID", &rule.id);
        filter(&mut document, &rule.filter);
        document.text("Status", if rule.enabled { "Enabled" } else { "Disabled" });
        let date = rule.expire_date.map(|date| date.s3_xml());
        let markers = rule.expire_delete_markers.map(|expire| expire.to_string());
        if rule.expire_days.is_some() || date.is_some() || markers.is_some() {
            document
                .open("Expiration")
                .optional("Days", number(rule.expire_days).as_deref())
                .optional("Date", date.as_deref())
                .optional("ExpiredObjectDeleteMarker", markers.as_deref())
                .close();
        }
        if rule.noncurrent_days.is_some() {
            document
                .open("NoncurrentVersionExpiration")
                .optional("NoncurrentDays", number(rule.noncurrent_days).as_deref())
                .optional("NewerNoncurrentVersions", number(rule.noncurrent_keep).as_deref())
                .close();
        }
        if let Some(days) = number(rule.abort_uploads_days) {
            document.open("AbortIncompleteMultipartUpload").text("DaysAfterInitiation", &days).close();
        }
        document.close();
    }
    document.finish()
}

/// The filter in the form in which it came: `<And>` stands around two parts and more.
fn filter(document: &mut Document, filter: &Filter) {
    if filter.older_form {
        document.text("Prefix", filter.prefix.as_deref().unwrap_or_default());
        return;
    }
    document.open("Filter");
    let several = filter.parts() > 1;
    if several {
        document.open("And");
    }
    document.optional("Prefix", filter.prefix.as_deref());
    for (key, value) in &filter.tags {
        tag(document, key, value);
    }
    document.optional("ObjectSizeGreaterThan", number(filter.size_greater_than).as_deref());
    document.optional("ObjectSizeLessThan", number(filter.size_less_than).as_deref());
    if several {
        document.close();
    }
    document.close();
}

fn tag(document: &mut Document, key: &str, value: &str) {
    document.open("Tag").text("Key", key).text("Value", value).close();
}

fn number(number: Option<impl ToString>) -> Option<String> {
    number.map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::s3::xml::read;

    /// What is written reads back as the same, and is written the same again.
    #[test]
    fn what_is_written_reads_back() {
        let rules: Vec<LifecycleRule> = serde_json::from_value(serde_json::json!([
            {"id": "1", "filter": {"prefix": "a&b/", "tags": {"k": "v", "l": ""}, "size_greater_than": 0}, "expire_days": 3},
            {"id": "2", "enabled": false, "filter": {"tags": {"k": "v"}}, "expire_date": "2027-01-01T00:00:00Z"},
            {"id": "3", "filter": {"prefix": "", "older_form": true}, "abort_uploads_days": 7},
            {"id": "4", "expire_delete_markers": false, "noncurrent_days": 1, "noncurrent_keep": 5},
            {"id": "5", "filter": {"size_less_than": 9}, "noncurrent_days": 1},
        ]))
        .unwrap();
        assert_eq!(read::lifecycle(lifecycle(&rules).as_bytes()).unwrap(), rules);
        let rules: Vec<CorsRule> = serde_json::from_value(serde_json::json!([
            {"id": "x", "allowed_origins": ["http://*.a", "*"], "allowed_methods": ["GET", "PUT"],
             "allowed_headers": ["*"], "expose_headers": ["ETag"], "max_age_seconds": 0},
            {"allowed_origins": ["*"], "allowed_methods": ["HEAD"]},
        ]))
        .unwrap();
        assert_eq!(read::cors(cors(&rules).as_bytes()).unwrap(), rules);
    }
}
