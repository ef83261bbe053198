//! What the environment overrides: every key by its mechanical name `DGP_<SECTION>__<KEY>`, some by a short name, too.

use super::problem::{Problem, nearest};
use super::scalar::Environment;
use super::table::{Key, Kind, keys};
use super::tree::{Node, Origin, Value};
use std::collections::BTreeMap;

/// Variables that begin with `DGP_` and override no key: they say where the config is, or are read once at start.
const OTHER_VARIABLES: [&str; 6] =
    ["DGP_CONFIG", "DGP_STATE_DIR", "DGP_BOOTSTRAP_PASSWORD", "DGP_BOOTSTRAP_PASSWORD_FILE", "DGP_SERVER", "DGP_TOKEN"];

/// The mechanical name of a key: `advanced.log_level` → `DGP_ADVANCED__LOG_LEVEL`. Items of lists and maps have one each.
pub fn variable_name(path: &[&str]) -> String {
    let parts: Vec<String> = path.iter().map(|part| normal(part)).collect();
    format!("DGP_{}", parts.join("__"))
}

/// Lays the environment over the tree of the file.
pub(super) fn apply(
    tree: &mut Node,
    environment: &Environment,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<String>,
) {
    let targets = targets(tree);
    let mut set: BTreeMap<Vec<String>, (&str, &str)> = BTreeMap::new();
    for (name, value) in environment.iter().filter(|(name, _)| name.starts_with("DGP_")) {
        let Some(path) = targets.get(name) else {
            unknown(name, &targets, problems, warnings);
            continue;
        };
        match set.get(path) {
            Some((other, same)) if *same != value => {
                let message = format!("the environment variables {other} and {name} disagree");
                problems.push(problem(&path.join("."), message, Some("unset one of them".to_owned())));
            }
            _ => {
                set.insert(path.clone(), (name, value));
            }
        }
    }
    for (path, (name, value)) in set {
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        let node = Node {
            value: Value::Scalar { text: value.to_owned(), plain: false },
            origin: Origin::Env(name.to_owned()),
            comment: None,
        };
        let node = if is_list(&parts) { split(node, value) } else { node };
        if !tree.set(&parts, node) {
            let message = format!("the environment variable {name} has no place here");
            problems.push(problem(&path.join("."), message, None));
        }
    }
}

/// Where the directory of the default backend stands in this tree.
pub(super) fn data_dir_path(tree: &Node) -> Vec<String> {
    default_backend_path(tree, "path")
}

/// Where a key of the default backend stands in this tree; the directory has a short form of its own.
fn default_backend_path(tree: &Node, key: &str) -> Vec<String> {
    let storage = tree.get("storage");
    let listed = storage.and_then(|storage| storage.get("backends")).map_or(&[] as &[Node], Node::items);
    let default = storage.and_then(|storage| storage.get("default_backend")).and_then(Node::as_text);
    let first = listed.first().and_then(|item| item.get("name")).and_then(Node::as_text);
    let path: &[&str] = match (default.or(first), listed.is_empty()) {
        (Some(name), false) => &["storage", "backends", name, key],
        _ if key != "path" || storage.is_some_and(|storage| storage.get("backend").is_some()) => {
            &["storage", "backend", key]
        }
        _ => &["storage", "filesystem"],
    };
    path.iter().map(|part| (*part).to_owned()).collect()
}

/// Every variable that this tree knows, and the path that it sets.
fn targets(tree: &Node) -> BTreeMap<String, Vec<String>> {
    let mut targets = BTreeMap::new();
    // Rules of admission are read in their order, as a whole: a part of one from elsewhere would be seen by nobody.
    let overridden = |key: &&Key| {
        let one_value = !key.is_container() && !matches!(key.kind, Kind::Data(_));
        one_value && !key.in_iam_list() && key.path.contains('.') && !key.path.starts_with("admission.")
    };
    for key in keys().filter(overridden) {
        for path in expanded(tree, key) {
            let parts: Vec<&str> = path.iter().map(String::as_str).collect();
            let name = variable_name(&parts);
            let path = if key.path == "storage.filesystem" { data_dir_path(tree) } else { path };
            // The short names mean the default backend, in whatever form the file has it.
            let short = match key.path.strip_prefix("storage.backend.") {
                Some(key) => default_backend_path(tree, key),
                None => path.clone(),
            };
            for alias in key.env {
                targets.insert((*alias).to_owned(), short.clone());
            }
            targets.insert(name, path);
        }
    }
    targets
}

