//! Which backend holds a bucket, and under which name: what the config pins, over the registry, field by field.

use super::model::Storage;
use crate::domain::names::{BackendName, BucketName};
use crate::domain::state::Bucket;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where a bucket's objects are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The backend.
    pub backend: BackendName,
    /// The name of the bucket there.
    pub real_name: BucketName,
}

/// The route of a bucket; `None` where neither config nor registry has it.
pub fn route(storage: &Storage, registry: &BTreeMap<BucketName, Arc<Bucket>>, bucket: &BucketName) -> Option<Route> {
    let entry = registry.get(bucket);
    let pin = storage.buckets.get(bucket);
    if entry.is_none() && pin.is_none() {
        return None;
    }
    let pinned = pin.and_then(|pin| pin.backend.as_ref());
    let backend = pinned.or(entry.map(|entry| &entry.backend)).unwrap_or(&storage.default_backend);
    let alias = pin.and_then(|pin| pin.alias.as_ref()).or(entry.and_then(|entry| entry.alias.as_ref()));
    Some(Route { backend: backend.clone(), real_name: alias.unwrap_or(bucket).clone() })
}

/// Every bucket and its route, in the order of names.
pub fn routes(storage: &Storage, registry: &BTreeMap<BucketName, Arc<Bucket>>) -> BTreeMap<BucketName, Route> {
    let names: BTreeSet<&BucketName> = registry.keys().chain(storage.buckets.keys()).collect();
    names.into_iter().filter_map(|name| Some((name.clone(), route(storage, registry, name)?))).collect()
}

/// The buckets that share backend and real name with another one: an error wherever a state is staged.
pub fn collisions(routes: &BTreeMap<BucketName, Route>) -> Vec<(BucketName, BucketName)> {
    let mut seen: BTreeMap<(&BackendName, &BucketName), &BucketName> = BTreeMap::new();
    let mut collisions = Vec::new();
    for (name, route) in routes {
        if let Some(other) = seen.insert((&route.backend, &route.real_name), name) {
            collisions.push((other.clone(), name.clone()));
        }
    }
    collisions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::config::load::load;
    use crate::domain::config::scalar::Environment;

    const TWO: &str = "storage:\n  backends:\n    - {name: hot, type: filesystem, path: /h}\n    - {name: cold, type: filesystem, path: /c}\n";

    fn storage(buckets: &str) -> Storage {
        load(&format!("{TWO}{buckets}"), &Environment::new()).unwrap().config.storage
    }

    fn registry(name: &str, backend: &str, alias: Option<&str>) -> BTreeMap<BucketName, Arc<Bucket>> {
        let bucket = Bucket {
            name: BucketName::new(name).unwrap(),
            backend: BackendName::new(backend).unwrap(),
            alias: alias.map(|alias| BucketName::new(alias).unwrap()),
            owner: "$bootstrap".to_owned(),
            created_at: Timestamp::default(),
            public_prefixes: Vec::new(),
            settings: Default::default(),
        };
        BTreeMap::from([(bucket.name.clone(), Arc::new(bucket))])
    }

    fn shown(storage: &Storage, registry: &BTreeMap<BucketName, Arc<Bucket>>, name: &str) -> Option<String> {
        let route = route(storage, registry, &BucketName::new(name).unwrap())?;
        Some(format!("{}/{}", route.backend, route.real_name))
    }

    #[test]
    fn the_registry_routes_what_the_config_does_not_pin() {
        let (storage, registry) = (storage(""), registry("photos", "cold", Some("real")));
        assert_eq!(shown(&storage, &registry, "photos").as_deref(), Some("cold/real"));
        assert_eq!(shown(&storage, &registry, "other"), None);
    }

    #[test]
    fn a_pin_wins_field_by_field() {
        let registry = registry("photos", "cold", Some("real"));
        assert_eq!(shown(&storage("  buckets: {photos: {backend: hot}}\n"), &registry, "photos").unwrap(), "hot/real");
        assert_eq!(shown(&storage("  buckets: {photos: {alias: pics}}\n"), &registry, "photos").unwrap(), "cold/pics");
    }

    #[test]
    fn a_bucket_of_the_config_alone_is_on_the_default_backend() {
        let storage = storage("  default_backend: cold\n  buckets: {logs: {}}\n");
        assert_eq!(shown(&storage, &BTreeMap::new(), "logs").as_deref(), Some("cold/logs"));
    }

    #[test]
    fn two_names_of_one_place_are_found() {
        let storage = storage("  buckets: {pics: {backend: cold, alias: real}}\n");
        let routes = routes(&storage, &registry("photos", "cold", Some("real")));
        assert_eq!(collisions(&routes).len(), 1);
        assert_eq!(routes.len(), 2);
    }
}
