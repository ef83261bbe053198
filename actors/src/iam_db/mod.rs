//! iam_db.
