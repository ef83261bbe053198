//! What the tables must hold.

use super::cases;

#[test]
fn every_case_names_its_page_and_asks_something() {
    for case in cases(false).into_iter().chain(cases(true)) {
        let page = case.page.strip_prefix("API_").unwrap_or("");
        let known = case.page.starts_with("API_") && page.bytes().all(|b| b.is_ascii_alphanumeric())
            || !case.page.starts_with("API_") && case.page.contains(' ');
        assert!(known, "{}: `{}` is no page", case.name, case.page);
        assert!(case.steps.last().is_some_and(|step| !step.wanted.is_empty()), "{} asks nothing", case.name);
    }
}
