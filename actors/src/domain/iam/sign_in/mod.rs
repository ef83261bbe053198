//! Sign-in with a provider: what it vouches for, which groups that gives, and who may come in. Pure; the protocol is the edge's.

mod claims;
mod decide;
mod mapping;
mod provider;

pub use claims::Claims;
pub use decide::{Decision, Login, decide};
pub use mapping::{MATCH_TYPES, Matched, check_rule, claims_named, evaluate, gives};
pub use provider::{PROVIDER_TYPES, Settings, check_provider};
