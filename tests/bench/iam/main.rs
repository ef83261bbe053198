//! The sizes that IAM is made for: start, decision, update, hundred updates at once, backup and restore with many users; and an admin's
//! login while a hundred addresses guess. It prints, and fails only where something does not work.
//!
//! `bench-iam [only=guessers|sizes] [users=10000] [groups=1000] [binary=target/release/deltaglider_proxy]`

#![allow(unreachable_pub, reason = "a program has no outside that could reach anything")]

#[path = "../../it/support/client.rs"]
#[allow(dead_code)]
mod client;
#[path = "../../it/support/conform.rs"]
#[allow(dead_code)]
mod conform;
mod decisions;
mod guessers;
mod server;
#[path = "../../it/support/tls.rs"]
#[allow(dead_code)]
mod tls;
mod world;

use client::Request;
use serde_json::{Value, json};
use server::Server;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const UPDATES: usize = 50;
const AT_ONCE: usize = 100;

fn main() -> io::Result<()> {
    let argument = |name: &str| std::env::args().find_map(|a| a.strip_prefix(&format!("{name}=")).map(str::to_owned));
    let number = |name: &str, default: usize| argument(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (users, groups) = (number("users", 10_000), number("groups", 1_000));
    let binary = argument("binary").map_or_else(|| PathBuf::from("target/release/deltaglider_proxy"), PathBuf::from);
    let (binary, only) = (binary.canonicalize()?, argument("only").unwrap_or_default());
    if only != "sizes" {
        guessers::run(&binary)?;
    }
    if only == "guessers" {
        return Ok(());
    }
    say("users, each with 3 rules and 5 groups", users)?;
    say("groups, each with 20 rules", groups)?;
    let lists = world::lists(users, groups);
    decisions::run(&lists)?;
    let dir = tempfile::tempdir()?;
    serve(&binary, dir.path(), &lists)
}

fn say(what: &str, value: impl Display) -> io::Result<()> {
    writeln!(io::stdout(), "{what}: {value}")
}

fn ms(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

fn serve(binary: &std::path::Path, dir: &std::path::Path, lists: &str) -> io::Result<()> {
    // Taken in from the file once; from then on the database owns it, as in a system that grew.
    std::fs::write(dir.join("config.yaml"), format!("access:\n  iam_mode: declarative\n{lists}"))?;
    let first = Server::start(binary, dir)?;
    say("first start, the file taken in", ms(first.took))?;
    first.admin("POST", "/config/declarative-iam-apply", Some(&json!({"yaml": "access: {iam_mode: gui}\n"})))?;
    first.stop()?;

    let server = Server::start(binary, dir)?;
    say("start (target: 2 s)", ms(server.took))?;
    say("resident after the start", server.memory("VmRSS"))?;
    let page: Value = server.admin("GET", "/users?limit=200", None)?;
    let ids: Vec<&str> = page.as_array().into_iter().flatten().filter_map(|user| user["id"].as_str()).collect();
    let rules = |n: usize| json!({"permissions": [{"effect": "Allow", "actions": ["read"], "resources": [format!("changed-{n}/*")]}]});
    let mut took = Vec::new();
    for n in 0..UPDATES {
        let begun = Instant::now();
        server.admin("PUT", &format!("/users/{}", ids[n % ids.len()]), Some(&rules(n)))?;
        took.push(begun.elapsed());
    }
    took.sort();
    say("one update, median (target: 150 ms)", ms(took[UPDATES / 2]))?;
    say("one update, slowest of 50", ms(took[UPDATES - 1]))?;
    let begun = Instant::now();
    let outcomes: Vec<io::Result<Value>> = std::thread::scope(|scope| {
        let one = |n: usize| {
            let (server, path, body) = (&server, format!("/users/{}", ids[n % ids.len()]), rules(1000 + n));
            scope.spawn(move || server.admin("PUT", &path, Some(&body)))
        };
        let all: Vec<_> = (0..AT_ONCE).map(one).collect();
        all.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread died")))).collect()
    });
    say("100 updates at once, together (target: 1 s)", ms(begun.elapsed()))?;
    outcomes.into_iter().collect::<io::Result<Vec<_>>>()?;
    say("resident at most, so far", server.memory("VmHWM"))?;

    let begun = Instant::now();
    let archive = server.bytes(Request::new("GET", "/_/api/admin/backup"))?;
    say("backup", format!("{} in {}", mib(archive.len() as u64), ms(begun.elapsed())))?;
    say("resident at most, with the backup", server.memory("VmHWM"))?;
    let begun = Instant::now();
    server.bytes(Request::new("POST", "/_/api/admin/backup").body(archive.clone()))?;
    say("restore", ms(begun.elapsed()))?;
    say("resident at most, with the restore (target: 1 GiB)", server.memory("VmHWM"))?;
    server.stop()?;

    let fresh = dir.join("fresh");
    std::fs::create_dir(&fresh)?;
    let server = Server::start(binary, &fresh)?;
    let begun = Instant::now();
    server.bytes(Request::new("POST", "/_/api/admin/backup").body(archive))?;
    say("restore onto a host that has nothing", ms(begun.elapsed()))?;
    say("resident at most there (target: 1 GiB)", server.memory("VmHWM"))?;
    server.stop()
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
