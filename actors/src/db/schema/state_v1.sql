-- deltaglider_state.db, version 1: what one instance remembers for itself. Times are milliseconds since 1970-01-01T00:00:00Z.

CREATE TABLE sessions (
    token_sha256       TEXT PRIMARY KEY,
    principal_json     TEXT    NOT NULL,
    created_at         INTEGER NOT NULL,
    auth_time          INTEGER NOT NULL,
    last_seen          INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    auth_epoch         INTEGER NOT NULL,
    credential_version INTEGER NOT NULL,
    ip                 TEXT    NOT NULL,
    user_agent         TEXT    NOT NULL
);

-- Each row carries HMAC-SHA256(audit key, prev ‖ canonical row): `prev` is the `hmac` of the row before, empty for the first. The
-- canonical row is the JSON array [seq, at, actor, action, target, outcome, ip, request_id, detail] without white space, in which
-- `detail` is the stored text as a string.
CREATE TABLE audit (
    seq                INTEGER PRIMARY KEY,
    at                 INTEGER NOT NULL,
    actor              TEXT    NOT NULL,
    action             TEXT    NOT NULL,
    target             TEXT    NOT NULL,
    outcome            TEXT    NOT NULL,
    ip                 TEXT    NOT NULL,
    request_id         TEXT    NOT NULL,
    detail             TEXT    NOT NULL,
    prev               BLOB    NOT NULL,
    hmac               BLOB    NOT NULL
);
CREATE INDEX audit_by_time ON audit (at);

CREATE TABLE failed_restores (
    restore_id         TEXT PRIMARY KEY,
    at                 INTEGER NOT NULL,
    actor              TEXT    NOT NULL,
    outcome_json       TEXT    NOT NULL
);

-- Last-used and last-login times: (`access_key`, its id), (`user`, its id), (`token`, its id).
CREATE TABLE last_used (
    kind               TEXT    NOT NULL,
    id                 TEXT    NOT NULL,
    at                 INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
