//! What a mapping rule gave goes with it: at once, and not only when each person signs in again.

use crate::domain::iam::model::{ExternalIdentity, GroupId, MappingRule, User};
use crate::domain::iam::sign_in::{Claims, gives};
use crate::domain::state::State;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Takes away what a rule gave that is gone or says something else by now, from everybody to whom no other rule gives it.
///
/// What the other rules say is decided on the claims that were last seen of the person. Where none were kept, the group goes: the next
/// sign-in gives it back to whoever still has it coming.
pub(super) fn withdraw(state: &mut State, old: &MappingRule) {
    let others: Vec<Arc<MappingRule>> =
        state.mapping_rules.values().filter(|rule| rule.group_id == old.group_id).cloned().collect();
    let still = |identity: &ExternalIdentity| {
        let document = identity.raw_claims.as_ref().and_then(|claims| claims.as_object()).cloned();
        let claims = document.map(Claims::new);
        claims.is_some_and(|claims| others.iter().any(|rule| gives(rule, &identity.provider_id, &claims)))
    };
    let of_provider =
        |identity: &ExternalIdentity| old.provider_id.as_ref().is_none_or(|id| *id == identity.provider_id);
    let has = |identity: &ExternalIdentity| identity.rule_group_ids.contains(&old.group_id);
    let lost: Vec<Arc<ExternalIdentity>> = state
        .identities
        .values()
        .filter(|identity| has(identity) && of_provider(identity) && !still(identity))
        .cloned()
        .collect();
    let group = BTreeSet::from([old.group_id.clone()]);
    for identity in lost {
        let mut without = ExternalIdentity::clone(&identity);
        without.rule_group_ids.remove(&old.group_id);
        state.identities.insert(identity.id.clone(), Arc::new(without));
        if let Some(user) = without_groups(state, &identity.user_id, &group) {
            state.users.insert(user.id.clone(), Arc::new(user));
        }
    }
}

/// A user without these groups, but for those that rules give it by another identity.
pub(super) fn without_groups(state: &State, user_id: &str, groups: &BTreeSet<GroupId>) -> Option<User> {
    let user = state.users.get(user_id)?;
    let identities = state.identities.values().filter(|other| other.user_id == user_id);
    let still: BTreeSet<&GroupId> = identities.flat_map(|other| &other.rule_group_ids).collect();
    let lost = |group: &&GroupId| groups.contains(*group) && !still.contains(group);
    Some(User { group_ids: user.group_ids.iter().filter(|group| !lost(group)).cloned().collect(), ..User::clone(user) })
}
