//! Long bodies that are announced go to the upstream while they are received: they appear whole with their commit, or not at all.

use super::faults::{self, Act};
use super::{options, plain, store, stored_keys};
use actors::domain::condition::{Conditions, ETagMatch};
use actors::domain::listing::ListQuery;
use actors::domain::names::{BucketName, ObjectKey};
use actors::domain::object::{ObjectAttributes, ObjectMeta};
use actors::domain::tags::Tags;
use actors::storage::s3::{S3Options, S3Store};
use actors::storage::testkit::peers::{self, Peer};
use actors::storage::testkit::{bucket, get, put, put_with};
use actors::storage::{Announced, CommitRequest, ConditionalWrites, ObjectStore, ObjectWriter};
use actors::{ErrorKind, Result};
use bytes::Bytes;
use md5::{Digest, Md5};
use std::sync::Arc;

/// Longer than what stays in memory.
const LONG: usize = (20 << 20) + 5;

fn body() -> Vec<u8> {
    (0..LONG).map(|at| (at / 4096 + at * 31) as u8).collect()
}

fn announced(conditions: Conditions) -> Announced {
    let mut attributes = ObjectAttributes::default();
    attributes.headers.content_type = Some("text/css".to_owned());
    attributes.user.insert("colour".to_owned(), "red".to_owned());
    let size = LONG as u64;
    Announced { size, attributes, digests_follow: false, conditions, compares_md5: false, compares_sha256: false }
}

async fn begun(
    store: &Arc<dyn ObjectStore>,
    name: &BucketName,
    key: &str,
    announced: &Announced,
    bytes: &[u8],
) -> Result<Box<dyn ObjectWriter>> {
    let mut writer = store.begin_write(name, &ObjectKey::new(key)?).await?;
    writer.announce(announced.clone());
    for piece in bytes.chunks(300_000) {
        writer.write(Bytes::copy_from_slice(piece)).await?;
    }
    Ok(writer)
}

async fn commit(
    store: &Arc<dyn ObjectStore>,
    name: &BucketName,
    key: &str,
    announced: Announced,
    writer: Box<dyn ObjectWriter>,
) -> Result<ObjectMeta> {
    let (staged, bucket, key) = (writer.finish().await?, name.clone(), ObjectKey::new(key)?);
    let Announced { attributes, conditions, .. } = announced;
    store.commit(CommitRequest { bucket, key, staged, attributes, conditions }).await
}

