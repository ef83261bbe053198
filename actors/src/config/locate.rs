//! Which file is the config file, and whether it can be replaced.

use crate::config::state_dir::CONFIG_FILE;
use crate::domain::config::scalar::Environment;
use crate::{Error, ErrorKind, Result};
use rustix::fs::Access;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where the config file is looked for when none is named, before the state directory.
const WELL_KNOWN: [&str; 2] = ["./deltaglider_proxy.yaml", "/etc/deltaglider_proxy/config.yaml"];

/// The config file: the one that is there, or the one that a first change through the API will make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The file.
    pub path: PathBuf,
    /// It is there.
    pub exists: bool,
}

/// The config file that was named, by `--config` or `DGP_CONFIG`.
pub fn named(flag: Option<&Path>, environment: &Environment) -> Option<PathBuf> {
    let variable = environment.get("DGP_CONFIG").filter(|value| !value.is_empty());
    flag.map(Path::to_owned).or_else(|| variable.map(PathBuf::from))
}

/// Finds the config file. One that was named must be there; one that cannot be read is an error, never skipped.
pub fn locate(named: Option<&Path>, state_dir: &Path) -> Result<Located> {
    if let Some(path) = named {
        return match fs::metadata(path) {
            Ok(_) => Ok(Located { path: path.to_owned(), exists: true }),
            Err(error) => Err(Error::new(
                ErrorKind::NotFound,
                "find the config file",
                format!("the config file {} cannot be read: {error}", path.display()),
            )
            .with_hint("name another file, or none: the server starts without one")),
        };
    }
    let own = state_dir.join(CONFIG_FILE);
    let candidates = WELL_KNOWN.iter().map(PathBuf::from).chain([own.clone()]);
    let found = candidates.into_iter().find(|path| fs::symlink_metadata(path).is_ok());
    Ok(match found {
        Some(path) => Located { path, exists: true },
        None => Located { path: own, exists: false },
    })
}

/// Why a file cannot be replaced by a rename, symbolic links followed; `Ok` where it can.
pub fn replaceable(path: &Path) -> std::result::Result<(), String> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let parent = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if fs::metadata(&target).is_ok_and(|metadata| metadata.permissions().mode() & 0o222 == 0) {
        return Err(format!("{} is read-only", target.display()));
    }
    // Where /proc is missing the rename itself will tell; nothing is lost but the early word.
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    if is_mount_point(&target, &mounts) {
        return Err(format!("{} is a mount point", target.display()));
    }
    match rustix::fs::access(parent, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Ok(()),
        Err(error) => Err(format!("the directory {} is not writable: {error}", parent.display())),
    }
}

/// True where something is mounted on exactly this path (the fifth field of a line, blanks as `\040`).
fn is_mount_point(path: &Path, mounts: &str) -> bool {
    let text = path.to_string_lossy().replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011");
    mounts.lines().any(|line| line.split(' ').nth(4) == Some(text.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_must_be_there_and_no_file_is_fine() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing.yaml");
        assert_eq!(locate(Some(&missing), dir.path()).unwrap_err().kind(), ErrorKind::NotFound);
        let own = dir.path().join(CONFIG_FILE);
        assert_eq!(locate(None, dir.path()).unwrap(), Located { path: own.clone(), exists: false });
        fs::write(&own, "").unwrap();
        assert_eq!(locate(None, dir.path()).unwrap(), Located { path: own, exists: true });
    }

    #[test]
    fn the_flag_wins_over_the_variable() {
        let environment = Environment::from([("DGP_CONFIG".to_owned(), "/b".to_owned())]);
        assert_eq!(named(Some(Path::new("/a")), &environment), Some(PathBuf::from("/a")));
        assert_eq!(named(None, &environment), Some(PathBuf::from("/b")));
        assert_eq!(named(None, &Environment::new()), None);
    }

    #[test]
    fn a_read_only_file_and_a_mount_point_cannot_be_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.yaml");
        assert_eq!(replaceable(&path), Ok(()));
        fs::write(&path, "").unwrap();
        assert_eq!(replaceable(&path), Ok(()));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        assert!(replaceable(&path).unwrap_err().contains("is read-only"));
        let mounts = "36 35 98:0 /x /etc/my\\040dgp/config.yaml rw,noatime - ext4 /dev/sda rw\n";
        assert!(is_mount_point(Path::new("/etc/my dgp/config.yaml"), mounts));
        assert!(!is_mount_point(Path::new("/etc/my dgp"), mounts));
    }
}
