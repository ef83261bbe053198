-- deltaglider_state.db, version 4: stored backups that this instance made or checked, and the runs of the job that makes them.

CREATE TABLE stored_backups (
    destination        TEXT    NOT NULL, -- `directory:/srv/backups` or `bucket:ops/dgp/`
    id                 TEXT    NOT NULL, -- the name of the file
    own                INTEGER NOT NULL, -- 1 where this instance made it
    trigger            TEXT,             -- `schedule`, `on_change`, `request`
    actor              TEXT,
    sha256             TEXT    NOT NULL, -- of the file
    version            TEXT,             -- `epoch.generation` of the state that is in it
    verified_at        INTEGER,          -- when it was last found whole
    verify_error       TEXT,             -- why the last check failed
    PRIMARY KEY (destination, id)
) WITHOUT ROWID;

CREATE TABLE backup_runs (
    number             INTEGER PRIMARY KEY AUTOINCREMENT,
    at                 INTEGER NOT NULL, -- when it ended; for `armed` when the schedule was first seen
    outcome            TEXT    NOT NULL, -- `armed`, `success`, `failed`
    trigger            TEXT    NOT NULL,
    schedule           TEXT,             -- the expression in force
    id                 TEXT,             -- of what was stored
    bytes              INTEGER,
    millis             INTEGER,          -- how long it took
    version            TEXT,
    code               TEXT,             -- of the error
    detail             TEXT,
    hint               TEXT
);
