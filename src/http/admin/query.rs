//! Query parameters of the admin API: an unknown one is refused, and lists are paged by `limit` and `after`.

use crate::http::admin::error::{Problem, invalid};
use crate::http::percent;
use actix_web::HttpRequest;
use utoipa::IntoParams;

/// The most entries of one page; without `limit` a list is complete.
const LARGEST_PAGE: usize = 10_000;

/// What asks for a page of a list that is sorted by id or name.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "the document is made from it; the query is read by name")]
pub(super) struct Paging {
    /// At most so many, 1 to 10000; without it the list is complete.
    limit: Option<u32>,
    /// The entry after which the page begins; the `Link` header has it.
    after: Option<String>,
}

/// The parameters of one request, decoded.
#[derive(Debug)]
pub(super) struct Query {
    path: String,
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads the query; a parameter outside `known` is an error that names those there are.
    pub(super) fn parse(request: &HttpRequest, known: &[&str]) -> Result<Self, Problem> {
        let mut pairs = Vec::new();
        for part in request.query_string().split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if !known.contains(&name.as_str()) {
                let there = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(invalid(format!("there is no query parameter `{name}` here; known: {there}")));
            }
            pairs.push((name, value));
        }
        Ok(Self { path: request.path().to_owned(), pairs })
    }

    /// Reads what [`Paging`] may ask for.
    pub(super) fn paging(request: &HttpRequest) -> Result<Self, Problem> {
        Self::parse(request, &["limit", "after"])
    }

    /// The one value of a parameter.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(invalid(format!("the query parameter `{name}` is there twice"))),
            (value, None) => Ok(value),
        }
    }

    /// All values of a repeatable parameter.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// `true` or `false`; the name alone is `true`.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.one(name)? {
            None | Some("false" | "0") => Ok(false),
            Some("" | "true" | "1") => Ok(true),
            Some(other) => Err(invalid(format!("`{name}` is true or false, not `{other}`"))),
        }
    }

    /// How many entries a page has, where it is said.
    pub(super) fn limit(&self) -> Result<Option<usize>, Problem> {
        let Some(limit) = self.one("limit")? else { return Ok(None) };
        let limit = limit.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit));
        limit.map(Some).ok_or_else(|| invalid(format!("`limit` is a number from 1 to {LARGEST_PAGE}")))
    }

    /// The page of a list that is sorted by id, and the `Link` header where there is more.
    pub(super) fn page<'a, T>(
        &self,
        all: impl Iterator<Item = (&'a String, T)>,
    ) -> Result<(Vec<T>, Option<String>), Problem> {
        let after = self.one("after")?;
        let mut rest = all.filter(|(id, _)| after.is_none_or(|after| id.as_str() > after));
        let Some(limit) = self.limit()? else { return Ok((rest.map(|(_, item)| item).collect(), None)) };
        let (mut page, mut last) = (Vec::new(), "");
        for (id, item) in rest.by_ref().take(limit) {
            page.push(item);
            last = id;
        }
        let link = rest.next().map(|_| {
            let mut link = format!("<{}?limit={limit}&after=", self.path);
            percent::encode(last.as_bytes(), &mut link);
            link + ">; rel=\"next\""
        });
        Ok((page, link))
    }
}

/// Decodes as forms do: `+` is a space.
fn decode(text: &str) -> Result<String, Problem> {
    let bytes =
        percent::decode(&text.replace('+', " ")).map_err(|_| invalid("the query has a malformed `%` escape"))?;
    String::from_utf8(bytes).map_err(|_| invalid("the query is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use std::collections::BTreeMap;

    fn query(uri: &str, known: &[&str]) -> Result<Query, Problem> {
        Query::parse(&TestRequest::with_uri(uri).to_http_request(), known)
    }

    #[test]
    fn an_unknown_parameter_is_refused_and_the_known_ones_are_named() {
        let error = query("/x?dryrun=true", &["dry_run", "mode"]).unwrap_err();
        assert!(error.error().message().contains("`dryrun`") && error.error().message().contains("dry_run, mode"));
        let good = query("/x?dry_run&mode=a%20b+c", &["dry_run", "mode"]).unwrap();
        assert!(good.flag("dry_run").unwrap());
        assert_eq!(good.one("mode").unwrap(), Some("a b c"));
        assert!(query("/x?mode=1&mode=2", &["mode"]).unwrap().one("mode").is_err());
        assert!(query("/x?mode=%zz", &["mode"]).is_err());
        assert!(query("/x?dry_run=maybe", &["dry_run"]).unwrap().flag("dry_run").is_err());
    }

    #[test]
    fn pages_follow_one_another_until_the_end() {
        let all: BTreeMap<String, i32> = (0..5).map(|n| (format!("id {n}"), n)).collect();
        let page = |uri: &str| {
            query(uri, &["limit", "after"])
                .unwrap()
                .page(all.iter())
                .map(|(p, link)| (p.into_iter().copied().collect::<Vec<_>>(), link))
        };
        assert_eq!(page("/users").unwrap(), (vec![0, 1, 2, 3, 4], None));
        let (first, link) = page("/users?limit=3").unwrap();
        assert_eq!(first, [0, 1, 2]);
        assert_eq!(link.as_deref(), Some("</users?limit=3&after=id%202>; rel=\"next\""));
        assert_eq!(page("/users?limit=3&after=id%202").unwrap(), (vec![3, 4], None));
        assert!(page("/users?limit=0").is_err());
    }
}
