//! Which buckets that lie on a backend and that nobody knows are taken in, and which names are on two backends.

use crate::domain::config::routing::Route;
use crate::domain::names::{BackendName, BucketName};
use std::collections::{BTreeMap, BTreeSet};

/// What each backend was last seen to hold, by its own names.
pub type Seen = BTreeMap<BackendName, BTreeSet<BucketName>>;

/// What is to be done about the buckets that nobody knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adoption {
    /// They are taken in, each on its backend.
    pub adopt: Vec<(BackendName, BucketName)>,
    /// The name means something else, or lies on several backends: nobody can say which of them is meant.
    pub doubles: BTreeMap<BucketName, Vec<BackendName>>,
}

/// Judges what was seen by the routes there are. A place that a route leads to is known, whatever the bucket is called.
pub fn judge(routes: &BTreeMap<BucketName, Route>, seen: &Seen) -> Adoption {
    let known: BTreeSet<(&BackendName, &BucketName)> =
        routes.values().map(|route| (&route.backend, &route.real_name)).collect();
    let mut places: BTreeMap<&BucketName, Vec<&BackendName>> = BTreeMap::new();
    for (backend, buckets) in seen {
        for bucket in buckets.iter().filter(|bucket| !known.contains(&(backend, *bucket))) {
            places.entry(bucket).or_default().push(backend);
        }
    }
    let mut adoption = Adoption::default();
    for (bucket, backends) in places {
        match (routes.get(bucket), backends.as_slice()) {
            (None, [backend]) => adoption.adopt.push(((*backend).clone(), bucket.clone())),
            (route, backends) => {
                let mut all: Vec<BackendName> = backends.iter().map(|backend| (*backend).clone()).collect();
                all.extend(route.map(|route| route.backend.clone()));
                all.sort();
                all.dedup();
                adoption.doubles.insert(bucket.clone(), all);
            }
        }
    }
    adoption
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(name: &str) -> BucketName {
        BucketName::new(name).unwrap()
    }

    fn backend(name: &str) -> BackendName {
        BackendName::new(name).unwrap()
    }

    fn seen(places: &[(&str, &[&str])]) -> Seen {
        places.iter().map(|(name, buckets)| (backend(name), buckets.iter().map(|one| bucket(one)).collect())).collect()
    }

    #[test]
    fn what_one_backend_has_is_taken_in_and_what_two_have_is_not() {
        let route = |on: &str, real: &str| Route { backend: backend(on), real_name: bucket(real) };
        let routes =
            BTreeMap::from([(bucket("photos"), route("hot", "photos")), (bucket("logs"), route("hot", "raw"))]);
        let seen =
            seen(&[("hot", &["photos", "raw", "films", "logs"]), ("cold", &["photos", "both"]), ("tape", &["both"])]);
        let adoption = judge(&routes, &seen);
        assert_eq!(adoption.adopt, [(backend("hot"), bucket("films"))]);
        let doubles: Vec<_> = adoption.doubles.iter().map(|(name, on)| (name.as_str(), on.len())).collect();
        // `logs` is another bucket's name, so what lies under it on its own backend can be reached by nobody.
        assert_eq!(doubles, [("both", 2), ("logs", 1), ("photos", 2)]);
    }
}
