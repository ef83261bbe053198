//! ListMultipartUploads: the open uploads of a bucket, as far as the caller may see their keys.

use super::document;
use crate::http::reply;
use crate::http::s3::bucket::list;
use crate::http::s3::call::Call;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::ListMultipartUploads;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actors::Result;
use actors::domain::iam::scope::{self, ListScope};
use actors::domain::names::BucketName;
use actors::storage::multipart::{UploadId, UploadInfo, UploadPage, UploadQuery};
use actors::store::StoreHandle;

/// How much is read at a time where some of it is left out.
const CHUNK: usize = 1000;

/// Lists a page of uploads.
pub(in crate::http::s3) async fn answer(call: &Call, wanted: &ListMultipartUploads) -> Result<HttpResponse, S3Error> {
    let (name, action) = (wanted.bucket.as_str(), "s3:ListBucketMultipartUploads");
    let visible = scope::list_scope(&call.view.state, call.principal(), action, name, &call.access)
        .map_err(|_| S3Error::access_denied())?;
    let route = call.view.route(&wanted.bucket)?;
    let query = UploadQuery {
        prefix: wanted.prefix.clone(),
        delimiter: wanted.delimiter.clone(),
        after: wanted.after.clone(),
        after_id: id_marker(wanted)?,
        max: wanted.max_uploads,
    };
    let page = page(&route.store, &route.bucket, query, &visible).await?;
    let owner = list::owner(call, &wanted.bucket);
    Ok(reply::xml(StatusCode::OK, document::uploads(wanted, &page, &owner)))
}

/// `upload-id-marker` counts beside a `key-marker` only (AWS).
fn id_marker(wanted: &ListMultipartUploads) -> Result<Option<UploadId>, S3Error> {
    if wanted.after.is_empty() || wanted.after_id.is_empty() {
        return Ok(None);
    }
    let invalid = || S3Error::invalid_argument("upload-id-marker", &wanted.after_id, "Invalid uploadId marker");
    UploadId::parse(&wanted.after_id).map(Some).map_err(|_| invalid())
}

/// One page: what the caller may not see is skipped, so that pages are full and their end is the true end.
async fn page(
    store: &StoreHandle,
    bucket: &BucketName,
    mut query: UploadQuery,
    scope: &ListScope,
) -> Result<UploadPage> {
    if scope.is_whole() {
        return store.list_uploads(bucket, query).await;
    }
    let most = std::mem::replace(&mut query.max, CHUNK);
    let mut seen = Vec::new();
    loop {
        let chunk = store.list_uploads(bucket, query.clone()).await?;
        let next = chunk.next.clone();
        seen.extend(visible(chunk, scope));
        // One more than asked for tells whether more follows.
        match next {
            Some((key, id)) if seen.len() <= most => (query.after, query.after_id) = (key, id),
            _ => break,
        }
    }
    Ok(cut(seen, most))
}

/// A line of a page.
enum Entry {
    Upload(Box<UploadInfo>),
    Prefix(String),
}

impl Entry {
    fn marker(&self) -> (String, Option<UploadId>) {
        match self {
            Self::Upload(upload) => (upload.key.as_str().to_owned(), Some(upload.id.clone())),
            Self::Prefix(prefix) => (prefix.clone(), None),
        }
    }
}

fn visible(page: UploadPage, scope: &ListScope) -> Vec<Entry> {
    let uploads = page.uploads.into_iter().filter(|upload| scope.admits(upload.key.as_str()));
    let prefixes = page.prefixes.into_iter().filter(|prefix| scope.may_contain(prefix));
    let uploads = uploads.map(|upload| Entry::Upload(Box::new(upload)));
    let mut entries: Vec<Entry> = uploads.chain(prefixes.map(Entry::Prefix)).collect();
    entries.sort_by_cached_key(Entry::marker);
    entries
}

fn cut(mut seen: Vec<Entry>, most: usize) -> UploadPage {
    let more = seen.len() > most;
    seen.truncate(most);
    let next = seen.last().filter(|_| more).map(Entry::marker);
    let mut page = UploadPage { next, ..UploadPage::default() };
    for entry in seen {
        match entry {
            Entry::Upload(upload) => page.uploads.push(*upload),
            Entry::Prefix(prefix) => page.prefixes.push(prefix),
        }
    }
    page
}
