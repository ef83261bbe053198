-- deltaglider_config.db, version 1. Times are milliseconds since 1970-01-01T00:00:00Z; flags are 0 or 1; `…_json` is JSON.

CREATE TABLE meta (
    only               INTEGER PRIMARY KEY CHECK (only = 1),
    instance_id        TEXT    NOT NULL,
    epoch              INTEGER NOT NULL,
    generation         INTEGER NOT NULL,
    auth_epoch         INTEGER NOT NULL,
    auth_exception     TEXT,
    password_set_at    INTEGER,
    password_logged    INTEGER NOT NULL,
    quarantined_from   TEXT,
    unpushed           INTEGER NOT NULL
);

CREATE TABLE users (
    id                 TEXT PRIMARY KEY,
    name               TEXT    NOT NULL UNIQUE,
    enabled            INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    auth_source        TEXT    NOT NULL,
    credential_version INTEGER NOT NULL,
    permissions_json   TEXT    NOT NULL
);

CREATE TABLE access_keys (
    access_key_id      TEXT PRIMARY KEY,
    user_id            TEXT    NOT NULL,
    position           INTEGER NOT NULL,
    secret             TEXT    NOT NULL,
    active             INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    expires_at         INTEGER
);
CREATE INDEX access_keys_of_user ON access_keys (user_id, position);

CREATE TABLE groups (
    id                 TEXT PRIMARY KEY,
    name               TEXT    NOT NULL UNIQUE,
    description        TEXT    NOT NULL,
    created_at         INTEGER NOT NULL,
    permissions_json   TEXT    NOT NULL
);

CREATE TABLE group_members (
    user_id            TEXT NOT NULL,
    group_id           TEXT NOT NULL,
    PRIMARY KEY (user_id, group_id)
) WITHOUT ROWID;

CREATE TABLE auth_providers (
    id                 TEXT PRIMARY KEY,
    name               TEXT    NOT NULL UNIQUE,
    provider_type      TEXT    NOT NULL,
    enabled            INTEGER NOT NULL,
    priority           INTEGER NOT NULL,
    display_name       TEXT,
    client_id          TEXT,
    client_secret      TEXT,
    issuer_url         TEXT,
    scopes             TEXT    NOT NULL,
    extra_config_json  TEXT,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL
);

CREATE TABLE mapping_rules (
    id                 TEXT PRIMARY KEY,
    provider_id        TEXT,
    priority           INTEGER NOT NULL,
    match_type         TEXT    NOT NULL,
    match_field        TEXT    NOT NULL,
    match_value        TEXT    NOT NULL,
    group_id           TEXT    NOT NULL,
    created_at         INTEGER NOT NULL,
    enabled            INTEGER NOT NULL
);

CREATE TABLE external_identities (
    id                 TEXT PRIMARY KEY,
    user_id            TEXT    NOT NULL,
    provider_id        TEXT    NOT NULL,
    external_sub       TEXT    NOT NULL,
    email              TEXT,
    display_name       TEXT,
    raw_claims_json    TEXT,
    email_verified     INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    UNIQUE (provider_id, external_sub)
);

CREATE TABLE tokens (
    id                 TEXT PRIMARY KEY,
    name               TEXT    NOT NULL,
    sha256             TEXT    NOT NULL UNIQUE,
    permissions_json   TEXT    NOT NULL,
    created_at         INTEGER NOT NULL,
    expires_at         INTEGER
);

CREATE TABLE revocations (
    kind               TEXT    NOT NULL,
    fingerprint        TEXT    NOT NULL,
    revoked_at         INTEGER NOT NULL,
    PRIMARY KEY (kind, fingerprint)
) WITHOUT ROWID;

CREATE TABLE buckets (
    name               TEXT PRIMARY KEY,
    backend            TEXT    NOT NULL,
    alias              TEXT,
    owner              TEXT    NOT NULL,
    created_at         INTEGER NOT NULL
);

CREATE TABLE backends (
    name               TEXT PRIMARY KEY,
    id                 TEXT NOT NULL
);

CREATE TABLE secrets (
    name               TEXT PRIMARY KEY,
    value              TEXT NOT NULL
);

CREATE TABLE keyring (
    id                 TEXT PRIMARY KEY,
    purpose            TEXT    NOT NULL,
    key                TEXT    NOT NULL,
    created_at         INTEGER NOT NULL,
    active             INTEGER NOT NULL
);

CREATE TABLE trusted_signers (
    key                TEXT PRIMARY KEY,
    since              INTEGER NOT NULL
);

CREATE TABLE restores (
    restore_id         TEXT PRIMARY KEY,
    at                 INTEGER NOT NULL,
    actor              TEXT    NOT NULL,
    outcome_json       TEXT    NOT NULL
);

CREATE TABLE config_history (
    number             INTEGER PRIMARY KEY,
    at                 INTEGER NOT NULL,
    actor              TEXT    NOT NULL,
    yaml               TEXT    NOT NULL
);
