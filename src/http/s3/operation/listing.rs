//! The parameters of the listings.

use super::{Names, S3Error};
use actors::domain::names::BucketName;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The most names on one page (AWS).
const PAGE: usize = 1000;
/// The most buckets on one page (AWS).
const BUCKET_PAGE: usize = 10_000;

/// `GET /`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListBuckets {
    /// Only names that begin with this.
    pub prefix: String,
    /// The page's size; all where none was given.
    pub max_buckets: Option<usize>,
    /// Only names after this.
    pub after: String,
    /// Only buckets of this region.
    pub region: Option<String>,
}

/// Which listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListVersion {
    /// `marker` and `NextMarker`.
    V1,
    /// Tokens, `start-after`, `fetch-owner`.
    V2,
    /// Versions, of which each object has one: `key-marker`, `version-id-marker`.
    Versions,
}

/// A page of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListObjects {
    /// The bucket.
    pub bucket: BucketName,
    /// Which listing.
    pub version: ListVersion,
    /// A string prefix.
    pub prefix: String,
    /// Empty means none.
    pub delimiter: String,
    /// At most this many, 0 to 1,000.
    pub max_keys: usize,
    /// `encoding-type=url`.
    pub url_encoded: bool,
    /// Where the page begins, whether a marker, a token or `start-after` said so.
    pub after: String,
    /// `marker` or `key-marker`, as it was sent.
    pub marker: String,
    /// `start-after`, as it was sent.
    pub start_after: Option<String>,
    /// `continuation-token` or `version-id-marker`, as it was sent.
    pub token: Option<String>,
    /// Owners are shown.
    pub owner: bool,
}

impl ListBuckets {
    pub(super) fn parse(query: &Names) -> Result<Self, S3Error> {
        let max_buckets = match query.get("max-buckets") {
            None => None,
            Some(text) => {
                Some(text.parse::<usize>().ok().filter(|max| (1..=BUCKET_PAGE).contains(max)).ok_or_else(|| {
                    S3Error::invalid_argument(
                        "max-buckets",
                        text,
                        "Argument max-buckets must be an integer between 1 and 10000",
                    )
                })?)
            }
        };
        let after = match query.get("continuation-token").filter(|token| !token.is_empty()) {
            Some(token) => read_token(token)?,
            None => String::new(),
        };
        Ok(Self {
            prefix: query.get("prefix").cloned().unwrap_or_default(),
            max_buckets,
            after,
            region: query.get("bucket-region").cloned(),
        })
    }
}

impl ListObjects {
    pub(super) fn parse(bucket: BucketName, version: ListVersion, query: &Names) -> Result<Self, S3Error> {
        let text = |name: &str| query.get(name).cloned();
        let owner = match (version, query.get("fetch-owner").map(String::as_str)) {
            (ListVersion::V1 | ListVersion::Versions, _) | (_, Some("true")) => true,
            (_, None | Some("" | "false")) => false,
            (_, Some(other)) => {
                return Err(S3Error::invalid_argument("fetch-owner", other, "fetch-owner must be true or false"));
            }
        };
        let marker = text(if version == ListVersion::Versions { "key-marker" } else { "marker" }).unwrap_or_default();
        check_version_marker(query)?;
        let token = text(if version == ListVersion::Versions { "version-id-marker" } else { "continuation-token" });
        let start_after = text("start-after");
        let after = match (version, &token) {
            (ListVersion::V1 | ListVersion::Versions, _) => marker.clone(),
            (ListVersion::V2, Some(token)) if !token.is_empty() => read_token(token)?,
            (ListVersion::V2, _) => start_after.clone().unwrap_or_default(),
        };
        Ok(Self {
            bucket,
            version,
            prefix: text("prefix").unwrap_or_default(),
            delimiter: text("delimiter").unwrap_or_default(),
            max_keys: max_keys(query.get("max-keys"))?,
            url_encoded: url_encoded(query)?,
            after,
            marker,
            start_after,
            token,
            owner,
        })
    }
}

/// Whether names are to be encoded.
pub(super) fn url_encoded(query: &Names) -> Result<bool, S3Error> {
    match query.get("encoding-type").map(String::as_str) {
        None | Some("") => Ok(false),
        Some("url") => Ok(true),
        Some(other) => {
            Err(S3Error::invalid_argument("encoding-type", other, "Invalid Encoding Method specified in Request"))
        }
    }
}

/// The one version of a key is `null`, and what follows it is the next key.
fn check_version_marker(query: &Names) -> Result<(), S3Error> {
    let key = query.get("key-marker").filter(|key| !key.is_empty());
    match (query.get("version-id-marker").map(String::as_str), key) {
        (None, _) | (Some("null"), Some(_)) => Ok(()),
        (Some(version), None) => Err(S3Error::invalid_argument(
            "version-id-marker",
            version,
            "A version-id marker cannot be specified without a key marker.",
        )),
        (Some(version), Some(_)) => {
            Err(S3Error::invalid_argument("version-id-marker", version, "Invalid version id specified"))
        }
    }
}

/// An opaque token that says where the next page begins.
pub fn write_token(after: &str) -> String {
    format!("1{}", URL_SAFE_NO_PAD.encode(after))
}

fn read_token(token: &str) -> Result<String, S3Error> {
    token
        .strip_prefix('1')
        .and_then(|rest| URL_SAFE_NO_PAD.decode(rest).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| {
            S3Error::invalid_argument("continuation-token", token, "The continuation token provided is incorrect")
        })
}

fn max_keys(text: Option<&String>) -> Result<usize, S3Error> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(PAGE) };
    match text.parse::<i64>() {
        Ok(max) if (0..=i64::from(i32::MAX)).contains(&max) => Ok(usize::try_from(max).unwrap_or(PAGE).min(PAGE)),
        Ok(_) => Err(S3Error::invalid_argument(
            "max-keys",
            text,
            "Argument maxKeys must be an integer between 0 and 2147483647",
        )),
        Err(_) => {
            Err(S3Error::invalid_argument("max-keys", text, "Provided max-keys not an integer or within integer range"))
        }
    }
}
