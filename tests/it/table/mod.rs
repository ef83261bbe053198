//! The tables: requests and their answers, each case naming the page of AWS's documentation that it comes from.
//!
//! A table is a text file beside this one, read at run time. A case begins with `== PAGE: title` and runs in a new bucket, which
//! is written `@` (a real one is `@@`). Each line is a request and, after ` => `, its answer; a line that begins with two blanks
//! goes on with the line before. A request without answer only prepares and must succeed. Parts are separated by ` | `:
//!
//! | In a request | |
//! |---|---|
//! | `GET /@/key` | method and target, encoded; always first |
//! | `Name: value` | a header |
//! | `> text` | the body, with `\r`, `\n`, `\t`, `\\`, `\xNN` |
//! | `~anonymous`, `~presign SECONDS` | not signed, signed in the query; else signed in the header |
//! | `~skew S`, `~key K`, `~secret S`, `~region R` | signed by another clock, key, secret, for another region |
//! | `~chunks 4,5` | the body is framed in chunks, signed as the form in `x-amz-content-sha256` says |
//! | `~add H: v`, `~drop H`, `~replace H: v` | headers changed after signing |
//! | `~method M`, `~target A -> B`, `~authorization A -> B`, `~body B`, `~spoil A -> B`, `~flip N` | other parts changed after signing; `~flip` changes a bit of the body's Nth byte |
//! | `~cut N`, `~end` | the last N bytes of the body never come; the connection is closed for writing |
//!
//! | In an answer | |
//! |---|---|
//! | `404 NoSuchKey` | status and `Code`; always first |
//! | `Name: value`, `Name: *`, `!Name` | a header that is so, is there, is not there |
//! | `= text` | the whole body |
//! | `<Key>a</Key>`, `!<Key>` | is in the document, is not |
//! | `keep ETag as e` | a header or element, from then on written `{e}` |
//!
//! The cases run on a directory and on S3 servers of others (`backends.rs`). A line `except garage: why` in a case says which of those
//! cannot have it, and why it is not our store that is to be mended.
//!
//! `{ab*3}` is `ababab`. In the files that begin with `malformed` all cases share one bucket, in which nothing may change; those of
//! `admission` meet a server with rules of admission.

mod backends;
mod coverage;
mod run;
mod script;
mod send;

use script::Case;
use std::path::Path;

/// Which server the cases of a file are for; its name begins so.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One as it comes.
    Plain,
    /// One in which nothing may change.
    Malformed,
    /// One with rules of admission.
    Admission,
}

impl Kind {
    fn of(file: &str) -> Self {
        match file {
            name if name.starts_with("malformed") => Self::Malformed,
            name if name.starts_with("admission") => Self::Admission,
            _ => Self::Plain,
        }
    }
}

/// All cases of a kind.
pub fn cases(kind: Kind) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/table");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("the folder is there").flatten().map(|e| e.path()).collect();
    files.sort();
    let mut found = Vec::new();
    for path in files.iter().filter(|path| path.extension().is_some_and(|kind| kind == "txt")) {
        let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        if Kind::of(&name) == kind {
            found.extend(script::read(&name, &std::fs::read_to_string(path).expect("a table is text")));
        }
    }
    found
}

/// Only cases whose name holds `DGP_CASE`, where that is set: for whoever writes one.
fn chosen(cases: Vec<Case>) -> Vec<Case> {
    let Ok(wanted) = std::env::var("DGP_CASE") else { return cases };
    cases.into_iter().filter(|case| case.name.contains(&wanted)).collect()
}

fn report(failures: &[String]) {
    assert!(failures.is_empty(), "{} cases failed:\n\n{}", failures.len(), failures.join("\n\n"));
}
