//! Changes of API tokens.

use super::{check_name, revoke, revoked};
use crate::domain::change::Changed;
use crate::domain::clock::Timestamp;
use crate::domain::iam::check::check_permissions;
use crate::domain::iam::model::ApiToken;
use crate::domain::state::State;
use crate::{Error, ErrorKind, Result};
use std::sync::Arc;

pub(super) fn create(state: &mut State, mut token: ApiToken, now: Timestamp) -> Result<Changed> {
    check_name("token", &token.name)?;
    token.permissions = check_permissions(token.permissions)?;
    let refuse = |kind, code, why| Err(Error::new(kind, "create token", why).with_code(code));
    if token.permissions.is_empty() {
        return refuse(ErrorKind::Invalid, "invalid_permission", "a token needs a role or at least one rule");
    }
    if token.expires_at.is_some_and(|at| at <= now) {
        return refuse(ErrorKind::Invalid, "invalid_expiry", "a token's expiry lies in the future");
    }
    if state.tokens.values().any(|other| other.name == token.name) {
        return refuse(ErrorKind::Conflict, "token_name_taken", "there is a token of this name already");
    }
    if state.tokens.contains_key(&token.id) || state.tokens.values().any(|other| other.sha256 == token.sha256) {
        return refuse(ErrorKind::Conflict, "token_exists", "this token exists");
    }
    let id = token.id.clone();
    state.tokens.insert(id.clone(), Arc::new(token));
    Ok(Changed::new("token", id))
}

pub(super) fn delete(state: &mut State, id: String, now: Timestamp) -> Result<Changed> {
    if state.tokens.remove(&id).is_none() {
        return Err(
            Error::new(ErrorKind::NotFound, "delete token", "there is no such token").with_code("no_such_token")
        );
    }
    revoke(state, revoked::TOKEN, id.clone(), now);
    Ok(Changed::new("token", id))
}
