//! Groups by name.

use super::Means;
use super::diff::{Diff, Verb, differing};
use crate::domain::config::declared::Declared;
use crate::domain::iam::change::sign_in::forget_group;
use crate::domain::iam::model::{Group, GroupId};
use crate::domain::state::State;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The ids of the groups by name.
pub(super) fn by_name(state: &State) -> HashMap<&str, &GroupId> {
    state.groups.values().map(|group| (group.name.as_str(), &group.id)).collect()
}

pub(super) fn apply(declared: &Declared, next: &mut State, means: &Means<'_>, diff: &mut Diff) {
    let Some(groups) = &declared.groups else { return };
    let ids: HashMap<String, GroupId> =
        by_name(next).into_iter().map(|(name, id)| (name.to_owned(), id.clone())).collect();
    let mut named = BTreeSet::new();
    for group in groups {
        let (description, permissions) = (group.description.clone(), group.permissions.clone());
        let old = ids.get(&group.name).and_then(|id| next.groups.get(id)).cloned();
        let entry = match old {
            None => {
                diff.note("group", &group.name, Verb::Created, Vec::new());
                Group {
                    id: (means.new_id)(),
                    name: group.name.clone(),
                    description,
                    created_at: means.now,
                    permissions,
                }
            }
            Some(old) => {
                named.insert(old.id.clone());
                let fields = differing(&[
                    ("description", old.description != description),
                    ("permissions", old.permissions != permissions),
                ]);
                if fields.is_empty() {
                    continue;
                }
                diff.note("group", &group.name, Verb::Updated, fields);
                Group { description, permissions, ..Group::clone(&old) }
            }
        };
        named.insert(entry.id.clone());
        next.groups.insert(entry.id.clone(), Arc::new(entry));
    }
    let gone: Vec<Arc<Group>> = next.groups.values().filter(|group| !named.contains(&group.id)).cloned().collect();
    for group in &gone {
        diff.note("group", &group.name, Verb::Deleted, Vec::new());
        next.groups.remove(&group.id);
    }
    if gone.is_empty() {
        return;
    }
    let groups = &next.groups;
    for user in next.users.values_mut().filter(|user| user.group_ids.iter().any(|id| !groups.contains_key(id))) {
        Arc::make_mut(user).group_ids.retain(|id| groups.contains_key(id));
    }
    for group in gone {
        forget_group(next, &group.id);
    }
}
