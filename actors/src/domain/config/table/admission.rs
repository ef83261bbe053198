//! The keys of `defaults` and `admission`: what is looked at before anybody is asked who they are.

use super::{Key, Kind};
use crate::domain::admission::ACTIONS;
use crate::domain::config::rule::Rule;

pub(super) const KEYS: &[Key] = &[
    Key::new("defaults", Kind::Choice(&["v1"]), "The generation of defaults that this file was written for.")
        .default("v1"),
    Key::new("admission", Kind::Section, "Which S3 requests go on at all, before anybody is asked who they are."),
    Key::new(
        "admission.blocks",
        Kind::Items,
        "The rules of admission in the order in which they are tried: the first that matches decides.",
    ),
    Key::new("admission.blocks[].name", Kind::Text(Rule::BlockName), "What logs and traces call the block; unique."),
    Key::new("admission.blocks[].match", Kind::Section, "What must hold of a request; nothing means every request."),
    Key::new("admission.blocks[].match.method", Kind::Texts(Rule::Method), "One of these methods."),
    Key::new(
        "admission.blocks[].match.operation",
        Kind::Texts(Rule::Operation),
        "One of these actions, named as in a policy: `s3:PutObject`, `s3:Get*`, `write`.",
    ),
    Key::new("admission.blocks[].match.source_ip", Kind::Text(Rule::Network), "The client's address or network."),
    Key::new(
        "admission.blocks[].match.source_ip_list",
        Kind::Texts(Rule::Network),
        "The same, several: one of them must hold the client's address.",
    ),
    Key::new("admission.blocks[].match.bucket", Kind::Text(Rule::Word), "The bucket."),
    Key::new(
        "admission.blocks[].match.path_glob",
        Kind::Text(Rule::Glob),
        "A pattern of the whole key, or of the prefix of a listing; `*` crosses slashes.",
    ),
    Key::new(
        "admission.blocks[].match.authenticated",
        Kind::Flag,
        "Whether the request brings credentials, good or bad.",
    ),
    Key::new(
        "admission.blocks[].match.config_flag",
        Kind::Choice(&["maintenance_mode"]),
        "A switch of older files that is never on: the block matches nothing.",
    ),
    Key::new(
        "admission.blocks[].action",
        Kind::Variant(&ACTIONS),
        "What becomes of the request: a word, or a map with `type`, for `reject` with a `status`.",
    ),
    Key::new("admission.blocks[].action.type", Kind::Choice(&ACTIONS), "The same word."),
    Key::new("admission.blocks[].action.status", Kind::Count(400, 599), "The status of a `reject`."),
    Key::new("admission.blocks[].action.message", Kind::Text(Rule::Word), "What the client reads of a `reject`."),
];
