//! A Rust file as the rules see it: its lines, the same lines without comments and text, which of them are test code,
//! and the paths that they name.

use std::path::Path;

/// One `.rs` file of the tree.
pub struct Source {
    /// Relative to the root of the tree, with `/`.
    pub path: String,
    /// As written.
    pub raw: Vec<String>,
    /// With comments, and what stands in string and character literals, replaced by blanks.
    pub code: Vec<String>,
    /// True for lines that are compiled for tests only.
    pub test: Vec<bool>,
}

/// A path such as `std::fs::File`, as named in a line; `use` trees are flattened, `super` and `self` resolved to `crate`.
pub struct Named {
    /// Counted from 0.
    pub line: usize,
    /// Joined by `::`; a glob ends in `*`.
    pub path: String,
    /// True where it stands in a `use`.
    pub import: bool,
}

impl Source {
    /// Reads a file's text the way the rules look at it.
    pub fn new(path: &str, text: &str) -> Self {
        let blanked = blank(text);
        let code: Vec<String> = blanked.lines().map(str::to_owned).collect();
        let whole = path.starts_with("tests/")
            || path.contains("/testkit/")
            || path.ends_with("/tests.rs")
            || path.ends_with("/testkit.rs");
        let test = if whole { vec![true; code.len()] } else { test_lines(&code) };
        Self { path: path.to_owned(), raw: text.lines().map(str::to_owned).collect(), code, test }
    }

    /// The lines of code that are part of the product: (number from 1, text).
    pub fn product(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.iter().enumerate().filter(|(i, _)| !self.test[*i]).map(|(i, line)| (i + 1, line.as_str()))
    }

    /// Every path that the file names.
    pub fn named(&self) -> Vec<Named> {
        let mut found = Vec::new();
        let tokens = tokens(&self.code);
        let mut at = 0;
        while at < tokens.len() {
            // `use<'a>` is a list of captured lifetimes.
            if tokens[at].1 == "use" && tokens.get(at + 1).is_some_and(|t| t.1 != "<") {
                at = use_tree(&tokens, at + 1, "", &mut found);
            } else if starts_path(&tokens, at) {
                at = inline_path(&tokens, at, &mut found);
            } else {
                at += 1;
            }
        }
        let module = module_of(&self.path);
        for named in &mut found {
            named.path = resolve(&named.path, &module);
        }
        found
    }

    /// The file modules that are declared under `#[cfg(test)]`.
    pub fn test_modules(&self) -> Vec<String> {
        let folder = match self.path.strip_suffix("/mod.rs").or(self.path.strip_suffix("/lib.rs")) {
            Some(folder) => folder.to_owned(),
            None => self.path.trim_end_matches(".rs").to_owned(),
        };
        self.code
            .iter()
            .zip(&self.test)
            .filter(|(_, test)| **test)
            .filter_map(|(line, _)| line.trim().strip_suffix(';')?.rsplit_once("mod "))
            .filter(|(before, _)| before.is_empty() || before.starts_with("pub"))
            .map(|(_, name)| name)
            .map(|name| format!("{folder}/{name}"))
            .collect()
    }
}

/// Every `.rs` file below a folder, sorted; a module declared for tests only is test code as a whole.
pub fn read_tree(root: &Path, folders: &[&str]) -> Vec<Source> {
    let mut files = Vec::new();
    for folder in folders {
        walk(root, Path::new(folder), &mut files);
    }
    files.sort();
    let mut sources: Vec<Source> = files
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(root.join(path)).unwrap_or_else(|e| panic!("{path} is unreadable: {e}"));
            Source::new(path, &text)
        })
        .collect();
    let test_modules: Vec<String> = sources.iter().flat_map(Source::test_modules).collect();
    for source in &mut sources {
        let inside = |m: &String| source.path == format!("{m}.rs") || source.path.starts_with(&format!("{m}/"));
        if test_modules.iter().any(inside) {
            source.test.fill(true);
        }
    }
    sources
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else { return };
    for entry in entries.flatten() {
        let path = folder.join(entry.file_name());
        let name = entry.file_name();
        if entry.path().is_dir() {
            if name != "target" && name != "node_modules" {
                walk(root, &path, files);
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path.to_string_lossy().into_owned());
        }
    }
}

