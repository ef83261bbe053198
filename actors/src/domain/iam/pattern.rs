//! Glob patterns of resources, actions and conditions: `*` is any text, `?` one character, `${…}` a variable.
//!
//! A variable's value is matched as it is: a user named `*` does not turn `home/${iam:username}/` into a wildcard.

/// What the variables of a pattern stand for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Variables<'a> {
    /// `${iam:username}`, `${aws:username}`.
    pub username: Option<&'a str>,
    /// `${iam:userid}`, `${aws:userid}`.
    pub user_id: Option<&'a str>,
    /// `${iam:access_key_id}`, `${aws:access_key_id}`.
    pub access_key_id: Option<&'a str>,
}

/// One element of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Star,
    One,
    Byte(u8),
}

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// `${` without `}`.
    Unclosed,
    /// `${name}` is no variable.
    UnknownVariable(String),
    /// The variable has no value for this principal.
    NoValue,
}

/// Whether the pattern matches the whole text; `*` and `?` only.
pub fn glob(pattern: &str, text: &str) -> bool {
    let bytes = pattern.as_bytes();
    run(bytes.len(), |i| Token::of(bytes[i]), text.as_bytes())
}

/// Like [`glob`], ASCII letters compared without case: for action names.
pub fn glob_ignoring_case(pattern: &str, text: &str) -> bool {
    glob(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

/// Whether the pattern, its variables filled in, matches the whole text.
pub fn matches(pattern: &str, text: &str, variables: &Variables<'_>) -> Result<bool, PatternError> {
    if !pattern.contains("${") {
        return Ok(glob(pattern, text));
    }
    Ok(Glob::new(pattern, variables)?.matches(text))
}

/// A pattern with its variables filled in, for many comparisons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Vec<Token>);

impl Glob {
    /// Fills the variables in.
    pub fn new(pattern: &str, variables: &Variables<'_>) -> Result<Self, PatternError> {
        expand(pattern, variables).map(Self)
    }

    /// Whether it matches the whole text.
    pub fn matches(&self, text: &str) -> bool {
        run(self.0.len(), |i| self.0[i], text.as_bytes())
    }

    /// Whether it matches the prefix or any text that begins with it.
    pub fn touches(&self, prefix: &str) -> bool {
        let text = prefix.as_bytes();
        let mut at = 0;
        for token in &self.0 {
            if at >= text.len() {
                return true;
            }
            match token {
                Token::Star => return true,
                Token::One => at += character(text, at).unwrap_or(1),
                Token::Byte(byte) if *byte == text[at] => at += 1,
                Token::Byte(_) => return false,
            }
        }
        at >= text.len()
    }

    /// Whether it matches the prefix and every text that begins with it.
    pub fn covers(&self, prefix: &str) -> bool {
        self.0.last() == Some(&Token::Star) && self.matches(prefix)
    }

    /// What every text that it matches begins with.
    pub fn literal_head(&self) -> String {
        let literal = |token: &Token| match token {
            Token::Byte(byte) => Some(*byte),
            Token::Star | Token::One => None,
        };
        String::from_utf8_lossy(&self.0.iter().map_while(literal).collect::<Vec<u8>>()).into_owned()
    }
}

/// The text with its variables filled in, wildcards standing for themselves: for `StringEquals`.
pub fn substitute(text: &str, variables: &Variables<'_>) -> Result<String, PatternError> {
    let mut out = String::with_capacity(text.len());
    each_part(text, |part| {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Variable(name) => out.push_str(value_of(name, variables)?),
        }
        Ok(())
    })?;
    Ok(out)
}

/// Checks that every `${…}` is closed and known.
pub fn check_variables(pattern: &str) -> Result<(), PatternError> {
    let any = Variables { username: Some(""), user_id: Some(""), access_key_id: Some("") };
    each_part(pattern, |part| match part {
        Part::Text(_) => Ok(()),
        Part::Variable(name) => value_of(name, &any).map(|_| ()),
    })
}

/// Whether every text that `narrow` can ever match is one that `wide` matches: `wide` with its variables filled in, `narrow` for
/// anybody, so that a variable in it may be any text. A "no" may be wrong, a "yes" never is.
pub fn includes(wide: &str, variables: &Variables<'_>, narrow: &str) -> bool {
    let (Ok(wide), Ok(narrow)) = (expand(wide, variables), for_anybody(narrow)) else { return false };
    // Which of the first tokens of `wide` may have taken all of `narrow` that was seen: a star takes any tokens, a question mark
    // one character, a byte itself.
    let mut reached = vec![false; wide.len() + 1];
    reached[0] = true;
    skip_stars(&wide, &mut reached);
    for token in narrow {
        let mut next = vec![false; wide.len() + 1];
        for (at, wide) in wide.iter().enumerate().filter(|(at, _)| reached[*at]) {
            match (wide, token) {
                (Token::Star, _) => next[at] = true,
                (Token::One, Token::One) => next[at + 1] = true,
                // A question mark is a whole character; of several bytes it is only taken for one by itself.
                (Token::One, Token::Byte(byte)) if byte.is_ascii() => next[at + 1] = true,
                (Token::Byte(one), Token::Byte(other)) if *one == other => next[at + 1] = true,
                _ => {}
            }
        }
        skip_stars(&wide, &mut next);
        reached = next;
    }
    reached[wide.len()]
}

/// A star takes nothing, too.
fn skip_stars(tokens: &[Token], reached: &mut [bool]) {
    for at in 0..tokens.len() {
        if reached[at] && tokens[at] == Token::Star {
            reached[at + 1] = true;
        }
    }
}

/// What every text begins with that the pattern matches for anybody.
pub fn head_for_anybody(pattern: &str) -> Vec<u8> {
    let tokens = for_anybody(pattern).unwrap_or_default();
    tokens.iter().map_while(|token| if let Token::Byte(byte) = token { Some(*byte) } else { None }).collect()
}

fn for_anybody(pattern: &str) -> Result<Vec<Token>, PatternError> {
    let mut tokens = Vec::with_capacity(pattern.len());
    each_part(pattern, |part| {
        match part {
            Part::Text(text) => tokens.extend(text.bytes().map(Token::of)),
            Part::Variable(name @ ("*" | "?" | "$")) => tokens.extend(name.bytes().map(Token::Byte)),
            Part::Variable(_) => tokens.push(Token::Star),
        }
        Ok(())
    })?;
    Ok(tokens)
}

enum Part<'a> {
    Text(&'a str),
    Variable(&'a str),
}

fn each_part<'a>(
    pattern: &'a str,
    mut visit: impl FnMut(Part<'a>) -> Result<(), PatternError>,
) -> Result<(), PatternError> {
    let mut rest = pattern;
    while let Some(start) = rest.find("${") {
        let end = rest[start..].find('}').ok_or(PatternError::Unclosed)? + start;
        visit(Part::Text(&rest[..start]))?;
        visit(Part::Variable(&rest[start + 2..end]))?;
        rest = &rest[end + 1..];
    }
    visit(Part::Text(rest))
}

fn expand(pattern: &str, variables: &Variables<'_>) -> Result<Vec<Token>, PatternError> {
    let mut tokens = Vec::with_capacity(pattern.len());
    each_part(pattern, |part| {
        match part {
            Part::Text(text) => tokens.extend(text.bytes().map(Token::of)),
            Part::Variable(name) => tokens.extend(value_of(name, variables)?.bytes().map(Token::Byte)),
        }
        Ok(())
    })?;
    Ok(tokens)
}

/// The value of a variable. `${*}`, `${?}` and `${$}` are AWS's escapes for the characters themselves.
fn value_of<'a>(name: &str, variables: &Variables<'a>) -> Result<&'a str, PatternError> {
    match name {
        "*" => return Ok("*"),
        "?" => return Ok("?"),
        "$" => return Ok("$"),
        _ => {}
    }
    let known = match name.split_once(':') {
        Some(("iam" | "aws", "username")) => variables.username,
        Some(("iam" | "aws", "userid")) => variables.user_id,
        Some(("iam" | "aws", "access_key_id")) => variables.access_key_id,
        _ => return Err(PatternError::UnknownVariable(name.to_owned())),
    };
    known.ok_or(PatternError::NoValue)
}

