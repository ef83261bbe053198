//! Pages of listings: the upstream's own, without what is the store's own, with logical sizes and entity tags.

use super::Inner;
use super::cache::Listed;
use super::convert::{INTERNAL, SLASHED, decoded, original, stored, to_second};
use super::error::Failure;
use crate::domain::clock::Timestamp;
use crate::domain::listing::{ListPage, ListQuery, ListedObject};
use crate::domain::names::{BucketName, ObjectKey};
use crate::domain::object::ETag;
use crate::{ErrorKind, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use rusoto_s3::{ListObjectsV2Request, Object, S3};

const OPERATION: &str = "list objects";
/// Upstreams give no more at once.
const PAGE: usize = 1000;
/// So many objects of a page are asked for at once, where their entity tag is not enough.
const ASKED: usize = 16;
/// Behind every key that begins with what stands before it.
const LAST: char = '\u{10FFFF}';

/// Which of the clients' keys are listed: those that begin with a slash are stored apart from the order of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Plain,
    Slashed,
}

impl Range {
    fn holds(self, name: &str) -> bool {
        name.starts_with('/') == (self == Self::Slashed)
    }

    /// The stored name behind which lies what lies behind this name; nothing where all of the range does.
    fn behind(self, name: &str) -> Option<String> {
        match self {
            // Nothing is stored under a name with a slash before it, so the name itself is as good a mark.
            Self::Plain if name.starts_with('/') => Some(name.to_owned()),
            Self::Plain => Some(stored(name)),
            Self::Slashed => name.starts_with('/').then(|| stored(name)),
        }
    }
}

/// A line of a listing, under its name for the client.
enum Line {
    Object(String, Box<Object>),
    Prefix(String),
}

impl Line {
    fn name(&self) -> &str {
        match self {
            Self::Object(name, _) | Self::Prefix(name) => name,
        }
    }
}

/// What the upstream gave at once: its lines in order, and where the next ones begin.
struct Batch {
    lines: Vec<(String, Line)>,
    next: Option<Start>,
}

/// Where a listing begins.
#[derive(Clone, Debug)]
enum Start {
    /// At the first key.
    First,
    /// Behind this stored name.
    Behind(String),
    /// Where the upstream left off.
    Token(String),
}

impl Inner {
    /// One page.
    pub(super) async fn list(&self, bucket: &BucketName, query: &ListQuery) -> Result<ListPage> {
        if query.max_keys == 0 {
            self.check_bucket(bucket).await?;
            return Ok(ListPage::default());
        }
        let mut lines = match query.prefix.starts_with('/') {
            true => self.lines(bucket, query, Range::Slashed).await?,
            false => self.lines(bucket, query, Range::Plain).await?,
        };
        // Behind a zero no key begins with a slash.
        if query.prefix.is_empty() && query.start_after.as_str() < "0" {
            lines.extend(self.lines(bucket, query, Range::Slashed).await?);
            lines.sort_by(|a, b| a.name().cmp(b.name()));
        }
        let more = lines.len() > query.max_keys;
        lines.truncate(query.max_keys);
        let next = lines.last().filter(|_| more).map(|last| last.name().to_owned());
        self.page(bucket, lines, next).await
    }

    /// The lines of a range, one more than asked for where there are so many.
    async fn lines(&self, bucket: &BucketName, query: &ListQuery, range: Range) -> Result<Vec<Line>> {
        let mut lines: Vec<Line> = Vec::new();
        let mut from = begin(query, range);
        let mut looked = false;
        // One more than asked for tells whether there is more.
        while lines.len() <= query.max_keys {
            // What the first look gave was rolled up or comes before the start: there may be much more of it.
            let wanted = if looked { PAGE } else { (query.max_keys + 1 - lines.len()).saturating_add(1).min(PAGE) };
            looked = true;
            let batch = self.batch(bucket, query, (from, range), wanted).await?;
            let mut rolled_last = None;
            for (stored_name, line) in batch.lines {
                let line = match rolled(line.name(), query) {
                    Some(prefix) => {
                        rolled_last = Some(format!("{}{LAST}", range.behind(&prefix).unwrap_or_default()));
                        Line::Prefix(prefix)
                    }
                    None => {
                        rolled_last = matches!(line, Line::Prefix(_)).then(|| format!("{stored_name}{LAST}"));
                        line
                    }
                };
                let known = lines.last().is_some_and(|last| last.name() == line.name());
                let before = line.name() <= query.start_after.as_str();
                if !known && !before {
                    lines.push(line);
                }
            }
            match batch.next {
                None => break,
                Some(Start::Token(token)) => {
                    // A name that the upstream cannot be told in full would lead back to where this look began.
                    let behind = rolled_last.filter(|name| readable(name) == name);
                    from = behind.map_or(Start::Token(token), Start::Behind);
                }
                Some(next) => from = next,
            }
        }
        Ok(lines)
    }

