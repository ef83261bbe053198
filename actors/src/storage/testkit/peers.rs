//! S3 servers of others that tests stand an upstream on: Garage and moto, each in a directory of its own on free ports of loopback.
//! Test code.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server under way; dropped, it is killed and its directory removed.
#[derive(Debug)]
pub struct Peer {
    /// `http://127.0.0.1:port`.
    pub url: String,
    /// The public half of a key pair that may do everything.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
    /// What requests are signed for.
    pub region: &'static str,
    process: Child,
    home: PathBuf,
}

/// Garage with one node, which checks signatures.
pub fn garage() -> Peer {
    let home = scratch();
    let (config, secret) = (home.join("garage.toml"), uuid::Uuid::new_v4().simple().to_string().repeat(2));
    let program = tool("garage", &["bin/garage"]);
    let command = || {
        let mut command = Command::new(&program);
        command.arg("-c").arg(&config).env("RUST_LOG", "garage=warn");
        command
    };
    let (process, port) = up(&home, |port| {
        let (rpc, home) = (free_port(), home.display());
        let text = format!(
            "metadata_dir = \"{home}/meta\"\ndata_dir = \"{home}/data\"\ndb_engine = \"sqlite\"\nreplication_factor = 1\n\
             rpc_bind_addr = \"127.0.0.1:{rpc}\"\nrpc_public_addr = \"127.0.0.1:{rpc}\"\nrpc_secret = \"{secret}\"\n\
             [s3_api]\ns3_region = \"garage\"\napi_bind_addr = \"127.0.0.1:{port}\"\n"
        );
        std::fs::write(&config, text).expect("the scratch directory is ours");
        let mut command = command();
        command.arg("server");
        command
    });
    let mut peer = Peer {
        url: format!("http://127.0.0.1:{port}"),
        access_key_id: String::new(),
        secret_access_key: String::new(),
        region: "garage",
        process,
        home,
    };
    let run = |arguments: &[&str]| {
        let done = command().args(arguments).output().expect("garage runs");
        assert!(done.status.success(), "garage {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let node = run(&["node", "id", "-q"]);
    run(&["layout", "assign", "-z", "one", "-c", "10G", node.split('@').next().unwrap_or_default()]);
    run(&["layout", "apply", "--version", "1"]);
    let key = run(&["key", "create", "proxy"]);
    let field = |name: &str| {
        let rest = key.split(name).nth(1).unwrap_or_default();
        rest.split_whitespace().next().unwrap_or_default().to_owned()
    };
    peer.access_key_id = field("Key ID:");
    peer.secret_access_key = field("Secret key:");
    run(&["key", "allow", "--create-bucket", &peer.access_key_id]);
    peer
}

/// moto, which keeps everything in memory and believes every signature.
pub fn moto() -> Peer {
    let home = scratch();
    let (process, port) = up(&home, |port| {
        let mut command = Command::new(tool("moto_server", &["moto/bin/moto_server", "venv/bin/moto_server"]));
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command
    });
    Peer {
        url: format!("http://127.0.0.1:{port}"),
        access_key_id: "testing".to_owned(),
        secret_access_key: "testing-secret".to_owned(),
        region: "us-east-1",
        process,
        home,
    }
}

impl Peer {
    /// Ends the server at once, as a crash does.
    pub fn kill(&mut self) {
        // One that has ended already is as dead as it should be.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Stops it where it is, so that connections are accepted and nothing is answered; `false` lets it go on.
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let done = Command::new("kill").args([signal, &self.process.id().to_string()]).status();
        assert!(done.is_ok_and(|status| status.success()), "the peer in {} takes no signal", self.home.display());
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// Starts a server on a free port and waits until it answers; one that finds the port taken gets another one.
fn up(home: &Path, command: impl Fn(u16) -> Command) -> (Child, u16) {
    for _ in 0..5 {
        let port = free_port();
        let mut process = spawned(&mut command(port), home);
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            if process.try_wait().expect("it is our child").is_some() {
                break;
            }
            if answers(port) && process.try_wait().expect("it is our child").is_none() {
                return (process, port);
            }
            if Instant::now() > deadline {
                let _ = process.kill();
                let _ = process.wait();
                panic!("the peer did not come up: {}", log_of(home));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    panic!("the peer ends by itself: {}", log_of(home));
}

/// Whether something speaks HTTP there: a listening socket alone may not be served yet.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let (mut answer, wait) = ([0; 5], Some(Duration::from_secs(5)));
    stream.set_read_timeout(wait).is_ok()
        && stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && &answer == b"HTTP/"
}

fn log_of(home: &Path) -> String {
    std::fs::read_to_string(home.join("log")).unwrap_or_default()
}

fn spawned(command: &mut Command, home: &Path) -> Child {
    let log = std::fs::File::create(home.join("log")).expect("the scratch directory is ours");
    let errors = log.try_clone().expect("a handle can be had twice");
    command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn().expect("the peer starts")
}

/// The program in the tool cache of `tests/all`, or in the path.
fn tool(name: &str, places: &[&str]) -> PathBuf {
    let home = std::env::var("HOME").unwrap_or_default();
    let cache = std::env::var("DGP_TOOL_CACHE").unwrap_or_else(|_| format!("{home}/.cache/deltaglider-tools"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let cached = places.iter().map(|place| Path::new(&cache).join(place));
    let found = cached.chain(std::env::split_paths(&path).map(|dir| dir.join(name))).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("`{name}` is not here; `tests/all --only packages` installs it"))
}

/// A port that nobody listens on, below those that the system gives to connections of its own accord.
fn free_port() -> u16 {
    loop {
        let [high, low, ..] = *uuid::Uuid::new_v4().as_bytes();
        let port = 12_000 + u16::from_be_bytes([high, low]) % 20_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn scratch() -> PathBuf {
    let dir = std::env::temp_dir().join(format!("dgp-peer-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&dir).expect("there is a directory for temporary files");
    dir
}
