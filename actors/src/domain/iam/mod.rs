//! Who may do what: users, groups, permissions and the one evaluator.

pub mod model;