/// The paths of a key in this tree: one, or one for each item of the list or map that it stands in.
fn expanded(tree: &Node, key: &Key) -> Vec<Vec<String>> {
    let Some((container, name)) = key.path.split_once("[].").or_else(|| key.path.split_once(".*.")) else {
        return vec![key.path.split('.').map(str::to_owned).collect()];
    };
    // The name of an item is no setting, and a key of a map within an item has no variable of its own.
    if key.path.ends_with("[].name") || name.contains(".*") {
        return Vec::new();
    }
    let parts: Vec<&str> = container.split('.').collect();
    let Some(node) = tree.find(&parts) else { return Vec::new() };
    let listed = node.items().iter().filter_map(|item| item.get("name").and_then(Node::as_text));
    let named = node.entries().iter().map(|entry| entry.key.as_str());
    let path = |item: &str| parts.iter().copied().chain([item]).chain(name.split('.')).map(str::to_owned).collect();
    listed.chain(named).map(path).collect()
}

fn is_list(path: &[&str]) -> bool {
    let path = match path {
        ["storage", "buckets", _, name] => format!("storage.buckets.*.{name}"),
        _ => path.join("."),
    };
    keys().any(|key| key.path == path && matches!(key.kind, Kind::Texts(_)))
}

/// `a,b` as a list; nothing as the empty list.
fn split(node: Node, value: &str) -> Node {
    let texts = value.split(',').map(str::trim).filter(|text| !text.is_empty());
    let item = |text: &str| Node { origin: node.origin.clone(), ..Node::text(text) };
    Node { value: Value::List(texts.map(item).collect()), ..node.clone() }
}

fn unknown(
    name: &str,
    targets: &BTreeMap<String, Vec<String>>,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<String>,
) {
    let near = nearest(name, targets.keys().map(String::as_str));
    let near = near.map(|near| format!("did you mean {near}?"));
    if name.contains("__") {
        problems.push(problem("", format!("the environment variable {name} overrides no key"), near));
    } else if !OTHER_VARIABLES.contains(&name)
        && let Some(near) = near
    {
        warnings.push(format!("the environment variable {name} is not known and does nothing; {near}"));
    }
}

fn problem(path: &str, message: String, suggestion: Option<String>) -> Problem {
    Problem { path: path.to_owned(), line: 0, column: 0, message, suggestion }
}

fn normal(part: &str) -> String {
    part.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::config::reader;

    #[test]
    fn the_mechanical_name_is_made_from_the_path() {
        assert_eq!(variable_name(&["advanced", "log_level"]), "DGP_ADVANCED__LOG_LEVEL");
        assert_eq!(variable_name(&["storage", "backends", "hot-1", "path"]), "DGP_STORAGE__BACKENDS__HOT_1__PATH");
    }

    #[test]
    fn the_data_directory_goes_to_the_default_backend_in_every_form() {
        let path = |text: &str| data_dir_path(&reader::read(text).unwrap()).join(".");
        assert_eq!(path(""), "storage.filesystem");
        assert_eq!(path("storage: {backend: {type: filesystem, path: ./x}}"), "storage.backend.path");
        let two = "storage: {backends: [{name: a, type: filesystem, path: /a}, {name: b, type: filesystem, path: /b}]";
        assert_eq!(path(&format!("{two}}}")), "storage.backends.a.path");
        assert_eq!(path(&format!("{two}, default_backend: b}}")), "storage.backends.b.path");
    }
}
