//! Fuzzers of what reads the bytes of strangers: requests, bodies in chunks, XML, archives. Each has an oracle that is stricter than "it
//! does not panic": what was printed reads back the same, and nothing is accepted that a strict reader of our own refuses.
//!
//! Each test is a slice for CI; `tests/long SUBJECT [COUNT] [SEED]` runs it at length and notes the run in `tests/long-runs.md`.

#![allow(unreachable_pub, reason = "a test binary has no outside that could reach anything")]

mod archive;
mod chunks;
mod client;
mod dice;
mod forms;
mod requests;
mod settings;
#[path = "../it/support/signer.rs"]
#[allow(dead_code)]
mod signer;
mod strict_chunks;
mod strict_settings;
mod strict_xml;
mod xml;
