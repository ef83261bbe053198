//! Each rule catches an offence that is planted for it, and lets its good twin pass.

use super::source::Source;
use super::{Offence, layers, registers, taste};

fn at(offences: &[Offence]) -> Vec<&str> {
    offences.iter().map(|o| o.at.as_str()).collect()
}

fn order() -> Vec<String> {
    ["backup", "system", "config", "iam"].map(str::to_owned).to_vec()
}

fn file(path: &str, text: &str) -> [Source; 1] {
    [Source::new(path, text)]
}

#[test]
fn literals_and_comments_are_no_code() {
    let text = "//! x\nlet a = \"std::fs::read // \\\" }\"; /* std::net /* nested */ */\nlet b = r#\"tokio::spawn \"\"#;\nlet c: &'a str = '\"';\n";
    assert!(layers::domain_is_pure(&file("actors/src/domain/x.rs", text)).is_empty());
}

#[test]
fn a_file_without_a_heading_is_caught() {
    assert_eq!(at(&taste::files_say_what_they_own(&file("src/a.rs", "use x::y;\n"))), ["src/a.rs:1"]);
    assert!(taste::files_say_what_they_own(&file("src/a.rs", "//! Owns a.\n")).is_empty());
}

#[test]
fn a_long_file_and_a_dead_exception_are_caught() {
    let long = "//! x\n".repeat(401);
    assert_eq!(at(&taste::files_are_short(&file("src/a.rs", &long), &[])), ["src/a.rs:401"]);
    assert!(taste::files_are_short(&file("src/a.rs", &long), &[("src/a.rs", "why")]).is_empty());
    assert_eq!(at(&taste::files_are_short(&file("src/a.rs", "//! x\n"), &[("src/a.rs", "why")])), ["src/a.rs:1"]);
}

#[test]
fn an_impure_domain_is_caught() {
    let bad = ["use tokio::sync::Mutex;", "use actix_web::web;", "use std::{fmt, fs};", "fn f() { std::fs::read(p); }"];
    let sockets = ["use std::net::{IpAddr, TcpStream};", "use std::net;", "use rusqlite::Connection as C;"];
    for text in bad.iter().chain(&sockets) {
        assert_eq!(layers::domain_is_pure(&file("actors/src/domain/iam/x.rs", text)).len(), 1, "{text}");
    }
    let good = "use std::net::{IpAddr, SocketAddr};\nuse std::fmt;\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
    assert!(layers::domain_is_pure(&file("actors/src/domain/iam/x.rs", good)).is_empty());
}

#[test]
fn actix_in_a_store_is_caught() {
    for folder in ["storage/fs", "db", "zipper", "disk"] {
        let path = format!("actors/src/{folder}/x.rs");
        assert_eq!(layers::stores_name_no_actix(&file(&path, "use actix_rt::spawn;")).len(), 1, "{path}");
    }
    assert!(layers::stores_name_no_actix(&file("actors/src/store/actor.rs", "use actix::Actor;")).is_empty());
}

#[test]
fn an_address_in_the_edge_is_caught() {
    assert_eq!(
        layers::edge_names_no_address(&file("src/app/a.rs", "struct A { b: actix::Addr<B> }"), &order()).len(),
        1
    );
    assert_eq!(layers::edge_names_no_address(&file("src/app/a.rs", "use actors::iam::actor::Iam;"), &order()).len(), 1);
    assert!(
        layers::edge_names_no_address(&file("src/app/a.rs", "fn f(a: Option<SocketAddr>) {}"), &order()).is_empty()
    );
    assert!(
        layers::edge_names_no_address(&file("src/app/a.rs", "use actors::iam::handle::IamHandle;"), &order())
            .is_empty()
    );
}

#[test]
fn an_owner_that_reaches_around_a_handle_is_caught() {
    let caught = |path, text| layers::owners_ask_downward(&file(path, text), &order(), &[("iam::rules", "why")]).len();
    assert_eq!(caught("actors/src/system/actor.rs", "use crate::iam::state::State;"), 1);
    assert_eq!(caught("actors/src/system/actor.rs", "use super::super::iam::messages::Get;"), 1);
    assert_eq!(caught("actors/src/iam/actor.rs", "use crate::system::handle::SystemHandle;"), 1);
    assert_eq!(caught("actors/src/system/actor.rs", "use crate::{domain::state, iam::handle::IamHandle};"), 0);
    assert_eq!(caught("actors/src/system/actor.rs", "use super::state::View;"), 0);
    assert_eq!(caught("actors/src/system/actor.rs", "use crate::iam::IamHandle;\nuse crate::iam::rules::Rule;"), 0);
    assert_eq!(caught("actors/src/iam/actor.rs", "use crate::system::SystemHandle;"), 1);
}

#[test]
fn the_ask_order_is_read_from_its_table() {
    let table = "//! x\n/// Not \"this\".\npub const ORDER: [&str; 2] =\n    [\"backup\", \"system\"];\n#[cfg(test)]\nmod tests {\n    const A: &str = \"b\";\n}\n";
    assert_eq!(layers::ask_order(&Source::new("order.rs", table)), ["backup", "system"]);
}

