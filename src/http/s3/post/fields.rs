//! The fields of a form: what they say of the object, of its sender, and of the answer.

use crate::auth::sigv4::FormProof;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::{self, Names, PutObject};
use crate::http::s3::xml::read;
use actors::domain::names::{BucketName, ObjectKey};
use actors::domain::object::SystemHeaders;
use actors::domain::tags::{self, MOST_OF_OBJECT};
use std::collections::BTreeMap;

/// Fields that say who sends the form.
const PROOF: [&str; 5] =
    ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-security-token"];

/// The fields that came before the file, by their names in lower case; each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Takes a field in.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), S3Error> {
        let lower = name.to_ascii_lowercase();
        match self.0.insert(lower, value.to_owned()) {
            None => Ok(()),
            Some(_) => Err(S3Error::invalid_argument(name, value, "A field of a form may be sent once only")),
        }
    }

    /// The value of a field, named in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Puts the name that the file had at its sender in place of `${filename}`, in every field (AWS).
    pub fn name_file(&mut self, filename: Option<&str>) {
        // Some browsers send the whole path.
        let name = filename.map_or("", |name| name.rsplit(['/', '\\']).next().unwrap_or_default());
        for (field, value) in &mut self.0 {
            if field != "policy" && value.contains("${filename}") {
                *value = value.replace("${filename}", name);
            }
        }
    }

    /// The credentials that came along.
    pub fn proof(&self) -> FormProof<'_> {
        let get = |name| self.get(name);
        FormProof {
            policy: get("policy"),
            algorithm: get("x-amz-algorithm"),
            credential: get("x-amz-credential"),
            date: get("x-amz-date"),
            signature: get("x-amz-signature"),
            security_token: get("x-amz-security-token").is_some(),
            version_2: (get("awsaccesskeyid"), get("signature")),
        }
    }

    /// The key.
    pub fn key(&self) -> Result<ObjectKey, S3Error> {
        match self.get("key") {
            Some(text) if !text.is_empty() => Ok(ObjectKey::new(text)?),
            other => Err(S3Error::invalid_argument(
                "key",
                other.unwrap_or_default(),
                "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
            )),
        }
    }

    /// What the fields say of the object, as headers of a PUT would.
    pub fn object(&self, bucket: BucketName, key: ObjectKey) -> Result<(PutObject, Names), S3Error> {
        if let Some(named) = self.get("bucket").filter(|named| *named != bucket.as_str()) {
            return Err(S3Error::invalid_argument("bucket", named, "The field names another bucket than the request"));
        }
        let mut names: Names = self
            .0
            .iter()
            .filter(|(name, _)| name.starts_with("x-amz-") && !PROOF.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if let Some(acl) = self.get("acl")
            && names.insert("x-amz-acl".to_owned(), acl.to_owned()).is_some()
        {
            return Err(S3Error::invalid_argument("acl", acl, "A form says once what access there is to be"));
        }
        let mut put = operation::put_by_form(bucket, key, &names)?;
        if let Some(document) = self.get("tagging") {
            let tags = tags::checked(read::tagging(document.as_bytes())?, MOST_OF_OBJECT)?;
            if !put.tags.is_empty() {
                return Err(S3Error::invalid_argument("tagging", document, "A form brings one set of tags"));
            }
            put.tags = tags;
        }
        Ok((put, names))
    }

    /// The headers that are kept with the object.
    pub fn headers(&self, put: &PutObject) -> Result<SystemHeaders, S3Error> {
        let text = |name: &str| match self.get(name).filter(|value| !value.is_empty()) {
            Some(value) if value.chars().any(char::is_control) => {
                Err(S3Error::invalid_argument(name, value, "Header value cannot be represented"))
            }
            value => Ok(value.map(str::to_owned)),
        };
        Ok(SystemHeaders {
            content_type: text("content-type")?,
            cache_control: text("cache-control")?,
            content_disposition: text("content-disposition")?,
            content_encoding: text("content-encoding")?,
            content_language: text("content-language")?,
            expires: text("expires")?,
            storage_class: put.storage_class.clone(),
            website_redirect: put.website_redirect.clone(),
        })
    }

    /// Where a browser goes afterwards; what is no address counts as not there (AWS).
    pub fn redirect(&self) -> Option<&str> {
        let address = self.get("success_action_redirect").or_else(|| self.get("redirect"))?;
        let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
        let fits = !host.is_empty() && !host.starts_with('/') && address.bytes().all(|b| b.is_ascii_graphic());
        fits.then_some(address)
    }

    /// The status of a success without an address: 200, 201, or 204.
    pub fn status(&self) -> u16 {
        match self.get("success_action_status") {
            Some("200") => 200,
            Some("201") => 201,
            _ => 204,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Fields {
        let mut fields = Fields::default();
        for (name, value) in pairs {
            fields.add(name, value).unwrap();
        }
        fields
    }

    #[test]
    fn the_name_of_the_file_is_put_in_without_its_path() {
        for (sent, expected) in
            [(Some("a.txt"), "u/a.txt"), (Some("C:\\x\\a.txt"), "u/a.txt"), (Some("../../a"), "u/a"), (None, "u/")]
        {
            let mut fields = of(&[("Key", "u/${filename}"), ("policy", "${filename}")]);
            fields.name_file(sent);
            assert_eq!(fields.key().unwrap().as_str(), expected);
            assert_eq!(fields.get("policy"), Some("${filename}"));
        }
    }

    #[test]
    fn fields_are_read_as_the_headers_of_a_put() {
        let (bucket, key) = (BucketName::new("bkt").unwrap(), ObjectKey::new("k").unwrap());
        let object = |pairs: &[(&str, &str)]| of(pairs).object(bucket.clone(), key.clone());
        let tagging = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
        let (put, _) = object(&[
            ("X-Amz-Meta-A", "1"),
            ("acl", "private"),
            ("tagging", tagging),
            ("x-amz-credential", "c"),
            ("name", "x"),
        ])
        .unwrap();
        assert_eq!((put.user["a"].as_str(), put.tags["a"].as_str()), ("1", "1"));
        for (name, value, code) in [
            ("acl", "public-read", "AccessControlListNotSupported"),
            ("bucket", "other", "InvalidArgument"),
            ("x-amz-server-side-encryption", "AES256", "NotImplemented"),
            ("x-amz-copy-source", "/a/b", "InvalidArgument"),
            ("x-amz-trailer", "x-amz-checksum-crc32", "InvalidArgument"),
            ("x-amz-decoded-content-length", "1", "InvalidArgument"),
            ("tagging", "<Tagging/>", "MalformedXML"),
            ("x-amz-storage-class", "ATTIC", "InvalidStorageClass"),
        ] {
            assert_eq!(object(&[(name, value)]).unwrap_err().code(), code, "{name}");
        }
        assert!(of(&[("a", "1")]).add("A", "2").is_err());
    }

    #[test]
    fn an_address_that_is_none_is_not_gone_to() {
        let of = |value: &str| of(&[("success_action_redirect", value)]).redirect().map(str::to_owned);
        assert_eq!(of("https://a/b?c=d").as_deref(), Some("https://a/b?c=d"));
        for bad in ["", "javascript:alert(1)", "//a", "https://", "https:///x", "https://a b", "http://a\r\nx: y"] {
            assert_eq!(of(bad), None, "{bad}");
        }
        assert_eq!(
            (super::tests::of(&[]).status(), super::tests::of(&[("success_action_status", "418")]).status()),
            (204, 204)
        );
    }
}
