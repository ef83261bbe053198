//! No core is dumped: it would hold every key and password that is in memory.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Forbids it for this process, to a file as well as to a program that collects cores.
pub(super) fn forbid() {
    // Neither can fail: a limit may always be lowered, and the second call knows its two values.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{dumpable_behavior, getrlimit};

    #[test]
    fn neither_a_file_nor_a_program_gets_a_core() {
        forbid();
        assert_eq!(getrlimit(Resource::Core), Rlimit { current: Some(0), maximum: Some(0) });
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        // What is our own stays readable for us: long paths are reached through it.
        assert!(std::fs::read_dir("/proc/self/fd").is_ok());
    }
}
