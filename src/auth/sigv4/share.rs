//! Makes presigned URLs, for somebody who holds the key that signs them.

use super::canonical::{Instead, Signed, string_to_sign};
use super::request::{Pair, RawRequest};
use super::signing_key::{derive, hmac};
use crate::http::percent;
use actors::domain::clock::Timestamp;
use actors::domain::names::{BucketName, ObjectKey};
use actors::domain::secret::Secret;
use std::time::Duration;

/// What a link gives away.
#[derive(Debug)]
pub struct Share<'a> {
    /// `http(s)://host[:port]`.
    pub base: &'a str,
    /// The host as a client will send it.
    pub host: &'a str,
    /// The bucket.
    pub bucket: &'a BucketName,
    /// The key.
    pub key: &'a ObjectKey,
    /// The region of the scope.
    pub region: &'a str,
    /// The public half of the key that signs.
    pub access_key_id: &'a str,
    /// The secret half.
    pub secret: &'a Secret,
    /// From when.
    pub now: Timestamp,
    /// For how long.
    pub life: Duration,
}

/// The URL of a GET that anybody may make who has it.
pub fn presigned_get(share: &Share<'_>) -> String {
    let timestamp = share.now.compact();
    let date = timestamp.split('T').next().unwrap_or_default();
    let scope = format!("{date}/{}/s3/aws4_request", share.region);
    let pair = |name: &str, value: String| -> Pair { (name.as_bytes().to_vec(), value.into_bytes()) };
    let query = [
        pair("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
        pair("X-Amz-Credential", format!("{}/{scope}", share.access_key_id)),
        pair("X-Amz-Date", timestamp.clone()),
        pair("X-Amz-Expires", share.life.as_secs().to_string()),
        pair("X-Amz-SignedHeaders", "host".to_owned()),
    ];
    let path = format!("/{}/{}", share.bucket, share.key.as_str());
    let headers = [("host", share.host.as_bytes())];
    let raw = RawRequest { bucket: None, method: "GET", path: &path, query: "", headers: headers.to_vec() };
    let names = ["host".to_owned()];
    let signed = Signed { headers: &names, payload: "UNSIGNED-PAYLOAD", timestamp: &timestamp, scope: &scope };
    let text = string_to_sign(&raw, path.as_bytes(), &query, &signed, &Instead::default());
    let key = derive(share.secret, date, share.region);
    let signature = hex::encode(hmac(&key, text.as_bytes()));
    let mut url = share.base.trim_end_matches('/').to_owned();
    percent::encode_path(path.as_bytes(), &mut url);
    for (index, (name, value)) in query.iter().enumerate() {
        url.push(if index == 0 { '?' } else { '&' });
        percent::encode(name, &mut url);
        url.push('=');
        percent::encode(value, &mut url);
    }
    url + "&X-Amz-Signature=" + &signature
}
