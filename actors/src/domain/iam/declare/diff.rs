//! What a declaration changes, counted and named.

use serde::Serialize;

/// All changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "each field is named after what it counts")]
pub struct Diff {
    pub users_created: usize,
    pub users_updated: usize,
    pub users_deleted: usize,
    pub groups_created: usize,
    pub groups_updated: usize,
    pub groups_deleted: usize,
    pub providers_created: usize,
    pub providers_updated: usize,
    pub providers_deleted: usize,
    /// How many rules there are from then on, where they are not those that there were.
    pub mapping_rules_replaced: usize,
    /// Nothing differs.
    pub no_changes: bool,
    /// What is created, updated or deleted.
    pub items: Vec<Item>,
    /// What the operator should read.
    pub warnings: Vec<String>,
}

/// One changed entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// `user`, `group`, `provider`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What happens to it.
    pub change: Verb,
    /// The fields that differ, where it is updated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<&'static str>,
}

/// What happens to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum Verb {
    Created,
    Updated,
    Deleted,
}

impl Diff {
    /// Counts and names a change.
    pub(super) fn note(&mut self, kind: &'static str, name: &str, change: Verb, fields: Vec<&'static str>) {
        let [created, updated, deleted] = match kind {
            "user" => [&mut self.users_created, &mut self.users_updated, &mut self.users_deleted],
            "group" => [&mut self.groups_created, &mut self.groups_updated, &mut self.groups_deleted],
            _ => [&mut self.providers_created, &mut self.providers_updated, &mut self.providers_deleted],
        };
        *match change {
            Verb::Created => created,
            Verb::Updated => updated,
            Verb::Deleted => deleted,
        } += 1;
        self.items.push(Item { kind, name: name.to_owned(), change, fields });
    }

    /// One line for the log: `users +1 ~0 -2, groups …`.
    pub fn summary(&self) -> String {
        format!(
            "users +{} ~{} -{}, groups +{} ~{} -{}, providers +{} ~{} -{}, mapping rules {}",
            self.users_created,
            self.users_updated,
            self.users_deleted,
            self.groups_created,
            self.groups_updated,
            self.groups_deleted,
            self.providers_created,
            self.providers_updated,
            self.providers_deleted,
            self.mapping_rules_replaced
        )
    }
}

/// The names of the fields that differ.
pub(super) fn differing(fields: &[(&'static str, bool)]) -> Vec<&'static str> {
    fields.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect()
}
