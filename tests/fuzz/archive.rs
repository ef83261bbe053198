//! Archives that somebody spoilt: by the byte, by the entry, by the value, with sums and signature made right again or not. Each is
//! refused with a code of its own, or it is an archive that can be planned, and whose result can be exported again.

use crate::dice::{Dice, asked, report};
use actors::domain::archive::fault::ArchiveFault;
use actors::domain::archive::manifest;
use actors::domain::archive::plan::{Current, Host, Options, plan};
use actors::domain::clock::Timestamp;
use actors::domain::config::load::{Loaded, load};
use actors::domain::config::model::ArchiveLimits;
use actors::domain::secret::Secret;
use actors::domain::state::State;
use actors::zipper::{ExportInput, prepare, read, sign, verify, write};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const VERSION_1: &[u8] = include_bytes!("../fixtures/dgp-1.x/backup-v1.zip");
const LEGACY: &[u8] = include_bytes!("../fixtures/dgp-1.x/iam-legacy-v2.json");
const PARTS: [&str; 4] = ["manifest.json", "config.yaml", "iam.json", "secrets.json"];
const SEED: [u8; 32] = [7; 32];
/// What no message may repeat.
const SECRETS: [&str; 4] =
    ["r8aL2Y+4pNcUMaafdjDVBjRFaBq873", "GOCSPX-dummy", "upstreamsecretupstream", "bootsecretboot"];
/// The memory of the whole run, in KiB: the archives here have a few KiB each.
const MEMORY: u64 = 256 << 10;

/// A state that has something in every list, by way of the archive of version 1.
fn sample() -> (Vec<u8>, Loaded) {
    let limits = ArchiveLimits::default();
    let loaded = load("", &BTreeMap::new()).expect("the defaults are a configuration");
    let older = verify(&VERSION_1.into(), &limits).expect("the fixture is good");
    let state = actors::domain::archive::captured::state(&older);
    (exported(&state, &older.config.loaded), loaded)
}

fn exported(state: &State, config: &Loaded) -> Vec<u8> {
    let hash = Secret::new("$2b$04$s7/yy6Z363jZoQodArpuDeP00U.zE1QPi0bxM/o9BOZDs6tDbss5q");
    let input = ExportInput {
        config,
        state: Arc::new(state.clone()),
        instance_id: "instance-a",
        server_version: "0.1.0",
        captured_at: Timestamp::from_secs(1_795_338_000),
        signing_seed: &SEED,
        bootstrap_hash: Some(&hash),
        resolved: &BTreeMap::new(),
        audit: None,
        limits: &ArchiveLimits::default(),
    };
    prepare(&input).and_then(|archive| archive.to_vec()).expect("a state that was planned can be exported")
}

/// Makes sums and signature right, where the manifest can still be read.
fn sealed(parts: &mut [Vec<u8>; 4]) {
    let Ok(mut head) = serde_json::from_slice::<Value>(&parts[0]) else { return };
    let Some(files) = head.get_mut("files").and_then(Value::as_array_mut) else { return };
    for file in files.iter_mut().filter(|file| file.is_object()) {
        let Some(index) = PARTS.iter().position(|name| file["name"] == *name) else { continue };
        file["bytes"] = parts[index].len().into();
        file["sha256"] = hex::encode(Sha256::digest(&parts[index])).into();
    }
    let signed = |head: &Value| -> Option<Value> {
        let (version, tree) = manifest::tree(head.to_string().as_bytes()).ok()?;
        let bytes = (version == 2).then(|| manifest::parse(&tree).ok())??.1;
        serde_json::to_value(sign::sign(&SEED, &bytes).ok()?).ok()
    };
    if let Some(signature) = signed(&head) {
        head["signature"] = signature;
    }
    parts[0] = head.to_string().into_bytes();
}

