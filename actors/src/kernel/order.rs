//! Who may ask whom. `tests/tidy.rs` reads this table and checks the imports of every owner's folder against it.

/// The owners in ask order: each may ask only those after it. News flows upward by published views alone.
pub const ASK_ORDER: [&str; 9] =
    ["backup", "system", "config", "iam", "session", "store", "audit", "iam_db", "state_db"];
