//! The real binary in a directory of its own: start, log in, stop, kill, start again.

use super::archive::Archive;
use super::client::{Reply, Request};
use super::eventually;
use super::signer::{Signer, encode};
use super::tls::{Pair, trust};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The bootstrap password of a host that names no other.
pub const PASSWORD: &str = "integration-password-1";

/// A host: a directory and, mostly, a process that serves it.
pub struct Host {
    dir: TempDir,
    env: Vec<(String, String)>,
    password: String,
    tls: Option<Pair>,
    process: Option<Process>,
}

struct Process {
    child: Child,
    addr: SocketAddr,
    log: Arc<Mutex<String>>,
    session: Mutex<Option<String>>,
}

/// How a start went wrong.
#[derive(Debug)]
pub struct Ended {
    /// How the process ended.
    pub status: ExitStatus,
    /// What it logged.
    pub log: String,
}

impl Host {
    /// A fresh host that serves with embedded defaults.
    pub fn start() -> Self {
        let mut host = Self::prepare();
        host.up();
        host
    }

    /// A directory, and nothing running yet.
    pub fn prepare() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        Self { dir, env: Vec::new(), password: PASSWORD.to_owned(), tls: None, process: None }
            .env("DGP_BOOTSTRAP_PASSWORD", PASSWORD)
    }

    /// Sets or replaces a variable; it stays for later starts. An empty value takes it away.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.set_env(name, value);
        self
    }

    /// As [`Host::env`], between two starts.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.env.retain(|(n, _)| n != name);
        if !value.is_empty() {
            self.env.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Another bootstrap password than the usual one.
    pub fn password(mut self, password: &str) -> Self {
        self.set_password(password);
        self.env("DGP_BOOTSTRAP_PASSWORD", password)
    }

    /// What the next logins use, after a restore changed it.
    pub fn set_password(&mut self, password: &str) {
        self.password = password.to_owned();
        if let Some(process) = &self.process {
            *process.session.lock().expect("no test thread died") = None;
        }
    }

    /// Serves https with a certificate for these names, which every client of this test then insists on.
    pub fn tls(mut self, names: &[&str]) -> Self {
        let pair = Pair::new(names);
        pair.write(self.dir.path());
        let (cert, key) = (self.path("tls.crt"), self.path("tls.key"));
        self.tls = Some(pair);
        self.env("DGP_TLS_CERT", &cert.to_string_lossy()).env("DGP_TLS_KEY", &key.to_string_lossy())
    }

    /// A config file.
    pub fn config(self, yaml: &str) -> Self {
        std::fs::write(self.path("config.yaml"), yaml).expect("the config can be written");
        self
    }

    /// Starts it; panics with its log where it does not come up.
    #[track_caller]
    pub fn up(&mut self) {
        if let Err(ended) = self.try_up() {
            panic!("the server ended with {} before it listened:\n{}", ended.status, ended.log);
        }
    }

    /// Starts it, or says how it ended before it listened.
    pub fn try_up(&mut self) -> Result<(), Ended> {
        assert!(self.process.is_none(), "the host runs already");
        let mut child = Command::new(env!("CARGO_BIN_EXE_deltaglider_proxy"))
            .args(["--listen", "127.0.0.1:0"])
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.env.iter().map(|(n, v)| (n, v)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary can be started");
        let log = Arc::new(Mutex::new(String::new()));
        let lines = BufReader::new(child.stderr.take().expect("stderr is piped"));
        let sink = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                sink.lock().expect("no test thread died").push_str(&(line + "\n"));
            }
        });
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let addr = listening(&log.lock().expect("no test thread died"));
            if let Some(addr) = addr {
                if let Some(pair) = &self.tls {
                    trust(addr, &pair.certificate);
                }
                self.process = Some(Process { child, addr, log, session: Mutex::new(None) });
                return Ok(());
            }
            if let Some(status) = child.try_wait().expect("the child can be asked") {
                reader.join().expect("reading a log does not panic");
                let log = log.lock().expect("no test thread died").clone();
                return Err(Ended { status, log });
            }
            if Instant::now() > deadline {
                let _ = child.kill();
                panic!("the server did not listen within 60 s:\n{}", log.lock().expect("no test thread died"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it with SIGTERM and gives its exit status.
    pub fn stop(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("the host runs");
        let killed = Command::new("sh").args(["-c", &format!("kill -TERM {}", process.child.id())]).status();
        assert!(killed.expect("kill can be run").success(), "SIGTERM could not be sent");
        process.child.wait().expect("the child can be waited for")
    }

    /// Ends it as a power cut ends a process.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("the host runs");
        process.child.kill().expect("the child can be killed");
        process.child.wait().expect("the child can be waited for");
    }

    /// Waits until it ends by itself, at most 30 s: after a fault point, or with an exit code of its own.
    #[track_caller]
    pub fn ended(&mut self) -> Ended {
        let mut process = self.process.take().expect("the host runs");
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = process.child.try_wait().expect("the child can be asked") {
                let log = process.log.lock().expect("no test thread died").clone();
                return Ended { status, log };
            }
            if Instant::now() > deadline {
                let _ = process.child.kill();
                panic!("the server still runs after 30 s:\n{}", process.log.lock().expect("no test thread died"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops it in order and starts it again.
    pub fn restart(&mut self) {
        let status = self.stop();
        assert!(status.success(), "SIGTERM ended the server with {status}");
        self.up();
    }

    /// The address it serves.
    pub fn addr(&self) -> SocketAddr {
        self.running().addr
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.running().child.id()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.running().log.lock().expect("no test thread died").clone()
    }

    /// Waits until its log says this: a line arrives after the answer that it was written before.
    pub fn logged(&self, text: &str) {
        eventually(&format!("the log says `{text}`"), || self.log().contains(text));
    }

    /// The most memory that its process has had, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.running().child.id()));
        let status = status.expect("the process is there");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says the peak");
        line.trim_end_matches("kB").trim().parse::<u64>().expect("it is a number") << 10
    }

    /// A path in its directory, which is also its state directory.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Sends an admin request with this host's session, logging in first where there is none.
    #[track_caller]
    pub fn admin(&self, request: Request) -> Reply {
        let what = format!("{} {}", request.method, request.target);
        self.try_admin(request).unwrap_or_else(|e| panic!("{what} met {e}"))
    }

    /// As [`Host::admin`]; an error where the connection broke, or where the server failed to open a session.
    pub fn try_admin(&self, request: Request) -> std::io::Result<Reply> {
        let cookie = self.session()?;
        request.header("Cookie", &cookie).try_send(self.addr())
    }

    /// Tries a password and gives the answer.
    pub fn login(&self, password: &str) -> Reply {
        login_request(password).send(self.addr())
    }

    fn session(&self) -> std::io::Result<String> {
        let mut session = self.running().session.lock().expect("no test thread died");
        if let Some(cookie) = session.as_ref() {
            return Ok(cookie.clone());
        }
        let reply = login_request(&self.password).try_send(self.addr())?;
        if reply.status >= 500 {
            return Err(std::io::Error::other(reply.text()));
        }
        let reply = reply.expect(200);
        let cookie = reply.header("set-cookie").and_then(|c| c.split(';').next()).expect("a login sets a cookie");
        *session = Some(cookie.to_owned());
        Ok(cookie.to_owned())
    }

    /// Makes a user with these permissions and gives an S3 client that signs as it.
    #[track_caller]
    pub fn user(&self, name: &str, permissions: Value) -> S3 {
        let body = json!({ "name": name, "permissions": permissions });
        let user = self.admin(Request::new("POST", "/_/api/admin/users").json(&body)).expect(201).json();
        let text = |field: &str| user[field].as_str().unwrap_or_else(|| panic!("no {field}: {user}")).to_owned();
        S3 { addr: self.addr(), signer: Signer::new(&text("access_key_id"), &text("secret_access_key")) }
    }

    /// Makes a user that may do everything.
    #[track_caller]
    pub fn admin_user(&self, name: &str) -> S3 {
        self.user(name, json!([{ "effect": "Allow", "actions": ["*"], "resources": ["*"] }]))
    }

    /// The names of the users, sorted.
    #[track_caller]
    pub fn user_names(&self) -> Vec<String> {
        let users = self.admin(Request::new("GET", "/_/api/admin/users")).expect(200).json();
        let users = users.as_array().expect("users are an array");
        let mut names: Vec<String> = users.iter().map(|u| u["name"].as_str().unwrap_or_default().to_owned()).collect();
        names.sort();
        names
    }

    /// Takes a Full Backup.
    #[track_caller]
    pub fn backup(&self) -> Vec<u8> {
        self.admin(Request::new("GET", "/_/api/admin/backup")).expect(200).body
    }

    /// Takes a Full Backup apart.
    #[track_caller]
    pub fn exported(&self) -> Archive {
        Archive::read(&self.backup())
    }

    /// Sends an archive to be restored.
    #[track_caller]
    pub fn restore(&self, archive: &[u8]) -> Reply {
        self.admin(restore_request(archive))
    }

    fn running(&self) -> &Process {
        self.process.as_ref().expect("the host runs")
    }
}

/// `POST /login` with a password.
pub fn login_request(password: &str) -> Request {
    Request::new("POST", "/_/api/admin/login").json(&json!({ "password": password }))
}

/// `POST /backup` with an archive.
pub fn restore_request(archive: &[u8]) -> Request {
    Request::new("POST", "/_/api/admin/backup").header("Content-Type", "application/zip").body(archive)
}

impl Ended {
    /// True where it ended by `SIGKILL`, as a fault point ends it.
    pub fn killed(&self) -> bool {
        self.status.signal() == Some(9)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.child.kill();
            let _ = process.child.wait();
            if std::thread::panicking() {
                let log = process.log.lock().unwrap_or_else(|e| e.into_inner());
                let _ = std::io::stderr().write_all(format!("the server's log:\n{log}").as_bytes());
            }
        }
    }
}

fn listening(log: &str) -> Option<SocketAddr> {
    let after = log.split_once("listening on http")?.1;
    let after = after.strip_prefix("s://").or_else(|| after.strip_prefix("://"))?;
    let (addr, _) = after.split_once(|c: char| c.is_whitespace())?;
    addr.trim_end_matches('/').parse().ok()
}

/// An S3 client that signs as one user.
#[derive(Clone, Debug)]
pub struct S3 {
    /// Where the server is.
    pub addr: SocketAddr,
    /// Who signs.
    pub signer: Signer,
}

impl S3 {
    /// Signs and sends.
    #[track_caller]
    pub fn send(&self, request: Request) -> Reply {
        self.signer.sign(request, self.addr).send(self.addr)
    }

    /// Signs and sends; an error where the connection broke.
    pub fn try_send(&self, request: Request) -> std::io::Result<Reply> {
        self.signer.sign(request, self.addr).try_send(self.addr)
    }

    /// CreateBucket.
    #[track_caller]
    pub fn make_bucket(&self, bucket: &str) {
        self.send(Request::new("PUT", &format!("/{bucket}"))).expect(200);
    }

    /// PutObject.
    #[track_caller]
    pub fn put(&self, bucket: &str, key: &str, body: impl Into<Vec<u8>>) -> Reply {
        self.send(Request::new("PUT", &target(bucket, key)).body(body))
    }

    /// As [`S3::get`]; an error where the connection broke.
    pub fn try_get(&self, bucket: &str, key: &str) -> std::io::Result<Reply> {
        self.try_send(Request::new("GET", &target(bucket, key)))
    }

    /// GetObject.
    #[track_caller]
    pub fn get(&self, bucket: &str, key: &str) -> Reply {
        self.send(Request::new("GET", &target(bucket, key)))
    }
}

/// The request target of an object.
pub fn target(bucket: &str, key: &str) -> String {
    format!("/{bucket}/{}", encode(key, true))
}
