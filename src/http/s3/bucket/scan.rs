//! A page of what one principal may see: what it may not see is skipped, so pages are full and their end is the true end.

use actors::Result;
use actors::domain::iam::scope::ListScope;
use actors::domain::listing::{ListPage, ListQuery, ListedObject};
use actors::domain::names::BucketName;
use actors::store::StoreHandle;

/// How much is read at a time where some of it is left out.
const CHUNK: usize = 1000;

/// One page.
pub(in crate::http) async fn page(
    store: &StoreHandle,
    bucket: &BucketName,
    query: ListQuery,
    scope: &ListScope,
) -> Result<ListPage> {
    if scope.is_whole() {
        return store.list(bucket, query).await;
    }
    let ranges = Ranges::new(scope, &query);
    let mut seen = Vec::new();
    let mut after = query.start_after.clone();
    loop {
        match ranges.skip(&after) {
            Skip::No => {}
            Skip::To(next) => after = next,
            Skip::End => break,
        }
        let chunk = ListQuery { start_after: after, max_keys: CHUNK, ..query.clone() };
        let chunk = store.list(bucket, chunk).await?;
        let next = chunk.next.clone();
        seen.extend(visible(chunk, scope));
        // One more than asked for tells whether more follows.
        match next {
            Some(next) if seen.len() <= query.max_keys => after = next,
            _ => break,
        }
    }
    Ok(cut(seen, query.max_keys))
}

/// A line of a page.
enum Entry {
    Object(ListedObject),
    Prefix(String),
}

impl Entry {
    fn name(&self) -> &str {
        match self {
            Self::Object(object) => &object.key,
            Self::Prefix(prefix) => prefix,
        }
    }
}

fn visible(page: ListPage, scope: &ListScope) -> Vec<Entry> {
    let objects = page.objects.into_iter().filter(|object| scope.admits(&object.key)).map(Entry::Object);
    let prefixes = page.prefixes.into_iter().filter(|prefix| scope.may_contain(prefix)).map(Entry::Prefix);
    let mut entries: Vec<Entry> = objects.chain(prefixes).collect();
    entries.sort_by(|a, b| a.name().cmp(b.name()));
    entries
}

fn cut(mut seen: Vec<Entry>, most: usize) -> ListPage {
    let more = seen.len() > most;
    seen.truncate(most);
    let next = seen.last().filter(|_| more).map(|entry| entry.name().to_owned());
    let mut page = ListPage { next, ..ListPage::default() };
    for entry in seen {
        match entry {
            Entry::Object(object) => page.objects.push(object),
            Entry::Prefix(prefix) => page.prefixes.push(prefix),
        }
    }
    page
}

/// Where visible names lie: each granted prefix, or the rolled-up prefix that it is inside.
struct Ranges {
    /// Sorted; true where names inside are shown one by one. `None` where everything under the query's prefix may be visible.
    starts: Option<Vec<(String, bool)>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Skip {
    /// What follows may be visible.
    No,
    /// Nothing before this is.
    To(String),
    /// Nothing more is.
    End,
}

impl Ranges {
    fn new(scope: &ListScope, query: &ListQuery) -> Self {
        Self::of(scope.prefixes(), query)
    }

    fn of(granted: Vec<String>, query: &ListQuery) -> Self {
        if granted.iter().any(|prefix| query.prefix.starts_with(prefix.as_str())) {
            return Self { starts: None };
        }
        let rolled = |prefix: String| {
            let rest = prefix.strip_prefix(query.prefix.as_str())?;
            let at = if query.delimiter.is_empty() { None } else { rest.find(&query.delimiter) };
            Some(match at.map(|at| query.prefix.len() + at + query.delimiter.len()) {
                Some(end) => (prefix[..end].to_owned(), false),
                None => (prefix, true),
            })
        };
        let mut starts: Vec<(String, bool)> = granted.into_iter().filter_map(rolled).collect();
        starts.sort();
        starts.dedup_by(|a, b| a.0 == b.0);
        Self { starts: Some(starts) }
    }

    fn skip(&self, after: &str) -> Skip {
        let Some(starts) = &self.starts else { return Skip::No };
        if starts.iter().any(|(start, open)| *open && after.starts_with(start.as_str())) {
            return Skip::No;
        }
        match starts.iter().find(|(start, _)| start.as_str() > after) {
            Some((start, _)) => {
                let before = just_before(start);
                if before.as_str() > after { Skip::To(before) } else { Skip::No }
            }
            None => Skip::End,
        }
    }
}

/// A text below `text` and above nearly all that is: what slips through is filtered.
fn just_before(text: &str) -> String {
    let mut chars = text.chars();
    let Some(last) = chars.next_back() else { return String::new() };
    let head = chars.as_str();
    let below = match u32::from(last) {
        0 => return head.to_owned(),
        // The surrogates are no characters.
        0xE000 => 0xD7FF,
        code => code - 1,
    };
    match char::from_u32(below) {
        Some(below) => format!("{head}{below}\u{10FFFF}"),
        None => head.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(granted: &[&str], prefix: &str, delimiter: &str) -> Ranges {
        let query = ListQuery { prefix: prefix.into(), delimiter: delimiter.into(), ..ListQuery::default() };
        Ranges::of(granted.iter().map(|prefix| (*prefix).to_owned()).collect(), &query)
    }

    #[test]
    fn a_scan_goes_from_grant_to_grant() {
        let ranges = ranges(&["ci/", "web/live/"], "", "");
        assert_eq!(ranges.skip(""), Skip::To("ci.\u{10FFFF}".into()));
        assert_eq!(ranges.skip("ci/log"), Skip::No);
        assert_eq!(ranges.skip("cx"), Skip::To("web/live.\u{10FFFF}".into()));
        assert_eq!(ranges.skip("zzz"), Skip::End);
    }

    #[test]
    fn a_rolled_up_grant_is_one_line() {
        let ranges = ranges(&["web/live/"], "", "/");
        let Skip::To(before) = ranges.skip("") else { panic!("no skip") };
        assert!(before.as_str() < "web/", "the rolled-up prefix is still to come");
        assert_eq!(ranges.skip("web/"), Skip::End, "it was shown");
    }

    #[test]
    fn a_prefix_inside_a_grant_skips_nothing_and_one_beside_it_everything() {
        assert_eq!(ranges(&["ci/"], "ci/2026/", "/").skip(""), Skip::No);
        assert_eq!(ranges(&["ci/"], "web/", "/").skip(""), Skip::End);
    }

    #[test]
    fn the_last_name_of_a_full_page_leads_to_the_next() {
        let entry = |name: &str| Entry::Prefix(name.to_owned());
        let page = cut(vec![entry("a/"), entry("b/"), entry("c/")], 2);
        assert_eq!((page.prefixes.len(), page.next.as_deref()), (2, Some("b/")));
        assert_eq!(cut(vec![entry("a/")], 2).next, None);
    }
}
