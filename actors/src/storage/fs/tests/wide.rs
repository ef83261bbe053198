//! Wide directories: what a page costs, and that no change is ever missed, whoever makes it and whatever breaks.

use super::super::level::Effort;
use super::super::{index, lister};
use super::*;
use crate::disk::Disk;
use std::collections::BTreeSet;
use std::time::Duration;

const KEYS: usize = 50_000;

/// A store on a bucket whose files were laid out before it came.
fn laid_out(keys: impl Iterator<Item = String>) -> (TempDir, Arc<FsStore>, BucketName) {
    let dir = tempfile::tempdir().unwrap();
    let bucket = testkit::bucket("photos").unwrap();
    let root = dir.path().join("root/photos");
    std::fs::create_dir_all(&root).unwrap();
    let mut made = None;
    for key in keys {
        let path = root.join(key);
        let parent = path.parent().map(Path::to_owned);
        if parent != made {
            std::fs::create_dir_all(parent.as_ref().unwrap()).unwrap();
            made = parent;
        }
        std::fs::File::create(path).unwrap();
    }
    let store = FsStore::open(options(&dir.path().join("root"))).unwrap().0;
    (dir, store, bucket)
}

fn query(prefix: &str, delimiter: &str, start_after: &str, max_keys: usize) -> ListQuery {
    let [prefix, delimiter, start_after] = [prefix, delimiter, start_after].map(str::to_owned);
    ListQuery { prefix, delimiter, start_after, max_keys }
}

fn page(store: &FsStore, bucket: &BucketName, query: &ListQuery) -> (Vec<String>, Vec<String>, Effort) {
    let (page, effort) = lister::list(&store.fs, bucket, query).unwrap();
    (page.objects.into_iter().map(|object| object.key).collect(), page.prefixes, effort)
}

