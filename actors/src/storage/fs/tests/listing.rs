//! Listings against their definition: random keys, random questions, and changes that nobody told the store about.

use super::*;
use crate::storage::testkit::listing_by_definition;
use std::collections::BTreeSet;

/// A generator of its own, so that a failure can be seen again.
struct Random(u64);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// Keys with much in common: siblings around a slash, empty and reserved components, and some that are too long for a name.
    fn key(&mut self) -> String {
        loop {
            let mut key = self.pick(&["", "", "a", "wide/", "wide/", "wide/deep/", "%"]).to_owned();
            for _ in 0..1 + self.below(3) {
                let number = self.below(40).to_string();
                key += self.pick(&["a", "b-", "b.", "/", "é", ".dg", "%", "-", "\u{1}", &number, &number, &number]);
            }
            if self.below(12) == 0 {
                key += &self.pick(&["x", "é", "%"]).repeat(190 + self.below(30));
                key += self.pick(&["", "/", "é", "z"]);
            }
            if ObjectKey::new(&key).is_ok() {
                return key;
            }
        }
    }

    fn query(&mut self, keys: &BTreeSet<String>) -> ListQuery {
        let key = |random: &mut Self| -> String {
            let key = keys.iter().nth(random.below(keys.len().max(1))).cloned().unwrap_or_default();
            let chars = random.below(key.chars().count() + 1);
            key.chars().take(chars).collect()
        };
        let prefix = if self.below(3) == 0 { key(self) } else { String::new() };
        let start_after = if self.below(3) == 0 { key(self) } else { String::new() };
        let delimiter = self.pick(&["", "", "/", "/", "-", "a", "1", "-/"]).to_owned();
        ListQuery { prefix, delimiter, start_after, max_keys: 0 }
    }
}

fn strings(keys: &BTreeSet<String>) -> Vec<&str> {
    keys.iter().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_what_the_definition_says_while_keys_come_and_go() {
    let (dir, store) = store();
    let bucket = testkit::bucket("photos").unwrap();
    store.create_bucket(&bucket).await.unwrap();
    let root = dir.path().join("root/photos");
    let (mut random, mut keys) = (Random(0x5EED_1234_ABCD_0001), BTreeSet::new());
    for round in 0..60 {
        for _ in 0..8 {
            let key = random.key();
            let path: std::path::PathBuf = root.join(layout::encode(&key).join("/"));
            match random.below(8) {
                0..4 => {
                    put(&store, &bucket, &key, b"x").await.unwrap();
                    keys.insert(key);
                }
                4 => {
                    let at = random.below(keys.len().max(1));
                    if let Some(key) = keys.iter().nth(at).cloned() {
                        delete(&store, &bucket, &key).await.unwrap();
                        keys.remove(&key);
                    }
                }
                // Behind the store's back, where nothing is in the way.
                5 | 6 if !path.exists() && path.parent().is_some_and(|dir| dir.is_dir()) => {
                    std::fs::write(&path, b"dropped in").unwrap();
                    keys.insert(key);
                }
                _ => {
                    if path.is_file() && keys.remove(&key) {
                        std::fs::remove_file(&path).unwrap();
                    }
                }
            }
        }
        for _ in 0..4 {
            let (query, page) = (random.query(&keys), 1 + random.below(30));
            let listed = list_all(&store, &bucket, &query, page).await.unwrap();
            assert_eq!(listed, listing_by_definition(&strings(&keys), &query), "round {round}: {query:?} by {page}");
        }
    }
    assert!(keys.len() > 100, "{}", keys.len());
}

#[test]
fn the_first_object_of_a_wide_tree_is_found_without_a_look_at_all_of_it() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..600 {
        std::fs::create_dir_all(dir.path().join(format!("{number}/deep/deeper"))).unwrap();
    }
    assert!(!scan::first_object(dir.path()).unwrap());
    std::fs::write(dir.path().join("77/deep/deeper/here"), b"x").unwrap();
    assert!(scan::first_object(dir.path()).unwrap());
    assert!(scan::object_below(dir.path(), vec!["77".to_owned()]).unwrap());
    assert!(!scan::object_below(dir.path(), vec!["78".to_owned()]).unwrap());
}
