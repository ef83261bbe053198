//! A document of IAM (`declarative-iam-apply`): the lists of `access` and nothing else, put into the config file's own tree.

use crate::domain::config::canonical::remove;
use crate::domain::config::check::Form;
use crate::domain::config::declared::{Declared, IamMode};
use crate::domain::config::emit::emit;
use crate::domain::config::load::{Loaded, Source, load_tree};
use crate::domain::config::problem::{Problem, Problems};
use crate::domain::config::reader;
use crate::domain::config::scalar::Environment;
use crate::domain::config::table::iam::LISTS;
use crate::domain::config::tree::Node;
use std::collections::BTreeMap;

const MODE: &str = "access.iam_mode";

/// The config as it would load with the document's lists in place of the file's own, and its mode where it names one.
///
/// A problem names the line of the document.
pub fn with_document(own: &Loaded, text: &str, environment: &Environment) -> Result<Loaded, Problems> {
    let document = reader::read(text)?;
    only_iam(&document)?;
    let mut tree = own.tree.clone();
    for path in LISTS {
        remove(&mut tree, &parts(path));
    }
    for path in LISTS.into_iter().chain([MODE]) {
        if let Some(node) = document.find(&parts(path)) {
            tree.set(&parts(path), node.clone());
        }
    }
    load_tree(tree, &Source { text: "", environment, set: &[], form: Form::File }, Vec::new())
}

/// The document that declares this: what `declarative-iam-export` gives.
pub fn document(declared: &Declared) -> String {
    let mut tree = Node::map();
    tree.set(&parts(MODE), Node::text(IamMode::Declarative.as_str()));
    for (path, list) in super::lists(declared, &BTreeMap::new()) {
        tree.set(&parts(path), list);
    }
    emit(&tree)
}

fn only_iam(document: &Node) -> Result<(), Problems> {
    let mut problems = Vec::new();
    let known = |path: &str| path == MODE || LISTS.contains(&path);
    for entry in document.entries() {
        let below = match entry.key.as_str() {
            "access" => entry.node.entries(),
            _ => std::slice::from_ref(entry),
        };
        for inner in below {
            let path = match entry.key.as_str() {
                "access" => format!("access.{}", inner.key),
                other => other.to_owned(),
            };
            if !known(&path) {
                let (line, column) = inner.origin.place();
                let message =
                    "a document of IAM holds nothing but users, groups, providers and mapping rules".to_owned();
                let suggestion = Some(format!("known here: {MODE}, {}", LISTS.join(", ")));
                problems.push(Problem { path, line, column, message, suggestion });
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

fn parts(path: &str) -> Vec<&str> {
    path.split('.').collect()
}
