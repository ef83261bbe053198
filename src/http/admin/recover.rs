//! `POST /recover-db`: opens the database of a locked system with the password or hash that it was keyed by.

use crate::auth::throttle::BOOTSTRAP;
use crate::http::admin::call::{Call, detached};
use crate::http::admin::error::{Problem, invalid};
use crate::http::admin::openapi::{Conflicting, Refused, Throttled};
use actix_web::{HttpRequest, HttpResponse, web};
use actors::audit::Outcome;
use actors::backup::Proof;
use actors::db::password::PasswordHash;
use actors::domain::secret::Secret;
use actors::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What opens the database: one of the two.
#[derive(Deserialize, ToSchema)]
#[schema(as = RecoverDb)]
#[serde(deny_unknown_fields)]
pub(super) struct Recovery {
    /// The bootstrap password that it was keyed by.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Secret>,
    /// Its hash, as `DGP_BOOTSTRAP_PASSWORD_HASH` takes it.
    #[schema(value_type = Option<String>, format = Password)]
    hash: Option<Secret>,
}

/// The database is open.
#[derive(Serialize, ToSchema)]
#[schema(as = DbRecovered)]
pub(super) struct Recovered {
    recovered: bool,
    /// It was keyed to the hash that environment or config pins; otherwise the hash that opened it is in force now.
    rekeyed: bool,
    /// `epoch.generation`.
    generation: String,
}

/// `POST /recover-db {password}` or `{hash}`: only while the system is locked, by whoever signed in with the password in force.
#[utoipa::path(
    post, path = "/_/api/admin/recover-db", tag = "sign-in", operation_id = "recoverDb",
    request_body = Recovery,
    responses(
        (status = 200, description = "The database is open; every other session has ended.", body = Recovered),
        Refused, Throttled, Conflicting,
    ),
    extensions(("x-dgp-right" = json!("admin"))),
)]
pub(super) async fn recover(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "admin").await?;
    call.require_recent_login("admin").await?;
    let body: Recovery = call.json(payload).await?;
    let proof = match (body.password, body.hash) {
        (Some(password), None) => Proof::Password(password),
        (None, Some(hash)) => Proof::Hash(PasswordHash::parse(hash.expose())?),
        _ => return Err(invalid("send `password` or `hash`, one of the two")),
    };
    let open = call.edge.backup.open_locked(proof)?;
    let standing = call.edge.throttle.admit(&call.ip, BOOTSTRAP)?;
    let Some(opened) = call.edge.passwords.run(standing, open).await?? else {
        call.edge.throttle.failed(&call.ip, BOOTSTRAP);
        call.recorder().record("database.recover", BOOTSTRAP, Outcome::Denied, Value::Null).await?;
        return Err(Error::new(ErrorKind::Unauthenticated, "recover database", "this does not open the database")
            .with_code("wrong_credentials")
            .with_hint("try another password or hash, or restore a Full Backup")
            .into());
    };
    call.edge.throttle.succeeded(&call.ip, BOOTSTRAP);
    let (edge, recorder, caller) = (call.edge.clone(), call.recorder(), call.caller()?.sha256.clone());
    let recovered = detached(async move {
        match edge.backup.recover(opened, caller).await {
            Ok(recovered) => {
                let detail = json!({"rekeyed": recovered.rekeyed});
                recorder.record("database.recover", BOOTSTRAP, Outcome::Success, detail).await?;
                Ok(recovered)
            }
            Err(error) => Err(recorder.failed("database.recover", BOOTSTRAP, error).await?),
        }
    })
    .await?;
    let generation = call.edge.system.view().version();
    let answer = Recovered { recovered: true, rekeyed: recovered.rekeyed, generation };
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(answer))
}
