//! Which addresses a sign-in provider may have: https, and no place where a cloud keeps its machines' credentials.

use actors::domain::endpoint;
use actors::{Error, ErrorKind, Result};
use openidconnect::url::{Host, Url};
use std::fmt;
use std::net::IpAddr;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Reads an address of a provider: https, or http on loopback and at the hosts that the operator allows by name.
pub(super) fn check(text: &str, allowed: &[String]) -> Result<Url> {
    let url = Url::parse(text).map_err(|error| {
        Error::new(ErrorKind::Invalid, "check provider", format!("`{text}` is no address: {error}"))
            .with_code("sso_discovery_invalid")
    })?;
    let named = url.host_str().is_some_and(|host| is_allowed(host, allowed));
    let plain = url.scheme() == "http" && (named || is_loopback(&url));
    if (url.scheme() != "https" && !plain) || url.host().is_none() {
        return Err(Error::new(
            ErrorKind::Invalid,
            "check provider",
            format!("`{text}` is not https: whoever is on the way could sign in as anybody"),
        )
        .with_code("sso_issuer_insecure")
        .with_hint("use https; a host that speaks http alone can be allowed by name in `access.sso_allowed_hosts`"));
    }
    let literal = match url.host() {
        Some(Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
        Some(Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
        _ => None,
    };
    match literal.filter(|address| !named && endpoint::refused(*address).is_some()) {
        Some(_) => Err(refused(text)),
        None => Ok(url),
    }
}

/// The error for an address where no provider is.
pub(super) fn refused(place: &str) -> Error {
    let message = format!("`{place}` is at a link-local or metadata address, where no sign-in provider is");
    Error::new(ErrorKind::Invalid, "check provider", message)
        .with_code("sso_address_refused")
        .with_hint("if it is one all the same, allow its host by name in `access.sso_allowed_hosts`")
}

/// Whether the host is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(v4)) => v4.is_loopback(),
        Some(Host::Ipv6(v6)) => v6.is_loopback(),
        None => false,
    }
}

fn is_allowed(host: &str, allowed: &[String]) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    allowed.iter().any(|name| name.eq_ignore_ascii_case(bare))
}

/// What a name resolved to is refused.
#[derive(Debug)]
pub(super) struct AddressRefused;

impl fmt::Display for AddressRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name resolves to a link-local or metadata address")
    }
}

impl std::error::Error for AddressRefused {}

/// Looks names up and refuses what is behind some of them: the address that was looked at is the one that is connected to.
#[derive(Debug)]
pub(super) struct GuardedResolver {
    pub(super) allowed: Vec<String>,
    pub(super) inner: DefaultResolver,
}

impl Resolver for GuardedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> std::result::Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let named = uri.host().is_some_and(|host| is_allowed(host, &self.allowed));
        match !named && found.iter().any(|address| endpoint::refused(address.ip()).is_some()) {
            true => Err(ureq::Error::Io(std::io::Error::other(AddressRefused))),
            false => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str, allowed: &[&str]) -> Option<&'static str> {
        let allowed: Vec<String> = allowed.iter().map(|host| (*host).to_owned()).collect();
        check(text, &allowed).err().and_then(|error| error.code())
    }

    #[test]
    fn https_and_loopback_are_fine_and_plain_http_is_by_name_only() {
        for good in [
            "https://id.example.com/a",
            "http://localhost:1",
            "http://127.0.0.2/x",
            "http://[::1]:8/",
            "https://10.0.0.1",
        ] {
            assert_eq!(code(good, &[]), None, "{good}");
        }
        for bad in [
            "http://id.example.com",
            "http://localhost.evil.test",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "ftp://x",
        ] {
            assert_eq!(code(bad, &[]), Some("sso_issuer_insecure"), "{bad}");
        }
        assert_eq!(code("http://Id.example.com", &["id.EXAMPLE.com"]), None);
        assert_eq!(code("not an address", &[]), Some("sso_discovery_invalid"));
    }

    #[test]
    fn addresses_of_metadata_services_are_refused_however_they_are_written() {
        for bad in [
            "https://169.254.169.254/latest",
            "https://2852039166/",
            "https://0xa9fea9fe/",
            "https://[::ffff:169.254.169.254]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[fe80::1]/",
            "https://[fd00:ec2::254]/",
            "https://100.100.100.200/",
            "https://0.0.0.0/",
        ] {
            assert_eq!(code(bad, &[]), Some("sso_address_refused"), "{bad}");
        }
        assert_eq!(code("http://169.254.169.254", &["169.254.169.254"]), None);
        assert_eq!(code("https://[fe80::1]/", &["fe80::1"]), None);
    }
}
