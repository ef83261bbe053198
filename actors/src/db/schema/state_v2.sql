-- deltaglider_state.db, version 2: the Full Backups that were made here, so that the age of the last one is known after a restart.

CREATE TABLE exports (
    at                 INTEGER NOT NULL,
    actor              TEXT    NOT NULL,
    filename           TEXT    NOT NULL,
    bytes              INTEGER NOT NULL,
    sha256             TEXT    NOT NULL,
    version            TEXT    NOT NULL -- `epoch.generation` of the state that is in it
);
CREATE INDEX exports_by_time ON exports (at);