    /// True where there is an object of a client.
    pub(super) async fn holds_objects(&self, bucket: &BucketName) -> Result<bool> {
        let query = ListQuery { max_keys: 1, ..ListQuery::default() };
        let plain = self.lines(bucket, &query, Range::Plain).await?;
        Ok(!plain.is_empty() || !self.lines(bucket, &query, Range::Slashed).await?.is_empty())
    }

    /// How many there are, as far as `most`, and whether there are more: by their names alone, without a look at any.
    pub(super) async fn count(&self, bucket: &BucketName, most: usize) -> Result<(usize, bool)> {
        let query = ListQuery { max_keys: most, ..ListQuery::default() };
        let mut count = self.lines(bucket, &query, Range::Plain).await?.len();
        if count <= most {
            count += self.lines(bucket, &query, Range::Slashed).await?.len();
        }
        Ok((count.min(most), count > most))
    }

    async fn batch(
        &self,
        bucket: &BucketName,
        query: &ListQuery,
        (from, range): (Start, Range),
        max: usize,
    ) -> Result<Batch> {
        // With another delimiter the upstream would take the escape of a key apart.
        let apart = range == Range::Slashed && query.prefix.is_empty();
        let delimiter = (query.delimiter == "/" && !apart).then(|| query.delimiter.clone());
        let prefix = if apart { SLASHED.to_owned() } else { stored(&query.prefix) };
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        let page = self.page_of(bucket, prefix, delimiter, from, max).await?;
        let mut found: Vec<(String, Option<Object>)> = Vec::new();
        for mut object in page.contents.unwrap_or_default() {
            let key = object.key.take().and_then(|key| decoded(&key));
            found.extend(key.map(|key| (key, Some(object))));
        }
        for prefix in page.common_prefixes.unwrap_or_default() {
            let prefix = prefix.prefix.and_then(|prefix| decoded(&prefix));
            found.extend(prefix.map(|prefix| (prefix, None)));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let last = found.last().map(|last| last.0.clone()).unwrap_or_default();
        let more = page.is_truncated == Some(true) && !found.is_empty();
        let next = match page.next_continuation_token.filter(|_| more) {
            // What is the store's own may be much: the rest of it is passed over at once.
            Some(_) if last.starts_with(INTERNAL) => Some(Start::Behind(format!("{INTERNAL}{LAST}"))),
            Some(_) if range == Range::Plain && last.starts_with(SLASHED) => {
                Some(Start::Behind(format!("{SLASHED}{LAST}")))
            }
            Some(token) => Some(Start::Token(token)),
            None => more.then_some(Start::Behind(last)),
        };
        let lines = found.into_iter().filter_map(|(stored_name, object)| {
            let name = original(&stored_name).filter(|name| range.holds(name))?;
            let line = match object {
                Some(object) => Line::Object(name, Box::new(object)),
                None => Line::Prefix(name),
            };
            Some((stored_name, line))
        });
        Ok(Batch { lines: lines.collect(), next })
    }

    async fn page_of(
        &self,
        bucket: &BucketName,
        prefix: Option<String>,
        delimiter: Option<String>,
        from: Start,
        max: usize,
    ) -> Result<rusoto_s3::ListObjectsV2Output> {
        let (start_after, continuation_token) = match from {
            Start::First => (None, None),
            // Garage gives nothing behind a name before the prefix.
            Start::Behind(name) => {
                let name = readable(&name);
                (
                    Some(name).filter(|name| prefix.as_deref().is_none_or(|prefix| *name >= prefix)).map(str::to_owned),
                    None,
                )
            }
            Start::Token(token) => (None, Some(token)),
        };
        let request = ListObjectsV2Request {
            bucket: bucket.to_string(),
            prefix,
            delimiter,
            start_after,
            continuation_token,
            max_keys: i64::try_from(max).ok(),
            // Keys may hold what XML cannot.
            encoding_type: Some("url".to_owned()),
            ..ListObjectsV2Request::default()
        };
        let page = self.upstream.s3.list_objects_v2(request).await;
        let page = page.map_err(|e| self.failed(bucket, OPERATION, e.into()))?;
        if page.name.is_none() && page.is_truncated.is_none() {
            return Err(self.upstream.error(OPERATION, Failure::Lost("it broke a listing off".to_owned())));
        }
        Ok(page)
    }

    /// The stored keys of the store's own under a prefix, as far as one request gives them; the flag says that there is more.
    pub(super) async fn own_keys(
        &self,
        bucket: &BucketName,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<(Vec<(String, Timestamp)>, bool)> {
        let from = after.map_or(Start::First, |after| Start::Behind(after.to_owned()));
        let page = self.page_of(bucket, Some(prefix.to_owned()), None, from, PAGE).await?;
        let more = page.is_truncated == Some(true);
        let keys = page.contents.unwrap_or_default().into_iter().filter_map(|object| {
            let modified = object.last_modified.as_deref().and_then(Timestamp::parse_rfc3339).unwrap_or_default();
            Some((decoded(&object.key?)?, modified))
        });
        Ok((keys.collect(), more))
    }

    /// Every one of them.
    pub(super) async fn all_own_keys(&self, bucket: &BucketName, prefix: &str) -> Result<Vec<String>> {
        let mut all: Vec<String> = Vec::new();
        loop {
            let (keys, more) = self.own_keys(bucket, prefix, all.last().map(String::as_str)).await?;
            let some = !keys.is_empty();
            all.extend(keys.into_iter().map(|(key, _)| key));
            if !more || !some {
                return Ok(all);
            }
        }
    }

    /// Removes what is the store's own under a prefix.
    pub(super) async fn remove_own(&self, bucket: &BucketName, prefix: &str) -> Result<()> {
        let keys = self.all_own_keys(bucket, prefix).await?;
        stream::iter(keys)
            .map(Ok)
            .try_for_each_concurrent(ASKED, |key| async move { self.remove(bucket, &key).await })
            .await
    }

    async fn page(&self, bucket: &BucketName, lines: Vec<Line>, next: Option<String>) -> Result<ListPage> {
        let mut page = ListPage { next, ..ListPage::default() };
        let mut objects = Vec::new();
        for line in lines {
            match line {
                Line::Prefix(prefix) => page.prefixes.push(prefix),
                Line::Object(key, object) => objects.push((key, object)),
            }
        }
        let looked = stream::iter(objects).map(|(key, object)| self.listed(bucket, key, *object)).buffered(ASKED);
        let listed: Vec<Option<ListedObject>> = looked.try_collect().await?;
        page.objects = listed.into_iter().flatten().collect();
        Ok(page)
    }

    /// A line for the client; nothing where the object went meanwhile.
    async fn listed(&self, bucket: &BucketName, key: String, object: Object) -> Result<Option<ListedObject>> {
        let tag = object.e_tag.unwrap_or_default();
        let modified = object.last_modified.as_deref().and_then(Timestamp::parse_rfc3339).unwrap_or_default();
        let class = object.storage_class.filter(|class| class != "STANDARD");
        let mut shown = Listed {
            size: object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
            etag: ETag::new(&tag),
            modified: to_second(modified),
            storage_class: class,
        };
        // Only the entity tag of what was written in one piece is the MD5 of its bytes.
        if tag.contains('-') {
            shown = match self.sizes.get(bucket, &key, &tag) {
                Some(known) => known,
                None => {
                    let object = ObjectKey::new(key.clone())?;
                    let meta = match self.described(bucket, &object).await {
                        Err(error) if error.kind() == ErrorKind::NoSuchKey => return Ok(None),
                        other => other?.meta,
                    };
                    let storage_class = meta.attributes.headers.storage_class;
                    Listed { size: meta.size, etag: meta.etag, modified: meta.modified, storage_class }
                }
            };
        }
        let Listed { size, etag, modified, storage_class } = shown;
        Ok(Some(ListedObject { key, size, etag, modified, storage_class }))
    }
}

/// Where the upstream is to begin: behind the name that came last, and behind all that was rolled up with it.
fn begin(query: &ListQuery, range: Range) -> Start {
    let after = query.start_after.as_str();
    let behind = match rolled(after, query) {
        _ if after.is_empty() => None,
        Some(prefix) => range.behind(&prefix).map(|name| format!("{name}{LAST}")),
        None => range.behind(after),
    };
    behind.map_or(Start::First, Start::Behind)
}

/// What of a name an upstream can say again in XML. The lines between are passed over here.
fn readable(name: &str) -> &str {
    let end = name.find(|c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'));
    &name[..end.unwrap_or(name.len())]
}

/// The prefix that a name rolls up into.
fn rolled(name: &str, query: &ListQuery) -> Option<String> {
    let rest = name.strip_prefix(&query.prefix).filter(|_| !query.delimiter.is_empty())?;
    let at = rest.find(&query.delimiter)?;
    Some(name[..query.prefix.len() + at + query.delimiter.len()].to_owned())
}
