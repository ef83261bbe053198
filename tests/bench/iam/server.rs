//! The release binary in a directory of its own.

use super::client::{Reply, Request};
use super::mib;
use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The bootstrap password.
pub const PASSWORD: &str = "a-bench-password";

/// A running server and a session of its admin.
pub struct Server {
    child: Child,
    addr: SocketAddr,
    cookie: String,
    /// From the start of the process until it listened.
    pub took: Duration,
}

impl Server {
    /// Starts it and signs in.
    pub fn start(binary: &Path, dir: &Path) -> io::Result<Self> {
        let begun = Instant::now();
        let mut child = Command::new(binary)
            .args(["--listen", "127.0.0.1:0"])
            .current_dir(dir)
            .env_clear()
            .env("DGP_BOOTSTRAP_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = child.stderr.take().ok_or_else(|| io::Error::other("the log is piped"))?;
        let mut lines = BufReader::new(stderr).lines();
        let mut log = String::new();
        let addr = loop {
            let Some(line) = lines.next().transpose()? else { return Err(io::Error::other(log)) };
            if let Some((_, rest)) = line.split_once("listening on http://") {
                let addr = rest.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
                break addr.parse().map_err(io::Error::other)?;
            }
            log += &format!("{line}\n");
        };
        let took = begun.elapsed();
        std::thread::spawn(move || lines.for_each(drop));
        let login = Request::new("POST", "/_/api/admin/login").json(&json!({"password": PASSWORD}));
        let reply = good(login.try_send(addr)?)?;
        let cookie = reply.header("set-cookie").and_then(|c| c.split(';').next()).unwrap_or_default().to_owned();
        Ok(Self { child, addr, cookie, took })
    }

    /// Sends a call of the admin API.
    pub fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> io::Result<Value> {
        let request = Request::new(method, &format!("/_/api/admin{path}"));
        let bytes = self.bytes(match body {
            Some(body) => request.json(body),
            None => request,
        })?;
        serde_json::from_slice(&bytes).map_err(io::Error::other)
    }

    /// The same for a body that is no JSON.
    pub fn bytes(&self, request: Request) -> io::Result<Vec<u8>> {
        Ok(good(request.header("Cookie", &self.cookie).try_send(self.addr)?)?.body)
    }

    /// A line of the process's status: `VmRSS`, `VmHWM`.
    pub fn memory(&self, name: &str) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:"))).unwrap_or_default();
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap_or_default();
        mib(kib << 10)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Ends it in order.
    pub fn stop(mut self) -> io::Result<()> {
        Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status()?;
        self.child.wait().map(drop)
    }
}

fn good(reply: Reply) -> io::Result<Reply> {
    match reply.status {
        200..=299 => Ok(reply),
        status => Err(io::Error::other(format!("{status}: {}", reply.text()))),
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
