//! How answers are printed: tables for people, the answer itself for scripts.

use crate::exit::Exit;
use serde_json::Value;

/// What a command prints, in both forms, and how it ends.
#[derive(Debug)]
pub(in crate::cli) struct Shown {
    pub(in crate::cli) text: String,
    pub(in crate::cli) json: Value,
    pub(in crate::cli) exit: Exit,
}

impl Shown {
    pub(in crate::cli) fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, exit: Exit::Ok }
    }

    /// Nothing beside what was printed already.
    pub(super) fn nothing() -> Self {
        Self::new("", Value::Null)
    }

    /// A list as a table: a title and a path into each entry for each column.
    pub(in crate::cli) fn table(list: Value, columns: &[(&str, &str)]) -> Self {
        let entries = list.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut rows = vec![columns.iter().map(|(title, _)| (*title).to_owned()).collect::<Vec<String>>()];
        rows.extend(entries.iter().map(|entry| columns.iter().map(|(_, field)| words(&entry[*field])).collect()));
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            format!("{}\n", cells.join("  ").trim_end())
        };
        Self::new(rows.iter().map(line).collect::<String>(), list)
    }
}

/// A value in a cell: a list with commas, nothing as `-`.
pub(in crate::cli) fn words(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<String>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_line_up() {
        let list = json!([{"name": "ann", "enabled": true}, {"name": "build-server", "enabled": false, "x": 1}]);
        let shown = Shown::table(list, &[("NAME", "name"), ("ENABLED", "enabled"), ("X", "x")]);
        assert_eq!(shown.text, "NAME          ENABLED  X\nann           yes      -\nbuild-server  no       1\n");
    }
}