async fn appears_whole_or_not_at_all(peer: &Peer) -> Result<()> {
    let (s3, store, name) = (plain(peer), store(peer), bucket("long")?);
    store.create_bucket(&name).await?;
    let (body, md5, key) = (body(), hex::encode(Md5::digest(body())), ObjectKey::new("film")?);
    let wanted = announced(Conditions::default());
    let writer = begun(&store, &name, "film", &wanted, &body).await?;
    assert_eq!(store.head(&name, &key).await.map_err(|e| e.kind()), Err(ErrorKind::NoSuchKey));
    let meta = commit(&store, &name, "film", wanted.clone(), writer).await?;
    assert_eq!((meta.etag.as_str(), meta.size, &meta.attributes), (md5.as_str(), LONG as u64, &wanted.attributes));
    assert!(get(&store, &name, "film").await? == body);
    assert_eq!(store.head(&name, &key).await?, meta);
    let page = store.list(&name, ListQuery { max_keys: 10, ..ListQuery::default() }).await?;
    let listed = &page.objects[0];
    assert_eq!((&listed.etag, listed.size, listed.modified), (&meta.etag, meta.size, meta.modified));
    assert_eq!(
        stored_keys(&s3, "long", "").await,
        [".dg/backend.json", "film"],
        "no second copy, and nothing beside it"
    );

    // Checksums that come behind the body lie beside the object, and a change of tags keeps everything.
    let mut follow = Announced { digests_follow: true, ..wanted.clone() };
    let writer = begun(&store, &name, "film", &follow, &body).await?;
    follow.attributes.checksums.insert("CRC32".to_owned(), "AAAAAA==".to_owned());
    commit(&store, &name, "film", follow.clone(), writer).await?;
    follow.attributes.tags = Tags::from([("state".to_owned(), "new".to_owned())]);
    store.set_tags(&name, &key, follow.attributes.tags.clone()).await?;
    let meta = store.head(&name, &key).await?;
    assert_eq!((meta.etag.as_str(), &meta.attributes), (md5.as_str(), &follow.attributes));
    assert!(get(&store, &name, "film").await? == body);

    // What is given up, before its end or right before its commit, leaves what was there.
    drop(begun(&store, &name, "film", &wanted, &body[..LONG / 2]).await?);
    drop(begun(&store, &name, "film", &wanted, &body).await?.finish().await?);
    drop(begun(&store, &name, "none", &wanted, &body).await?);
    let short = begun(&store, &name, "none", &wanted, &body[..LONG - 1]).await?;
    assert_eq!(short.finish().await.map(drop).map_err(|e| e.kind()), Err(ErrorKind::Internal));
    for number in 0..20 {
        put(&store, &name, "other", &[number]).await?;
        assert_eq!(store.head(&name, &key).await?, meta);
        assert!(store.head(&name, &ObjectKey::new("none")?).await.is_err());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_clients_give_up_say_nothing_of_the_upstream() -> Result<()> {
    let peer = peers::garage();
    let (store, name) = (store(&peer), bucket("given-up")?);
    store.create_bucket(&name).await?;
    let (body, wanted) = (body(), announced(Conditions::default()));
    // Taken for failures, three in a row would have it closed.
    for _ in 0..8 {
        drop(begun(&store, &name, "film", &wanted, &body[..LONG / 2]).await?);
    }
    put(&store, &name, "k", b"x").await.map(drop)
}

#[tokio::test]
async fn a_long_body_appears_whole_or_not_at_all_on_garage() -> Result<()> {
    appears_whole_or_not_at_all(&peers::garage()).await
}

#[tokio::test]
async fn a_long_body_appears_whole_or_not_at_all_on_moto() -> Result<()> {
    appears_whole_or_not_at_all(&peers::moto()).await
}

fn absent() -> Conditions {
    Conditions { if_none_match: Some(ETagMatch::Any), ..Conditions::default() }
}

/// A second server on the same account: under another name of its address it shares no locks with the first.
fn second(peer: &Peer) -> Arc<dyn ObjectStore> {
    let url = peer.url.replace("127.0.0.1", "localhost");
    Arc::new(S3Store::open(S3Options { url, ..options(peer) }).unwrap())
}

#[tokio::test]
async fn who_decides_conditions_is_found_out_by_trying() -> Result<()> {
    for (peer, expected) in
        [(peers::moto(), ConditionalWrites::Backend), (peers::garage(), ConditionalWrites::Instance)]
    {
        let (store, name) = (store(&peer), bucket("long")?);
        store.create_bucket(&name).await?;
        assert_eq!(store.conditional_writes(), None);
        put_with(&store, &name, "k", b"one", ObjectAttributes::default(), absent()).await?;
        assert_eq!(store.conditional_writes(), Some(expected));
        assert!(stored_keys(&plain(&peer), "long", ".dg/tmp/").await.is_empty(), "what was tried is gone");
        let again = put_with(&store, &name, "k", b"two", ObjectAttributes::default(), absent()).await;
        assert_eq!(again.map(drop).map_err(|e| e.kind()), Err(ErrorKind::PreconditionFailed));
        let same = |tag: &str| Conditions { if_match: Some(ETagMatch::parse(tag)), ..Conditions::default() };
        let one = "f97c5d29941bfb1b2fdab0874906ab82";
        put_with(&store, &name, "k", b"two", ObjectAttributes::default(), same(one)).await?;
        let stale = put_with(&store, &name, "k", b"three", ObjectAttributes::default(), same(one)).await;
        assert_eq!(stale.map(drop).map_err(|e| e.kind()), Err(ErrorKind::PreconditionFailed));
        assert_eq!(get(&store, &name, "k").await?, b"two");
    }
    Ok(())
}

#[tokio::test]
async fn of_two_servers_that_want_a_key_free_one_wins() -> Result<()> {
    let peer = peers::moto();
    let (first, second, name, body) = (store(&peer), second(&peer), bucket("long")?, body());
    first.create_bucket(&name).await?;
    let wanted = announced(absent());
    let writer = begun(&first, &name, "k", &wanted, &body).await?;
    put_with(&second, &name, "k", b"second", ObjectAttributes::default(), absent()).await?;
    let lost = commit(&first, &name, "k", wanted, writer).await;
    assert_eq!(lost.map(drop).map_err(|e| e.kind()), Err(ErrorKind::PreconditionFailed));
    assert_eq!(get(&first, &name, "k").await?, b"second");
    Ok(())
}

/// Between our look and our write somebody else writes: the upstream says so, and is believed.
#[tokio::test]
async fn a_condition_that_the_upstream_refuses_is_refused() -> Result<()> {
    const TAKEN: &str = "<Error><Code>PreconditionFailed</Code></Error>";
    const BUSY: &str = "<Error><Code>ConditionalRequestConflict</Code></Error>";
    let name = bucket("tk-faults")?;
    for (status, text, kind) in
        [(412, TAKEN, ErrorKind::PreconditionFailed), (409, BUSY, ErrorKind::ConditionalConflict)]
    {
        let acts = vec![("HEAD", vec![Act::Say(404, "", "")]), ("PUT", vec![Act::Say(status, "", text)])];
        let upstream = faults::faulty_in(acts);
        let store = faults::open(&upstream.url).1;
        let short = put_with(&store, &name, "k", b"body", ObjectAttributes::default(), absent()).await;
        assert_eq!(short.map(drop).map_err(|e| e.kind()), Err(kind));
        let wanted = announced(absent());
        // It may say so before it has all of the body.
        let long = match begun(&store, &name, "k", &wanted, &body()).await {
            Ok(writer) => commit(&store, &name, "k", wanted, writer).await.map(drop),
            Err(error) => Err(error),
        };
        assert_eq!(long.map_err(|e| e.kind()), Err(kind));
        let asked = upstream.asked.lock().unwrap();
        let writes: Vec<&String> = asked.iter().filter(|head| head.starts_with("PUT /tk-faults/k ")).collect();
        assert!(writes.len() == 2 && writes.iter().all(|head| head.contains("if-none-match: *")), "{writes:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_long_body_that_the_upstream_fails_is_not_acknowledged() -> Result<()> {
    let (name, body) = (bucket("tk-faults")?, body());
    for (act, kind) in [
        (Act::Hang, ErrorKind::Unavailable),
        (Act::Silence, ErrorKind::Unavailable),
        (Act::Say(500, "", faults::INTERNAL), ErrorKind::Unavailable),
        (Act::Say(503, "", faults::SLOW_DOWN), ErrorKind::Unavailable),
        (Act::Say(403, "", faults::EXPIRED), ErrorKind::Unavailable),
        (Act::Say(400, "", "<Error><Code>RequestTimeout</Code></Error>"), ErrorKind::Unavailable),
        (Act::Say(507, "", "<Error><Code>InsufficientStorage</Code></Error>"), ErrorKind::DiskFull),
        // It says yes, and shows another object.
        (Act::Say(200, "", ""), ErrorKind::Unavailable),
    ] {
        let upstream =
            faults::faulty_in(vec![("PUT", vec![act.clone()]), ("HEAD", vec![Act::Say(200, faults::OBJECT, "")])]);
        let (store, wanted) = (faults::open(&upstream.url).1, announced(Conditions::default()));
        let outcome = match begun(&store, &name, "k", &wanted, &body).await {
            Ok(writer) => commit(&store, &name, "k", wanted, writer).await.map(drop),
            Err(error) => Err(error),
        };
        let error = outcome.expect_err("nothing is there");
        assert_eq!(error.kind(), kind, "{act:?}: {error:?}");
        assert!(kind != ErrorKind::Unavailable || error.message().contains("`cold`"), "{error:?}");
    }
    Ok(())
}
