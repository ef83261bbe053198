//! `audit …`: who did what, and the proof that nobody changed the record of it.

use super::client::{Failure, Server};
use super::show::Shown;
use super::{Outcome, percent_encoded};
use crate::exit::Exit;
use actors::config::instance::Instance;
use actors::config::state_dir;
use actors::db::key::DbKey;
use actors::db::runtime::{self, AuditCheck, AuditHead, AuditKey};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The latest rows, newest first.
    Tail {
        /// How many.
        #[arg(long, short = 'n', default_value_t = 20)]
        lines: u32,
    },
    /// Rows that a filter lets through, newest first.
    List {
        #[command(flatten)]
        filter: Filter,
        /// At most so many, up to 10000.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Go on after the row of this number, backward in time.
        #[arg(long, value_name = "SEQ")]
        after: Option<u64>,
    },
    /// The whole log as JSON, one row a line, oldest first.
    Export {
        #[command(flatten)]
        filter: Filter,
        /// Write to this new file instead of standard output.
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Prove that no row was edited, dropped, reordered or cut off; ends with 9 where one was.
    Verify(Verify),
}

/// Which rows are wanted; a text that ends with `*` is the beginning of what is meant.
#[derive(Debug, Args)]
pub struct Filter {
    /// Who did it.
    #[arg(long)]
    actor: Option<String>,
    /// What was done, as `login` or `user.*`.
    #[arg(long)]
    action: Option<String>,
    /// What it was done to.
    #[arg(long)]
    target: Option<String>,
    /// How it ended.
    #[arg(long, value_parser = ["started", "success", "denied", "failed"])]
    outcome: Option<String>,
    /// Not before this moment, as `2026-11-22T09:00:00Z`.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this moment.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// What the log is held against.
#[derive(Debug, Args)]
pub struct Verify {
    /// Read the files of the state directory (--state-dir) instead of asking a server.
    #[arg(long)]
    pub offline: bool,
    /// A checkpoint that was kept elsewhere (a sink, a backup's manifest), as COUNT:HEAD; repeatable.
    #[arg(long = "checkpoint", value_name = "COUNT:HEAD", value_parser = |text: &str| text.parse::<AuditHead>().map_err(|error| error.message().to_owned()))]
    checkpoints: Vec<AuditHead>,
}

pub(super) fn run(command: &Command, server: &Server) -> Outcome {
    match command {
        Command::Tail { lines } => list(server, &format!("limit={lines}")),
        Command::List { filter, limit, after } => {
            let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
            list(server, &format!("limit={limit}{after}{}", filter.query()))
        }
        Command::Export { filter, output } => export(server, filter, output.as_deref()),
        Command::Verify(verify) => {
            let all: Vec<String> =
                verify.checkpoints.iter().map(|c| format!("checkpoint={}:{}", c.count, c.head)).collect();
            Ok(shown(server.get(&format!("/audit/verify?{}", all.join("&")))?))
        }
    }
}

fn list(server: &Server, query: &str) -> Outcome {
    Ok(Shown::table(
        server.get(&format!("/audit?{query}"))?,
        &[
            ("SEQ", "seq"),
            ("AT", "at"),
            ("ACTOR", "actor"),
            ("ACTION", "action"),
            ("TARGET", "target"),
            ("OUTCOME", "outcome"),
            ("FROM", "ip"),
        ],
    ))
}

fn export(server: &Server, filter: &Filter, output: Option<&Path>) -> Outcome {
    let query = filter.query();
    let mut rows = server.download(&format!("/audit/export?{}", query.trim_start_matches('&')))?;
    let failed = |error: io::Error| match error.kind() {
        // Who reads has read enough (`| head`).
        io::ErrorKind::BrokenPipe if output.is_none() => None,
        _ => Some(Failure::new(Exit::Io, format!("the export broke off: {error}"))),
    };
    let copied = match output {
        Some(path) => {
            File::create_new(path).and_then(|mut file| io::copy(&mut rows, &mut file).and_then(|_| file.sync_all()))
        }
        None => {
            let mut out = io::stdout().lock();
            io::copy(&mut rows, &mut out).and_then(|_| out.flush())
        }
    };
    match copied.map_err(failed) {
        Err(Some(failure)) => Err(failure),
        // The rows are what is printed.
        _ => Ok(Shown::nothing()),
    }
}

impl Filter {
    /// Each filter as `&name=value`.
    fn query(&self) -> String {
        let pairs = [
            ("actor", &self.actor),
            ("action", &self.action),
            ("target", &self.target),
            ("outcome", &self.outcome),
            ("since", &self.since),
            ("until", &self.until),
        ];
        let given = pairs.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        given.map(|(name, value)| format!("&{name}={}", percent_encoded(value))).collect()
    }
}

/// Proves the log of a state directory, whether a server runs on it or not.
pub(super) fn verify_offline(verify: &Verify, state_dir: &Path) -> Outcome {
    let check = || -> actors::Result<AuditCheck> {
        let instance = Instance::load(state_dir)?;
        let key = AuditKey::of_instance(instance.state_key());
        let own = actors::audit::read_checkpoint(&state_dir.join(state_dir::AUDIT_CHECKPOINT), &key)?;
        let file = state_dir.join(state_dir::STATE_DB);
        let connection = runtime::open_reader(&file, &DbKey::of_state_db(instance.state_key()))?;
        let all: Vec<AuditHead> = verify.checkpoints.iter().cloned().chain(own.map(|own| own.head())).collect();
        runtime::verify_audit(&connection, &key, &all)
    };
    let check = check().map_err(|error| {
        let exit = if error.code() == Some("audit_checkpoint_forged") { Exit::Integrity } else { Exit::from(&error) };
        let failure = Failure::new(exit, error.message());
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
    let gap = check.gap.map(|gap| json!({"seq": gap.seq, "kind": gap.kind.as_str()}));
    Ok(shown(json!({
        "ok": check.gap.is_none(), "rows": check.rows, "pruned": check.pruned, "count": check.head.count,
        "head": check.head.head, "gap": gap,
    })))
}

fn shown(proof: Value) -> Shown {
    let (count, rows) = (&proof["count"], &proof["rows"]);
    let head = proof["head"].as_str().unwrap_or_default();
    let pruned = match proof["pruned"].as_u64() {
        None | Some(0) => String::new(),
        Some(pruned) => format!("; rows 1 to {pruned} were pruned in order"),
    };
    if proof["ok"] == true {
        let text = format!("the audit log is whole: {rows} rows{pruned}\ncheckpoint: {count}:{head}\n");
        return Shown::new(text, proof);
    }
    let (seq, what) = (&proof["gap"]["seq"], proof["gap"]["kind"].as_str().unwrap_or_default());
    let what = match what {
        "edited" => "is not as it was written",
        "dropped" => "is missing",
        "reordered" => "is not in its place",
        "truncated" => "and what came after it was cut off",
        "forged_stub" => "is said to be the last that was pruned, and this instance pruned nothing there",
        other => other,
    };
    let text = format!("the audit log is NOT whole: row {seq} {what} ({rows} rows{pruned})\n");
    Shown { exit: Exit::Integrity, ..Shown::new(text, proof) }
}
