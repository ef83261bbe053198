//! The rules that compare one list in the code with another: error kinds with both error maps, config keys with the example,
//! tracked files with the top level that the architecture names.

use super::Offence;
use super::source::{Source, is_ident, item_end};

/// Every kind of error has a row in a map of kinds.
pub fn kinds_have_a_row(kinds: &Source, map: &Source) -> Vec<Offence> {
    let named = |kind: &str| map.product().any(|(_, text)| words(text).any(|w| w == kind));
    variants(kinds, "ErrorKind")
        .into_iter()
        .filter(|kind| !named(kind))
        .map(|kind| {
            Offence::new(map, 1, format!("`ErrorKind::{kind}` has no row here: say what the client gets for it"))
        })
        .collect()
}

/// The variants of an enum without fields.
pub fn variants(source: &Source, name: &str) -> Vec<String> {
    let Some(start) = source.code.iter().position(|l| l.contains(&format!("enum {name} "))) else { return Vec::new() };
    let body = &source.code[start + 1..item_end(&source.code, start)];
    body.iter()
        .filter_map(|l| Some(l.trim().strip_suffix(',')?.to_owned()))
        .filter(|v| v.chars().all(is_ident))
        .collect()
}

/// (line, name) of every key in the table of config keys.
pub fn config_keys(table: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let Some(start) = table.code.iter().position(|l| l.contains("const KEYS:")) else { return found };
    let list = start..=item_end(&table.code, start);
    for (number, line) in table.raw.iter().enumerate().filter(|(number, _)| list.contains(number)) {
        let Some((_, after)) = line.split_once("Key::new(") else { continue };
        let place = if after.trim().is_empty() { number + 1 } else { number };
        let text = if place == number { after } else { &table.raw[place] };
        if let Some(path) = text.split('"').nth(1) {
            found.push((place + 1, path.rsplit('.').next().unwrap_or(path).to_owned()));
        }
    }
    found
}

/// Every key is in the example, as a key or in a comment.
pub fn keys_are_shown(keys: &[(usize, String)], source: &Source, example: &str) -> Vec<Offence> {
    let shown: Vec<&str> = example.lines().flat_map(words).collect();
    keys.iter()
        .filter(|(_, key)| !shown.contains(&key.as_str()))
        .map(|(line, key)| {
            Offence::new(source, *line, format!("`{key}` is missing in config/example.yaml: show it there"))
        })
        .collect()
}

/// Tracked files lie under the names that the architecture lists.
pub fn top_level_is_as_listed(tracked: &[String], listed: &[&str]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for path in tracked {
        let top = path.split('/').next().unwrap_or_default();
        if !listed.contains(&top) {
            let what = format!("`{top}` is not on the list of architecture.md §1: move it into a folder that is");
            offences.push(Offence { at: path.clone(), what });
        }
    }
    offences
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !is_ident(c)).filter(|w| !w.is_empty())
}
