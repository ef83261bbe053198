//! Bad archives, sent to a host: each is refused with its own code, and nothing has changed afterwards.

use crate::support::archive::{Archive, RawEntry, raw_zip};
use crate::support::client::Request;
use crate::support::server::Host;
use serde_json::{Value, json};

/// A host with something of everything, and its archive.
fn host() -> (Host, Archive) {
    let host = Host::start();
    let group = json!({ "name": "builders", "permissions": [] });
    host.admin(Request::new("POST", "/_/api/admin/groups").json(&group)).expect(201);
    host.user("second", json!([]));
    let s3 = host.admin_user("first");
    s3.make_bucket("builds");
    let archive = host.exported();
    (host, archive)
}

/// Sends each and insists on status and code; then that the state is the one from before.
fn refused(host: &Host, cases: Vec<(&str, u16, &str, Vec<u8>)>) {
    let before = host.exported().state();
    let mut wrong = Vec::new();
    for (what, status, code, bytes) in cases {
        let reply = host.restore(&bytes);
        let problem: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let stage = problem["stage"].is_string() && problem["title"].is_string() && problem["hint"].is_string();
        if reply.status != status || problem["code"] != code || !stage {
            wrong.push(format!("{what}: expected {status} {code}, got {} {}", reply.status, reply.text()));
        }
        if host.exported().state() != before {
            wrong.push(format!("{what}: the state has changed"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_archive_packed_by_another_tool_is_accepted() {
    let (host, archive) = host();
    let repacked = raw_zip(&archive.raw());
    host.admin(Request::new("POST", "/_/api/admin/backup?dry_run=true").body(repacked)).expect(200);
    let resigned = archive.reseal().zip();
    host.admin(Request::new("POST", "/_/api/admin/backup?dry_run=true").body(resigned)).expect(200);
}

#[test]
fn what_is_no_whole_zip_is_refused() {
    let (host, archive) = host();
    let good = archive.zip();
    let mut trailing = good.clone();
    trailing.extend(b"more");
    refused(
        &host,
        vec![
            ("text", 400, "not_a_zip", b"hello".to_vec()),
            ("nothing", 400, "not_a_zip", Vec::new()),
            ("half of it", 400, "archive_truncated", good[..good.len() / 2].to_vec()),
            ("all but the last byte", 400, "archive_truncated", good[..good.len() - 1].to_vec()),
            ("bytes behind it", 400, "trailing_data", trailing),
        ],
    );
}

#[test]
fn odd_entries_are_refused() {
    let (host, archive) = host();
    let raw = archive.raw();
    let with = |change: &dyn Fn(&mut Vec<RawEntry>)| {
        let mut entries = raw.clone();
        change(&mut entries);
        raw_zip(&entries)
    };
    let named = |name: &'static [u8]| {
        with(&move |entries| entries.push(RawEntry { name: name.to_vec(), mode: 0o100_600, ..RawEntry::default() }))
    };
    refused(
        &host,
        vec![
            ("one dropped", 400, "entry_missing", with(&|e| drop(e.pop()))),
            ("one added", 400, "entry_unexpected", named(b"extra.json")),
            ("one twice", 400, "entry_duplicate", with(&|e| e.push(e[2].clone()))),
            ("one renamed", 400, "entry_renamed", with(&|e| e[2].name = b"iam2.json".to_vec())),
            ("in a folder", 400, "entry_in_folder", named(b"folder/iam.json")),
            ("dots", 400, "name_traversal", named(b"../iam.json")),
            ("absolute", 400, "name_absolute", named(b"/iam.json")),
            ("backslash", 400, "name_backslash", named(b"a\\iam.json")),
            ("drive", 400, "name_drive", named(b"C:iam.json")),
            ("nul", 400, "name_nul", named(b"iam\0.json")),
            ("not UTF-8", 400, "name_not_utf8", named(b"\xffiam.json")),
            ("a symlink", 400, "entry_symlink", with(&|e| e[2].mode = 0o120_777)),
            ("encrypted", 400, "entry_encrypted", with(&|e| e[2].flags = 1)),
        ],
    );
}

#[test]
fn a_manifest_that_does_not_fit_is_refused() {
    let (host, archive) = host();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut archive = archive.clone();
        archive.edit("manifest.json", |manifest| change(manifest));
        archive.sign().zip()
    };
    let unsigned = |change: &dyn Fn(&mut Value)| {
        let mut archive = archive.clone();
        archive.edit("manifest.json", |manifest| change(manifest));
        archive.zip()
    };
    let upper = |m: &mut Value| {
        m["files"][0]["sha256"] = m["files"][0]["sha256"].to_string().to_uppercase().trim_matches('"').into()
    };
    let cut = |m: &mut Value| drop(m["files"].as_array_mut().expect("files are a list").pop());
    let field = |name: &'static str| move |m: &mut Value| drop(m.as_object_mut().expect("an object").remove(name));
    let hash = |m: &mut Value| drop(m["files"][0].as_object_mut().expect("an object").remove("sha256"));
    refused(
        &host,
        vec![
            ("no file list", 400, "manifest_files_missing", with(&field("files"))),
            ("version 9", 400, "manifest_version", with(&|m| m["version"] = 9.into())),
            ("upper case", 400, "manifest_hash_uppercase", with(&upper)),
            ("no hash", 400, "manifest_hash_missing", with(&hash)),
            ("one not listed", 400, "manifest_part_unlisted", with(&cut)),
            ("another size", 400, "part_size_mismatch", with(&|m| m["files"][0]["bytes"] = 1.into())),
            ("another hash", 400, "part_hash_mismatch", with(&|m| m["files"][0]["sha256"] = "0".repeat(64).into())),
            ("another count", 400, "counts_mismatch", with(&|m| m["counts"]["users"] = 99.into())),
            ("edited after signing", 400, "signature_invalid", unsigned(&|m| m["epoch"] = 77.into())),
            ("not signed", 400, "signature_missing", unsigned(&field("signature"))),
        ],
    );
}

#[test]
fn parts_of_the_wrong_shape_are_refused() {
    let (host, archive) = host();
    let set = |part: &str, content: &[u8]| {
        let mut archive = archive.clone();
        archive.set(part, content);
        archive.reseal().zip()
    };
    let iam = |change: &dyn Fn(&mut Value)| {
        let mut archive = archive.clone();
        archive.edit("iam.json", |iam| change(iam));
        archive.reseal().zip()
    };
    let permission = json!([{ "id": "p", "effect": "Allow", "actions": ["fly"], "resources": ["*"] }]);
    let name = |m: &mut Value| m["users"][1]["name"] = m["users"][0]["name"].clone();
    let id = |m: &mut Value| m["users"][1]["id"] = m["users"][0]["id"].clone();
    refused(
        &host,
        vec![
            ("invalid UTF-8", 400, "not_utf8", set("iam.json", b"\xff{}")),
            ("no JSON", 400, "json_syntax", set("iam.json", b"{")),
            ("a list for an object", 400, "iam_shape", set("iam.json", b"[]")),
            ("a key twice", 400, "json_duplicate_key", set("secrets.json", b"{\"access\":{},\"access\":{}}")),
            ("no YAML", 400, "config_syntax", set("config.yaml", b"a: [")),
            ("an unknown key", 400, "config_shape", set("config.yaml", b"storge: {}\n")),
            (
                "an unknown permission",
                400,
                "permission_unknown",
                iam(&|m| m["users"][0]["permissions"] = permission.clone()),
            ),
            ("a name twice", 400, "duplicate_name", iam(&name)),
            ("an id twice", 400, "duplicate_id", iam(&id)),
            ("an unknown group", 400, "dangling_group", iam(&|m| m["users"][0]["group_ids"] = json!(["nowhere"]))),
        ],
    );
}

#[test]
fn a_flipped_byte_is_refused_or_means_nothing() {
    let (host, archive) = host();
    let good = host.backup();
    let before = host.exported().state();
    let step = (good.len() / 200).max(1);
    for position in (0..good.len()).step_by(step) {
        let mut flipped = good.clone();
        flipped[position] ^= 1 << (position % 8);
        let reply = host.admin(Request::new("POST", "/_/api/admin/backup?dry_run=true").body(flipped.clone()));
        // A time stamp or an attribute is covered by no sum: then every reader finds the same parts.
        let same = reply.status == 200 && Archive::read(&flipped).entries == archive_entries(&good);
        assert!(matches!(reply.status, 400 | 413) || same, "byte {position}: {} {}", reply.status, reply.text());
    }
    assert_eq!(before, host.exported().state());
    drop(archive);
}

fn archive_entries(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    Archive::read(bytes).entries
}

#[test]
fn a_bomb_is_refused_by_its_size() {
    let mut host = Host::prepare().config("backup:\n  limits:\n    body: 4MiB\n    entry: 1MiB\n    total: 2MiB\n");
    host.up();
    let archive = host.exported();
    let mut entry = archive.clone();
    entry.set("iam.json", vec![b' '; 1_100_000]);
    let mut ratio = archive.clone();
    ratio.set("iam.json", vec![b' '; 17 << 20]);
    let mut total = archive.clone();
    total.set("iam.json", noise(1_048_500));
    total.set("secrets.json", noise(1_048_500));
    let mut many = archive.raw();
    many.extend((0..40).map(|n| RawEntry { name: format!("{n}.json").into_bytes(), ..RawEntry::default() }));
    refused(
        &host,
        vec![
            ("a body above the limit", 413, "archive_too_large", vec![b'P'; 5 << 20]),
            ("an entry above the limit", 413, "entry_too_large", entry.reseal().zip()),
            ("the entries together", 413, "total_too_large", total.reseal().zip()),
            ("too many entries", 413, "too_many_entries", raw_zip(&many)),
        ],
    );
    for (limit, bytes) in [("body", vec![b'P'; 5 << 20]), ("entries", raw_zip(&many))] {
        let told = host.restore(&bytes).expect(413).json();
        assert!(told["detail"].as_str().unwrap_or_default().contains(&format!("`backup.limits.{limit}`")), "{told}");
    }
    let wide = Host::start();
    let told = wide.restore(&ratio.reseal().zip()).expect(413).json();
    assert!(told["code"] == "ratio_too_high" && told["detail"].to_string().contains("100:1"), "{told}");
    assert!(
        !wide.path("incoming").read_dir().expect("it is there").any(|_| true),
        "what was sent lies nowhere any more"
    );
}

/// Bytes that hardly pack.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn what_zip_tools_of_debian_and_python_pack_is_accepted() {
    let (host, archive) = host();
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (name, content) in &archive.entries {
        std::fs::write(folder.path().join(name), content).expect("the scratch folder takes it");
    }
    let run = |program: &str, arguments: &[&str]| {
        let done = std::process::Command::new(program).current_dir(folder.path()).args(arguments).output();
        done.is_ok_and(|output| output.status.success())
    };
    let parts = ["secrets.json", "manifest.json", "config.yaml", "iam.json"];
    let packed = [
        ("zip", run("zip", &[&["-q", "by-zip.zip"], &parts[..]].concat())),
        ("zip-stored", run("zip", &[&["-q", "-0", "by-zip-stored.zip"], &parts[..]].concat())),
        ("python3", run("python3", &[&["-m", "zipfile", "-c", "by-python3.zip"], &parts[..]].concat())),
    ];
    assert!(packed.iter().any(|(_, done)| *done), "neither zip nor python3 is there");
    for (tool, _) in packed.iter().filter(|(_, done)| *done) {
        let bytes = std::fs::read(folder.path().join(format!("by-{tool}.zip"))).expect("it was written");
        let plan = host.admin(Request::new("POST", "/_/api/admin/backup?dry_run=true").body(bytes));
        assert_eq!(plan.status, 200, "{tool}: {}", plan.text());
    }
}
