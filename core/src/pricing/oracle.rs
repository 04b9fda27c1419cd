//! Reads the committed tables of `core/oracles`, for tests. How they were made: `tools/oracles`.

use super::OptionType;

/// One line by the names of its heading.
pub struct Row<'a> {
    names: Vec<&'a str>,
    values: Vec<&'a str>,
}

impl<'a> Row<'a> {
    /// A column as text.
    pub fn text(&self, name: &str) -> &'a str {
        let at = self.names.iter().position(|n| *n == name).unwrap_or_else(|| panic!("no column {name}"));
        self.values[at]
    }

    /// A column as a number.
    pub fn number(&self, name: &str) -> f64 {
        self.text(name).parse().unwrap()
    }

    /// The column `type`.
    pub fn option_type(&self) -> OptionType {
        if self.text("type") == "C" { OptionType::Call } else { OptionType::Put }
    }
}

/// The lines of a table below its heading.
pub fn rows(table: &str) -> impl Iterator<Item = Row<'_>> {
    let mut lines = table.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines.map(move |line| Row { names: names.clone(), values: line.split(',').collect() })
}