#[test]
fn an_import_upward_is_caught() {
    let caught = |path, text| layers::layers_import_downward(&file(path, text), &order()).len();
    assert_eq!(caught("actors/src/domain/x.rs", "use crate::storage::ObjectStore;"), 1);
    assert_eq!(caught("actors/src/db/x.rs", "use crate::kernel::Handle;"), 1);
    assert_eq!(caught("actors/src/kernel/x.rs", "use crate::system::handle::SystemHandle;"), 1);
    assert_eq!(caught("actors/src/storage/x.rs", "use crate::{Error, disk::Disk, domain::names::BucketName};"), 0);
}

#[test]
fn an_unexplained_unwrap_is_caught() {
    let caught = |text| taste::unwraps_say_why(&file("src/a.rs", text)).len();
    assert_eq!(caught("fn f() {\n    a.unwrap();\n}\n"), 1);
    assert_eq!(caught("fn f() {\n    a\n        .b()\n        .expect(\"c\");\n}\n"), 1);
    assert_eq!(caught("fn f() {\n    // A literal is valid.\n    a\n        .b()\n        .expect(\"c\");\n}\n"), 0);
    assert_eq!(caught("fn f() {\n    self.expect(b'x')?;\n    a.unwrap_or(1);\n}\n"), 0);
    assert_eq!(caught("#[cfg(test)]\nmod tests {\n    fn f() { a.unwrap(); }\n}\n"), 0);
    assert_eq!(caught("#[cfg(all(test, feature = \"faults\"))]\nmod tests {\n    fn f() { a.unwrap(); }\n}\n"), 0);
}

#[test]
fn printing_outside_the_command_line_is_caught() {
    assert_eq!(taste::only_the_cli_prints(&file("src/app/a.rs", "fn f() { println!(\"x\"); }")).len(), 1);
    assert_eq!(taste::only_the_cli_prints(&file("actors/src/a.rs", "fn f() { eprintln!(\"x\"); }")).len(), 1);
    assert!(taste::only_the_cli_prints(&file("src/cli/a.rs", "fn f() { println!(\"x\"); }")).is_empty());
}

#[test]
fn a_glob_is_caught() {
    assert_eq!(taste::imports_name_names(&file("src/a.rs", "use a::{b, c::*};")).len(), 1);
    assert!(
        taste::imports_name_names(&file("src/a.rs", "#[cfg(test)]\nmod tests {\n    use super::*;\n}\n")).is_empty()
    );
}

#[test]
fn a_stub_is_caught() {
    assert_eq!(taste::nothing_is_left_open(&file("src/a.rs", "fn f() { todo!() }")).len(), 1);
}

#[test]
fn a_secret_as_text_is_caught() {
    let text = "pub struct A {\n    pub api_token: Option<String>,\n    pub name: String,\n}\nfn f(key: String) {}\n";
    assert_eq!(at(&taste::secrets_have_their_type(&file("src/a.rs", text), &[])), ["src/a.rs:2"]);
    assert!(taste::secrets_have_their_type(&file("src/a.rs", text), &[("src/a.rs", "api_token", "why")]).is_empty());
    let variant = "enum A {\n    B { password: String },\n}\n";
    assert_eq!(taste::secrets_have_their_type(&file("src/a.rs", variant), &[]).len(), 1);
    assert_eq!(
        taste::secrets_have_their_type(&file("src/a.rs", "//! x\n"), &[("src/a.rs", "gone_key", "why")]).len(),
        1
    );
}

#[test]
fn a_kind_without_a_row_is_caught() {
    let kinds =
        Source::new("actors/src/error.rs", "pub enum ErrorKind {\n    /// A.\n    Busy,\n    /// B.\n    Locked,\n}\n");
    let map = Source::new("src/http/s3/error.rs", "fn row() { match k { ErrorKind::Busy => 1 } } // Locked\n");
    let offences = registers::kinds_have_a_row(&kinds, &map);
    assert_eq!(offences.len(), 1);
    assert!(offences[0].what.contains("Locked"));
}

#[test]
fn a_key_that_the_example_lacks_is_caught() {
    let table = "const KEYS: &[Key] = &[\n    Key::new(\"advanced.listen_addr\", A, \"b\"),\n    Key::new(\n        \"advanced.log_level\",\n    ),\n];\n";
    let table = Source::new("m.rs", table);
    let keys = registers::config_keys(&table);
    assert_eq!(keys.len(), 2);
    let offences = registers::keys_are_shown(&keys, &table, "advanced:\n  # listen_addr: 127.0.0.1:9000\n");
    assert_eq!(at(&offences), ["m.rs:4"]);
}

#[test]
fn a_stray_file_at_the_top_is_caught() {
    let tracked = ["src/main.rs".to_owned(), "notes.txt".to_owned()];
    assert_eq!(at(&registers::top_level_is_as_listed(&tracked, &["src"])), ["notes.txt"]);
}

#[test]
fn a_module_for_tests_is_test_code() {
    let parent = Source::new("src/a.rs", "//! x\n#[cfg(test)]\nmod checks;\n#[cfg(test)]\npub(crate) mod kit;\n");
    assert_eq!(parent.test_modules(), ["src/a/checks", "src/a/kit"]);
}
