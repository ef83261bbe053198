//! Where the roots of filesystem backends may lie on this host, symbolic links followed.

use crate::config::state_dir::STATE_FILES;
use crate::domain::config::model::BackupTarget;
use crate::domain::config::problem::Problem;
use crate::domain::config::{DEFAULT_BACKEND, Loaded};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Checks every root: under the data roots, apart from the state, the config and every other root.
pub fn check(loaded: &Loaded, base: &Path, config_dir: Option<&Path>, state_dir: &Path) -> Vec<Problem> {
    let storage = &loaded.config.storage;
    let roots: Vec<(String, PathBuf)> = storage
        .backends
        .iter()
        .filter_map(|(name, backend)| Some((name.to_string(), follow(&backend.kind.directory()?.resolve(base)))))
        .collect();
    let default = roots.iter().find(|(name, _)| *name == storage.default_backend.as_str()).or_else(|| roots.first());
    let data_roots: Vec<PathBuf> = match loaded.config.advanced.data_roots.as_slice() {
        [] => default.and_then(|(_, root)| root.parent()).map(Path::to_owned).into_iter().collect(),
        written => written.iter().map(|path| follow(&path.resolve(base))).collect(),
    };
    let protected = [Some(state_dir), config_dir].into_iter().flatten().map(follow);
    let protected: Vec<PathBuf> = protected.collect();
    let mut problems = Vec::new();
    for (index, (name, root)) in roots.iter().enumerate() {
        let others = roots[..index].iter().map(|(_, other)| other);
        if let Some((message, suggestion)) = refusal(root, &data_roots, &protected, others, &follow(state_dir)) {
            let path = origin_path(loaded, name);
            let (line, column) = loaded.origins.get(&path).map_or((0, 0), |origin| origin.place());
            problems.push(Problem { path, line, column, message, suggestion: Some(suggestion) });
        }
    }
    problems.extend(audit_file(loaded, base, &roots, &follow(state_dir)));
    problems.extend(backups(loaded, base, &roots));
    problems
}

/// The audit file may be no file of the state, and none that a backend would take for an object.
fn audit_file(loaded: &Loaded, base: &Path, roots: &[(String, PathBuf)], state_dir: &Path) -> Option<Problem> {
    const PATH: &str = "advanced.audit.file";
    let file = follow(&loaded.config.advanced.audit.file.as_ref()?.resolve(base));
    let shown = file.display();
    let in_state = file.strip_prefix(state_dir).ok().and_then(|rest| rest.iter().next());
    let message = match roots.iter().find(|(_, root)| file.starts_with(root)) {
        Some((name, _)) => format!("{shown} lies in the root of the backend `{name}`"),
        None if in_state.is_some_and(is_state_name) => format!("{shown} is a file of the state itself"),
        None => return None,
    };
    let (line, column) = loaded.origins.get(PATH).map_or((0, 0), |origin| origin.place());
    let suggestion = Some("use a file of its own, as /var/log/deltaglider/audit.ndjson".to_owned());
    Some(Problem { path: PATH.to_owned(), line, column, message, suggestion })
}

/// Refuses a directory for backups that S3 would show, or that would show S3's.
fn backups(loaded: &Loaded, base: &Path, roots: &[(String, PathBuf)]) -> Option<Problem> {
    const KEY: &str = "backup.to.directory";
    let Some(BackupTarget::Directory(path)) = &loaded.config.backup.to else { return None };
    let directory = follow(&path.resolve(base));
    let (name, root) = roots.iter().find(|(_, root)| directory.starts_with(root) || root.starts_with(&directory))?;
    let (line, column) = loaded.origins.get(KEY).map_or((0, 0), |origin| origin.place());
    let message =
        format!("{} and the root {} of backend `{name}` lie in one another", directory.display(), root.display());
    let suggestion = Some("store backups in a directory of their own".to_owned());
    Some(Problem { path: KEY.to_owned(), line, column, message, suggestion })
}

fn refusal<'a>(
    root: &Path,
    data_roots: &[PathBuf],
    protected: &[PathBuf],
    mut others: impl Iterator<Item = &'a PathBuf>,
    state_dir: &Path,
) -> Option<(String, String)> {
    let shown = root.display();
    if let Some(inside) = protected.iter().find(|inside| inside.starts_with(root)) {
        let message = format!("{shown} is or contains {}, where the state or the config is", inside.display());
        return Some((message, format!("use a directory of its own, as {}/data", inside.display())));
    }
    if let Ok(rest) = root.strip_prefix(state_dir) {
        let first = rest.components().next().map(|part| part.as_os_str()).unwrap_or_default();
        if is_state_name(first) {
            let message = format!("{shown} is where the state directory keeps a file of its own");
            return Some((message, format!("use another directory, as {}/data", state_dir.display())));
        }
    }
    if let Some(other) = others.find(|other| root.starts_with(other) || other.starts_with(root)) {
        let message = format!("{shown} and the root {} of another backend lie in one another", other.display());
        return Some((message, "give each backend a directory of its own".to_owned()));
    }
    if !data_roots.iter().any(|allowed| root.starts_with(allowed)) {
        let allowed: Vec<String> = data_roots.iter().map(|path| path.display().to_string()).collect();
        let message = format!("{shown} is under none of the data roots ({})", allowed.join(", "));
        return Some((message, format!("add it to advanced.data_roots: [{shown}]")));
    }
    None
}