/// Replaces comments and the inside of literals by blanks, keeping every line break.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    let hide = |out: &mut String, c: char| out.push(if c == '\n' { '\n' } else { ' ' });
    while i < chars.len() {
        let next = chars.get(i + 1).copied();
        if chars[i] == '/' && next == Some('/') {
            while i < chars.len() && chars[i] != '\n' {
                hide(&mut out, chars[i]);
                i += 1;
            }
        } else if chars[i] == '/' && next == Some('*') {
            let mut depth = 0;
            while i < chars.len() {
                let pair = (chars[i], chars.get(i + 1).copied());
                let step = if pair == ('/', Some('*')) || pair == ('*', Some('/')) { 2 } else { 1 };
                depth += match pair {
                    ('/', Some('*')) => 1,
                    ('*', Some('/')) => -1,
                    _ => 0,
                };
                for c in &chars[i..(i + step).min(chars.len())] {
                    hide(&mut out, *c);
                }
                i += step;
                if depth == 0 {
                    break;
                }
            }
        } else if let Some((opening, hashes)) = raw_string(&chars, i) {
            let close: String = std::iter::once('"').chain("#".repeat(hashes).chars()).collect();
            let close: Vec<char> = close.chars().collect();
            out.extend(&chars[i..i + opening]);
            i += opening;
            while i < chars.len() && !chars[i..].starts_with(&close) {
                hide(&mut out, chars[i]);
                i += 1;
            }
            out.extend(&close);
            i += close.len();
        } else if chars[i] == '"' || is_char_literal(&chars, i) {
            let quote = chars[i];
            out.push(quote);
            i += 1;
            while i < chars.len() && chars[i] != quote {
                let step = if chars[i] == '\\' { 2 } else { 1 };
                for c in &chars[i..(i + step).min(chars.len())] {
                    hide(&mut out, *c);
                }
                i += step;
            }
            out.push(quote);
            i += 1;
        } else {
            out.push(chars[i]);
            i += 1;
        }
    }
    out
}

/// The length of `r##"` and its number of hashes, where a raw string begins.
fn raw_string(chars: &[char], at: usize) -> Option<(usize, usize)> {
    if at > 0 && is_ident(chars[at - 1]) {
        return None;
    }
    let prefix = if matches!(chars[at], 'b' | 'c') { 1 } else { 0 };
    if chars.get(at + prefix) != Some(&'r') {
        return None;
    }
    let hashes = chars[at + prefix + 1..].iter().take_while(|c| **c == '#').count();
    let length = prefix + 1 + hashes + 1;
    (chars.get(at + length - 1) == Some(&'"')).then_some((length, hashes))
}

/// Tells `'a'` and `'\n'` from the lifetime `'a`.
fn is_char_literal(chars: &[char], at: usize) -> bool {
    chars[at] == '\'' && (chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\''))
}

