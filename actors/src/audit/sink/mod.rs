//! Sinks: where rows and checkpoints go beside the database. Each follows the log at its own pace, and nothing waits for one: what a
//! sink does not take stays in the log until it does. A row may come twice (a crash between delivery and note); `seq` tells.

mod file;
mod webhook;

use crate::audit::checkpoint::Checkpoint;
use crate::audit::handle::AuditHandle;
use crate::db::runtime::AuditRow;
use crate::domain::attention::AuditTrouble;
use crate::domain::secret::Secret;
use crate::{Error, Result};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A sink is given at most so many rows at once.
const BATCH: usize = 500;
/// A sink is looked after this often where no row wakes it.
const POLL: Duration = Duration::from_secs(5);
/// A sink that fails is tried again after this long, then after twice as long, and so on.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// And after this long, at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Where rows go.
#[derive(Clone, Debug)]
pub enum Sink {
    /// A file, one JSON object a line.
    File(PathBuf),
    /// An address that takes them as JSON.
    Webhook {
        /// Where.
        url: String,
        /// What is sent along: a token, say.
        headers: Vec<(String, Secret)>,
        /// Whose rows they are.
        instance_id: String,
    },
}

/// What says where rows go now: nowhere, or an error where the config cannot be followed.
pub type Target = Arc<dyn Fn() -> Result<Option<Sink>> + Send + Sync>;

impl Sink {
    /// The name under which its position is kept: another file or address begins with the oldest row.
    fn name(&self) -> String {
        match self {
            Self::File(path) => format!("file:{}", path.display()),
            Self::Webhook { url, .. } => format!("webhook:{url}"),
        }
    }

    /// Gives it rows and a checkpoint; they are its own once this returns.
    fn give(&self, rows: &[AuditRow], checkpoint: Option<&Checkpoint>) -> Result<()> {
        match self {
            Self::File(path) => file::append(path, rows, checkpoint),
            Self::Webhook { url, headers, instance_id } => webhook::post(url, headers, instance_id, rows, checkpoint),
        }
    }
}

/// Follows the log for as long as the process runs; `about` is the word for this sink in the attention list.
pub async fn follow(audit: AuditHandle, about: &'static str, target: Target) {
    let (mut written, mut sent, mut pause) = (audit.written(), 0, FIRST_PAUSE);
    loop {
        let outcome = match target() {
            Ok(Some(sink)) => deliver(&audit, &sink, &mut sent).await.map_err(|error| (sink.name(), error)),
            Ok(None) => Ok(()),
            Err(error) => Err((about.to_owned(), error)),
        };
        let failed = outcome.is_err();
        let wait = if failed { pause } else { POLL };
        pause = if failed { (pause * 2).min(LONGEST_PAUSE) } else { FIRST_PAUSE };
        audit.set_trouble(
            about,
            outcome.err().map(|(name, error)| AuditTrouble::Sink(format!("{name}: {}", error.message()))),
        );
        // New rows wake a sink that works; one that fails has its pause.
        tokio::select! {
            _ = written.changed(), if !failed => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Gives a sink what it has not got yet, and notes how far it has come.
async fn deliver(audit: &AuditHandle, sink: &Sink, sent: &mut u64) -> Result<()> {
    let name = sink.name();
    let mut position = audit.sink_position(name.clone()).await?;
    loop {
        let rows = audit.rows_from(Default::default(), position, BATCH).await?;
        let last = rows.last().map_or(position, |row| row.seq);
        // A checkpoint goes after the rows that it speaks of.
        let checkpoint = audit.latest_checkpoint().filter(|(number, made)| *number > *sent && made.count <= last);
        if rows.is_empty() && checkpoint.is_none() {
            return Ok(());
        }
        let (given, made) = (sink.clone(), checkpoint.clone().map(|(_, made)| made));
        tokio::task::spawn_blocking(move || given.give(&rows, made.as_ref()))
            .await
            .map_err(|error| Error::internal("audit sink", error))??;
        if last > position {
            audit.set_sink_position(name.clone(), last).await?;
        }
        position = last;
        *sent = checkpoint.map_or(*sent, |(number, _)| number);
    }
}

/// A row as sinks get it; the admin API shows the same fields.
fn row(row: &AuditRow) -> Value {
    let detail = serde_json::from_str(&row.detail).unwrap_or_else(|_| Value::String(row.detail.clone()));
    json!({
        "seq": row.seq, "at": row.at, "actor": row.actor, "action": row.action, "target": row.target,
        "outcome": row.outcome, "ip": row.ip, "request_id": row.request_id, "detail": detail,
    })
}

/// A checkpoint as sinks get it: what `audit verify --checkpoint COUNT:HEAD` takes.
fn checkpoint(made: &Checkpoint) -> Value {
    json!({"count": made.count, "head": made.head, "at": made.at})
}
