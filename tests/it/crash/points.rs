//! The fault points that the sources name.

use std::collections::BTreeSet;
use std::path::Path;

/// Every point in the sources whose name begins so.
pub(crate) fn points(prefix: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("actors/src"), &mut found);
    found.into_iter().filter(|p| p.starts_with(prefix)).collect()
}

fn collect(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("the sources are there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source is text");
        for call in ["fault::point(\"", "fault::fallible(\""] {
            found.extend(text.split(call).skip(1).filter_map(|rest| rest.split('"').next().map(str::to_owned)));
        }
    }
}
