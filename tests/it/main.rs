//! The whole server, from outside: the real binary, real files, real sockets.

#![allow(unreachable_pub, reason = "a test binary has no outside that could reach anything")]

mod addressing;
mod admin;
mod admission;
mod archives;
mod audit;
mod auth;
mod chunked;
mod cli;
mod cli_backup;
mod compatibility;
mod conditional;
mod connections;
mod console;
mod copy_and_batch;
mod crash;
mod database;
mod declarative;
mod encrypted;
mod escalations;
mod guardian;
mod last_used;
mod lifecycle;
mod listing;
mod memory;
mod modes;
mod multipart;
mod older;
mod password;
mod propagation;
mod recover;
mod regressions;
mod restore;
mod rights;
mod secrets;
mod sign_in_api;
mod sso;
mod sso_hostile;
mod status;
mod stored;
mod support;
mod table;
mod tagging;
mod tls;
mod undo;
