//! Who may do what: users, groups, permissions and the one evaluator.

pub mod action;
pub mod change;
pub mod check;
pub mod conditions;
pub mod context;
pub mod declare;
pub mod evaluate;
pub mod grants;
pub mod index;
pub mod model;
pub mod password_policy;
pub mod pattern;
pub mod principal;
pub mod reserved;
pub mod roles;
pub mod scope;
pub mod sign_in;
