//! What a plan must know of the backends: which buckets hold objects, which of them move, which roots are new.

use crate::domain::archive::plan::Plan;
use crate::domain::config::routing;
use crate::domain::names::BucketName;
use crate::system::view::SystemView;
use std::collections::BTreeSet;
use std::path::Path;

/// Objects of a bucket that are counted before a plan says "at least".
const COUNTED: usize = 10_000;

/// Buckets of the registry whose backend holds objects. One that cannot be asked counts as holding some: its entry stays.
pub(super) async fn buckets_with_data(view: &SystemView) -> BTreeSet<BucketName> {
    let mut found = BTreeSet::new();
    for name in view.state.buckets.keys() {
        let Ok(route) = view.route(name) else { continue };
        if route.store.holds_objects(&route.bucket).await.unwrap_or(true) {
            found.insert(name.clone());
        }
    }
    found
}

/// Rule 15: buckets with objects whose place the plan moves; moving a route never moves data.
pub(super) async fn moved_buckets(
    view: &SystemView,
    plan: &Plan,
    with_data: &BTreeSet<BucketName>,
    base: &Path,
) -> Vec<String> {
    let mut warnings = Vec::new();
    let next = routing::routes(&plan.next_config.config.storage, &plan.next.buckets);
    for name in with_data {
        let Ok(now) = view.route(name) else { continue };
        let to = next.get(name).and_then(|route| {
            let backend = plan.next_config.config.storage.backends.get(&route.backend)?;
            Some(backend.kind.place(base).join(route.real_name.as_str()))
        });
        // One that is down has no root, and leaves no fewer objects behind.
        let configured = || Some(view.config.storage.backends.get(&now.backend)?.kind.place(base));
        let root = now.store.root().map(Path::to_owned).or_else(configured);
        let from = root.map(|root| root.join(now.bucket.as_str()));
        if from.is_none() || to == from {
            continue;
        }
        let count = match now.store.count(&now.bucket, COUNTED).await {
            Ok((count, true)) => format!("at least {count}"),
            Ok((count, false)) => count.to_string(),
            Err(_) => "an unknown number of".to_owned(),
        };
        let (from, verb) = (from.unwrap_or_default(), if next.contains_key(name) { "moves" } else { "goes" });
        warnings.push(format!(
            "bucket `{name}` {verb}: {count} objects stay in {} and are out of sight there (a route moves no data)",
            from.display()
        ));
    }
    warnings
}

/// What the operator should know of the backends that the restored config names.
pub(super) fn backend_warnings(view: &SystemView, plan: &Plan, base: &Path) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, backend) in &plan.next_config.config.storage.backends {
        let Some(path) = backend.kind.directory() else { continue };
        let root = path.resolve(base);
        let id = plan.next.backends.get(name);
        let now = view.stores.values().find(|store| store.root() == Some(root.as_path())).and_then(|s| s.backend_id());
        if !root.is_dir() {
            warnings.push(format!(
                "backend_root_new: {} does not exist yet; backend `{name}` is initialised there",
                root.display()
            ));
        } else if now.is_some() && now.as_ref() != id {
            warnings.push(format!(
                "backend_root_new: if {} holds no objects it becomes backend `{name}` of the archive; if it does, that backend is \
                 unavailable",
                root.display()
            ));
        }
    }
    warnings
}
