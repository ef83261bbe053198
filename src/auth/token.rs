//! API tokens: how one is made, how one is sent (`Authorization: Bearer dgp_…`), and whose it is.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use actors::domain::clock::Timestamp;
use actors::domain::iam::principal::Principal;
use actors::domain::secret::Secret;
use actors::session::token_sha256;
use actors::system::view::SystemView;
use actors::{Error, Result};

/// What every token begins with, so that scanners of repositories know one when they see it.
const PREFIX: &str = "dgp_";

/// A new token: 256 random bits.
pub fn make() -> Result<Secret> {
    let mut bytes = [0; 32];
    openssl::rand::rand_bytes(&mut bytes).map_err(|error| Error::internal("make token", error))?;
    Ok(Secret::new(format!("{PREFIX}{}", hex::encode(bytes))))
}

/// The token that a request carries, if any.
pub fn sent(request: &HttpRequest) -> Option<&str> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && token.starts_with(PREFIX)).then_some(token)
}

/// Whose a token is; `None` where it is unknown, revoked or expired.
pub fn owner(view: &SystemView, token: &str, now: Timestamp) -> Option<Principal> {
    view.index.token(&token_sha256(token), now).map(|token| Principal::Token(token.id.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_token_is_found_in_the_bearer_header_alone() {
        let with =
            |value: &str| TestRequest::default().insert_header((AUTHORIZATION, value.to_owned())).to_http_request();
        assert_eq!(sent(&with("Bearer dgp_ab")), Some("dgp_ab"));
        assert_eq!(sent(&with("bearer  dgp_ab ")), Some("dgp_ab"));
        assert_eq!(sent(&with("Bearer other")), None);
        assert_eq!(sent(&with("Basic dgp_ab")), None);
        assert_eq!(sent(&TestRequest::default().to_http_request()), None);
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (one, two) = (make().unwrap(), make().unwrap());
        assert_eq!(one.expose().len(), PREFIX.len() + 64);
        assert!(one != two);
    }
}
