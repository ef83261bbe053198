//! The store of an S3 account, on real servers: the suite that every backend passes, and what only an upstream has.

mod faults;
mod long;
mod table;

use actors::Result;
use actors::domain::clock::{Clock, Timestamp};
use actors::domain::condition::Conditions;
use actors::domain::names::ObjectKey;
use actors::domain::object::ObjectAttributes;
use actors::domain::secret::Secret;
use actors::domain::state::{KeyPurpose, StoredKey};
use actors::storage::ObjectStore;
use actors::storage::mackeys::MacKeys;
use actors::storage::s3::{Limits, S3Options, S3Store};
use actors::storage::testkit::peers::{self, Peer};
use actors::storage::testkit::{
    bucket, conformance, conformance_of_uploads, conformance_of_uploads_alone, get, put, put_with,
};
use rusoto_core::credential::StaticProvider;
use rusoto_core::{HttpClient, Region};
use rusoto_s3::{ListObjectsV2Request, S3, S3Client};
use std::sync::Arc;
use std::time::Duration;

fn keys(digit: &str) -> MacKeys {
    let key = StoredKey {
        id: format!("mac-{digit}"),
        purpose: KeyPurpose::MetadataMac,
        key: Secret::new(digit.repeat(64)),
        created_at: Timestamp::from_secs(0),
        active: true,
    };
    MacKeys::from_keyring([&key]).unwrap()
}

fn options(peer: &Peer) -> S3Options {
    S3Options {
        name: "cold".to_owned(),
        url: peer.url.clone(),
        region: peer.region.to_owned(),
        access_key_id: peer.access_key_id.clone(),
        secret_access_key: Secret::new(peer.secret_access_key.as_str()),
        expected_id: None,
        new_id: "backend-1".to_owned(),
        routed: Vec::new(),
        adopt: false,
        instance: "instance-1".to_owned(),
        clock: Clock::system(),
        mac: keys("a"),
        limits: Limits::default(),
        held: false,
    }
}

fn store(peer: &Peer) -> Arc<dyn ObjectStore> {
    Arc::new(S3Store::open(options(peer)).unwrap())
}

/// The account as others see it.
fn plain(peer: &Peer) -> S3Client {
    let provider = StaticProvider::new_minimal(peer.access_key_id.clone(), peer.secret_access_key.clone());
    let region = Region::Custom { name: peer.region.to_owned(), endpoint: peer.url.clone() };
    S3Client::new_with(HttpClient::new().unwrap(), provider, region)
}

/// The keys that the account really has under a prefix.
async fn stored_keys(s3: &S3Client, bucket: &str, prefix: &str) -> Vec<String> {
    let (bucket, prefix) = (bucket.to_owned(), Some(prefix.to_owned()));
    let page = s3.list_objects_v2(ListObjectsV2Request { bucket, prefix, ..Default::default() }).await.unwrap();
    page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect()
}

#[tokio::test]
async fn conformance_on_moto() -> Result<()> {
    let peer = peers::moto();
    conformance(store(&peer)).await
}

#[tokio::test]
async fn conformance_of_uploads_on_moto() -> Result<()> {
    let peer = peers::moto();
    conformance_of_uploads(store(&peer)).await
}

#[tokio::test]
async fn conformance_on_garage() -> Result<()> {
    let peer = peers::garage();
    conformance(store(&peer)).await
}

#[tokio::test]
async fn conformance_of_uploads_on_garage() -> Result<()> {
    let peer = peers::garage();
    conformance_of_uploads_alone(store(&peer)).await
}

