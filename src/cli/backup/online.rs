//! `backup …` against a running server: the calls of the admin API, archives streamed both ways.

use super::input::{Counted, Progress, read, write};
use super::{Command, Restore, Which, show};
use crate::cli::remote::{Failure, Outcome, Remote, Server};
use crate::cli::secret::secret;
use crate::cli::settings::ServeSettings;
use crate::exit::Exit;
use crate::http::percent;
use actors::domain::secret::Secret;
use actors::zipper::envelope::Key;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// The header that encrypts an archive, or opens one.
const PASSPHRASE: &str = "x-dgp-backup-passphrase";

/// Runs a command against the server that is named, or the one that holds the state directory.
pub(super) fn run(command: &Command, remote: &Remote, settings: &ServeSettings, found: Option<String>) -> Outcome {
    let server = Server::connect_to(remote, &settings.environment, found)?;
    let outcome = ask(command, &server);
    server.sign_out();
    outcome
}

fn ask(command: &Command, server: &Server) -> Outcome {
    match command {
        Command::Create { stored: true, .. } => Ok(show::stored(server.post_nothing("/backups")?)),
        Command::Create { output, recipient, passphrase_file, .. } => {
            let passphrase = passphrase_file.as_deref().map(secret).transpose()?;
            create(server, output.as_deref(), recipient, passphrase)
        }
        Command::List => Ok(show::list(server.get("/backups")?)),
        Command::Verify(which) => verify(server, which),
        Command::Plan(restore) => send(server, restore, true),
        Command::Restore(restore) => send(server, restore, false),
        Command::Restores => Ok(show::restores(server.get("/backup/restores")?)),
        Command::Undo { dry_run, discard_later_changes, revive, prune_buckets } => {
            let flags = [
                ("dry_run", dry_run),
                ("discard_later_changes", discard_later_changes),
                ("prune_buckets", prune_buckets),
            ];
            let mut query: Vec<String> = flags.iter().map(|(name, flag)| format!("{name}={flag}")).collect();
            query.extend(revive.iter().map(|id| format!("revive={}", encoded(id))));
            let _waiting = Progress::new("undoing", None);
            Ok(show::restored(server.post_nothing(&format!("/backup/undo?{}", query.join("&")))?))
        }
        Command::GoLive { instance_id } => {
            Ok(show::live(server.post("/backup/go-live", &json!({"instance_id": instance_id}))?))
        }
        Command::Prune { dry_run } => prune(server, *dry_run),
        Command::Inspect(_) => Err(Failure::new(Exit::Usage, "a file is looked at without a server")),
    }
}

fn create(server: &Server, output: Option<&Path>, recipients: &[String], passphrase: Option<Secret>) -> Outcome {
    let query: Vec<String> = recipients.iter().map(|text| format!("recipient={}", encoded(text))).collect();
    let path = if query.is_empty() { "/backup".to_owned() } else { format!("/backup?{}", query.join("&")) };
    let headers: Vec<_> = passphrase.iter().map(|text| (PASSPHRASE, text.expose().to_owned())).collect();
    let (name, bytes) = server.receive(&path, &headers, |total| {
        let mut progress = Progress::new("receiving", total);
        move |bytes| progress.add(bytes)
    })?;
    let file = output.map_or_else(|| PathBuf::from(name), Path::to_owned);
    write(&file, &bytes)?;
    Ok(show::written(&file.to_string_lossy(), bytes.len(), &hex::encode(Sha256::digest(&bytes))))
}

fn verify(server: &Server, which: &Which) -> Outcome {
    let id = which.stored.as_deref().unwrap_or_default();
    let path = format!("/backups/{}/verify", encoded(id));
    Ok(show::stored(server.upload(&path, &headers(which)?, None::<Cursor<&[u8]>>, 0)?))
}

fn send(server: &Server, restore: &Restore, dry_run: bool) -> Outcome {
    let query = query(restore, dry_run);
    let mut headers = headers(&restore.which)?;
    let password = restore.bootstrap_password()?;
    headers.extend(password.iter().map(|text| ("x-dgp-bootstrap-password", text.expose().to_owned())));
    let answer = match (&restore.which.stored, &restore.which.file) {
        (Some(id), _) => {
            let path = format!("/backups/{}/restore{query}", encoded(id));
            let _waiting = Progress::new(if dry_run { "planning" } else { "restoring" }, None);
            server.upload(&path, &headers, None::<Cursor<&[u8]>>, 0)?
        }
        (None, file) => {
            let archive = read(file.as_deref().unwrap_or(Path::new("-")))?;
            let length = archive.len();
            let body = Counted { inner: archive.reader(), progress: Progress::new("sending", Some(length)) };
            server.upload(&format!("/backup{query}"), &headers, Some(body), length)?
        }
    };
    Ok(show::restored(answer))
}

fn prune(server: &Server, dry_run: bool) -> Outcome {
    let list = server.get("/backups")?;
    let gone: Vec<Value> = list
        .as_array()
        .into_iter()
        .flatten()
        .filter(|one| one["expires"] == true)
        .map(|one| one["id"].clone())
        .collect();
    for id in gone.iter().filter(|_| !dry_run) {
        server.delete(&format!("/backups/{}", encoded(id.as_str().unwrap_or_default())))?;
    }
    Ok(show::pruned(gone, dry_run))
}

/// What opens an encrypted archive goes along in a header.
fn headers(which: &Which) -> Result<Vec<(&'static str, String)>, Failure> {
    Ok(match which.key.key()? {
        Some(Key::Identity(text)) => vec![("x-dgp-backup-identity", text.expose().to_owned())],
        Some(Key::Passphrase(text)) => vec![(PASSPHRASE, text.expose().to_owned())],
        None => Vec::new(),
    })
}

/// The options of a restore as query parameters; what is the default is left out.
fn query(restore: &Restore, dry_run: bool) -> String {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    let mut add = |wanted: bool, name: &'static str, value| {
        if wanted {
            pairs.push((name, value));
        }
    };
    add(dry_run, "dry_run", "true");
    add(restore.mode != "full", "mode", &restore.mode);
    add(restore.strategy != "replace", "strategy", &restore.strategy);
    add(restore.archive_host_settings, "host_settings", "archive");
    add(restore.prune_buckets, "prune_buckets", "true");
    add(restore.allow_missing_keys, "allow_missing_keys", "true");
    pairs.extend(restore.set.iter().map(|set| ("set", set.as_str())));
    pairs.extend(restore.revive.iter().map(|id| ("revive", id.as_str())));
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    percent::encode(text.as_bytes(), &mut out);
    out
}
