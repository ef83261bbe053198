//! A table of blocks and requests, and what holds of any list of blocks.

use super::*;

fn block(name: &str, matches: Match, action: Action) -> Block {
    Block { name: name.into(), matches, action }
}

fn reject() -> Action {
    Action::Reject { status: 503, message: None }
}

const GET: Request<'static> = Request {
    method: "GET",
    authenticated: false,
    source_ip: Some(IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9))),
    action: Some("s3:GetObject"),
    bucket: Some("builds"),
    path: "ci/log",
};

fn nets(texts: &[&str]) -> Vec<WrittenNetwork> {
    texts.iter().map(|text| WrittenNetwork::parse(text).unwrap()).collect()
}

fn words(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_block_matches_where_all_that_it_names_holds() {
    let any = Match::default;
    let bucket = |name: &str| Some(BucketName::new(name).unwrap());
    let path = |text: &str| Some(PathGlob::parse(text).unwrap());
    let rows = [
        (any(), true),
        (Match { methods: words(&["PUT", "GET"]), ..any() }, true),
        (Match { methods: words(&["PUT"]), ..any() }, false),
        (Match { operations: words(&["read"]), ..any() }, true),
        (Match { operations: words(&["s3:get*"]), ..any() }, true),
        (Match { operations: words(&["write", "s3:ListBucket"]), ..any() }, false),
        (Match { networks: nets(&["203.0.113.0/24"]), ..any() }, true),
        (Match { networks: nets(&["10.0.0.0/8", "203.0.113.10"]), ..any() }, false),
        (Match { bucket: bucket("builds"), ..any() }, true),
        (Match { bucket: bucket("build"), ..any() }, false),
        (Match { path: path("ci/*"), ..any() }, true),
        (Match { path: path("ci"), ..any() }, false),
        (Match { authenticated: Some(false), ..any() }, true),
        (Match { authenticated: Some(true), ..any() }, false),
        (Match { config_flag: Some("maintenance_mode".into()), ..any() }, false),
        (Match { methods: words(&["GET"]), bucket: bucket("other"), ..any() }, false),
    ];
    for (matches, expected) in rows {
        assert_eq!(block("b", matches.clone(), Action::Deny).matches(&GET), expected, "{matches:?}");
    }
}

#[test]
fn the_first_match_wins_and_nothing_after_it_is_asked() {
    let office = Match { networks: nets(&["203.0.113.0/24"]), ..Match::default() };
    let blocks = [block("office", office, Action::Continue), block("all", Match::default(), reject())];
    assert_eq!(decide(&blocks, &GET), Verdict::Pass(Some(&blocks[0])));
    let abroad = Request { source_ip: Some("198.51.100.1".parse().unwrap()), ..GET };
    assert_eq!(decide(&blocks, &abroad), Verdict::Stop(&blocks[1]));
    assert_eq!(decide(&[], &GET), Verdict::Pass(None));
}

#[test]
fn allow_anonymous_is_about_requests_without_credentials() {
    let blocks =
        [block("open", Match::default(), Action::AllowAnonymous), block("all", Match::default(), Action::Deny)];
    assert_eq!(decide(&blocks, &GET), Verdict::Pass(Some(&blocks[0])));
    assert_eq!(decide(&blocks, &Request { authenticated: true, ..GET }), Verdict::Stop(&blocks[1]));
}

#[test]
fn an_unknown_address_is_stopped_by_what_stops_and_helped_by_nothing() {
    let inside = || Match { networks: nets(&["10.0.0.0/8"]), ..Match::default() };
    let nowhere = Request { source_ip: None, ..GET };
    assert!(block("b", inside(), Action::Deny).matches(&nowhere));
    assert!(block("b", inside(), reject()).matches(&nowhere));
    assert!(!block("b", inside(), Action::Continue).matches(&nowhere));
    assert!(!block("b", inside(), Action::AllowAnonymous).matches(&nowhere));
}

#[test]
fn a_request_that_is_no_operation_is_stopped_by_what_names_none() {
    let unread = Request { action: None, ..GET };
    let of_get = Match { operations: words(&["*"]), ..Match::default() };
    assert!(!block("b", of_get, Action::Deny).matches(&unread));
    assert!(
        block("b", Match { bucket: Some(BucketName::new("builds").unwrap()), ..Match::default() }, Action::Deny)
            .matches(&unread)
    );
}

#[test]
fn what_stops_one_side_of_a_copy_stops_the_copy() {
    let secret = Match { path: Some(PathGlob::parse("secret/*").unwrap()), ..Match::default() };
    let target = Match { path: Some(PathGlob::parse("ci/*").unwrap()), ..Match::default() };
    let blocks = [block("target", target, Action::Continue), block("secret", secret, Action::Deny)];
    let to = Request { method: "PUT", action: Some("s3:PutObject"), ..GET };
    let from = Request { path: "secret/x", ..GET };
    assert_eq!(decide_all(&blocks, [to, from]), Verdict::Stop(&blocks[1]));
    assert_eq!(decide_all(&blocks, [from, to]), Verdict::Stop(&blocks[1]));
    assert_eq!(decide_all(&blocks, [to, GET]), Verdict::Pass(Some(&blocks[0])));
}
