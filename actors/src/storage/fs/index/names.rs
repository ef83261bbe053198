//! What a name in a directory means to a listing.

use super::super::layout::{self, SELF_NAME};

/// What a name is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// That of a key's component.
    Component(String),
    /// A directory in which a long component goes on.
    Continued,
    /// None of a key.
    Foreign,
}

/// What the file or directory of this name is.
pub(super) fn read(name: &str) -> Name {
    if name.starts_with(layout::RESERVED) || name == SELF_NAME {
        return Name::Foreign;
    }
    if layout::decode_continued(name).is_some() {
        return Name::Continued;
    }
    layout::decode_component(&[name]).map_or(Name::Foreign, Name::Component)
}

/// What lies in a directory under a component: the order of the object and that of what lies below it.
pub(super) fn orders(component: String) -> (String, String) {
    let below = format!("{component}/");
    (component, below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_component_or_the_beginning_of_one_or_none() {
        let table = [
            ("a", Name::Component("a".to_owned())),
            ("%00", Name::Component(String::new())),
            ("50%25", Name::Component("50%".to_owned())),
            ("%61", Name::Foreign),
            (SELF_NAME, Name::Foreign),
            (".dg-tmp-1", Name::Foreign),
            ("xx%+", Name::Continued),
            ("%+", Name::Continued),
        ];
        for (name, meaning) in table {
            assert_eq!(read(name), meaning, "{name}");
        }
    }
}
