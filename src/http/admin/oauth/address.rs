//! Under which address a browser knows this server, and where it may be sent.

use crate::http::admin::error::{Problem, invalid};
use actix_web::HttpRequest;
use actix_web::http::header::HOST;
use actors::domain::iam::context::RequestContext;
use actors::system::view::SystemView;
use actors::{Error, ErrorKind};
use openidconnect::url::{Host, Url};

/// Where a provider sends people back to.
pub(in crate::http::admin) const CALLBACK: &str = "/_/api/admin/oauth/callback";

/// `advanced.public_url`; without it the address that was called, where both ends of the call are this machine: there nobody but its
/// own user could have chosen another `Host`.
pub(super) fn base(request: &HttpRequest, view: &SystemView, context: &RequestContext) -> Result<String, Problem> {
    if let Some(url) = &view.config.advanced.public_url {
        return Ok(url.clone());
    }
    let scheme = if context.secure { "https" } else { "http" };
    let sent = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = sent.or_else(|| request.uri().authority().map(|authority| authority.as_str())).unwrap_or_default();
    match context.source_ip.is_some_and(|ip| ip.is_loopback()) && is_loopback(&format!("{scheme}://{host}")) {
        true => Ok(format!("{scheme}://{host}")),
        false => Err(Error::new(
            ErrorKind::Conflict,
            "sign in",
            "nobody can be sent back here: `advanced.public_url` is not set",
        )
        .with_code("public_url_missing")
        .with_hint("set `advanced.public_url` to the address of the console, such as https://s3.example.com, and give the provider its redirect URI")
        .into()),
    }
}

fn is_loopback(origin: &str) -> bool {
    let Ok(url) = Url::parse(origin) else { return false };
    let plain = url.path() == "/" && url.query().is_none() && url.username().is_empty() && url.password().is_none();
    plain
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(v4)) => v4.is_loopback(),
            Some(Host::Ipv6(v6)) => v6.is_loopback(),
            None => false,
        }
}

/// A page of the console, and nothing else: an open redirect would lend our name to others.
pub(super) fn next(asked: Option<&str>) -> Result<String, Problem> {
    let Some(path) = asked else { return Ok("/_/".into()) };
    let low = path.to_ascii_lowercase();
    let sound = path.starts_with("/_/")
        && !path.starts_with("/_/api/")
        && path.len() <= 1024
        && path.bytes().all(|byte| byte.is_ascii_graphic())
        && !path.contains(['\\', '"', '<', '>'])
        && !["//", "..", "%2e", "%2f", "%5c"].iter().any(|bad| low.contains(bad));
    match sound {
        true => Ok(path.to_owned()),
        false => Err(invalid("`next` is a page of the console, such as /_/access/users")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_leads_to_the_console_alone() {
        for good in ["/_/", "/_/access/users?tab=1#x"] {
            assert_eq!(next(Some(good)).unwrap(), good);
        }
        assert_eq!(next(None).unwrap(), "/_/");
        for bad in [
            "",
            "/",
            "/bucket/evil.html",
            "https://evil.test",
            "//evil.test",
            "/_/../bucket/evil.html",
            "/_/%2e%2e/b",
            "/_/..%2fb",
            "/_//evil.test",
            "/_/\\evil.test",
            "/_/api/admin/oauth/authorize/x",
            "/_/a b",
            "/_/\r\nX: y",
        ] {
            assert!(next(Some(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_names_of_this_machine_stand_in_for_a_public_address() {
        for good in ["http://localhost:9000", "http://127.0.0.1:9000", "https://[::1]:9000", "http://127.9.9.9"] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "http://",
            "http://localhost.evil.test",
            "http://10.0.0.1",
            "http://localhost@evil.test",
            "http://localhost/x",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }
}
