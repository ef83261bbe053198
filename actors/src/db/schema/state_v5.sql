-- deltaglider_state.db, version 5: with what each session was opened, as it ends with that.

-- Only the bootstrap password opens sessions of the bootstrap admin. Of the others it is not known: they sign in again.
DELETE FROM sessions WHERE principal_json <> '{"kind":"bootstrap"}';
ALTER TABLE sessions ADD COLUMN proof_json TEXT NOT NULL DEFAULT '{"kind":"password"}';