#[tokio::test]
async fn a_bucket_can_be_read_without_us_and_what_others_wrote_is_an_object() -> Result<()> {
    let peer = peers::garage();
    let (s3, store) = (plain(&peer), store(&peer));
    let name = bucket("plain")?;
    store.create_bucket(&name).await?;
    let mut attributes = ObjectAttributes::default();
    attributes.headers.content_type = Some("text/css".to_owned());
    attributes.user.insert("colour".to_owned(), "red".to_owned());
    attributes.user.insert("dgp-facts".to_owned(), "forged".to_owned());
    attributes.user.insert("dgp-form".to_owned(), "delta".to_owned());
    let meta = put_with(&store, &name, "a/b", b"body", attributes.clone(), Conditions::default()).await?;
    assert_eq!(meta.attributes, attributes);
    let head = rusoto_s3::HeadObjectRequest { bucket: "plain".to_owned(), key: "a/b".to_owned(), ..Default::default() };
    let seen = s3.head_object(head).await.expect("the object is under its own key");
    let user = seen.metadata.unwrap_or_default();
    assert_eq!(seen.content_type.as_deref(), Some("text/css"));
    assert_eq!(user.get("colour").map(String::as_str), Some("red"));
    assert_eq!(user.get("dgp-client-dgp-form").map(String::as_str), Some("delta"));
    // Others write past us: an object like any other, but for one that claims a form that only we could vouch for.
    let foreign = |key: &str, name: &str, value: &str| rusoto_s3::PutObjectRequest {
        bucket: "plain".to_owned(),
        key: key.to_owned(),
        body: Some(b"theirs".to_vec().into()),
        metadata: Some([(name.to_owned(), value.to_owned())].into()),
        ..Default::default()
    };
    s3.put_object(foreign("theirs", "colour", "blue")).await.expect("garage takes it");
    s3.put_object(foreign("forged", "dgp-facts", &user["dgp-facts"])).await.expect("garage takes it");
    s3.put_object(foreign("claims", "dgp-form", "delta")).await.expect("garage takes it");
    let theirs = store.head(&name, &ObjectKey::new("theirs")?).await?;
    assert_eq!((theirs.size, theirs.attributes.user["colour"].as_str()), (6, "blue"));
    let forged = store.head(&name, &ObjectKey::new("forged")?).await?;
    assert_eq!((forged.size, forged.sha256), (6, None));
    let refused = get(&store, &name, "claims").await.expect_err("nobody vouches for it");
    assert_eq!(refused.kind(), actors::ErrorKind::Internal);
    Ok(())
}

#[tokio::test]
async fn an_account_that_is_not_ours_is_refused_by_name() -> Result<()> {
    let peer = peers::moto();
    let first = store(&peer);
    let (ours, theirs) = (bucket("ours")?, bucket("theirs")?);
    first.create_bucket(&ours).await?;
    let again = |routed: &[&actors::domain::names::BucketName], id: &str| {
        let routed = routed.iter().map(|bucket| (*bucket).clone()).collect();
        let store = S3Store::open(S3Options { expected_id: Some(id.to_owned()), routed, ..options(&peer) });
        Arc::new(store.unwrap()) as Arc<dyn ObjectStore>
    };
    put(&again(&[&ours], "backend-1"), &ours, "k", b"x").await?;
    for (routed, id, code) in [(&ours, "backend-2", "backend_foreign"), (&theirs, "backend-1", "backend_not_mounted")] {
        let refused = get(&again(&[routed], id), routed, "k").await.expect_err("the account is another one");
        assert_eq!(refused.code(), Some(code));
    }
    Ok(())
}

#[tokio::test]
async fn what_nobody_published_is_swept_after_a_day_and_what_is_needed_stays() -> Result<()> {
    let (peer, clock) = (peers::moto(), Clock::fixed(Clock::system().now()));
    let s3 = plain(&peer);
    let store = S3Store::open(S3Options { clock: clock.clone(), ..options(&peer) })?;
    let store: Arc<dyn ObjectStore> = Arc::new(store);
    let name = bucket("swept")?;
    store.create_bucket(&name).await?;
    let large = ObjectAttributes { user: [("note".to_owned(), "x".repeat(4000))].into(), ..Default::default() };
    for key in ["gone", "kept"] {
        put_with(&store, &name, key, b"x", large.clone(), Conditions::default()).await?;
    }
    store.delete(&name, &ObjectKey::new("gone")?, &Conditions::default()).await?;
    let left = rusoto_s3::PutObjectRequest {
        bucket: "swept".to_owned(),
        key: ".dg/tmp/left-over".to_owned(),
        ..Default::default()
    };
    s3.put_object(left).await.unwrap();
    let begin = |key: &str| rusoto_s3::CreateMultipartUploadRequest {
        bucket: "swept".to_owned(),
        key: key.to_owned(),
        ..Default::default()
    };
    s3.create_multipart_upload(begin(".dg/tmp/killed")).await.unwrap();
    s3.create_multipart_upload(begin("theirs")).await.unwrap();
    for hours in [0, 2, 26] {
        assert_eq!(stored_keys(&s3, "swept", ".dg/meta/").await.len(), 2, "nothing is old yet");
        clock.advance(Duration::from_secs(hours * 3600));
        store.upkeep().await?;
    }
    assert_eq!(stored_keys(&s3, "swept", ".dg/meta/").await.len(), 1);
    assert!(stored_keys(&s3, "swept", ".dg/tmp/").await.is_empty());
    let open = rusoto_s3::ListMultipartUploadsRequest { bucket: "swept".to_owned(), ..Default::default() };
    let open = s3.list_multipart_uploads(open).await.unwrap().uploads.unwrap_or_default();
    assert_eq!(open.iter().filter_map(|upload| upload.key.as_deref()).collect::<Vec<_>>(), ["theirs"]);
    assert_eq!(store.head(&name, &ObjectKey::new("kept")?).await?.attributes, large);
    Ok(())
}