/// Changes one value somewhere in a document.
fn spoil_value(dice: &mut Dice, value: &mut Value) {
    let deeper = dice.below(8) != 0;
    match value {
        Value::Array(items) if deeper && !items.is_empty() => {
            let at = dice.below(items.len());
            match dice.below(8) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                _ => spoil_value(dice, &mut items[at]),
            }
        }
        Value::Object(fields) if deeper && !fields.is_empty() => {
            let at = dice.below(fields.len());
            let Some(name) = fields.keys().nth(at).cloned() else { return };
            match dice.below(8) {
                0 => drop(fields.remove(&name)),
                1 => {
                    let odd = dice.text(6);
                    let taken = fields.remove(&name).unwrap_or_default();
                    fields.insert(odd, taken);
                }
                _ => spoil_value(dice, &mut fields[&name]),
            }
        }
        _ => {
            *value = match dice.below(9) {
                0 => Value::Null,
                1 => json!(dice.below(5)),
                2 => json!(-1_i64),
                3 => json!(1.5),
                4 => json!(dice.text(12)),
                5 => json!("__redacted__"),
                6 => json!(["*"]),
                7 => json!({}),
                _ => json!(dice.once_in(2)),
            }
        }
    }
}

/// Changes the lines of a YAML document.
fn spoil_lines(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = dice.below(lines.len());
    match dice.below(6) {
        0 if !lines.is_empty() => drop(lines.remove(at)),
        1 if !lines.is_empty() => lines.insert(at, lines[at].clone()),
        2 if !lines.is_empty() => lines[at].insert_str(0, "  "),
        3 => lines.insert(at, format!("{}: {}", dice.text(5), dice.text(8))),
        4 => {
            let odd = dice
                .pick(&["&a [*a]", "!!int x", "${env:HOME}", "$$", "{stored: x}", "2026-01-01", "\"", "[[[["])
                .to_owned();
            if let Some((key, _)) = lines.get(at).and_then(|line| line.split_once(':')) {
                lines[at] = format!("{key}: {odd}");
            }
        }
        _ => dice.spoil(bytes, &[b": ", b"- ", b"\n", b"\t", b"{", b"\xff"]),
    }
    if dice.below(6) != 5 {
        *bytes = lines.join("\n").into_bytes();
    }
}

/// One spoilt archive.
fn spoilt(dice: &mut Dice, zips: &[[Vec<u8>; 4]; 2]) -> (Vec<u8>, bool) {
    const SCRAPS: [&[u8]; 6] = [b"PK\x03\x04", b"PK\x05\x06", b"\xff\xff\xff\xff", b"\0\0", b"../", b"{}"];
    if dice.once_in(6) {
        let mut bytes = LEGACY.to_vec();
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(mut value) if dice.below(3) != 0 => {
                (0..=dice.below(3)).for_each(|_| spoil_value(dice, &mut value));
                bytes = value.to_string().into_bytes();
            }
            _ => dice.spoil(&mut bytes, &SCRAPS),
        }
        return (bytes, false);
    }
    let mut parts = zips[dice.below(2)].clone();
    let pack =
        |parts: &[Vec<u8>; 4]| write::pack_all([&parts[0], &parts[1], &parts[2], &parts[3]]).expect("memory takes it");
    if dice.once_in(3) {
        let mut bytes = pack(&parts);
        dice.spoil(&mut bytes, &SCRAPS);
        return (bytes, true);
    }
    let index = dice.below(4);
    match (index, dice.below(4)) {
        (_, 0) => dice.spoil(&mut parts[index], &SCRAPS),
        (1, _) => (0..=dice.below(3)).for_each(|_| spoil_lines(dice, &mut parts[1])),
        _ => {
            if let Ok(mut value) = serde_json::from_slice::<Value>(&parts[index]) {
                (0..=dice.below(3)).for_each(|_| spoil_value(dice, &mut value));
                parts[index] = value.to_string().into_bytes();
            }
        }
    }
    if dice.below(5) != 0 {
        sealed(&mut parts);
    }
    (pack(&parts), false)
}

