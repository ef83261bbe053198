//! The glob of a block's path, with the syntax of files that are in use: `*`, `?`, `**`, `[a-z]`, `{a,b}`; `*` crosses slashes.

use globset::{GlobBuilder, GlobMatcher};

/// A pattern of whole keys.
#[derive(Clone, Debug)]
pub struct PathGlob {
    text: String,
    matcher: GlobMatcher,
}

impl PathGlob {
    /// Reads a pattern; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(text).literal_separator(false).build();
        let matcher = glob.map_err(|error| error.kind().to_string())?.compile_matcher();
        Ok(Self { text: text.to_owned(), matcher })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches a whole key.
    pub fn matches(&self, key: &str) -> bool {
        self.matcher.is_match(key)
    }
}

/// Two patterns are the same where they are written the same.
impl PartialEq for PathGlob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PathGlob {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_about_the_whole_key_and_stars_cross_slashes() {
        for (pattern, good, bad) in [
            ("secret/*", "secret/a/b", "public/secret/a"),
            ("**/*.key", "a/b/c.key", "a/b/c.keys"),
            ("img/{a,b}?.png", "img/a1.png", "img/c1.png"),
            ("[a-c]x", "bx", "dx"),
            ("ü nter/*", "ü nter/\n", "u nter/x"),
            ("..", "..", "."),
        ] {
            let glob = PathGlob::parse(pattern).unwrap();
            assert!(glob.matches(good), "{pattern} {good}");
            assert!(!glob.matches(bad), "{pattern} {bad}");
        }
        assert!(PathGlob::parse("*").unwrap().matches("") && PathGlob::parse("**").unwrap().matches(""));
        for bad in ["[a", "{a,b"] {
            assert!(PathGlob::parse(bad).is_err(), "{bad}");
        }
    }
}
