//! The encoding of a request changes no decision: not of admission, not of public prefixes, not of a user's rules.

use super::*;
use crate::auth::sigv4::RawRequest;
use actors::domain::config::{Loaded, load};
use actors::domain::iam::context::{AccessRequest, RequestContext};
use actors::domain::iam::evaluate::decide;
use actors::domain::iam::model::{Effect, Permission, User};
use actors::domain::iam::principal::Principal;
use actors::domain::public;
use actors::domain::state::State;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const CONFIG: &str = "admission:
  blocks:
    - {name: dir, match: {path_glob: \"secret dir/**\"}, action: deny}
    - {name: plus, match: {path_glob: \"*a+b*\", method: [GET]}, action: {type: reject, status: 429}}
    - {name: umlaut, match: {path_glob: \"ü?/*\", operation: [read]}, action: deny}
    - {name: open, match: {bucket: docs}, action: allow-anonymous}
storage:
  buckets: {docs: {public_prefixes: [\"pub lic/\", \"ü/\", \"a+b/\"]}}
";

/// Texts that mean something in a URL, in a pattern, or to a rule.
const PIECES: [&str; 22] = [
    "secret dir/",
    "secret",
    " ",
    "dir",
    "pub lic/",
    "ü/",
    "üx/",
    "a+b",
    "a b",
    "/",
    "//",
    "..",
    ".",
    "%",
    "%2F",
    "*",
    "?",
    "&=",
    "#",
    "x",
    "€",
    "private/",
];

/// Steele and Vigna's SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % most as u64).unwrap()
    }
}

/// Each byte as it is where a URL allows it, or escaped in one of two ways.
fn encoded(text: &str, allowed: &[u8], mut choose: impl FnMut() -> usize) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match choose() {
            0 if byte.is_ascii_alphanumeric() || allowed.contains(&byte) => out.push(char::from(byte)),
            1 => out += &format!("%{byte:02x}"),
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

fn rule(effect: Effect, actions: &[&str], resource: &str) -> Permission {
    Permission {
        id: resource.into(),
        effect,
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        resources: vec![resource.into()],
        conditions: BTreeMap::new(),
    }
}

fn state() -> State {
    let permissions = vec![
        rule(Effect::Allow, &["read", "write"], "docs/*"),
        rule(Effect::Deny, &["*"], "docs/private/*"),
        rule(Effect::Allow, &["list"], "docs/pub*"),
    ];
    let user = User {
        id: "u".into(),
        name: "u".into(),
        enabled: true,
        created_at: Default::default(),
        auth_source: "local".into(),
        credential_version: 1,
        permissions,
        group_ids: BTreeSet::new(),
        keys: Vec::new(),
    };
    State { users: BTreeMap::from([("u".to_owned(), Arc::new(user))]), ..State::default() }
}

/// What is decided: by which block, for anybody, for a user.
fn decisions(
    loaded: &Loaded,
    state: &State,
    method: &str,
    path: &str,
    query: &str,
) -> Option<(Option<String>, bool, bool)> {
    let raw = RawRequest { bucket: None, method, path, query, headers: Vec::new() };
    let parsed = Parsed::new(&raw).ok()?;
    let verdict = Sent::new(method, &parsed, None).judge(&loaded.config.admission, &parsed);
    let block = verdict.block().map(|block| block.name.clone());
    let Some(operation) = parsed.operation() else { return Some((block, false, false)) };
    let rules = public::rules(&loaded.config.storage, &state.buckets);
    let context = RequestContext {
        list: permission::list_parameters(operation),
        public: operation.bucket().and_then(|bucket| rules.get(bucket)).cloned(),
        ..RequestContext::default()
    };
    let may = |principal: &Principal| {
        permission::needed(operation).iter().all(|needed| {
            let asked = AccessRequest { action: needed.action, resource: needed.resource, context: &context };
            decide(state, principal, &asked).allowed
        })
    };
    Some((block, may(&Principal::Anonymous), may(&Principal::User("u".into()))))
}

#[test]
fn no_encoding_of_a_request_changes_a_decision() {
    let loaded = load(CONFIG, &BTreeMap::new()).unwrap();
    let (state, mut dice) = (state(), Dice(0x5EED));
    let mut seen: BTreeMap<(Option<String>, bool, bool), usize> = BTreeMap::new();
    for round in 0..4000 {
        let key: String = (0..=dice.below(3)).map(|_| PIECES[dice.below(PIECES.len())]).collect();
        let method = ["GET", "HEAD", "PUT", "DELETE"][dice.below(4)];
        let listing = dice.below(4) == 0;
        let write = |choose: &mut dyn FnMut() -> usize| match listing {
            true => ("/docs".to_owned(), format!("list-type=2&prefix={}", encoded(&key, b"-._~/", choose))),
            false => (format!("/{}", encoded(&format!("docs/{key}"), b"-._~/!$&'()*+,;=:@", choose)), String::new()),
        };
        let method = if listing { "GET" } else { method };
        let (path, query) = write(&mut || 0);
        let plain = decisions(&loaded, &state, method, &path, &query).unwrap();
        for _ in 0..4 {
            let (path, query) = write(&mut || dice.below(3));
            let other = decisions(&loaded, &state, method, &path, &query);
            assert_eq!(other.as_ref(), Some(&plain), "round {round}: {method} {path}?{query} is {key:?}");
        }
        *seen.entry(plain).or_default() += 1;
    }
    for block in ["dir", "plus", "umlaut", "open"] {
        assert!(seen.keys().any(|(found, ..)| found.as_deref() == Some(block)), "{block} was never met: {seen:?}");
    }
    for (anybody, user) in [(true, true), (false, true), (false, false)] {
        assert!(seen.keys().any(|(_, a, u)| (*a, *u) == (anybody, user)), "{anybody} {user} was never met: {seen:?}");
    }
}

#[test]
fn a_rejection_has_the_code_of_its_status() {
    let code = |status: u16| {
        let action = Action::Reject { status, message: None };
        let error = answer(&Block { name: "b".into(), matches: Default::default(), action });
        (error.status().as_u16(), error.code(), error.message().to_owned())
    };
    assert_eq!(code(403), (403, "AccessDenied", "Forbidden".into()));
    assert_eq!(code(503), (503, "SlowDown", "Service Unavailable".into()));
    assert_eq!(code(451).1, "InvalidRequest");
    assert_eq!(code(599), (599, "ServiceUnavailable", "Request rejected".into()));
    assert_eq!(
        answer(&Block { name: "b".into(), matches: Default::default(), action: Action::Deny }).message(),
        "Access Denied"
    );
}
