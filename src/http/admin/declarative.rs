//! `config/declarative-iam-{validate,apply,export}`: IAM as a document that the config file owns.

use crate::http::admin::call::{Call, detached};
use crate::http::admin::error::{Problem, invalid};
use crate::http::admin::etag;
use crate::http::admin::openapi::Versioned;
use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::audit::Outcome;
use actors::backup::Declaration;
use actors::domain::config::iam_document;
use actors::domain::iam::declare;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// As long as a config file may be.
const LIMIT: u64 = 64 << 20;
/// Changed entries that an audit row names.
const NAMED: usize = 100;

/// A document of IAM.
#[derive(Deserialize, ToSchema)]
#[schema(as = IamDocument)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// YAML: `access:` with `iam_mode`, `iam_users`, `iam_groups`, `auth_providers`, `group_mapping_rules`.
    yaml: String,
}

/// What a document changes, or has changed.
#[derive(Serialize, ToSchema)]
#[schema(as = IamChanges)]
pub(super) struct Changes {
    users_created: u64,
    users_updated: u64,
    users_deleted: u64,
    groups_created: u64,
    groups_updated: u64,
    groups_deleted: u64,
    providers_created: u64,
    providers_updated: u64,
    providers_deleted: u64,
    /// How many rules there are from then on, where they are not those that there were.
    mapping_rules_replaced: u64,
    /// Users, groups, providers and rules stay as they are.
    no_changes: bool,
    /// The config file is rewritten.
    config_file_changes: bool,
    /// It is in force; false for a dry run.
    applied: bool,
    /// `gui` or `declarative`: who owns IAM from then on.
    iam_mode: String,
    /// `epoch.generation`.
    generation: String,
    items: Vec<Item>,
    warnings: Vec<String>,
}

/// One changed entry.
#[derive(Serialize, ToSchema)]
#[schema(as = IamChange)]
pub(super) struct Item {
    /// `user`, `group` or `provider`.
    kind: String,
    name: String,
    /// `created`, `updated` or `deleted`.
    change: String,
    /// What differs, where it is updated.
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<Vec<String>>,
}

/// `POST /config/declarative-iam-validate {yaml}`: what `apply` would do.
#[utoipa::path(
    post, path = "/_/api/admin/config/declarative-iam-validate", tag = "config", operation_id = "validateIam",
    request_body = Document,
    responses((status = 200, description = "Nothing was changed.", body = Changes), Versioned),
    extensions(("x-dgp-right" = json!("iam:write"))),
)]
pub(super) async fn validate(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:write").await?;
    let declaration = declaration(&call, payload, true).await?;
    let planned = call.edge.backup.declare(declaration).await?;
    Ok(HttpResponse::Ok().insert_header((ETAG, etag(&call.view))).json(planned))
}

/// `POST /config/declarative-iam-apply {yaml}`: config file and database change together, or neither does.
#[utoipa::path(
    post, path = "/_/api/admin/config/declarative-iam-apply", tag = "config", operation_id = "applyIam",
    request_body = Document,
    responses((status = 200, description = "It is in force.", body = Changes), Versioned),
    extensions(("x-dgp-right" = json!("admin"))),
)]
pub(super) async fn apply(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "admin").await?;
    let declaration = declaration(&call, payload, false).await?;
    let (edge, recorder) = (call.edge.clone(), call.recorder());
    let applied = detached(async move {
        match edge.backup.declare(declaration).await {
            Ok(applied) => {
                let target = applied["generation"].as_str().unwrap_or_default().to_owned();
                recorder.record("iam.declare", &target, Outcome::Success, summary(&applied)).await?;
                Ok(applied)
            }
            Err(error) => Err(recorder.failed("iam.declare", "access", error).await?),
        }
    })
    .await?;
    Ok(HttpResponse::Ok().insert_header((ETAG, etag(&call.edge.system.view()))).json(applied))
}

/// `GET /config/declarative-iam-export`: the document that says what there is, without any secret.
#[utoipa::path(
    get, path = "/_/api/admin/config/declarative-iam-export", tag = "config", operation_id = "exportIam",
    responses((
        status = 200, description = "YAML, as `apply` takes it: empty secrets keep what the database has.",
        body = Value, content_type = "application/yaml", headers(("ETag" = String, description = "For `If-Match`.")),
    )),
    extensions(("x-dgp-right" = json!("iam:read"))),
)]
pub(super) async fn export(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = Call::with_right(&request, "iam:read").await?;
    let (view, tag) = (call.view.clone(), etag(&call.view));
    let text = web::block(move || iam_document(&declare::export(&view.state))).await;
    let text = text.map_err(|error| actors::Error::internal("export iam", error))?;
    Ok(HttpResponse::Ok()
        .content_type("application/yaml")
        .insert_header((ETAG, tag))
        .insert_header(("cache-control", "no-store"))
        .body(text))
}

async fn declaration(call: &Call, payload: web::Payload, dry_run: bool) -> Result<Declaration, Problem> {
    let if_version = call.required_version()?;
    let body = call.body(payload, LIMIT).await?;
    let document: Document = serde_json::from_slice(&body)
        .map_err(|error| invalid(format!("the body is not what this call takes: {error}")))?;
    Ok(Declaration { yaml: document.yaml, dry_run, if_version, who: call.who() })
}

/// The counts and the first entries: what an audit row has room for.
fn summary(applied: &Value) -> Value {
    let mut row = applied.clone();
    if let Some(items) = row["items"].as_array_mut() {
        items.truncate(NAMED);
    }
    json!({"changes": row})
}
