//! Who calls the admin API: the session of a cookie or the owner of a token, and what a browser must say for a cookie to count.

use crate::app::Edge;
use crate::auth::token;
use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::http::header::{HOST, ORIGIN};
use actors::domain::clock::Timestamp;
use actors::domain::iam::principal::Principal;
use actors::session::{Session, token_sha256};
use actors::state_db::Used;
use actors::system::view::SystemView;
use actors::{Error, ErrorKind, Result};
use std::time::Duration;

/// The cookie's name.
pub const COOKIE: &str = "dgp_session";

/// Somebody who proved who they are.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who.
    pub principal: Principal,
    /// The session, where a cookie brought it.
    pub session: Option<Session>,
    /// When a person last proved who they are; a token has no such moment.
    pub auth_time: Option<Timestamp>,
    /// SHA-256 of the cookie's or bearer's token.
    pub sha256: String,
}

impl Caller {
    /// Whether the last proof of who this is lies within `window`. A token proves itself with each call.
    pub fn proved_within(&self, window: Duration, now: Timestamp) -> bool {
        self.auth_time.is_none_or(|at| now.since(at) <= window)
    }
}

/// Who sends a request; `None` for nobody, an unknown, expired or revoked token or session.
pub async fn caller(request: &HttpRequest, edge: &Edge, view: &SystemView) -> Result<Option<Caller>> {
    let now = edge.clock.now();
    if let Some(token) = token::sent(request) {
        let Some(principal) = token::owner(view, token, now) else { return Ok(None) };
        if let Principal::Token(id) = &principal {
            edge.last_used.note(Used::Token, id, now);
        }
        return Ok(Some(Caller { principal, session: None, auth_time: None, sha256: token_sha256(token) }));
    }
    let Some(token) = sent(request) else { return Ok(None) };
    let idle = view.config.access.session_idle;
    let Some(session) = edge.session.find(token, idle).await? else { return Ok(None) };
    if !session.valid(&view.state, idle, now) {
        return Ok(None);
    }
    same_site(request)?;
    Ok(Some(Caller {
        principal: session.principal.clone(),
        auth_time: Some(session.auth_time),
        sha256: session.sha256.clone(),
        session: Some(session),
    }))
}

/// A cookie counts only for requests that the console's own pages make (or that no browser makes).
fn same_site(request: &HttpRequest) -> Result<()> {
    match request.headers().get("sec-fetch-site").map(|site| site.as_bytes()) {
        None | Some(b"none" | b"same-origin") => Ok(()),
        Some(_) => Err(Error::new(
            ErrorKind::Forbidden,
            "check origin",
            "a page of another site made this request; its session does not count there",
        )
        .with_code("cross_site")),
    }
}

/// A mutating call of a browser must come from a page of the address it came to, or of `advanced.public_url`.
pub fn check_origin(request: &HttpRequest, public_url: Option<&str>) -> Result<()> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let Some(origin) = request.headers().get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| request.uri().authority().map(|authority| authority.as_str()))
        .map(str::to_ascii_lowercase);
    let own = host.as_deref();
    let matches = |scheme: &str, host: &str| origin == format!("{scheme}://{host}");
    let good = own.is_some_and(|host| matches("http", host) || matches("https", host))
        || public_url.is_some_and(|url| origin_of(url) == origin);
    if good {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Forbidden, "check origin", "a page of another address made this request")
        .with_code("bad_origin")
        .with_hint("open the console under the address that it calls, or set `advanced.public_url`"))
}

/// `https://host:port` of an address.
fn origin_of(url: &str) -> String {
    let end = url.find("://").map(|at| at + 3).and_then(|from| url[from..].find('/').map(|at| from + at));
    url[..end.unwrap_or(url.len())].to_ascii_lowercase()
}

/// The value of the session's cookie that a request brings.
fn sent(request: &HttpRequest) -> Option<&str> {
    cookie(request, COOKIE)
}

/// The value of a cookie that a request brings.
pub fn cookie<'a>(request: &'a HttpRequest, wanted: &str) -> Option<&'a str> {
    let headers = request.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    let mut pairs = headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// `Set-Cookie` of a new session: out of reach of scripts and of other sites. A lifetime of zero takes the cookie away.
pub fn set_cookie(token: &str, lifetime: Duration, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/_/; Max-Age={}{secure}", lifetime.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn post(origin: &str) -> HttpRequest {
        TestRequest::post().insert_header((HOST, "dgp.test:9000")).insert_header((ORIGIN, origin)).to_http_request()
    }

    #[test]
    fn a_mutating_call_of_a_foreign_page_is_refused() {
        let public = Some("https://Console.example/dgp/");
        for good in ["http://dgp.test:9000", "https://dgp.test:9000", "https://console.example"] {
            check_origin(&post(good), public).unwrap();
        }
        for bad in ["null", "http://evil.test", "http://dgp.test", "http://dgp.test:9000.evil.test", ""] {
            assert_eq!(check_origin(&post(bad), public).unwrap_err().code(), Some("bad_origin"), "{bad}");
        }
        check_origin(&TestRequest::post().to_http_request(), None).unwrap();
        let get = TestRequest::get().insert_header((ORIGIN, "http://evil.test")).to_http_request();
        check_origin(&get, None).unwrap();
    }

    #[test]
    fn a_cookie_counts_for_the_consoles_own_pages() {
        let with = |site: &str| TestRequest::get().insert_header(("sec-fetch-site", site)).to_http_request();
        for good in ["none", "same-origin"] {
            same_site(&with(good)).unwrap();
        }
        for bad in ["same-site", "cross-site", ""] {
            assert_eq!(same_site(&with(bad)).unwrap_err().code(), Some("cross_site"), "{bad}");
        }
        same_site(&TestRequest::get().to_http_request()).unwrap();
    }

    #[test]
    fn a_sign_in_grows_old_and_a_token_does_not() {
        let mut caller = Caller {
            principal: Principal::Bootstrap,
            session: None,
            auth_time: Some(Timestamp::from_secs(100)),
            sha256: String::new(),
        };
        let hour = Duration::from_secs(3600);
        assert!(caller.proved_within(hour, Timestamp::from_secs(3700)));
        assert!(!caller.proved_within(hour, Timestamp::from_secs(3701)));
        caller.auth_time = None;
        assert!(caller.proved_within(hour, Timestamp::from_secs(9000)));
    }

    #[test]
    fn the_cookie_is_set_for_the_console_alone_and_read_back() {
        let text = set_cookie("ab", Duration::from_secs(60), true);
        assert_eq!(text, "dgp_session=ab; HttpOnly; SameSite=Strict; Path=/_/; Max-Age=60; Secure");
        let request = TestRequest::get().insert_header((header::COOKIE, "a=b; dgp_session=ab;c=d")).to_http_request();
        assert_eq!(sent(&request), Some("ab"));
        assert_eq!(sent(&TestRequest::get().to_http_request()), None);
    }
}
