//! How a provider is asked: no redirect, no large or slow answer, no address that is none of a provider's.

use super::guard::{AddressRefused, GuardedResolver, check, refused};
use actors::{Error, ErrorKind, Result};
use openidconnect::{HttpRequest, HttpResponse};
use std::cell::RefCell;
use std::fmt;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Method, Response};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;

/// One question and its whole answer take at most this long.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer: a discovery document has a few KiB, a set of keys some more.
const LONGEST: u64 = 1 << 20;

/// Asks one provider.
pub(super) struct Client {
    agent: Agent,
    allowed: Vec<String>,
    /// What went wrong last: the library keeps an error's text alone where it could not read an answer.
    fault: RefCell<Option<Error>>,
}

/// That an answer did not come; the client has the reason.
#[derive(Debug)]
pub(super) struct NoAnswer;

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the provider did not answer")
    }
}

impl std::error::Error for NoAnswer {}

impl Client {
    /// For providers at usual addresses, and at these hosts.
    pub(super) fn new(allowed: &[String]) -> Self {
        // The certificates that the system trusts; `SSL_CERT_FILE` names others.
        let tls = TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            // A redirect is an answer: whoever follows one asks an address that nobody has looked at.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .user_agent(concat!("deltaglider_proxy/", env!("CARGO_PKG_VERSION")))
            // Behind a proxy nobody could say which address is asked.
            .proxy(None)
            .build();
        let resolver = GuardedResolver { allowed: allowed.to_vec(), inner: DefaultResolver::default() };
        let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
        Self { agent, allowed: allowed.to_vec(), fault: RefCell::new(None) }
    }

    /// Asks, as the library wants it.
    pub(super) fn call(&self, request: HttpRequest) -> std::result::Result<HttpResponse, NoAnswer> {
        self.ask(request).map_err(|error| {
            self.fault.replace(Some(error));
            NoAnswer
        })
    }

    /// Why the last question had no answer.
    pub(super) fn fault(&self) -> Error {
        let unknown = || Error::internal("ask provider", "there was an answer");
        self.fault.borrow_mut().take().unwrap_or_else(unknown)
    }

    /// Asks, and reads the whole answer.
    pub(super) fn ask(&self, request: HttpRequest) -> Result<HttpResponse> {
        let place = request.uri().to_string();
        check(&place, &self.allowed)?;
        let (parts, body) = request.into_parts();
        let answer = match parts.method {
            Method::POST => self.agent.run(ureq::http::Request::from_parts(parts, body)),
            _ => self.agent.run(ureq::http::Request::from_parts(parts, ())),
        };
        let mut answer = answer.map_err(|error| explain(&place, error))?;
        if answer.status().is_redirection() {
            let message = format!("{place} answers with a redirect, which is not followed");
            return Err(Error::new(ErrorKind::Unavailable, "ask provider", message)
                .with_code("sso_provider_redirects")
                .with_hint("give the issuer at the address where it is, exactly as its discovery document names it"));
        }
        let bytes = answer.body_mut().with_config().limit(LONGEST).read_to_vec();
        let bytes = bytes.map_err(|error| explain(&place, error))?;
        let (parts, _) = answer.into_parts();
        Ok(Response::from_parts(parts, bytes))
    }
}

fn explain(place: &str, error: ureq::Error) -> Error {
    let (code, message, hint) = match &error {
        ureq::Error::Io(io) if io.get_ref().is_some_and(|inner| inner.is::<AddressRefused>()) => return refused(place),
        ureq::Error::Timeout(_) => (
            "sso_provider_timeout",
            format!("{place} did not answer in full within {} s", PATIENCE.as_secs()),
            "try again; if it goes on, the network between this server and the provider is the place to look",
        ),
        ureq::Error::BodyExceedsLimit(_) => (
            "sso_answer_too_large",
            format!("{place} answers with more than {LONGEST} bytes"),
            "this is no answer of a sign-in provider; check the issuer's address",
        ),
        _ => (
            "sso_provider_unreachable",
            format!("{place} cannot be reached: {error}"),
            "check the address, and that this server may reach it directly (no proxy is used)",
        ),
    };
    Error::new(ErrorKind::Unavailable, "ask provider", message).with_code(code).with_hint(hint).with_source(error)
}
