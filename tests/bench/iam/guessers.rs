//! How long an admin waits to sign in while a hundred addresses guess the password without a pause.

use super::client::Request;
use super::server::{PASSWORD, Server};
use super::{ms, say};
use serde_json::json;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const GUESSERS: usize = 100;
const LOGINS: usize = 30;

/// Starts a server of its own, behind a proxy as far as it knows, and lays siege to it.
pub fn run(binary: &Path) -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    std::fs::write(dir.path().join("config.yaml"), "advanced:\n  trusted_proxies: [127.0.0.1]\n")?;
    let server = Server::start(binary, dir.path())?;
    report(&server, "an admin's login, nobody guesses", |_| "192.0.2.1".to_owned())?;
    let (over, answers) = (AtomicBool::new(false), Mutex::new(BTreeMap::<u16, usize>::new()));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for guesser in 0..GUESSERS {
            let (server, over, answers) = (&server, &over, &answers);
            scope.spawn(move || {
                let mut guess = 0;
                while !over.load(Ordering::Relaxed) {
                    guess += 1;
                    let status = send(server, &format!("10.1.0.{guesser}"), &format!("guess {guesser} {guess}"));
                    let Ok(mut answers) = answers.lock() else { return };
                    *answers.entry(status.unwrap_or_default()).or_default() += 1;
                }
            });
        }
        let outcome = besieged(&server);
        over.store(true, Ordering::Relaxed);
        outcome
    })?;
    let answers = answers.into_inner().unwrap_or_default();
    say(&format!("what {GUESSERS} guessers were answered in {}", ms(begun.elapsed())), format!("{answers:?}"))?;
    server.stop()
}

fn besieged(server: &Server) -> io::Result<()> {
    // The first moments, in which no guesser has failed yet, are the worst: no pause before them.
    let never = |n: usize| format!("198.51.100.{n}");
    report(server, "the same from addresses never seen before, 100 guess (target: 2 s)", never)?;
    report(server, "the same from the address of before, 100 guess (target: 2 s)", |_| "192.0.2.1".to_owned())
}

/// Signs in so many times, each from an address, and says how long it took until the answer was yes.
fn report(server: &Server, what: &str, address: impl Fn(usize) -> String) -> io::Result<()> {
    let logins = (0..LOGINS).map(|n| login(server, &address(n))).collect::<io::Result<Vec<_>>>()?;
    let mut took: Vec<Duration> = logins.iter().map(|(took, _)| *took).collect();
    let again: usize = logins.iter().map(|(_, again)| *again).sum();
    took.sort();
    let slowest = took[LOGINS - 1];
    say(what, format!("median {}, slowest of {LOGINS} {}, sent away {again} times", ms(took[LOGINS / 2]), ms(slowest)))
}

/// Signs in; where the answer is to come back, it does, a tenth of a second later.
fn login(server: &Server, address: &str) -> io::Result<(Duration, usize)> {
    let begun = Instant::now();
    for again in 0..100 {
        match send(server, address, PASSWORD)? {
            200 => return Ok((begun.elapsed(), again)),
            429 => std::thread::sleep(Duration::from_millis(100)),
            status => return Err(io::Error::other(format!("the admin was answered {status}"))),
        }
    }
    Err(io::Error::other("the admin was sent away a hundred times"))
}

fn send(server: &Server, address: &str, password: &str) -> io::Result<u16> {
    let request = Request::new("POST", "/_/api/admin/login").header("X-Forwarded-For", address);
    Ok(request.json(&json!({"password": password})).try_send(server.addr())?.status)
}
