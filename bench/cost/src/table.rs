//! The table of costs: Markdown for the reader, and the reference for a later run. Each measure has a section, with a row
//! for each request and a column for each build and compiler.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result};

use crate::guest::Cost;

type Measure = fn(&Cost) -> u64;

/// The sections: title, meaning, and the number of a cost that they show.
const MEASURES: [(&str, &str, Measure); 5] = [
    (FUEL, "Instructions of WebAssembly, as Wasmtime counts them: a bulk copy counts as one for each byte.", |cost| {
        cost.fuel
    }),
    (
        HOST_CALLS,
        "Calls out of WebAssembly: imports, ends of resources, and the component model's own functions.",
        |cost| cost.host_calls,
    ),
    ("Memory", "Linear memory at the end, in pages of 64 KiB.", |cost| cost.pages),
    ("Touched", "Pages of 4 KiB in it that are not all zero at the end.", |cost| cost.touched),
    ("Stack", "How far from its beginning the stack was written to, in bytes.", |cost| cost.stack),
];

const FUEL: &str = "Fuel";
const HOST_CALLS: &str = "Host calls";

const HEAD: &str = "# What a request costs in the component

Written by `make cost`; the tests compare with it. Each request goes to a fresh instance and includes its start, which the first row
tells alone: mostly the copying of its constants. The clock stands still, random bytes are fixed and the bridge answers at once, so each
number is exact: every run with the same component has the same. Another compiler makes another component and has its own columns.
";

/// The measures that are compared, and how much more than in the table is accepted, in percent: from the same compiler, and
/// from another.
const LIMITS: [(&str, Measure, [u64; 2]); 2] =
    [(FUEL, |cost| cost.fuel, [5, 15]), (HOST_CALLS, |cost| cost.host_calls, [0, 15])];

/// Columns by their title, and rows by theirs.
type Section = BTreeMap<String, Vec<(String, u64)>>;

/// The table.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Table {
    sections: BTreeMap<String, Section>,
}

/// The costs of one build.
#[derive(Debug)]
pub struct Column {
    /// `WASI 0.2` or `WASI 0.3`.
    pub wasi: &'static str,
    /// `rustc` and its version.
    pub rustc: String,
    /// The bytes of the stack.
    pub stack_bytes: u64,
    /// For each request, what it costs.
    pub costs: Vec<(&'static str, Cost)>,
}

impl Column {
    fn title(&self) -> String {
        format!("{}, {}", self.wasi, self.rustc)
    }
}

impl Table {
    /// Reads the table as [`fmt::Display`] writes it.
    ///
    /// # Errors
    ///
    /// A row that has another number of cells than its section, or one that is no number.
    pub fn parse(text: &str) -> Result<Self> {
        let mut table = Self::default();
        let (mut section, mut titles) = (String::new(), Vec::new());
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                (section, titles) = (title.to_owned(), Vec::new());
            }
            let Some(cells) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else {
                continue;
            };
            let mut cells = cells.split(" | ");
            let row = cells.next().unwrap_or_default();
            if titles.is_empty() {
                titles = cells.map(str::to_owned).collect();
                continue;
            }
            let columns = table.sections.entry(section.clone()).or_default();
            for title in &titles {
                let cell = cells.next().with_context(|| format!("too few cells: {line}"))?;
                if cell.is_empty() {
                    continue;
                }
                let number = cell.replace(',', "").parse().with_context(|| format!("{cell:?} in: {line}"))?;
                columns.entry(title.clone()).or_default().push((row.to_owned(), number));
            }
        }
        Ok(table)
    }

    /// Stores a column, in place of an older column with the same title.
    pub fn set(&mut self, column: &Column) {
        for (title, _, measure) in MEASURES {
            let rows = column.costs.iter().map(|(name, cost)| ((*name).to_owned(), measure(cost)));
            let section = self.sections.entry(title.into()).or_default();
            section.insert(column.title(), rows.collect());
            // Requests that no longer exist also leave the other columns.
            let asked = |(row, _): &(String, u64)| column.costs.iter().any(|(name, _)| name == row);
            section.values_mut().for_each(|rows| rows.retain(asked));
        }
    }

    /// Returns a line for each cost above this table's limits, and remarks on the comparison for the reader.
    #[must_use]
    pub fn compare(&self, column: &Column) -> Comparison {
        let mut comparison = Comparison::default();
        let title = column.title();
        for (section, measure, accepted) in LIMITS {
            let columns = self.sections.get(section);
            let Some((nearest, rows)) = columns.and_then(|columns| nearest(columns, column)) else {
                let line = format!("{title}: {section:?} has no column for {}", column.wasi);
                comparison.dearer.push(line);
                continue;
            };
            let same = *nearest == title;
            let percent = accepted[usize::from(!same)];
            if !same {
                comparison.notes.push(format!(
                    "{title}: {section:?} has no such column, so compared with {nearest:?}, and {percent} % more is accepted"
                ));
            }
            for (name, cost) in &column.costs {
                let new = measure(cost);
                match rows.iter().find(|(row, _)| row == name) {
                    None => comparison.dearer.push(format!("{title}: {section:?} has no row for {name}")),
                    Some((_, old)) if new * 100 > old * (100 + percent) => comparison.dearer.push(format!(
                        "{title}: {section:?} of {name} is {} instead of {}",
                        grouped(new),
                        grouped(*old)
                    )),
                    Some(_) => {}
                }
            }
        }
        comparison
    }
}

