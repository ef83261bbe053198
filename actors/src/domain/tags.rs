//! Tags of objects and buckets: what AWS accepts as one.

use std::collections::BTreeMap;
use std::fmt;

/// Keys and values.
pub type Tags = BTreeMap<String, String>;

/// The most tags of an object (AWS).
pub const MOST_OF_OBJECT: usize = 10;
/// The longest key and the longest value, in UTF-16 units (AWS).
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// Why something is no set of tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagFault {
    /// More than there may be.
    TooMany(usize),
    /// A key that is empty, too long, reserved, or has a character that AWS does not take.
    Key(String),
    /// A value that is too long or has such a character.
    Value(String),
    /// A key that stands twice.
    Twice(String),
}

impl fmt::Display for TagFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany(most) => write!(f, "there may be at most {most} tags"),
            Self::Key(key) => write!(f, "`{key}` is no key of a tag: 1 to {LONGEST_KEY} characters, and not `aws:…`"),
            Self::Value(value) => write!(f, "`{value}` is no value of a tag: at most {LONGEST_VALUE} characters"),
            Self::Twice(key) => write!(f, "the tag `{key}` is here twice"),
        }
    }
}

/// The set of these pairs.
pub fn checked(pairs: impl IntoIterator<Item = (String, String)>, most: usize) -> Result<Tags, TagFault> {
    let mut tags = Tags::new();
    for (key, value) in pairs {
        let length = key.encode_utf16().count();
        let reserved = key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
        if length == 0 || length > LONGEST_KEY || reserved || !key.chars().all(may_stand) {
            return Err(TagFault::Key(key));
        }
        if value.encode_utf16().count() > LONGEST_VALUE || !value.chars().all(may_stand) {
            return Err(TagFault::Value(value));
        }
        if tags.contains_key(&key) {
            return Err(TagFault::Twice(key));
        }
        tags.insert(key, value);
        if tags.len() > most {
            return Err(TagFault::TooMany(most));
        }
    }
    Ok(tags)
}

/// Letters, digits and spaces of any script, and `+ - = . _ : / @` (AWS, "Categorizing your storage using tags").
fn may_stand(character: char) -> bool {
    character.is_alphanumeric() || character == ' ' || "+-=._:/@".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Tags, TagFault> {
        checked(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())), 2)
    }

    #[test]
    fn a_set_has_each_key_once_and_no_more_than_it_may() {
        assert_eq!(of(&[("team", "rot"), ("größe", "")]).unwrap().len(), 2);
        assert_eq!(of(&[("a", "1"), ("a", "2")]), Err(TagFault::Twice("a".into())));
        assert_eq!(of(&[("a", ""), ("b", ""), ("c", "")]), Err(TagFault::TooMany(2)));
        assert_eq!(of(&[]), Ok(Tags::new()));
    }

    #[test]
    fn keys_and_values_are_as_long_and_of_the_characters_that_aws_takes() {
        let long = |n| "x".repeat(n);
        assert!(of(&[(&long(128), &long(256))]).is_ok());
        for key in ["", "aws:x", "AWS:x", "a\nb", "a&b", &long(129)] {
            assert_eq!(of(&[(key, "v")]), Err(TagFault::Key(key.into())), "{key}");
        }
        for value in ["a\tb", "<", &long(257)] {
            assert_eq!(of(&[("k", value)]), Err(TagFault::Value(value.into())), "{value}");
        }
    }
}