impl Token {
    fn of(byte: u8) -> Self {
        match byte {
            b'*' => Self::Star,
            b'?' => Self::One,
            byte => Self::Byte(byte),
        }
    }
}

/// Matches by going back to the last star only: at most pattern × text steps, no recursion, no memory.
fn run(len: usize, token: impl Fn(usize) -> Token, text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while t < text.len() {
        let step = match (p < len).then(|| token(p)) {
            Some(Token::Star) => {
                last_star = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some(Token::One) => character(text, t),
            Some(Token::Byte(byte)) => (byte == text[t]).then_some(1),
            None => None,
        };
        match (step, last_star) {
            (Some(step), _) => {
                p += 1;
                t += step;
            }
            (None, Some((after, from))) => {
                p = after;
                t = from + 1;
                last_star = Some((after, t));
            }
            (None, None) => return false,
        }
    }
    (p..len).all(|i| token(i) == Token::Star)
}

/// The length of the character that begins at `at`; none begins inside another.
fn character(text: &[u8], at: usize) -> Option<usize> {
    match text[at] {
        0x00..=0x7f => Some(1),
        0x80..=0xbf => None,
        0xc0..=0xdf => Some(2),
        0xe0..=0xef => Some(3),
        0xf0..=0xff => Some(4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_as_in_aws() {
        for (pattern, text) in [
            ("*", ""),
            ("a*c", "abbbc"),
            ("a*b*c", "a-b-b-c"),
            ("a?c", "aéc"),
            ("*?", "€"),
            ("b/*", "b/"),
            ("b/*/x", "b/1/2/x"),
            ("", ""),
        ] {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "b"), ("a?c", "ac"), ("*??", "€"), ("b/*", "b"), ("a*b", "ac"), ("", "a")] {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_costs_no_more_than_pattern_times_text() {
        let pattern = "a*".repeat(500) + "b";
        assert!(!glob(&pattern, &"a".repeat(1024)));
    }

    #[test]
    fn a_variable_is_filled_in_literally() {
        let star = Variables { username: Some("*"), ..Variables::default() };
        assert_eq!(matches("home/${iam:username}/?", "home/bob/x", &star), Ok(false));
        assert_eq!(matches("home/${aws:username}/?", "home/*/x", &star), Ok(true));
        assert_eq!(matches("${iam:access_key_id}", "x", &star), Err(PatternError::NoValue));
        assert_eq!(matches("${aws:nothing}", "x", &star), Err(PatternError::UnknownVariable("aws:nothing".into())));
        assert_eq!(matches("${iam:username", "x", &star), Err(PatternError::Unclosed));
        assert_eq!(matches("a${*}", "a*", &star), Ok(true));
    }

    #[test]
    fn a_pattern_includes_another_only_where_that_is_certain() {
        let ann = Variables { username: Some("ann"), ..Variables::default() };
        for (wide, narrow, expected) in [
            ("*", "*", true),
            ("*", "home/${iam:username}/*", true),
            ("builds/*", "builds/ci/*", true),
            ("builds/*", "builds/${iam:username}", true),
            ("b?d", "b?d", true),
            ("b?d", "bad", true),
            ("*.log", "x/*.log", true),
            ("a*c*e", "abcde", true),
            ("home/${iam:username}/*", "home/ann/x", true),
            ("home/${iam:username}/*", "home/${iam:username}/*", false),
            ("builds/*", "builds", false),
            ("builds/*", "*", false),
            ("b?d", "b*d", false),
            ("b?d", "béd", false),
            ("?", "*", false),
            ("a${*}", "a*", false),
            ("${iam:access_key_id}", "x", false),
            ("a*c", "a*", false),
        ] {
            assert_eq!(includes(wide, &ann, narrow), expected, "{wide} {narrow}");
        }
    }

    #[test]
    fn a_pattern_touches_what_it_may_still_match() {
        let none = Variables::default();
        for (pattern, prefix, expected) in [
            ("b/home/*", "b/", true),
            ("b/home/*", "b/home/x", true),
            ("b/home/*", "b/x", false),
            ("b/one", "b/one/", false),
            ("*", "anything", true),
            ("?/x", "b/", true),
        ] {
            assert_eq!(Glob::new(pattern, &none).unwrap().touches(prefix), expected, "{pattern} {prefix}");
        }
        let home = Glob::new("b/home/*", &none).unwrap();
        assert_eq!(home.literal_head(), "b/home/");
        assert!(home.covers("b/home/x") && !home.covers("b/"));
        assert!(!Glob::new("b/*.tmp", &none).unwrap().covers("b/x.tmp"));
    }
}
