//! Start, stop and start again: what an operator sees of the process itself.

use crate::support::client::Request;
use crate::support::eventually;
use crate::support::server::{Host, PASSWORD};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn a_fresh_host_serves_with_embedded_defaults() {
    let host = Host::start();
    let health = Request::new("GET", "/_/health").send(host.addr()).expect(200).json();
    assert_eq!(health["status"], "healthy");
    Request::new("GET", "/_/ready").send(host.addr()).expect(200);
    assert!(Request::new("GET", "/_/metrics").send(host.addr()).expect(200).text().contains("# TYPE "));
    for file in ["deltaglider_config.db", ".deltaglider_bootstrap_hash", ".deltaglider_instance"] {
        let mode = std::fs::metadata(host.path(file)).expect(file).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert!(host.path("data/.dg/backend.json").is_file());
}

#[test]
fn a_password_that_nobody_set_is_logged_once() {
    let mut host = Host::prepare().env("DGP_BOOTSTRAP_PASSWORD", "");
    host.up();
    let log = host.log();
    let (_, after) = log.split_once("bootstrap password: ").expect("the log names the password");
    let password = after.split_whitespace().next().expect("the log names the password").to_owned();
    host.login(&password).expect(200);
    host.restart();
    assert!(!host.log().contains("bootstrap password: "), "it is not said again");
    host.login(&password).expect(200);
}

#[test]
fn a_password_given_at_start_is_not_logged() {
    let host = Host::start();
    host.login(PASSWORD).expect(200);
    assert!(!host.log().contains(PASSWORD));
    assert!(!host.log().contains("bootstrap password: "));
}

#[test]
fn a_password_in_a_file_is_the_password_and_a_file_that_is_missing_ends_the_start() {
    let mut host = Host::prepare().env("DGP_BOOTSTRAP_PASSWORD", "");
    let file = host.path("password");
    host.set_env("DGP_BOOTSTRAP_PASSWORD_FILE", &file.to_string_lossy());
    let ended = host.try_up().expect_err("there is no such file");
    assert!(ended.log.contains("DGP_BOOTSTRAP_PASSWORD_FILE"), "{}", ended.log);
    std::fs::write(&file, "from-a-secret-of-docker\n").unwrap();
    host.up();
    host.login("from-a-secret-of-docker").expect(200);
    assert!(!host.log().contains("from-a-secret") && !host.log().contains("bootstrap password: "));
}

#[test]
fn sigterm_ends_it_in_order_and_a_start_finds_everything_again() {
    let mut host = Host::start();
    let s3 = host.admin_user("keeper");
    s3.make_bucket("kept");
    s3.put("kept", "a/b", "content").expect(200);
    // An idle connection must not hold the stop up.
    let idle = TcpStream::connect(host.addr()).expect("the server takes connections");
    assert_eq!(host.stop().code(), Some(0));
    drop(idle);
    host.up();
    let s3 = crate::support::server::S3 { addr: host.addr(), ..s3 };
    assert_eq!(s3.get("kept", "a/b").expect(200).text(), "content");
    assert_eq!(host.user_names(), ["keeper"]);
}

#[test]
fn a_second_process_stays_out_of_the_state_directory() {
    let host = Host::start();
    let mut second = Command::new(env!("CARGO_BIN_EXE_deltaglider_proxy"))
        .args(["--listen", "127.0.0.1:0"])
        .current_dir(host.path(""))
        .env("DGP_BOOTSTRAP_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary can be started");
    let mut ended = None;
    let deadline = Instant::now() + Duration::from_secs(20);
    while ended.is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
        ended = second.try_wait().expect("the child can be asked");
    }
    let _ = second.kill();
    let _ = second.wait();
    assert_eq!(ended.expect("it does not serve").code(), Some(3));
    Request::new("GET", "/_/health").send(host.addr()).expect(200);
}

#[test]
fn kill_9_keeps_no_later_start_out() {
    let mut host = Host::start();
    host.kill();
    host.up();
    eventually("it is ready", || Request::new("GET", "/_/ready").send(host.addr()).status == 200);
}

#[test]
fn a_config_with_an_unknown_key_does_not_start_and_says_where() {
    let mut host = Host::prepare().config("storge:\n  filesystem: ./data\n");
    let ended = host.try_up().expect_err("an unknown key refuses to start");
    assert!(!ended.status.success());
    assert!(ended.log.contains("storge") && ended.log.contains("storage"), "{}", ended.log);
}

#[test]
fn what_is_not_there_below_the_api_is_a_problem_document() {
    let host = Host::start();
    let reply = Request::new("GET", "/_/api/nothing").header("Accept", "text/html").send(host.addr()).expect(404);
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    Request::new("GET", "/_/api/admin/users").send(host.addr()).expect(401);
    Request::new("GET", "/_/api/admin/backup").send(host.addr()).expect(401);
}
