//! How plans, outcomes and lists of backups are printed for people; scripts get the JSON.

use crate::cli::remote::{Shown, words};
use crate::exit::Exit;
use serde_json::Value;
use std::fmt::Write;

/// The lists that a plan counts, by the name in its JSON and as people call them.
const LISTS: [(&str, &str); 7] = [
    ("users", "users"),
    ("groups", "groups"),
    ("providers", "sign-in providers"),
    ("mapping_rules", "mapping rules"),
    ("external_identities", "external identities"),
    ("tokens", "tokens"),
    ("buckets", "buckets"),
];

/// What a restore did, or would do.
pub(super) fn restored(answer: Value) -> Shown {
    let mut text = String::new();
    let verb = if answer["restored"] == true { "restored" } else { "plan (nothing was changed)" };
    let mut line = |text_line: String| {
        // Writing into a `String` never fails.
        let _ = writeln!(text, "{text_line}");
    };
    line(format!("{verb}: {}, {}", words(&answer["mode"]), words(&answer["strategy"])));
    let archive = &answer["archive"];
    if archive.is_object() {
        line(format!("captured {} by instance {}", words(&archive["captured_at"]), words(&archive["instance_id"])));
    }
    for (name, called) in LISTS {
        let counted = &answer["changes"][name];
        let number = |field: &str| counted[field].as_u64().unwrap_or_default();
        let (created, updated, deleted) = (number("created"), number("updated"), number("deleted"));
        if created + updated + deleted > 0 {
            line(format!("{called}: {created} created, {updated} updated, {deleted} deleted"));
        }
        for item in counted["items"].as_array().into_iter().flatten() {
            line(format!("  {} {}", words(&item["change"]), words(&item["name"])));
        }
    }
    for change in answer["changes"]["config"].as_array().into_iter().flatten() {
        line(format!("config {}: {} -> {}", words(&change["path"]), words(&change["from"]), words(&change["to"])));
    }
    for (field, says) in [("warnings", "warning"), ("requires_restart", "takes effect with the next start")] {
        for item in answer[field].as_array().into_iter().flatten() {
            line(format!("{says}: {}", words(item)));
        }
    }
    for item in answer["shadowed_by_environment"].as_array().into_iter().flatten() {
        line(format!("warning: {} stays what {} says", words(&item["path"]), words(&item["variable"])));
    }
    if answer["host_settings"]["from"] == "host" && answer["restored"] != true {
        let settings: Vec<String> =
            answer["host_settings"]["settings"].as_array().into_iter().flatten().map(words).collect();
        line(format!("stays as this host has it: {}", settings.join(", ")));
    }
    if answer["restored"] == true {
        line(format!(
            "in force: {}.{} (restore {})",
            words(&answer["epoch"]),
            words(&answer["generation"]),
            words(&answer["restore_id"])
        ));
    }
    Shown { text, json: answer, exit: Exit::Ok }
}

/// A file that was written.
pub(super) fn written(file: &str, bytes: usize, sha256: &str) -> Shown {
    // What goes to standard output is the archive itself, and nothing beside it.
    let text = if file == "-" { String::new() } else { format!("{file}: {bytes} bytes, sha256 {sha256}\n") };
    Shown::new(text, serde_json::json!({"file": file, "bytes": bytes, "sha256": sha256}))
}

/// One stored backup.
pub(super) fn stored(backup: Value) -> Shown {
    let state = if backup["verified"] == true { "verified" } else { "not verified" };
    Shown::new(format!("{}: {} bytes, {state}\n", words(&backup["id"]), words(&backup["bytes"])), backup)
}

/// The stored backups.
pub(super) fn list(backups: Value) -> Shown {
    Shown::table(
        backups,
        &[
            ("ID", "id"),
            ("CAPTURED", "at"),
            ("BYTES", "bytes"),
            ("VERIFIED", "verified_at"),
            ("OWN", "own"),
            ("WHY", "trigger"),
            ("EXPIRES", "expires"),
        ],
    )
}

/// The record of restores: one line each.
pub(super) fn restores(records: Value) -> Shown {
    let line = |record: &Value| match record["restored"] == true {
        true => format!(
            "{}  restored, {}.{}\n",
            words(&record["restore_id"]),
            words(&record["epoch"]),
            words(&record["generation"])
        ),
        false => format!("{}  failed: {}\n", words(&record["restore_id"]), words(&record["error"]["detail"])),
    };
    let text: String = records.as_array().into_iter().flatten().map(line).collect();
    Shown::new(text, records)
}

/// A clone that went live.
pub(super) fn live(answer: Value) -> Shown {
    Shown::new(format!("instance {} is live\n", words(&answer["instance_id"])), answer)
}

/// What retention removed, or would remove.
pub(super) fn pruned(gone: Vec<Value>, dry_run: bool) -> Shown {
    let verb = if dry_run { "would go" } else { "is gone" };
    let text = match gone.is_empty() {
        true => "backup.keep keeps every one that this instance stored\n".to_owned(),
        false => gone.iter().map(|id| format!("{} {verb}\n", words(id))).collect(),
    };
    Shown::new(text, serde_json::json!({"dry_run": dry_run, "pruned": gone}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_plan_is_told_in_numbers_names_and_warnings() {
        let plan = json!({"restored": false, "mode": "full", "strategy": "replace", "archive": {"captured_at": "t", "instance_id": "i"},
            "changes": {"users": {"created": 1, "updated": 0, "deleted": 2, "items": [{"change": "created", "name": "ann"}]},
                "config": [{"path": "a.b", "from": null, "to": "x"}]},
            "warnings": ["careful"], "shadowed_by_environment": [{"path": "a.b", "variable": "DGP_A__B"}], "requires_restart": []});
        let text = restored(plan).text;
        for line in [
            "plan (nothing was changed): full, replace",
            "users: 1 created, 0 updated, 2 deleted",
            "  created ann",
            "config a.b: - -> x",
            "warning: careful",
            "warning: a.b stays what DGP_A__B says",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("in force"));
    }
}
