//! The rules of the tree (`ARCHITECTURE.md`), as plain tests: each names file, line and what to do about it.
//!
//! It needs nothing but `std`, so `tests/all` compiles it alone, before anything else.

#![allow(unreachable_pub, reason = "a test binary has no outside that could reach anything")]

#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/lists.rs"]
mod lists;
#[path = "tidy/planted.rs"]
mod planted;
#[path = "tidy/registers.rs"]
mod registers;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/taste.rs"]
mod taste;

use source::Source;
use std::path::PathBuf;
use std::process::Command;

/// A broken rule.
pub struct Offence {
    /// `file:line`.
    at: String,
    /// What is wrong and what to do.
    what: String,
}

impl Offence {
    fn new(source: &Source, line: usize, what: impl Into<String>) -> Self {
        Self { at: format!("{}:{line}", source.path), what: what.into() }
    }
}

fn root() -> PathBuf {
    let here = std::env::current_dir().expect("there is a working directory");
    let root = here.ancestors().find(|d| d.join("Cargo.lock").exists() && d.join("actors").exists());
    root.expect("tidy runs inside the tree").to_owned()
}

fn product() -> Vec<Source> {
    source::read_tree(&root(), &["src", "actors"])
}

fn everything() -> Vec<Source> {
    source::read_tree(&root(), &["src", "actors", "tests", "web"])
}

fn one(path: &str) -> Option<Source> {
    std::fs::read_to_string(root().join(path)).ok().map(|text| Source::new(path, &text))
}

fn ask_order() -> Vec<String> {
    layers::ask_order(&one("actors/src/kernel/order.rs").expect("the ask order is there"))
}

#[track_caller]
fn clean(offences: Vec<Offence>) {
    let list: Vec<String> = offences.iter().map(|o| format!("{}: {}", o.at, o.what)).collect();
    assert!(list.is_empty(), "{} offence(s):\n{}\n", list.len(), list.join("\n"));
}

#[test]
fn every_file_says_what_it_owns() {
    clean(taste::files_say_what_they_own(&everything()));
}

#[test]
fn no_file_is_longer_than_400_lines() {
    clean(taste::files_are_short(&everything(), lists::LONG_FILES));
}

#[test]
fn the_domain_is_pure() {
    clean(layers::domain_is_pure(&product()));
}

#[test]
fn the_stores_name_no_actix() {
    clean(layers::stores_name_no_actix(&product()));
}

#[test]
fn the_edge_names_no_actor_address() {
    clean(layers::edge_names_no_address(&product(), &ask_order()));
}

#[test]
fn owners_name_each_other_by_handle_and_downward() {
    clean(layers::owners_ask_downward(&product(), &ask_order(), lists::SHARED));
}

#[test]
fn the_ask_order_names_the_folders_of_owners() {
    let order = ask_order();
    assert!(order.len() >= 9, "actors/src/kernel/order.rs names too few owners: {order:?}");
    for owner in order {
        assert!(root().join("actors/src").join(&owner).is_dir(), "{owner} is in the ask order and has no folder");
    }
}

#[test]
fn layers_import_downward() {
    clean(layers::layers_import_downward(&product(), &ask_order()));
}

#[test]
fn unwraps_say_why_they_cannot_fail() {
    clean(taste::unwraps_say_why(&product()));
}

#[test]
fn only_the_command_line_prints() {
    clean(taste::only_the_cli_prints(&product()));
}

#[test]
fn imports_name_names() {
    clean(taste::imports_name_names(&product()));
}

#[test]
fn nothing_is_left_open() {
    clean(taste::nothing_is_left_open(&product()));
}

#[test]
fn secrets_have_their_type() {
    clean(taste::secrets_have_their_type(&product(), lists::PLAIN_TEXT_FIELDS));
}

#[test]
fn every_error_kind_has_a_row_in_both_maps() {
    let kinds = one("actors/src/error.rs").expect("the error kinds are there");
    assert!(registers::variants(&kinds, "ErrorKind").len() > 20, "the error kinds were not found");
    for map in ["src/http/s3/error.rs", "src/http/admin/error.rs"] {
        if let Some(map) = one(map) {
            clean(registers::kinds_have_a_row(&kinds, &map));
        }
    }
}

#[test]
fn every_config_key_is_in_the_example() {
    let example = std::fs::read_to_string(root().join("config/example.yaml")).expect("the example is there");
    for section in ["admission", "access", "storage", "advanced", "backup"] {
        let table = one(&format!("actors/src/domain/config/table/{section}.rs")).expect("each section has its table");
        let keys = registers::config_keys(&table);
        assert!(keys.len() > 5, "the config keys of `{section}` were not found");
        clean(registers::keys_are_shown(&keys, &table, &example));
    }
}

#[test]
fn tracked_files_lie_where_the_architecture_says() {
    let list = Command::new("git").arg("ls-files").current_dir(root()).output().expect("git is there");
    let tracked: Vec<String> = String::from_utf8_lossy(&list.stdout).lines().map(str::to_owned).collect();
    assert!(!tracked.is_empty(), "git names no tracked file");
    clean(registers::top_level_is_as_listed(&tracked, lists::TOP_LEVEL));
}
