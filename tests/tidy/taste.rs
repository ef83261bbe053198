//! The rules of style that a machine can check.

use super::Offence;
use super::source::{Source, item_end};

const LONGEST: usize = 400;

/// Files with `println!` and its kin: the command line's output, and Cargo's protocol.
const MAY_PRINT: [&str; 3] = ["src/cli/", "src/build.rs", "tests/"];

/// Every file opens with a sentence on what it owns.
pub fn files_say_what_they_own(sources: &[Source]) -> Vec<Offence> {
    let silent = |s: &&Source| !s.raw.first().is_some_and(|l| l.starts_with("//! ") && l.len() > 4);
    let what = "the file does not begin with `//!` and one sentence on what it owns";
    sources.iter().filter(silent).map(|s| Offence::new(s, 1, what)).collect()
}

/// No file is longer than a reader's patience, and the list of exceptions has no dead entry.
pub fn files_are_short(sources: &[Source], exceptions: &[(&str, &str)]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for source in sources {
        let listed = exceptions.iter().any(|(path, _)| *path == source.path);
        let lines = source.raw.len();
        if lines > LONGEST && !listed {
            let what = format!("{lines} lines, {LONGEST} are the limit: split by subject, or list it with a reason");
            offences.push(Offence::new(source, lines, what));
        } else if lines <= LONGEST && listed {
            offences.push(Offence::new(source, 1, "listed as longer than the limit, and is not: take it off the list"));
        }
    }
    offences
}

/// `unwrap()` and `expect()` say why they cannot fail, in the comment right above their statement.
pub fn unwraps_say_why(sources: &[Source]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for source in sources {
        for (number, text) in source.product() {
            let expects = text.match_indices(".expect(").any(|(at, _)| !text[..at].ends_with("self"));
            if (text.contains(".unwrap()") || expects) && !commented(source, number - 1) {
                let what = "unwrap or expect without a comment above that says why it cannot fail; or return an error";
                offences.push(Offence::new(source, number, what));
            }
        }
    }
    offences
}

/// True where a comment stands above the statement that a line is part of.
fn commented(source: &Source, mut line: usize) -> bool {
    while line > 0 {
        if source.raw[line - 1].trim_start().starts_with("//") {
            return true;
        }
        if !source.code[line].trim_start().starts_with(['.', ')', '}', ']']) {
            return false;
        }
        line -= 1;
    }
    false
}

/// Output is the command line's business; everything else logs.
pub fn only_the_cli_prints(sources: &[Source]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for source in sources.iter().filter(|s| !MAY_PRINT.iter().any(|p| s.path.starts_with(p))) {
        for (line, text) in source.product() {
            for name in ["println!", "print!", "eprintln!", "eprint!", "dbg!"] {
                let whole = |at: usize| !text[..at].chars().next_back().is_some_and(super::source::is_ident);
                if text.match_indices(name).any(|(at, _)| whole(at)) {
                    offences.push(Offence::new(source, line, format!("`{name}` outside src/cli: use the log")));
                }
            }
        }
    }
    offences
}

/// A reader must see where a name comes from.
pub fn imports_name_names(sources: &[Source]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for source in sources {
        for named in source.named().iter().filter(|n| n.import && n.path.ends_with('*') && !source.test[n.line]) {
            offences.push(Offence::new(
                source,
                named.line + 1,
                format!("glob import `{}`: name what is used", named.path),
            ));
        }
    }
    offences
}

/// Nothing is left for later in the tree: what is missing is an issue, not a panic.
pub fn nothing_is_left_open(sources: &[Source]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for source in sources {
        for (line, text) in source.product() {
            if ["todo!(", "unimplemented!("].iter().any(|m| text.contains(m)) {
                offences.push(Offence::new(source, line, "a stub: finish it or leave the feature out"));
            }
        }
    }
    offences
}

/// A text field that is named like a secret is a `Secret`, or is listed with the reason why it is none.
pub fn secrets_have_their_type(sources: &[Source], listed: &[(&str, &str, &str)]) -> Vec<Offence> {
    let mut offences = Vec::new();
    let mut used = vec![false; listed.len()];
    for source in sources {
        for (line, field) in text_fields(source) {
            let suspicious = ["secret", "password", "token", "key", "hash"].iter().any(|w| field.contains(w));
            let entry =
                listed.iter().position(|(path, name, _)| *name == field && (*path == "*" || *path == source.path));
            if let Some(entry) = entry {
                used[entry] = true;
            } else if suspicious {
                let what = format!(
                    "`{field}` is a plain text: make it a `Secret`, or list it in tests/tidy/lists.rs with a reason"
                );
                offences.push(Offence::new(source, line, what));
            }
        }
    }
    for (entry, _) in listed.iter().zip(&used).filter(|(_, used)| !**used) {
        offences.push(Offence {
            at: entry.0.to_owned(),
            what: format!("no text field `{}` is left here: take it off the list", entry.1),
        });
    }
    offences
}

/// (line, name) of every field whose type is made of `String`, in the structs and enums of product code.
fn text_fields(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut line = 0;
    while line < source.code.len() {
        let text = source.code[line].trim_start();
        let text = text.strip_prefix("pub(crate) ").or(text.strip_prefix("pub(super) ")).unwrap_or(text);
        let text = text.strip_prefix("pub ").unwrap_or(text);
        if source.test[line] || !(text.starts_with("struct ") || text.starts_with("enum ")) {
            line += 1;
            continue;
        }
        let end = item_end(&source.code, line);
        for number in line..=end {
            found.extend(text_fields_in(&source.code[number]).into_iter().map(|name| (number + 1, name)));
        }
        line = end + 1;
    }
    found
}

fn text_fields_in(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices(": ").filter(|(at, _)| !line[..*at].ends_with(':')) {
        let kind: String = line[at + 2..].chars().take_while(|c| !matches!(c, ',' | '}' | ' ')).collect();
        let name: String = line[..at]
            .chars()
            .rev()
            .take_while(|c| super::source::is_ident(*c))
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        let core =
            ["Option<", "Vec<", "Box<", "Arc<"].iter().fold(kind.as_str(), |k, p| k.strip_prefix(p).unwrap_or(k));
        if core.trim_end_matches('>') == "String" {
            found.push(name);
        }
    }
    found
}