/// Whether a message repeats a secret as a word of its own. Within a longer word the spoiling put it where no secret belongs.
fn repeats(told: &str, secret: &str) -> bool {
    let in_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    told.match_indices(secret).any(|(at, _)| {
        let bytes = told.as_bytes();
        !in_word(at.checked_sub(1).and_then(|before| bytes.get(before))) && !in_word(bytes.get(at + secret.len()))
    })
}

/// Whether the spoiling wrote a secret into the name of a member: names are told, values never.
fn made_a_name(bytes: &[u8], secret: &str) -> bool {
    let parts = read::unpack(&bytes.into(), &ArchiveLimits::default());
    let parts = parts.map_or_else(|_| vec![bytes.to_vec()], Vec::from);
    parts.iter().any(|part| {
        let text = String::from_utf8_lossy(part);
        text.match_indices(secret).any(|(at, _)| {
            let rest = text[at..].trim_start_matches(|c| !matches!(c, '"' | ':' | '\n'));
            rest.trim_start_matches('"').trim_start().starts_with(':')
        })
    })
}

#[test]
fn a_spoilt_archive_has_its_code_or_is_a_plan_that_can_be_exported_again() {
    let (count, seed) = asked(3_000);
    let mut dice = Dice::new(seed);
    let limits = ArchiveLimits::default();
    let (archive, loaded) = sample();
    let unpacked = |bytes: &[u8]| read::unpack(&bytes.into(), &limits).expect("the samples are good");
    let zips = [unpacked(&archive), unpacked(VERSION_1)];
    let current = State::default();
    let (none, files, environment) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
    let host = Host {
        instance_id: "instance-b",
        now: Timestamp::from_secs(1_795_400_000),
        known_epoch: 0,
        buckets_with_data: &none,
        caller_token: None,
        files: &files,
        environment: &environment,
        paths_from: None,
    };
    let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut planned = 0;
    for round in 0..count {
        let (bytes, container) = spoilt(&mut dice, &zips);
        let archive = match verify(&bytes.as_slice().into(), &limits) {
            Ok(archive) => archive,
            Err(error) => {
                let code = error.code().unwrap_or_default();
                assert!(ArchiveFault::by_code(code).is_some(), "round {round} of seed {seed}: {error:?}");
                let told = error.message();
                let leak = SECRETS.iter().find(|secret| repeats(told, secret) && !made_a_name(&bytes, secret));
                assert!(leak.is_none(), "round {round} of seed {seed}: {told}");
                *codes.entry(code).or_default() += 1;
                continue;
            }
        };
        if container {
            // Nobody made the sums right: what can still be read is what was packed.
            let same = unpacked(&bytes);
            assert!(zips.contains(&same), "round {round} of seed {seed}: another content was accepted");
        }
        let current = Current { state: &current, config: &loaded };
        match plan(current, &archive, &Options::default(), &host) {
            Ok(plan) if dice.once_in(8) => {
                let again = exported(&plan.next, &plan.next_config);
                verify(&again.into(), &limits)
                    .unwrap_or_else(|error| panic!("round {round} of seed {seed}: {error:?}"));
                planned += 1;
            }
            Ok(_) => planned += 1,
            Err(error) => {
                let code = error.code().unwrap_or_default();
                assert!(!code.is_empty(), "round {round} of seed {seed}: {error:?}");
                *codes.entry(code).or_default() += 1;
            }
        }
    }
    let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak =
        peak.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    assert!(peak.is_none_or(|peak| peak < MEMORY), "{peak:?} KiB");
    assert!(planned > 0 && codes.len() > 10, "{planned} plans, {codes:?}");
    let refused: u64 = codes.values().sum();
    report(&format!(
        "{refused} refused with {} codes, {planned} planned, peak {} MiB",
        codes.len(),
        peak.unwrap_or(0) >> 10
    ));
}
