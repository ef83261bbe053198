//! How long a decision takes, from the access key id of a request to yes or no: in this process, without a server.

use super::world::access_key_id;
use super::{ms, say};
use actors::domain::clock::Timestamp;
use actors::domain::config::load;
use actors::domain::config::model::SecretRef;
use actors::domain::config::scalar::Environment;
use actors::domain::iam::context::{AccessRequest, RequestContext, Resource};
use actors::domain::iam::declare::{Means, apply};
use actors::domain::iam::evaluate::decide;
use actors::domain::iam::index::AccessIndex;
use actors::domain::iam::principal::Principal;
use actors::domain::secret::Secret;
use actors::domain::state::State;
use std::collections::BTreeMap;
use std::io;
use std::time::Instant;

const DECISIONS: usize = 200_000;

/// Reads the lists, makes a state of them, and decides.
pub fn run(lists: &str) -> io::Result<()> {
    let begun = Instant::now();
    let text = format!("access:\n  iam_mode: declarative\n{lists}");
    let loaded = load(&text, &Environment::new()).map_err(io::Error::other)?;
    say("the file read and checked", ms(begun.elapsed()))?;
    let (nothing, begun) = (BTreeMap::new(), Instant::now());
    let means = Means {
        resolve: &|reference| match reference {
            SecretRef::Literal(secret) => Ok(secret.clone()),
            _ => Ok(Secret::new("another-secret")),
        },
        user_secrets: &nothing,
        client_secrets: &nothing,
        new_id: &|| uuid::Uuid::new_v4().to_string(),
        now: Timestamp::from_secs(1),
    };
    let state = apply(&loaded.config.access.iam, &State::default(), &means).map_err(io::Error::other)?.state;
    say("the declaration applied", ms(begun.elapsed()))?;
    let begun = Instant::now();
    let index = AccessIndex::new(&state);
    say("the index of access keys made", ms(begun.elapsed()))?;
    decide_all(&state, &index)
}

fn decide_all(state: &State, index: &AccessIndex) -> io::Result<()> {
    let (users, context, now) = (state.users.len(), RequestContext::default(), Timestamp::from_secs(2));
    // A key of the user's own, and one that no rule speaks of: then every rule is looked at.
    for (what, bucket) in [("its own home", "home"), ("what no rule allows", "nowhere")] {
        let mut allowed = 0;
        let begun = Instant::now();
        for n in 0..DECISIONS {
            let number = (n * 7919) % users;
            let Some((user, _)) = index.access_key(&access_key_id(number), now) else { continue };
            let key = format!("user-{number}/some/object.tar.gz");
            let resource = Resource::object(bucket, &key);
            let request = AccessRequest { action: "s3:GetObject", resource, context: &context };
            allowed += usize::from(decide(state, &Principal::User(user.id.clone()), &request).allowed);
        }
        let each = begun.elapsed().as_nanos() as f64 / DECISIONS as f64 / 1000.0;
        say(
            &format!("a decision about {what}, {allowed} of {DECISIONS} allowed (target: 20 µs)"),
            format!("{each:.2} µs"),
        )?;
    }
    Ok(())
}
