//! Principals × operations × conditions, generated and compared with an oracle that is small enough to be read at a glance.

use super::oracle;
use super::{context, world};
use crate::domain::clock::Timestamp;
use crate::domain::iam::context::{AccessRequest, ListParameters, RequestContext, Resource};
use crate::domain::iam::evaluate::decide;
use crate::domain::iam::model::{Effect, Group, OneOrMany, Permission, User};
use crate::domain::iam::principal::Principal;
use crate::domain::iam::{action, check};
use crate::domain::state::State;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many worlds; each is asked every operation of [`oracle::OPERATIONS`] several times.
const WORLDS: u64 = 600;

/// A small generator (xorshift), so that a failure names a seed that brings it back.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    fn some<T: Copy>(&mut self, list: &[T], most: usize) -> Vec<T> {
        (0..=self.below(most)).map(|_| self.of(list)).collect()
    }
}

const ACTIONS: &[&str] = &[
    "read",
    "write",
    "delete",
    "list",
    "admin",
    "*",
    "s3:GetObject",
    "s3:Get*",
    "s3:*",
    "s3:PutObject",
    "s3:Delete*",
    "S3:LISTBUCKET",
    "s3:?etObject",
    "s3:ListBucket*",
    "iam:read",
    "backup:*",
    "iam:write",
];
const RESOURCES: &[&str] = &[
    "*",
    "red",
    "red/*",
    "red/a",
    "red/a/*",
    "blue/*",
    "blue",
    "?ed/*",
    "r*",
    "*/secret",
    "red/${iam:username}/*",
    "arn:aws:s3:::red/*",
    "arn:aws:s3:::blue",
    "red/*/x",
    "red/a?",
];
const KEYS: &[&str] = &["a", "a/b", "a/x", "ann/own", "secret", "ab", "deep/er/x", "%2e%2e", "a//b", "ä"];
const ADDRESSES: &[[u8; 4]] = &[[10, 1, 2, 3], [127, 0, 0, 1], [192, 168, 7, 9], [10, 255, 0, 0]];

fn condition(dice: &mut Dice) -> (&'static str, &'static str, Vec<&'static str>) {
    match dice.below(11) {
        0 => ("IpAddress", "aws:SourceIp", dice.some(&["10.0.0.0/8", "127.0.0.1", "192.168.0.0/21"], 2)),
        1 => ("NotIpAddress", "aws:SourceIp", dice.some(&["10.0.0.0/8", "192.168.7.8/31"], 2)),
        2 => ("Bool", "aws:SecureTransport", dice.some(&["true", "false"], 1)),
        3 => ("StringLike", "s3:prefix", dice.some(&["a/*", "", "ann/*", "?"], 2)),
        4 => ("StringEquals", "aws:username", dice.some(&["ann", "bob"], 2)),
        5 => ("StringNotEquals", "s3:x-amz-acl", dice.some(&["public-read", "private"], 2)),
        6 => ("StringEqualsIfExists", "s3:x-amz-acl", dice.some(&["public-read", "private"], 2)),
        7 => ("NumericLessThanEquals", "s3:max-keys", dice.some(&["10", "100"], 1)),
        8 => ("DateLessThan", "aws:CurrentTime", dice.some(&["1970-01-01T00:10:00Z", "1970-01-02T00:00:00Z"], 1)),
        9 => ("Null", "s3:x-amz-acl", dice.some(&["true", "false"], 1)),
        _ => ("StringNotLike", "aws:UserAgent", dice.some(&["curl/*", "aws-cli*"], 2)),
    }
}

fn rule(dice: &mut Dice, id: usize) -> Permission {
    let mut conditions: BTreeMap<String, BTreeMap<String, OneOrMany>> = BTreeMap::new();
    for _ in 0..dice.of(&[0, 0, 0, 1, 1, 2]) {
        let (operator, key, values) = condition(dice);
        let values = OneOrMany::Many(values.into_iter().map(str::to_owned).collect());
        conditions.entry(operator.to_owned()).or_default().insert(key.to_owned(), values);
    }
    let rule = Permission {
        id: id.to_string(),
        effect: dice.of(&[Effect::Allow, Effect::Allow, Effect::Deny]),
        actions: dice.some(ACTIONS, 3).into_iter().map(str::to_owned).collect(),
        resources: dice.some(RESOURCES, 3).into_iter().map(str::to_owned).collect(),
        conditions,
    };
    let admin = rule.actions.iter().any(|action| action::names_admin_right(action));
    if admin { Permission { resources: vec!["*".to_owned()], ..rule } } else { rule }
}

fn rules(dice: &mut Dice, most: usize) -> Vec<Permission> {
    let rules: Vec<Permission> = (0..dice.below(most + 1)).map(|id| rule(dice, id)).collect();
    rules.into_iter().filter(|rule| check::check_permission(rule).is_ok()).collect()
}

