//! The tables on every backend: a directory, and S3 servers of others.

use super::run::Subject;
use super::script::Case;
use super::{Kind, cases, chosen, report};
use crate::support::client::Request;
use crate::support::server::Host;
use crate::support::storage_in;
use actors::storage::testkit::peers::{self, Peer};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many cases run at the same time.
const AT_ONCE: usize = 6;

/// The blocks that the cases of `admission.txt` meet.
const ADMISSION: &str = "admission:
  blocks:
    - {name: let-in, match: {path_glob: secret/readme}, action: continue}
    - {name: secret, match: {path_glob: \"secret/**\"}, action: deny}
    - name: gone
      match: {path_glob: \"old/*\", method: [GET, HEAD]}
      action: {type: reject, status: 410, message: It moved <away>.}
    - {name: busy, match: {path_glob: \"busy/**\", operation: [write]}, action: {type: reject, status: 503}}
    - {name: keyless, match: {method: [DELETE], authenticated: false}, action: {type: reject, status: 404}}
";

/// Where the buckets of a server lie.
struct Backend {
    /// As `except` lines name it.
    name: &'static str,
    peer: Option<Peer>,
}

impl Backend {
    /// A server with this config beside the backend's.
    fn host(&self, config: &str) -> Host {
        let storage = self.peer.as_ref().map(storage_in);
        let mut host = Host::prepare().config(&format!("{}{config}", storage.unwrap_or_default()));
        host.up();
        host
    }

    /// The cases of a kind that this backend can have.
    fn cases(&self, kind: Kind) -> Vec<Case> {
        let here = |case: &Case| case.except.iter().all(|(name, _)| name != self.name);
        chosen(cases(kind)).into_iter().filter(here).collect()
    }

    /// Runs the cases that have a bucket each, several at once; what failed.
    fn run(&self, kind: Kind, config: &str) -> Vec<String> {
        let (host, cases) = (self.host(config), self.cases(kind));
        let s3 = host.admin_user("table");
        let prefix = if kind == Kind::Plain { "case" } else { "admission" };
        let subject = Subject { s3: &s3, prefix };
        let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            while let Some((number, case)) = {
                let number = next.fetch_add(1, Ordering::Relaxed);
                cases.get(number).map(|case| (number, case))
            } {
                if let Err(what) = subject.run(number, case) {
                    let mut failed = failed.lock().expect("no case panics here");
                    failed.push(format!("{} ({}), on {}\n   {what}", case.name, case.page, self.name));
                }
            }
        };
        std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
        failed.into_inner().expect("no case panicked")
    }

    /// Runs the cases that must change nothing, in one bucket, one after the other; what failed.
    fn run_unchanged(&self) -> Vec<String> {
        let (host, cases) = (self.host("advanced:\n  idle_timeout: 1s\n"), self.cases(Kind::Malformed));
        let s3 = host.admin_user("table");
        let subject = Subject { s3: &s3, prefix: "malformed" };
        s3.make_bucket("malformed");
        s3.send(Request::new("PUT", "/malformed/k").header("x-amz-meta-colour", "red").body("0123456789")).expect(200);
        s3.put("malformed", "dir/a", "x").expect(200);
        let failed = |case: &Case| {
            let outcome = subject.run_unchanged("malformed", case);
            outcome.err().map(|what| format!("{} ({}), on {}\n   {what}", case.name, case.page, self.name))
        };
        cases.iter().filter_map(failed).collect()
    }

    /// Everything, on one such server after the other.
    fn run_all(&self) {
        let mut failed = self.run(Kind::Plain, "");
        failed.extend(self.run(Kind::Admission, ADMISSION));
        failed.extend(self.run_unchanged());
        report(&failed);
    }
}

const DIRECTORY: Backend = Backend { name: "directory", peer: None };

#[test]
fn every_request_is_answered_as_aws_documents_it() {
    assert!(cases(Kind::Plain).len() >= 150, "cases are missing");
    report(&DIRECTORY.run(Kind::Plain, ""));
}

#[test]
fn rules_of_admission_are_answered_as_they_say() {
    report(&DIRECTORY.run(Kind::Admission, ADMISSION));
}

#[test]
fn malformed_requests_get_the_errors_of_aws_and_change_nothing() {
    assert!(cases(Kind::Malformed).len() >= 80, "cases are missing");
    report(&DIRECTORY.run_unchanged());
}

#[test]
fn every_request_is_answered_so_where_the_buckets_are_in_garage() {
    Backend { name: "garage", peer: Some(peers::garage()) }.run_all();
}

#[test]
fn every_request_is_answered_so_where_the_buckets_are_in_moto() {
    Backend { name: "moto", peer: Some(peers::moto()) }.run_all();
}

#[test]
fn whatever_is_excepted_names_a_backend_that_there_is() {
    for case in [Kind::Plain, Kind::Malformed, Kind::Admission].into_iter().flat_map(cases) {
        for (backend, why) in &case.except {
            assert!(["garage", "moto"].contains(&backend.as_str()), "{}: there is no backend `{backend}`", case.name);
            assert!(why.split(' ').count() >= 5, "{}: `{why}` is no reason", case.name);
        }
    }
}