pub fn is_ident(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Marks the items under `#[cfg(test)]`, `#[cfg(any(test, …))]` and `#[cfg(all(test, …))]`.
fn test_lines(code: &[String]) -> Vec<bool> {
    let mut test = vec![false; code.len()];
    let mut line = 0;
    while line < code.len() {
        let trimmed = code[line].trim_start();
        if !["#[cfg(test)]", "#[cfg(any(test", "#[cfg(all(test"].iter().any(|gate| trimmed.starts_with(gate)) {
            line += 1;
            continue;
        }
        let end = item_end(code, line);
        test[line..=end].fill(true);
        line = end + 1;
    }
    test
}

/// The last line of the item that begins at a line: at its closing brace, or at `;` outside all brackets.
pub fn item_end(code: &[String], start: usize) -> usize {
    let mut depth = 0_i64;
    for (i, line) in code.iter().enumerate().skip(start) {
        for c in line.chars() {
            match c {
                '{' | '(' | '[' => depth += 1,
                '}' | ')' | ']' => depth -= 1,
                _ => {}
            }
            if depth == 0 && (c == '}' || c == ';') {
                return i;
            }
        }
    }
    code.len().saturating_sub(1)
}

/// (line, token): identifiers, `::`, and single signs.
fn tokens(code: &[String]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in code.iter().enumerate() {
        let chars: Vec<char> = line.chars().collect();
        let mut i = 0;
        while i < chars.len() {
            let length = if is_ident(chars[i]) {
                chars[i..].iter().take_while(|c| is_ident(**c)).count()
            } else if chars[i..].starts_with(&[':', ':']) {
                2
            } else {
                1
            };
            if !chars[i].is_whitespace() {
                found.push((number, chars[i..i + length].iter().collect()));
            }
            i += length;
        }
    }
    found
}

fn ident_at(tokens: &[(usize, String)], at: usize) -> bool {
    tokens.get(at).is_some_and(|t| t.1.chars().next().is_some_and(is_ident))
}

fn starts_path(tokens: &[(usize, String)], at: usize) -> bool {
    ident_at(tokens, at) && tokens.get(at + 1).is_some_and(|t| t.1 == "::")
}

fn inline_path(tokens: &[(usize, String)], mut at: usize, found: &mut Vec<Named>) -> usize {
    let line = tokens[at].0;
    let mut path = tokens[at].1.clone();
    at += 1;
    while tokens.get(at).is_some_and(|t| t.1 == "::") && ident_at(tokens, at + 1) {
        path.push_str("::");
        path.push_str(&tokens[at + 1].1);
        at += 2;
    }
    found.push(Named { line, path, import: false });
    at.max(1)
}

/// Reads one branch of a `use` tree and returns where it ends.
fn use_tree(tokens: &[(usize, String)], mut at: usize, prefix: &str, found: &mut Vec<Named>) -> usize {
    let mut path = prefix.to_owned();
    let line = tokens.get(at).map_or(0, |t| t.0);
    while let Some((_, token)) = tokens.get(at) {
        match token.as_str() {
            "::" => {
                if !path.is_empty() && !path.ends_with("::") {
                    path.push_str("::");
                }
                at += 1;
            }
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|t| t.1 != "}" && t.1 != ";") {
                    at = use_tree(tokens, at, &path, found);
                    if tokens.get(at).is_some_and(|t| t.1 == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "as" => at += 2,
            "," | "}" | ";" => break,
            word => {
                path.push_str(word);
                at += 1;
            }
        }
    }
    let path = path.trim_end_matches("::self").to_owned();
    found.push(Named { line, path, import: true });
    at
}

/// The module path of a file: `actors/src/iam/state.rs` is `crate::iam::state`.
fn module_of(path: &str) -> Vec<String> {
    let inner = path.strip_prefix("actors/src/").or(path.strip_prefix("src/")).unwrap_or(path);
    let inner = inner.trim_end_matches(".rs").trim_end_matches("/mod");
    let parts = inner.split('/').filter(|p| !matches!(*p, "lib" | "main" | "mod"));
    std::iter::once("crate").chain(parts).map(str::to_owned).collect()
}

fn resolve(path: &str, module: &[String]) -> String {
    let mut module = module.to_vec();
    let mut rest = path;
    let mut relative = false;
    loop {
        if let Some(after) = rest.strip_prefix("super::") {
            module.pop();
            rest = after;
        } else if let Some(after) = rest.strip_prefix("self::") {
            rest = after;
        } else {
            break;
        }
        relative = true;
    }
    if relative { format!("{}::{rest}", module.join("::")) } else { rest.to_owned() }
}
