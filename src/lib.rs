//! The edge: HTTP, authentication on the wire, and what wires the system together.

pub mod app;
pub mod auth;
pub mod cli;
pub mod exit;
pub mod http;
