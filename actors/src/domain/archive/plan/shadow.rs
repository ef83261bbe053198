//! Rule 13: restored values that a variable of this host overrides, each with a line that says so.

use crate::domain::config::load::Loaded;
use crate::domain::config::model::Config;
use crate::domain::config::table;
use crate::domain::config::tree::Origin;

/// A restored value that this host overrides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadowed {
    /// The config path.
    pub path: String,
    /// The variable.
    pub variable: String,
}

/// Every overridden value but host settings, which are this host's own anyway; those too where somebody asked for them by `set`.
pub(super) fn shadowed(next: &Loaded, set: &[(String, String)], warnings: &mut Vec<String>) -> Vec<Shadowed> {
    let asked = |path: &str| set.iter().any(|(name, _)| names(&next.config, name).iter().any(|name| name == path));
    let mut shadowed = Vec::new();
    for (path, origin) in &next.origins {
        let Origin::Env(variable) = origin else { continue };
        if asked(path) {
            warnings.push(format!("`set={path}=…` has no effect while this host sets {variable}"));
        } else if table::host_settings().any(|setting| setting == path) {
            continue;
        }
        shadowed.push(Shadowed { path: path.clone(), variable: variable.clone() });
    }
    shadowed
}

/// The paths that `set` may mean: `storage.filesystem` is the directory of the default backend, whatever the form.
fn names(config: &Config, path: &str) -> Vec<String> {
    let mut names = vec![path.to_owned()];
    let default = format!("storage.backends.{}.path", config.storage.default_backend);
    if path == "storage.filesystem" {
        names.push(default);
    } else if path == default {
        names.push("storage.filesystem".to_owned());
    }
    names
}