/// Waits until a directory is in the index.
fn indexed(store: &FsStore, bucket: &BucketName, prefix: &str) {
    for _ in 0..60_000 {
        if page(store, bucket, &query(prefix, "", "", 1)).2.names <= index::WIDE {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the directory does not come into the index");
}

fn everything(store: &FsStore, bucket: &BucketName) -> BTreeSet<String> {
    let (mut all, mut at) = (BTreeSet::new(), query("", "", "", 1000));
    loop {
        let (listed, next) = lister::list(&store.fs, bucket, &at).map(|(page, _)| (page.objects, page.next)).unwrap();
        for object in listed {
            assert!(all.last() < Some(&object.key) && all.insert(object.key), "out of order");
        }
        let Some(next) = next else { return all };
        at.start_after = next;
    }
}

#[test]
fn a_page_of_a_flat_bucket_costs_what_is_on_it() {
    let (_dir, store, bucket) = laid_out((0..KEYS).map(|number| format!("{:02}-{number:06}", number % 100)));
    indexed(&store, &bucket, "");
    let all: Vec<_> = everything(&store, &bucket).into_iter().collect();
    assert_eq!(all.len(), KEYS);
    let cost = |query: &ListQuery, keys: &[String], prefixes: &[String], most: usize| {
        let (listed, rolled, effort) = page(&store, &bucket, query);
        assert_eq!((listed.as_slice(), rolled.as_slice()), (keys, prefixes), "{query:?}");
        assert!(effort.names == 0 && effort.indexed <= most, "{query:?} cost {effort:?}");
        effort.indexed
    };
    let first = cost(&query("", "", "", 1000), &all[..1000], &[], 4000);
    let last = cost(&query("", "", &all[KEYS - 1001], 1000), &all[KEYS - 1000..], &[], 4000);
    assert!(first <= 3 * last && last <= 3 * first, "{first} and {last}");
    cost(&query("42-", "", "42-000142", 10), &all[21_002..21_012], &[], 64);
    cost(&query("", "", &all[KEYS - 1], 1000), &[], &[], 64);
    // A hundred prefixes of five hundred keys each: every one is found, none is walked through.
    let prefixes: Vec<_> = (0..100).map(|number| format!("{number:02}-")).collect();
    cost(&query("", "-", "", 1000), &[], &prefixes, 100 * 16 + 64);
    cost(&query("", "-", "49-", 10), &[], &prefixes[50..60], 12 * 16);
    cost(&query("", "/", "", 3), &all[..3], &[], 64);
}

#[test]
fn a_page_of_a_deep_bucket_costs_what_is_on_it() {
    // Directories side by side, each with its own below it; and few with many each.
    let many = (0..KEYS / 20).map(|number| format!("many/{number:06}/deep/file"));
    let few = (0..KEYS - KEYS / 20).map(|number| format!("few/{:03}/{:06}", number / 500, number));
    let (_dir, store, bucket) = laid_out(many.chain(few));
    for wide in ["many/", "few/", "few/000/", "few/094/"] {
        indexed(&store, &bucket, wide);
    }
    let cost = |prefix: &str, delimiter: &str, after: &str, count: usize| {
        let (keys, prefixes, effort) = page(&store, &bucket, &query(prefix, delimiter, after, 100));
        assert_eq!(keys.len() + prefixes.len(), count, "{prefix} {delimiter} {after}");
        effort
    };
    let bounded = |first: Effort, last: Effort, most: usize| {
        let sums = [first, last].map(|effort| effort.names + effort.indexed + effort.reads);
        assert!(sums.iter().all(|sum| *sum <= most), "{first:?} {last:?}");
    };
    bounded(cost("", "", "many/", 100), cost("", "", "many/002399/x", 100), 2500);
    bounded(cost("many/", "/", "", 100), cost("many/", "/", "many/002399/", 100), 2500);
    bounded(cost("few/", "", "", 100), cost("few/", "", "few/094/047399", 100), 40 * index::WIDE);
    bounded(cost("", "/", "", 2), cost("", "/", "few/", 1), 600);
    bounded(cost("many/0000", "/", "", 100), cost("many/0024", "/", "", 100), 2500);
}

#[test]
fn a_change_behind_the_stores_back_is_seen_at_once_also_with_equal_timestamps() {
    let (dir, store, bucket) = laid_out((0..100).map(|number| format!("wide/{number:03}")));
    let wide = dir.path().join("root/photos/wide");
    indexed(&store, &bucket, "wide/");
    let handle = std::fs::File::open(&wide).unwrap();
    let time = handle.metadata().unwrap().modified().unwrap();
    let mut keys = everything(&store, &bucket);
    let mut same = |what: &str, change: &mut dyn FnMut() -> Vec<(&'static str, bool)>| {
        for (key, there) in change() {
            if there {
                keys.insert(key.to_owned())
            } else {
                keys.remove(key)
            };
        }
        handle.set_modified(time).unwrap();
        assert_eq!(everything(&store, &bucket), keys, "{what}");
        let prefixes = page(&store, &bucket, &query("", "/", "", 10)).1;
        assert_eq!(prefixes.contains(&"wide/".to_owned()), keys.iter().any(|key| key.starts_with("wide/")), "{what}");
    };
    let at = |name: &str| wide.join(name);
    same("a new file", &mut || {
        std::fs::write(at("0505"), b"x").unwrap();
        vec![("wide/0505", true)]
    });
    same("a removed one", &mut || {
        std::fs::remove_file(at("050")).unwrap();
        vec![("wide/050", false)]
    });
    same("one under another name", &mut || {
        std::fs::rename(at("051"), at("051-b")).unwrap();
        vec![("wide/051", false), ("wide/051-b", true)]
    });
    same("a directory in the place of a file", &mut || {
        std::fs::remove_file(at("060")).unwrap();
        std::fs::create_dir(at("060")).unwrap();
        std::fs::write(at("060/below"), b"x").unwrap();
        std::fs::write(at("060/%self"), b"x").unwrap();
        vec![("wide/060/below", true)]
    });
    same("a file in the place of a directory", &mut || {
        std::fs::remove_dir_all(at("060")).unwrap();
        std::fs::write(at("060"), b"x").unwrap();
        vec![("wide/060/below", false)]
    });
    same("two that changed places", &mut || {
        std::fs::create_dir(at("dir")).unwrap();
        std::fs::write(at("dir/in"), b"x").unwrap();
        RealDisk.exchange(&at("dir"), &at("070")).unwrap();
        vec![("wide/070", false), ("wide/070/in", true), ("wide/dir", true)]
    });
    same("a long component", &mut || {
        let long = at(&format!("{}%+", "x".repeat(200)));
        std::fs::create_dir(&long).unwrap();
        std::fs::write(long.join("y"), b"x").unwrap();
        vec![(Box::leak(format!("wide/{}y", "x".repeat(200)).into_boxed_str()), true)]
    });
    same("names that are none of a key", &mut || {
        std::fs::write(at("%61"), b"x").unwrap();
        std::fs::write(at(".dg-tmp-1"), b"x").unwrap();
        std::os::unix::fs::symlink(at("071"), at("link")).unwrap();
        vec![]
    });
}

#[test]
fn a_directory_that_is_moved_away_or_made_anew_is_not_mixed_up_with_the_one_before() {
    let (dir, store, bucket) = laid_out((0..100).map(|number| format!("a/wide/{number:03}")));
    let root = dir.path().join("root/photos");
    indexed(&store, &bucket, "a/wide/");
    // The directory above it is moved: of that, no event tells.
    std::fs::rename(root.join("a"), root.join("b")).unwrap();
    std::fs::create_dir_all(root.join("a/wide")).unwrap();
    std::fs::write(root.join("a/wide/new"), b"x").unwrap();
    let expected: BTreeSet<_> =
        (0..100).map(|number| format!("b/wide/{number:03}")).chain(["a/wide/new".to_owned()]).collect();
    assert_eq!(everything(&store, &bucket), expected);
    indexed(&store, &bucket, "b/wide/");
    std::fs::remove_dir_all(root.join("b")).unwrap();
    assert_eq!(everything(&store, &bucket).len(), 1);
    std::fs::rename(root.join("a"), root.join("b")).unwrap();
    assert_eq!(everything(&store, &bucket).into_iter().collect::<Vec<_>>(), ["b/wide/new"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_is_listed_once_its_write_is_answered_and_not_after_its_removal() {
    let (_dir, store, bucket) = laid_out((0..300).map(|number| format!("{number:04}-old")));
    let tasks: Vec<_> = (0..4_usize)
        .map(|writer| {
            let (fs, store, bucket) = (Arc::clone(&store), Arc::clone(&store) as Arc<dyn ObjectStore>, bucket.clone());
            tokio::spawn(async move {
                for number in 0..150 {
                    let key = format!("{:04}-{writer}-{number}", (number * 7) % 300);
                    put(&store, &bucket, &key, b"x").await.unwrap();
                    let one = query(&key, "", "", 1);
                    assert_eq!(page(&fs, &bucket, &one).0.as_slice(), std::slice::from_ref(&key));
                    let below = format!("{key}/below");
                    if number % 3 == 0 {
                        put(&store, &bucket, &below, b"x").await.unwrap();
                        assert_eq!(
                            page(&fs, &bucket, &ListQuery { max_keys: 2, ..one.clone() }).0,
                            [key.clone(), below]
                        );
                    }
                    if number % 2 == 0 {
                        delete(&store, &bucket, &key).await.unwrap();
                        assert!(!page(&fs, &bucket, &one).0.contains(&key));
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    indexed(&store, &bucket, "");
    assert_eq!(everything(&store, &bucket).len(), 300 + 4 * (75 + 50));
}

#[test]
fn more_changes_than_the_kernel_remembers_are_seen() {
    let (dir, store, bucket) = laid_out((0..100).map(|number| format!("{number:03}")));
    indexed(&store, &bucket, "");
    let root = dir.path().join("root/photos");
    store.fs.shared.index.undisturbed(|| {
        for number in 0..20_000 {
            std::fs::File::create(root.join(format!("new-{number}"))).unwrap();
        }
    });
    assert_eq!(everything(&store, &bucket).len(), 20_100);
    indexed(&store, &bucket, "");
    assert_eq!(everything(&store, &bucket).len(), 20_100);
}

#[test]
fn whatever_happens_to_the_index_listings_are_right() {
    let (dir, store, bucket) = laid_out((0..100).map(|number| format!("{number:03}")));
    let internal = dir.path().join("root/.dg");
    indexed(&store, &bucket, "");
    // It has no file that somebody could change, remove or replace.
    assert!(!names(&internal).iter().any(|name| name.contains("index") || name.starts_with(".dg-tmp")));
    store.fs.shared.index.break_rows();
    std::fs::write(dir.path().join("root/photos/new"), b"x").unwrap();
    assert_eq!(everything(&store, &bucket).len(), 101);
    let index = Arc::clone(&store.fs.shared.index);
    std::thread::spawn(move || index.undisturbed(|| panic!("in the middle of it"))).join().unwrap_err();
    assert_eq!(everything(&store, &bucket).len(), 101);
    indexed(&store, &bucket, "");
    assert_eq!(everything(&store, &bucket).len(), 101);
    // A process that ended in the middle left its file; another program put one there.
    drop(store);
    std::fs::write(internal.join(".dg-tmp-index"), b"SQLite format 3\0 and no more").unwrap();
    std::fs::write(internal.join("index.db"), b"SQLite format 3\0 and no more").unwrap();
    std::fs::remove_file(dir.path().join("root/photos/new")).unwrap();
    let store = FsStore::open(options(&dir.path().join("root"))).unwrap().0;
    assert_eq!(everything(&store, &bucket).len(), 100);
    indexed(&store, &bucket, "");
    assert_eq!(everything(&store, &bucket).len(), 100);
}
