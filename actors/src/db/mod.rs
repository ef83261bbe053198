//! L1: the databases of one instance.

pub mod publish;
