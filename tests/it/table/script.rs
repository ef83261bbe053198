//! Reads the tables: plain text, a case a paragraph, a request and its answer a line. `mod.rs` says how they are written.

use std::collections::BTreeMap;

/// A case: requests in order, with the page of AWS's documentation that says what they are answered.
#[derive(Clone, Debug)]
pub struct Case {
    /// File and title, for the report.
    pub name: String,
    /// The page: `API_PutObject`, or the title of a page of the user guide.
    pub page: String,
    /// The backends that the case cannot run on, with the reason.
    pub except: Vec<(String, String)>,
    /// The requests.
    pub steps: Vec<Step>,
}

/// A request and what its answer must be.
#[derive(Clone, Debug)]
pub struct Step {
    /// As it was written.
    pub line: String,
    /// What is sent: `METHOD TARGET`, headers, `> body`, `~options`.
    pub request: Vec<String>,
    /// What must come back; empty where any success will do.
    pub wanted: Vec<String>,
}

/// Reads a table.
pub fn read(file: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        match (line.strip_prefix("  "), lines.last_mut()) {
            (Some(rest), Some(last)) => *last = format!("{last} {}", rest.trim_start()),
            _ => lines.push(line.to_owned()),
        }
    }
    for line in lines {
        if let Some(title) = line.strip_prefix("== ") {
            let (page, title) = title.split_once(": ").unwrap_or_else(|| panic!("{file}: no page in `{line}`"));
            let (name, page) = (format!("{file}: {title}"), page.to_owned());
            cases.push(Case { name, page, except: Vec::new(), steps: Vec::new() });
            continue;
        }
        let case = cases.last_mut().unwrap_or_else(|| panic!("{file}: a request before the first case: `{line}`"));
        if let Some(except) = line.strip_prefix("except ") {
            let (backend, why) = except.split_once(": ").unwrap_or_else(|| panic!("{file}: no reason in `{line}`"));
            case.except.push((backend.to_owned(), why.to_owned()));
            continue;
        }
        let (request, wanted) = line.split_once(" => ").unwrap_or((&line, ""));
        let parts = |text: &str| -> Vec<String> {
            text.split(" | ").map(str::to_owned).filter(|part| !part.is_empty()).collect()
        };
        case.steps.push(Step { line: line.clone(), request: parts(request), wanted: parts(wanted) });
    }
    cases
}

/// Puts values in: `@` is the case's bucket, `{name}` what was kept, `{text*n}` a repetition.
pub fn expand(text: &str, bucket: &str, kept: &BTreeMap<String, String>) -> String {
    let text = text.replace("@@", "\u{0}").replace('@', bucket).replace('\u{0}', "@");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (inside, next) = after.split_once('}').unwrap_or((after, ""));
        let repeated = inside.rsplit_once('*').and_then(|(text, count)| Some(text.repeat(count.parse().ok()?)));
        match repeated.or_else(|| kept.get(inside).cloned()) {
            Some(value) => out.push_str(&value),
            None => panic!("nothing is known as {{{inside}}}"),
        }
        rest = next;
    }
    out + rest
}

/// The bytes of a body: `\r`, `\n`, `\t`, `\\` and `\xNN`.
pub fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.to_string().as_bytes());
            continue;
        }
        match chars.next() {
            Some('r') => out.push(b'\r'),
            Some('n') => out.push(b'\n'),
            Some('t') => out.push(b'\t'),
            Some('\\') => out.push(b'\\'),
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                out.push(u8::from_str_radix(&digits, 16).expect("two hex digits follow \\x"));
            }
            other => panic!("no escape: {other:?}"),
        }
    }
    out
}

#[test]
fn a_table_reads_as_it_is_written() {
    let cases = read(
        "t",
        "# said\n== API_X: a title\nexcept moto: it\n  cannot\nGET /@ | A: b\n  | > c => 200 | = d\n\nHEAD /@\n",
    );
    assert_eq!(cases.len(), 1);
    assert_eq!((cases[0].page.as_str(), cases[0].name.as_str()), ("API_X", "t: a title"));
    assert_eq!(cases[0].except, [("moto".to_owned(), "it cannot".to_owned())]);
    assert_eq!(cases[0].steps[0].request, ["GET /@", "A: b", "> c"]);
    assert_eq!(cases[0].steps[0].wanted, ["200", "= d"]);
    assert!(cases[0].steps[1].wanted.is_empty());
    let kept = [("e".to_owned(), "1".to_owned())].into();
    assert_eq!(expand("/@/{ab*2}{e}@@", "bkt", &kept), "/bkt/abab1@");
    assert_eq!(bytes("a\\r\\n\\x00"), b"a\r\n\0");
}
