//! `PUT backups/schedule`: when and where backups are stored, written into the config file.

use crate::http::admin::backends::{configure, shape};
use crate::http::admin::call::Call;
use crate::http::admin::error::{Problem, invalid};
use crate::http::admin::openapi::Versioned;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::backup::{ConfigEdit, RootMeans};
use actors::domain::config::model::{BackupTarget, WrittenPath};
use actors::domain::config::reschedule::ScheduleEdit;
use actors::domain::names::BucketName;
use actors::domain::stored::cron::Cron;
use actors::domain::stored::retention::Keep;
use serde::Deserialize;
use std::time::Duration;
use utoipa::ToSchema;

/// The whole schedule; what is left out is off.
#[derive(Deserialize, ToSchema)]
#[schema(as = BackupScheduleChange)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Five fields of cron in UTC: minute, hour, day, month, weekday.
    schedule: Option<String>,
    /// Also so many seconds after a change.
    on_change_secs: Option<u64>,
    /// Nothing is stored where there is none.
    destination: Option<Place>,
    #[serde(default)]
    keep: KeepWanted,
    /// Each is read back and checked.
    #[serde(default = "yes")]
    verify: bool,
}

/// A directory of this host, or a bucket of this server: one of the two.
#[derive(Deserialize, ToSchema)]
#[schema(as = BackupPlace)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    directory: Option<String>,
    bucket: Option<String>,
    /// What keys in the bucket begin with.
    prefix: Option<String>,
}

/// Those that either rule keeps; all where there is none.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = BackupKeepChange)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KeepWanted {
    last: Option<u64>,
    days: Option<u64>,
}

fn yes() -> bool {
    true
}

/// `PUT /backups/schedule`: the config file is written and in force at once. `?dry_run=true` → the plan.
#[utoipa::path(
    put, path = "/_/api/admin/backups/schedule", tag = "backup", operation_id = "setBackupSchedule",
    params(("dry_run" = Option<bool>, Query, description = "Plan only; nothing is changed.")),
    request_body = Wanted,
    responses((status = 200, description = "As it is planned, or in force.", body = shape::Plan, headers(("ETag" = String, description = "For `If-Match`."))), Versioned),
    extensions(("x-dgp-right" = json!("config:secrets"))),
)]
pub(super) async fn put(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    // It says where archives with every secret go.
    let call = Call::with_right(&request, "config:secrets").await?;
    let Wanted { schedule, on_change_secs, destination, keep, verify } = call.json(payload).await?;
    let schedule = schedule.map(|text| Cron::parse(&text).map_err(|what| invalid(format!("`schedule`: {what}"))));
    let edit = ScheduleEdit {
        schedule: schedule.transpose()?,
        on_change: on_change_secs.map(Duration::from_secs),
        to: destination.map(target).transpose()?,
        keep: Keep { last: keep.last, days: keep.days },
        verify,
    };
    let edit = ConfigEdit::Schedule(edit);
    configure(&request, &call, "backup.schedule", edit, RootMeans::AsIs, StatusCode::OK).await
}

fn target(place: Place) -> Result<BackupTarget, Problem> {
    match (place.directory, place.bucket, place.prefix) {
        (Some(directory), None, None) => Ok(BackupTarget::Directory(WrittenPath::new(&directory))),
        (None, Some(bucket), prefix) => {
            Ok(BackupTarget::Bucket { bucket: BucketName::new(&bucket)?, prefix: prefix.unwrap_or_default() })
        }
        _ => Err(invalid("`destination` has a `directory`, or a `bucket` and perhaps a `prefix`")),
    }
}
