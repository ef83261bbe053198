//! Every key with its default and a comment: what `config defaults` prints.

use super::emit::scalar_text;
use super::table::{Key, Kind, keys};

/// The defaults as YAML that loads; keys without a default, and what stands in lists and maps by name, are comments.
pub fn annotated() -> String {
    let mut out = String::from(
        "# Every key of the configuration with its default. Each can be overridden by DGP_<SECTION>__<KEY>.\n",
    );
    for key in keys() {
        let depth = key.path.matches('.').count() + key.path.matches("[].").count();
        let indent = "  ".repeat(depth);
        out.push_str(&format!("\n{indent}# {}{}\n", key.doc, notes(key)));
        let name = key.name().trim_end_matches("[]");
        let line = match (key.kind, key.default) {
            (Kind::Section, _) if is_live(key) => format!("{name}:"),
            // What stands in a list is shown, not set.
            (_, Some(default)) if key.path.contains("[]") => format!("# {name}: {}", scalar_text(default)),
            (Kind::Count(..), Some(default)) => format!("{name}: {default}"),
            (_, Some(default)) => format!("{name}: {}", scalar_text(default)),
            (_, None) => format!("# {name}:"),
        };
        out.push_str(&format!("{indent}{line}\n"));
    }
    out
}

fn notes(key: &Key) -> String {
    let mut notes = Vec::new();
    match key.kind {
        Kind::Choice(words) | Kind::Variant(words) => notes.push(format!("one of {}", words.join(", "))),
        Kind::Count(from, to) => notes.push(format!("{from} to {to}")),
        _ => {}
    }
    if !key.env.is_empty() {
        notes.push(format!("or {}", key.env.join(", ")));
    }
    if key.host_setting {
        notes.push("a host setting".to_owned());
    }
    if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) }
}

/// A section that the defaults use: `storage.backend` is another form of `storage.filesystem`, and there are no items of lists.
fn is_live(key: &Key) -> bool {
    key.path != "storage.backend" && !key.path.contains("[]")
}