/// One user, disabled now and then, in up to two groups.
fn people(dice: &mut Dice) -> State {
    let mut state = State::default();
    let mut group_ids = BTreeSet::new();
    for id in ["g1", "g2"] {
        let group = Group {
            id: id.to_owned(),
            name: id.to_owned(),
            description: String::new(),
            created_at: Timestamp::default(),
            permissions: rules(dice, 2),
        };
        state.groups.insert(id.to_owned(), Arc::new(group));
        if dice.below(2) == 0 {
            group_ids.insert(id.to_owned());
        }
    }
    let user = User { permissions: rules(dice, 4), group_ids, enabled: dice.below(20) > 0, ..template() };
    state.users.insert("u".to_owned(), Arc::new(user));
    state
}

fn template() -> User {
    let user = world().users.values().next().cloned().unwrap();
    User { id: "u".to_owned(), name: "ann".to_owned(), ..User::clone(&user) }
}

fn circumstances(dice: &mut Dice) -> RequestContext {
    let amz = dice.of(&[None, Some("public-read"), Some("private")]);
    RequestContext {
        source_ip: Some(dice.of(ADDRESSES).into()),
        secure: dice.below(2) == 0,
        time: Timestamp::from_secs(dice.of(&[1, 3600, 100_000])),
        user_agent: dice.of(&[None, Some("curl/8"), Some("aws-cli/2")]).map(str::to_owned),
        list: ListParameters {
            prefix: dice.of(&["", "a", "a/", "ann/x", "zz/"]).to_owned(),
            delimiter: None,
            max_keys: dice.of(&[None, Some(5), Some(1000)]),
        },
        amz_headers: amz.map(|acl| ("x-amz-acl".to_owned(), acl.to_owned())).into_iter().collect(),
        ..context()
    }
}

/// Asks one world everything; gives how many questions there were, and how many were allowed.
fn ask(state: &State, dice: &mut Dice, mut judge: impl FnMut(&AccessRequest<'_>, bool)) -> (u64, u64) {
    let principal = Principal::User("u".to_owned());
    let (mut asked, mut allowed) = (0, 0);
    for (action, kind) in oracle::OPERATIONS {
        for _ in 0..3 {
            let (bucket, key, context) = (dice.of(&["red", "blue", "green"]), dice.of(KEYS), circumstances(dice));
            let resource = match kind {
                oracle::On::Object => Resource::object(bucket, key),
                oracle::On::Bucket | oracle::On::Listing => Resource::bucket(bucket),
                oracle::On::Nothing => Resource::NONE,
            };
            let request = AccessRequest { action, resource, context: &context };
            let decision = decide(state, &principal, &request);
            asked += 1;
            allowed += u64::from(decision.allowed);
            judge(&request, decision.allowed);
        }
    }
    (asked, allowed)
}

#[test]
fn the_evaluator_agrees_with_the_oracle() {
    let (mut asked, mut allowed) = (0, 0);
    for seed in 0..WORLDS {
        let mut dice = Dice::new(seed);
        let state = people(&mut dice);
        let user = &state.users["u"];
        let (a, b) = ask(&state, &mut dice, |request, answer| {
            let expected = oracle::may(&state, user, request);
            assert_eq!(answer, expected, "seed {seed}: {request:?}\nuser {user:#?}\ngroups {:#?}", state.groups);
        });
        asked += a;
        allowed += b;
    }
    assert!(asked >= 2000, "{asked} cases");
    // A generator that always (or never) allows would prove nothing.
    assert!(allowed * 20 > asked && allowed * 2 < asked, "{allowed} of {asked} allowed");
}

#[test]
fn another_deny_never_allows_more() {
    for seed in 0..WORLDS {
        let mut dice = Dice::new(seed);
        let state = people(&mut dice);
        let mut stricter = state.clone();
        let mut user = User::clone(&state.users["u"]);
        let deny = Permission { effect: Effect::Deny, ..rule(&mut dice, 99) };
        let at = dice.below(user.permissions.len() + 1);
        user.permissions.insert(at, deny);
        stricter.users.insert("u".to_owned(), Arc::new(user));
        ask(&state, &mut dice, |request, before| {
            let after = decide(&stricter, &Principal::User("u".to_owned()), request).allowed;
            assert!(before || !after, "seed {seed}: {request:?}");
        });
    }
}

#[test]
fn the_order_of_rules_decides_nothing() {
    for seed in 0..WORLDS {
        let mut dice = Dice::new(seed);
        let state = people(&mut dice);
        let mut turned = state.clone();
        let mut user = User::clone(&state.users["u"]);
        user.permissions.reverse();
        turned.users.insert("u".to_owned(), Arc::new(user));
        for group in ["g1", "g2"] {
            let mut group = Group::clone(&state.groups[group]);
            group.permissions.reverse();
            turned.groups.insert(group.id.clone(), Arc::new(group));
        }
        ask(&state, &mut dice, |request, before| {
            let after = decide(&turned, &Principal::User("u".to_owned()), request).allowed;
            assert_eq!(before, after, "seed {seed}: {request:?}");
        });
    }
}
