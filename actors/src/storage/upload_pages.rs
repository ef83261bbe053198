//! Pages of a bucket's open uploads: by key, then by beginning, with keys rolled up into prefixes. Pure.

use crate::Result;
use crate::storage::multipart::{UploadId, UploadInfo, UploadPage, UploadQuery};

/// An upload, as far as its place in a listing goes.
pub(super) trait OpenUpload {
    fn key(&self) -> &str;
    fn id(&self) -> &UploadId;
}

/// One page of these.
pub(super) fn page_of<R: OpenUpload>(
    mut records: Vec<R>,
    query: &UploadQuery,
    info: impl Fn(R) -> Result<UploadInfo>,
) -> Result<UploadPage> {
    records.retain(|record| record.key().starts_with(&query.prefix) && follows(record, query));
    records.sort_unstable_by(|a, b| (a.key(), a.id()).cmp(&(b.key(), b.id())));
    let mut page = UploadPage::default();
    // Nobody asks for nothing to learn that there is more.
    if query.max == 0 {
        return Ok(page);
    }
    let mut last = None;
    for record in records {
        let rolled = rolled(record.key(), query).map(str::to_owned);
        if rolled.as_ref().is_some_and(|rolled| *rolled <= query.after || page.prefixes.last() == Some(rolled)) {
            continue;
        }
        if page.uploads.len() + page.prefixes.len() >= query.max {
            page.next = last;
            break;
        }
        match rolled {
            Some(rolled) => {
                last = Some((rolled.clone(), None));
                page.prefixes.push(rolled);
            }
            None => {
                last = Some((record.key().to_owned(), Some(record.id().clone())));
                page.uploads.push(info(record)?);
            }
        }
    }
    Ok(page)
}

fn follows(record: &impl OpenUpload, query: &UploadQuery) -> bool {
    match &query.after_id {
        Some(id) if record.key() == query.after => record.id() > id,
        _ => query.after.is_empty() || record.key() > query.after.as_str(),
    }
}

/// The prefix that a key rolls up into.
fn rolled<'k>(key: &'k str, query: &UploadQuery) -> Option<&'k str> {
    let rest = key.strip_prefix(&query.prefix).filter(|_| !query.delimiter.is_empty())?;
    rest.find(&query.delimiter).map(|at| &key[..query.prefix.len() + at + query.delimiter.len()])
}