/// The result of [`Table::compare`].
#[derive(Debug, Default)]
pub struct Comparison {
    /// The requests that cost too much.
    pub dearer: Vec<String>,
    /// The column of the comparison, if its compiler differs.
    pub notes: Vec<String>,
}

/// The column of the same build whose compiler's version is the nearest.
fn nearest<'t>(section: &'t Section, column: &Column) -> Option<(&'t String, &'t Vec<(String, u64)>)> {
    let wanted = version(&column.rustc);
    section
        .iter()
        .filter(|(title, _)| title.starts_with(column.wasi))
        .min_by_key(|(title, _)| version(title).abs_diff(wanted))
}

/// `major.minor.patch` at the end of `text` as one number.
fn version(text: &str) -> u64 {
    let version = text.rsplit(' ').next().unwrap_or_default();
    let number = |part: &str| part.parse::<u64>().unwrap_or_default();
    version.splitn(3, '.').fold(0, |sum, part| sum * 1000 + number(part))
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        for (title, meaning, _) in MEASURES {
            let Some(section) = self.sections.get(title) else {
                continue;
            };
            let titles: Vec<&str> = section.keys().map(String::as_str).collect();
            writeln!(f, "\n## {title}\n\n{meaning}\n\n| request | {} |", titles.join(" | "))?;
            writeln!(f, "|---|{}", "--:|".repeat(titles.len()))?;
            let rows = section.values().max_by_key(|rows| rows.len()).map(Vec::as_slice).unwrap_or_default();
            for (name, _) in rows {
                let cell = |column: &Vec<(String, u64)>| {
                    let found = column.iter().find(|(row, _)| row == name);
                    found.map_or(String::new(), |(_, number)| grouped(*number))
                };
                let cells: Vec<_> = section.values().map(cell).collect();
                writeln!(f, "| {name} | {} |", cells.join(" | "))?;
            }
        }
        Ok(())
    }
}

/// A number with separated thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(rustc: &str, fuel: u64) -> Column {
        let cost = Cost { fuel, host_calls: 7, pages: 2, touched: 3, stack: 4 };
        Column { wasi: "WASI 0.2", rustc: rustc.into(), stack_bytes: 8, costs: vec![("GET /", cost)] }
    }

    fn table() -> Table {
        let mut table = Table::default();
        table.set(&column("rustc 1.95.0", 1_000_000));
        table.set(&column("rustc 1.97.1", 2_000_000));
        table
    }

    #[test]
    fn what_is_written_can_be_read() {
        let text = table().to_string();
        assert!(text.contains("| GET / | 1,000,000 | 2,000,000 |"), "{text}");
        assert_eq!(Table::parse(&text).unwrap(), table());
    }

    #[test]
    fn a_request_that_is_gone_leaves_all_columns() {
        let mut other = column("rustc 1.95.0", 1);
        other.costs[0].0 = "PUT /";
        let mut table = table();
        table.set(&other);
        assert!(!table.to_string().contains("GET /"), "{table}");
    }

    #[test]
    fn five_percent_more_is_accepted_and_more_is_named() {
        assert!(table().compare(&column("rustc 1.95.0", 1_050_000)).dearer.is_empty());
        let comparison = table().compare(&column("rustc 1.95.0", 1_050_001));
        assert_eq!(comparison.dearer, ["WASI 0.2, rustc 1.95.0: \"Fuel\" of GET / is 1,050,001 instead of 1,000,000"]);
        assert!(comparison.notes.is_empty());
    }

    #[test]
    fn one_more_host_call_is_named() {
        let mut more = column("rustc 1.95.0", 1_000_000);
        more.costs[0].1.host_calls += 1;
        assert_eq!(
            table().compare(&more).dearer,
            ["WASI 0.2, rustc 1.95.0: \"Host calls\" of GET / is 8 instead of 7"]
        );
    }

    #[test]
    fn another_compiler_is_compared_with_the_nearest_and_says_so() {
        let comparison = table().compare(&column("rustc 1.98.0", 2_300_000));
        assert!(comparison.dearer.is_empty());
        assert!(comparison.notes[0].contains("compared with \"WASI 0.2, rustc 1.97.1\", and 15 %"));
        assert_eq!(table().compare(&column("rustc 1.96.0", 1_150_001)).dearer.len(), 1);
    }

    #[test]
    fn a_build_or_a_request_without_an_entry_is_named() {
        assert_eq!(Table::default().compare(&column("rustc 1.95.0", 1)).dearer.len(), 2);
        let mut other = column("rustc 1.95.0", 1);
        other.costs[0].0 = "PUT /";
        assert_eq!(
            table().compare(&other).dearer,
            [
                "WASI 0.2, rustc 1.95.0: \"Fuel\" has no row for PUT /",
                "WASI 0.2, rustc 1.95.0: \"Host calls\" has no row for PUT /"
            ]
        );
    }
}
