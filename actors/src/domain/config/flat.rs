//! The older flat shape (`listen_addr:` at the root): read with a warning, never written.

use super::problem::{Complaint, Problem};
use super::table::keys;
use super::tree::{Node, Value};

/// Moves the keys of the flat shape into their sections. The two shapes must not be mixed.
pub(super) fn to_sections(mut tree: Node, problems: &mut Vec<Problem>, warnings: &mut Vec<String>) -> Node {
    let Value::Map(entries) = &tree.value else { return tree };
    let flat: Vec<(&str, &str)> = entries
        .iter()
        .filter_map(|entry| {
            let key = keys().find(|key| key.flat == Some(entry.key.as_str()))?;
            Some((key.path, key.flat?))
        })
        .collect();
    if flat.is_empty() {
        return tree;
    }
    let section = entries.iter().find(|entry| keys().any(|key| key.is_container() && key.path == entry.key));
    if let Some(section) = section {
        for (path, name) in flat {
            let Some(entry) = entries.iter().find(|entry| entry.key == name) else { continue };
            let message = format!("the older flat shape is mixed with the section `{}`", section.key);
            let complaint = Complaint::new(message).suggest(format!("move it to `{path}`"));
            let (line, column) = entry.origin.place();
            problems.push(Problem {
                path: name.to_owned(),
                line,
                column,
                message: complaint.message,
                suggestion: complaint.suggestion,
            });
        }
        return tree;
    }
    let names: Vec<&str> = flat.iter().map(|(_, name)| *name).collect();
    warnings.push(format!("the older flat shape is read ({}); it will be written in sections", names.join(", ")));
    for (path, name) in flat {
        if let Some(node) = tree.remove(name) {
            let path: Vec<&str> = path.split('.').collect();
            tree.set(&path, node);
        }
    }
    tree
}
