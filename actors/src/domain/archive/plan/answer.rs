//! The answer of a restore, undo or dry run as JSON.

use crate::domain::archive::plan::{Change, Counted, Options, Plan, Strategy};
use crate::domain::config::table;
use serde_json::{Map, Value, json};

impl Plan {
    /// The body of `POST /backup`; the caller adds `restore_id`, `pre_restore_backup` and `self_check`.
    pub fn answer(&self, options: &Options, restored: bool) -> Map<String, Value> {
        let mut body = self.answer_as(options.mode.as_str(), options.strategy, restored);
        let from = if options.host_settings_of_archive { "archive" } else { "host" };
        let settings: Vec<&str> = table::host_settings().collect();
        body.insert("host_settings".into(), json!({"from": from, "settings": settings}));
        body
    }

    /// The same for what is no restore of an archive.
    pub fn answer_as(&self, mode: &str, strategy: Strategy, restored: bool) -> Map<String, Value> {
        let shadowed = self.shadowed_by_environment.iter();
        let shadowed: Vec<Value> = shadowed.map(|s| json!({"path": s.path, "variable": s.variable})).collect();
        let kept: Vec<&str> = self.buckets_kept.iter().map(|name| name.as_str()).collect();
        let body = json!({
            "restored": restored,
            "epoch": self.next.meta.epoch,
            "generation": self.next.meta.generation,
            "strategy": strategy.as_str(),
            "mode": mode,
            "signer": self.signer,
            "changes": self.changes,
            "warnings": self.warnings,
            "shadowed_by_environment": shadowed,
            "requires_restart": self.requires_restart,
            "keys": {
                "added": self.keys.added, "kept": self.keys.kept, "active": self.keys.active, "retired": self.keys.retired,
            },
            "buckets_kept": kept,
            "quarantined_from": self.next.meta.quarantined_from,
        });
        let Value::Object(mut body) = body else { return Map::new() };
        let (changes, captured) = (&self.changes, &self.captured);
        let legacy = [
            ("users", &changes.users, captured.users),
            ("groups", &changes.groups, captured.groups),
            ("auth_providers", &changes.providers, captured.auth_providers),
            ("mapping_rules", &changes.mapping_rules, captured.mapping_rules),
            ("external_identities", &changes.external_identities, captured.external_identities),
        ];
        for (name, counted, captured) in legacy {
            // What a merge skips is what the archive has and here is already, not everything that is here.
            let skipped = match strategy {
                Strategy::Replace => counted.unchanged as u64,
                Strategy::Merge => captured.saturating_sub(counted.created as u64),
            };
            body.insert(format!("{name}_created"), counted.created.into());
            body.insert(format!("{name}_skipped"), skipped.into());
        }
        body
    }
}

impl Counted {
    /// The names of what happens in one way, for logs and tests.
    pub fn names(&self, change: Change) -> Vec<&str> {
        self.items.iter().filter(|item| item.change == change).map(|item| item.name.as_str()).collect()
    }
}
