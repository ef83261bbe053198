//! The console below `/_/`: its embedded files, its entry page for every address that a person may type, and the policy under
//! which it runs.

mod files;

use crate::http::metrics::name;
use crate::http::ui::files::{File, file};
use actix_web::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap,
    HeaderName, VARY,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// The page of a server that was built without its console.
const WITHOUT: &str = include_str!("../../../web/without-console.html");

/// Nothing runs in the console but its own files, and no page of others holds it in a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// The same for the page without the console; its style stands in it and is named by its hash.
static POLICY_WITHOUT: LazyLock<String> = LazyLock::new(|| {
    let style =
        WITHOUT.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).map_or("", |(style, _)| style);
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    POLICY.replace("style-src 'self'", &format!("style-src 'sha256-{hash}'"))
});

/// What every answer carries: it is what it says it is, and no other origin reads or frames it.
const ISOLATION: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// `GET /_/…`: a file of the console, or its entry page for whoever reads HTML; anything else that is not there is 404.
pub(super) async fn page(request: HttpRequest) -> HttpResponse {
    name(&request, "Console");
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "this is a page: GET it\n");
    }
    let path = request.path().strip_prefix("/_/").unwrap_or_default();
    if let Some(found) = file(path).filter(|found| found.path != "index.html") {
        // A name in `assets/` has a hash of the contents in it, so it never means anything else.
        let hashed = path.starts_with("assets/");
        return send(&request, found, if hashed { "public, max-age=31536000, immutable" } else { "no-cache" });
    }
    let entry = matches!(path, "" | "index.html");
    if path.starts_with("assets/") || !(entry || reads_html(request.headers())) {
        return plain(StatusCode::NOT_FOUND, "there is nothing here; the console is at /_/\n");
    }
    match file("index.html") {
        Some(index) => send(&request, index, "no-cache"),
        None => answer(StatusCode::OK, "text/html; charset=utf-8")
            .insert_header((CACHE_CONTROL, "no-cache"))
            .insert_header((CONTENT_SECURITY_POLICY, POLICY_WITHOUT.as_str()))
            .body(WITHOUT),
    }
}

fn send(request: &HttpRequest, file: &File, cache: &'static str) -> HttpResponse {
    let accepts: Vec<&str> =
        request.headers().get_all(ACCEPT_ENCODING).filter_map(|value| value.to_str().ok()).collect();
    let (bytes, coding) = file.form(&accepts.join(","));
    let mut response = answer(StatusCode::OK, file.kind());
    response
        .insert_header((CACHE_CONTROL, cache))
        .insert_header((VARY, "accept-encoding"))
        // An SVG opened by itself is a document, so each file has the policy.
        .insert_header((CONTENT_SECURITY_POLICY, POLICY));
    if let Some(coding) = coding {
        response.insert_header((CONTENT_ENCODING, coding));
    }
    response.body(bytes)
}

fn reads_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok()).any(|value| value.contains("text/html"))
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse {
    answer(status, "text/plain; charset=utf-8").body(text)
}

fn answer(status: StatusCode, kind: &'static str) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((CONTENT_TYPE, kind));
    for (name, value) in ISOLATION {
        response.insert_header((HeaderName::from_static(name), value));
    }
    response
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
            ("/_", "*/*", 200),
            ("/_/", "*/*", 200),
            ("/_/index.html", "*/*", 200),
            ("/_/users/u1", "text/html,application/xhtml+xml", 200),
            ("/_/users/u1", "*/*", 404),
            ("/_/assets/gone.js", "text/html", 404),
        ] {
            assert_eq!(get(path, accept).status().as_u16(), status, "{path} {accept}");
        }
    }

    #[test]
    fn the_page_may_run_nothing_that_is_not_its_own() {
        let page = get("/_/users", "text/html");
        let policy = page.headers().get(CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
        assert_eq!(page.headers().get(CACHE_CONTROL).unwrap(), "no-cache");
        assert_eq!(page.headers().get("x-content-type-options").unwrap(), "nosniff");
        assert!(POLICY_WITHOUT.contains("style-src 'sha256-"));
        assert!(!WITHOUT.contains(" style=") && !WITHOUT.contains("<script"), "the policy forbids them");
    }
}