/// True for the state files and their side files (`-wal`, `.work`, `.locked-…`).
fn is_state_name(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    STATE_FILES
        .iter()
        .any(|state| name.strip_prefix(state).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.'])))
}

/// The path with the symbolic links of its longest existing part followed.
pub fn follow(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut existing = path;
    loop {
        if let Ok(resolved) = fs::canonicalize(existing) {
            return missing.iter().rev().fold(resolved, |path, part| path.join(part));
        }
        match (existing.parent(), existing.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name);
                existing = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            }
            _ => return path.to_owned(),
        }
    }
}

fn origin_path(loaded: &Loaded, name: &str) -> String {
    let listed = format!("storage.backends.{name}.path");
    let single = name == DEFAULT_BACKEND && !loaded.origins.contains_key(&listed);
    if single { "storage.filesystem".to_owned() } else { listed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::config::load;
    use crate::domain::config::scalar::Environment;
    use std::os::unix::fs::symlink;

    /// What is said of a storage section, in a host whose state and config are in `<dir>/state`.
    fn said(dir: &Path, text: &str) -> String {
        let state = dir.join("state");
        fs::create_dir_all(&state).unwrap();
        let text = text.replace("DIR", &dir.display().to_string());
        let loaded = load(&text, &Environment::new()).unwrap_or_else(|problems| panic!("{problems}"));
        let problems = check(&loaded, &state, Some(&state), &state);
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_default_directory_and_a_plain_sub_directory_are_fine() {
        let dir = tempfile::tempdir().unwrap();
        for text in
            ["", "storage: {filesystem: ./objects}", "storage: {filesystem: DIR/data}", "storage: {filesystem: ./a/b}"]
        {
            assert_eq!(said(dir.path(), text), "", "{text}");
        }
    }

    #[test]
    fn a_root_never_covers_state_config_or_another_root() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("state/link-target")).unwrap();
        symlink(dir.path().join("state"), dir.path().join("link")).unwrap();
        for text in [
            "storage: {filesystem: .}",
            "storage: {filesystem: DIR}",
            "storage: {filesystem: DIR/link}",
            "storage: {filesystem: /}",
        ] {
            assert!(said(dir.path(), text).contains("where the state or the config is"), "{text}");
        }
        for text in [
            "storage: {filesystem: ./swap}",
            "storage: {filesystem: DIR/link/undo/x}",
            "storage: {filesystem: ./deltaglider_config.db-wal}",
        ] {
            assert!(said(dir.path(), text).contains("keeps a file of its own"), "{text}");
        }
        let nested = "storage:\n  backends:\n    - {name: a, type: filesystem, path: DIR/d}\n    - {name: b, type: filesystem, path: DIR/d/e}\n";
        let said = said(dir.path(), nested);
        assert!(said.starts_with("line 4, ") && said.contains("lie in one another"), "{said}");
    }

    #[test]
    fn backups_lie_apart_from_every_root() {
        let dir = tempfile::tempdir().unwrap();
        for (to, refused) in [("./backups", false), ("./data/backups", true), (".", true), ("DIR/b", false)] {
            let said = said(dir.path(), &format!("backup: {{to: {{directory: {to}}}}}\n"));
            assert_eq!(said.contains("lie in one another"), refused, "{to}: {said}");
        }
    }

    #[test]
    fn a_root_lies_under_the_data_roots() {
        let dir = tempfile::tempdir().unwrap();
        let outside = "advanced: {data_roots: [DIR/allowed]}\nstorage: {filesystem: DIR/other}\n";
        assert!(said(dir.path(), outside).contains("is under none of the data roots"));
        assert_eq!(said(dir.path(), &outside.replace("DIR/other", "DIR/allowed/x")), "");
        fs::create_dir_all(dir.path().join("allowed")).unwrap();
        symlink(dir.path(), dir.path().join("allowed/out")).unwrap();
        assert!(said(dir.path(), &outside.replace("DIR/other", "DIR/allowed/out/x")).contains("under none"));
    }
}
