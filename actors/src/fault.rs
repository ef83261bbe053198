//! Named fault points: places where a test may kill the process or panic. Compiled to nothing without the feature `faults`.

/// What an armed point does when it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// End the process as `kill -9` does: no destructor, no flush.
    Kill,
    /// Panic on the spot.
    Panic,
    /// Fail with an I/O error (only points that return one).
    Error,
    /// The same, as a full disk fails.
    Full,
}

/// Reaches a point that can kill or panic.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub fn point(_name: &str) {}

/// Reaches a point that can also fail.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub fn fallible(_name: &str) -> std::io::Result<()> {
    Ok(())
}

/// How far a test has set the system's clock off, in milliseconds.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub fn clock_offset() -> i64 {
    0
}

#[cfg(feature = "faults")]
pub use armed::{arm, clock_offset, disarm, fallible, point, reached};

#[cfg(feature = "faults")]
mod armed {
    use super::Fault;
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::sync::{LazyLock, Mutex};

    #[derive(Default)]
    struct Points {
        armed: BTreeMap<String, (Fault, usize)>,
        reached: BTreeMap<String, usize>,
    }

    /// `DGP_FAULT=<point>=<kill|panic|error|full>[@nth][,…]` arms points from outside, for tests that start the real binary.
    static POINTS: LazyLock<Mutex<Points>> = LazyLock::new(|| {
        let mut points = Points::default();
        for entry in std::env::var("DGP_FAULT").unwrap_or_default().split(',').filter(|e| !e.is_empty()) {
            let (name, what) = entry.split_once('=').unwrap_or((entry, "kill"));
            let (what, nth) = what.split_once('@').unwrap_or((what, "1"));
            let fault = match what {
                "panic" => Fault::Panic,
                "error" => Fault::Error,
                "full" => Fault::Full,
                _ => Fault::Kill,
            };
            points.armed.insert(name.to_owned(), (fault, nth.parse().unwrap_or(1)));
        }
        Mutex::new(points)
    });

    /// The file that `DGP_FAULT_CLOCK` names: by how many seconds the clock is off, and that it may jump while the server runs.
    static CLOCK: LazyLock<Option<PathBuf>> = LazyLock::new(|| std::env::var_os("DGP_FAULT_CLOCK").map(PathBuf::from));

    /// How far a test has set the system's clock off, in milliseconds.
    pub fn clock_offset() -> i64 {
        let Some(file) = &*CLOCK else { return 0 };
        let seconds = std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse::<i64>().ok());
        seconds.unwrap_or(0) * 1000
    }

    /// Arms a point: its `nth` visit from now (1 = the next) meets the fault, once.
    pub fn arm(name: &str, fault: Fault, nth: usize) {
        lock().armed.insert(name.to_owned(), (fault, nth));
    }

    /// Disarms every point.
    pub fn disarm() {
        lock().armed.clear();
    }

    /// How often each point was reached so far.
    pub fn reached() -> BTreeMap<String, usize> {
        lock().reached.clone()
    }

    /// Reaches a point that can kill or panic.
    pub fn point(name: &str) {
        if visit(name).is_some() {
            panic!("fault point {name}");
        }
    }

    /// Reaches a point that can also fail.
    pub fn fallible(name: &str) -> std::io::Result<()> {
        match visit(name) {
            None => Ok(()),
            Some(Fault::Full) => Err(rustix::io::Errno::NOSPC.into()),
            Some(Fault::Error) => Err(std::io::Error::other(format!("fault point {name}"))),
            Some(_) => panic!("fault point {name}"),
        }
    }

    fn visit(name: &str) -> Option<Fault> {
        let mut points = lock();
        *points.reached.entry(name.to_owned()).or_default() += 1;
        let (fault, left) = points.armed.get_mut(name)?;
        *left -= 1;
        if *left > 0 {
            return None;
        }
        let fault = *fault;
        points.armed.remove(name);
        drop(points);
        if fault == Fault::Kill {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            loop {
                std::thread::park();
            }
        }
        Some(fault)
    }

    fn lock() -> std::sync::MutexGuard<'static, Points> {
        POINTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
