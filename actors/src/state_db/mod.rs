//! state_db.
