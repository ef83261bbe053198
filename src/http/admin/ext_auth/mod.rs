//! `ext-auth/…`: sign-in with other providers, the rules that map people to groups, and who is bound to whom.

pub(super) mod identities;
pub(super) mod mappings;
pub(super) mod providers;
pub(super) mod test;

use serde::{Deserialize, Deserializer};

/// Tells a field that is `null` from one that is missing.
fn sent<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}
