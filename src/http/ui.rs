//! The console's page: embedded in the binary, served for every address below `/_/` that a person may type.

use crate::http::metrics::name;
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const PAGE: &str = include_str!("../../web/without-console.html");

/// Nothing runs in the page but what is in it: its style is named by its hash.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style =
        PAGE.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).map_or("", |(style, _)| style);
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-{hash}'; img-src 'self' data:; connect-src 'self'; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )
});

/// `GET /_/…`: the page, for whoever reads HTML; anything else that is not there is 404.
pub(super) async fn page(request: HttpRequest) -> HttpResponse {
    name(&request, "Console");
    let entry = matches!(request.path(), "/_" | "/_/");
    let asset = request.path().starts_with("/_/assets/");
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "this is a page: GET it\n");
    }
    if asset || !(entry || reads_html(request.headers())) {
        return plain(StatusCode::NOT_FOUND, "there is nothing here; the console is at /_/\n");
    }
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("referrer-policy", "no-referrer"))
        .body(PAGE)
}

fn reads_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok()).any(|value| value.contains("text/html"))
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/plain; charset=utf-8")
        .insert_header(("x-content-type-options", "nosniff"))
        .body(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use futures_util::FutureExt;

    fn get(path: &str, accept: &str) -> HttpResponse {
        page(TestRequest::with_uri(path).insert_header((ACCEPT, accept)).to_http_request()).now_or_never().unwrap()
    }

    #[test]
    fn people_get_the_page_everywhere_and_programs_what_is_there() {
        for (path, accept, status) in [
            ("/_/", "*/*", 200),
            ("/_/users/u1", "text/html,application/xhtml+xml", 200),
            ("/_/users/u1", "*/*", 404),
            ("/_/assets/gone.js", "text/html", 404),
        ] {
            assert_eq!(get(path, accept).status().as_u16(), status, "{path} {accept}");
        }
    }

    #[test]
    fn the_page_may_run_nothing_that_is_not_its_own() {
        let page = get("/_/", "text/html");
        let policy = page.headers().get(CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!PAGE.contains(" style=") && !PAGE.contains(" onclick="), "the policy forbids them");
        assert_eq!(page.headers().get(CACHE_CONTROL).unwrap(), "no-cache");
    }
}
