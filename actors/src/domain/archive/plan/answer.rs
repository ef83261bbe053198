//! The answer of a restore or dry run as JSON, and its record in the next state.

use crate::domain::archive::plan::{Change, Counted, Options, Plan};
use crate::domain::clock::Timestamp;
use crate::domain::state::RestoreRecord;
use serde_json::{Map, Value, json};
use std::sync::Arc;

impl Plan {
    /// The body of `POST /backup`; the caller adds `restore_id`, `pre_restore_backup` and `self_check`.
    pub fn answer(&self, options: &Options, restored: bool) -> Map<String, Value> {
        let shadowed = self.shadowed_by_environment.iter();
        let shadowed: Vec<Value> = shadowed.map(|s| json!({"path": s.path, "variable": s.variable})).collect();
        let kept: Vec<&str> = self.buckets_kept.iter().map(|name| name.as_str()).collect();
        let body = json!({
            "restored": restored,
            "epoch": self.next.meta.epoch,
            "generation": self.next.meta.generation,
            "strategy": options.strategy.as_str(),
            "mode": options.mode.as_str(),
            "signer": self.signer,
            "changes": self.changes,
            "warnings": self.warnings,
            "shadowed_by_environment": shadowed,
            "requires_restart": self.requires_restart,
            "keys": {"added": self.keys.added, "kept": self.keys.kept, "active": self.keys.active},
            "buckets_kept": kept,
            "quarantined_from": self.next.meta.quarantined_from,
        });
        let Value::Object(mut body) = body else { return Map::new() };
        let changes = &self.changes;
        let legacy = [
            ("users", &changes.users),
            ("groups", &changes.groups),
            ("auth_providers", &changes.providers),
            ("mapping_rules", &changes.mapping_rules),
            ("external_identities", &changes.external_identities),
        ];
        for (name, counted) in legacy {
            body.insert(format!("{name}_created"), counted.created.into());
            body.insert(format!("{name}_skipped"), counted.unchanged.into());
        }
        body
    }

    /// Notes the restore in the state that is staged.
    pub fn record(&mut self, restore_id: &str, at: Timestamp, actor: &str, outcome: Value) {
        let record = RestoreRecord { restore_id: restore_id.to_owned(), at, actor: actor.to_owned(), outcome };
        self.next.restores.insert(restore_id.to_owned(), Arc::new(record));
    }
}

impl Counted {
    /// The names of what happens in one way, for logs and tests.
    pub fn names(&self, change: Change) -> Vec<&str> {
        self.items.iter().filter(|item| item.change == change).map(|item| item.name.as_str()).collect()
    }
}
