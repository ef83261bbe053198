-- deltaglider_state.db, version 6: what each bucket holds, so that quotas are known after a clean stop.

CREATE TABLE bucket_usage (
    backend_id         TEXT    NOT NULL, -- the id in the backend's `backend.json`
    bucket             TEXT    NOT NULL, -- its name there
    objects            INTEGER NOT NULL,
    bytes              INTEGER NOT NULL, -- of the objects, as clients see them
    parts              INTEGER NOT NULL, -- bytes of parts whose uploads are open
    counted_at         INTEGER NOT NULL, -- when it was last counted from what lies there
    exact              INTEGER NOT NULL, -- 1: every write since is in it; 0: it was so when it was counted
    PRIMARY KEY (backend_id, bucket)
) WITHOUT ROWID;

-- 1 from a clean stop until the next start: what is saved is what there is.
CREATE TABLE usage_state (
    only               INTEGER PRIMARY KEY CHECK (only = 1),
    clean              INTEGER NOT NULL
);
