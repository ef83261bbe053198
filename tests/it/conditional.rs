//! Conditional writes in a crowd: exactly one winner, whatever happens to the owner of the store.

use crate::support::client::Request;
use crate::support::server::{Host, S3, target};
use std::sync::Barrier;

const CROWD: usize = 16;

/// Sixteen clients create one key at the same moment; gives each one's status.
fn race(s3: &S3, key: &str) -> Vec<u16> {
    let barrier = Barrier::new(CROWD);
    std::thread::scope(|scope| {
        let client = |n: usize| {
            let barrier = &barrier;
            move || {
                let request = Request::new("PUT", &target("race", key)).header("If-None-Match", "*");
                let request = s3.signer.sign(request.body(format!("writer {n:02}")), s3.addr);
                barrier.wait();
                request.send(s3.addr).status
            }
        };
        let clients: Vec<_> = (0..CROWD).map(|n| scope.spawn(client(n))).collect();
        clients.into_iter().map(|c| c.join().expect("a client does not panic")).collect()
    })
}

#[test]
fn of_sixteen_creators_one_wins_a_hundred_times_over() {
    one_creator_wins(&Host::start(), 100);
}

/// So many times, wherever the buckets lie.
pub(crate) fn one_creator_wins(host: &Host, rounds: usize) {
    let s3 = host.admin_user("racer");
    s3.make_bucket("race");
    for round in 0..rounds {
        let key = format!("key-{round}");
        let statuses = race(&s3, &key);
        let winner = statuses.iter().position(|s| *s == 200);
        assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 1, "round {round}: {statuses:?}");
        assert_eq!(statuses.iter().filter(|s| **s == 412).count(), CROWD - 1, "round {round}: {statuses:?}");
        let content = s3.get("race", &key).expect(200).text();
        assert_eq!(Some(content), winner.map(|n| format!("writer {n:02}")), "round {round}");
    }
}

#[test]
fn one_wins_also_while_the_store_panics_and_is_rebuilt() {
    // Both points are met in the middle of a crowd; two panics are fewer than the guardian's limit.
    let mut host = Host::prepare();
    host.set_env("DGP_FAULT", "store.commit=panic@40,store.begin_write=panic@100");
    host.up();
    let s3 = host.admin_user("racer");
    s3.make_bucket("race");
    let mut broken = 0;
    for round in 0..20 {
        let key = format!("key-{round}");
        let statuses = race(&s3, &key);
        let winners = statuses.iter().filter(|s| **s == 200).count();
        broken += statuses.iter().filter(|s| **s >= 500).count();
        assert!(winners <= 1, "round {round}: {statuses:?}");
        assert!(statuses.iter().all(|s| matches!(s, 200 | 409 | 412 | 500..)), "round {round}: {statuses:?}");
        match statuses.iter().position(|s| *s == 200) {
            Some(n) => assert_eq!(s3.get("race", &key).expect(200).text(), format!("writer {n:02}"), "round {round}"),
            None => assert!(statuses.iter().any(|s| *s >= 500), "round {round} has no winner: {statuses:?}"),
        }
    }
    assert!(broken > 0, "the store never panicked");
    s3.put("race", "after", "all is well").expect(200);
}

#[test]
fn if_match_lets_one_of_two_editors_through() {
    one_editor_wins(Host::start());
}

/// The same, wherever the buckets lie.
pub(crate) fn one_editor_wins(host: Host) {
    let s3 = host.admin_user("editor");
    s3.make_bucket("race");
    let first = s3.put("race", "page", "one").expect(200).header("etag").expect("a PUT gives an ETag").to_owned();
    let edit = |text: &str| s3.send(Request::new("PUT", "/race/page").header("If-Match", &first).body(text)).status;
    assert_eq!(edit("two"), 200);
    assert_eq!(edit("three"), 412);
    assert_eq!(s3.get("race", "page").text(), "two");
}
