//! The contract of the configuration, told by whole files.

mod bad;
mod effective;
mod upstream;
mod written;
