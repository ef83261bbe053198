-- deltaglider_state.db, version 3: the audit log may be pruned at its beginning, and sinks follow it.

-- What a pruned log begins with: the last row that went. `mac` is HMAC-SHA256(audit key, ["stub", count, head in hex, at]), the JSON
-- array without white space: only this instance can say that rows went in order.
CREATE TABLE audit_stub (
    only               INTEGER PRIMARY KEY CHECK (only = 1),
    count              INTEGER NOT NULL,
    head               BLOB    NOT NULL,
    at                 INTEGER NOT NULL,
    mac                BLOB    NOT NULL
);

-- How far each sink has come: the number of the last row that it has.
CREATE TABLE audit_sinks (
    name               TEXT PRIMARY KEY,
    position           INTEGER NOT NULL
) WITHOUT ROWID;
