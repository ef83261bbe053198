//! What the tables must hold: a page for every case, a case for everything that the registry honours, and a refusal for the rest.

use super::run::Subject;
use super::script::{Case, Step};
use super::{Kind, cases, report};
use crate::support::client::Request;
use crate::support::server::Host;
use deltaglider_proxy::http::s3::registry::operations::{OPERATIONS, PLAIN_HEADERS, State};
use deltaglider_proxy::http::s3::registry::{Place, Standing, TABLE};

#[test]
fn every_case_names_its_page_and_asks_something() {
    for case in [Kind::Plain, Kind::Malformed, Kind::Admission].into_iter().flat_map(cases) {
        let page = case.page.strip_prefix("API_").unwrap_or("");
        let known = case.page.starts_with("API_") && page.bytes().all(|b| b.is_ascii_alphanumeric())
            || !case.page.starts_with("API_") && case.page.contains(' ');
        assert!(known, "{}: `{}` is no page", case.name, case.page);
        assert!(case.steps.last().is_some_and(|step| !step.wanted.is_empty()), "{} asks nothing", case.name);
    }
}

#[test]
fn everything_that_is_honoured_is_tested() {
    let cases = cases(Kind::Plain);
    let mut missing: Vec<String> = OPERATIONS
        .iter()
        .filter(|row| !matches!(row.state, State::Refused { .. }))
        .map(|row| format!("API_{}", row.name))
        .filter(|page| !cases.iter().any(|case| case.page == *page))
        .collect();
    let parts: Vec<String> = cases
        .iter()
        .flat_map(|case| &case.steps)
        .flat_map(|step| &step.request)
        .map(|part| part.to_ascii_lowercase())
        .collect();
    let sent = |place: Place, name: &str| {
        let name = name.to_ascii_lowercase();
        let start = name.trim_end_matches('*');
        parts.iter().any(|part| match place {
            Place::Query => [format!("?{start}"), format!("&{start}")].iter().any(|form| part.contains(form)),
            Place::Header if name.ends_with('*') => part.starts_with(start),
            // The signer adds the two that every signature has.
            Place::Header => part.starts_with(&format!("{name}:")) || name == "x-amz-date",
        })
    };
    for row in TABLE.iter().filter(|row| !matches!(row.standing, Standing::Refused(_))) {
        if !sent(row.place, row.name) {
            missing.push(format!("{:?} {}", row.place, row.name));
        }
    }
    let by_signer = ["Authorization"];
    missing.extend(
        PLAIN_HEADERS
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !by_signer.contains(name) && !sent(Place::Header, name))
            .map(|name| format!("header {name}")),
    );
    assert!(missing.is_empty(), "the tables have no case for {missing:?}");
}

/// A request that must be refused, as a case.
fn refusal(name: &str, request: &str) -> Case {
    let request = request.split(" | ").map(str::to_owned).collect();
    let step = Step { line: name.to_owned(), request, wanted: vec!["501 NotImplemented".to_owned()] };
    Case { name: name.to_owned(), page: "Error responses".to_owned(), except: Vec::new(), steps: vec![step] }
}

#[test]
fn everything_that_is_refused_is_answered_501_and_changes_nothing() {
    let mut cases = Vec::new();
    for row in OPERATIONS {
        if let State::Refused { request, .. } = row.state {
            cases.push(refusal(row.name, request));
        }
    }
    for row in TABLE.iter().filter(|row| matches!(row.standing, Standing::Refused(_))) {
        let name = row.name.replace('*', "unheard-of");
        for method in ["GET", "PUT", "DELETE"] {
            cases.push(match row.place {
                Place::Query => refusal(row.name, &format!("{method} /@/k?{name}=1")),
                Place::Header => refusal(row.name, &format!("{method} /@/k | {name}: 1")),
            });
        }
    }
    for row in TABLE.iter().filter(|row| matches!(row.standing, Standing::Unconfigured(..))) {
        for request in ["GET /@/k?", "PUT /@/k?", "DELETE /@/k?", "PUT /@?", "DELETE /@?", "HEAD /@?"] {
            let mut case = refusal(row.name, &format!("{request}{}", row.name));
            if request.starts_with("HEAD") {
                // A HEAD has no document, so no code.
                case.steps[0].wanted = vec!["501".to_owned()];
            }
            cases.push(case);
        }
    }
    let host = Host::start();
    let s3 = host.admin_user("table");
    let subject = Subject { s3: &s3, prefix: "refused" };
    s3.make_bucket("refused");
    s3.send(Request::new("PUT", "/refused/k").header("x-amz-meta-colour", "red").body("0123456789")).expect(200);
    s3.put("refused", "dir/a", "x").expect(200);
    let failed = |case: &Case| {
        let outcome = subject.run_unchanged("refused", case);
        outcome.err().map(|what| format!("{} is not refused\n   {what}", case.name))
    };
    report(&cases.iter().filter_map(failed).collect::<Vec<_>>());
}
