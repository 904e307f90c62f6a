//! The cost of one request in the component, counted rather than timed. The same component has the same numbers on every
//! machine, so that every increase is visible at once.
//!
//! In reading order:
//!
//! - [`cases`]: the requests
//! - [`component`]: the component to measure
//! - [`guest`], [`imports`] and [`memory`]: the world in which the component runs
//! - [`table`]: the results, and the reference for comparison

mod cases;
mod component;
mod guest;
mod imports;
mod memory;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

pub use self::guest::Cost;
pub use self::table::{Column, Comparison, Table};

/// The first row: an instance before its request.
const START: &str = "a fresh instance";

/// The repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The file of the table.
#[must_use]
pub fn table_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("table.md")
}

/// Measures each build that `target` holds.
///
/// # Errors
///
/// A build that is missing, cannot run, or gives an unexpected answer to a request.
pub fn measure(target: &Path) -> Result<Vec<Column>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let variables = component::variables(&root())?;
    let measure = |build: &component::Build| -> Result<Column> {
        let artifact = build.read(target)?;
        let mut guest = guest::Guest::new(&artifact, variables.clone(), &root().join(".local/cache"))?;
        let mut costs = Vec::new();
        for case in cases::cases() {
            let [before, after] = runtime.block_on(guest.cost(&case)).with_context(|| case.name)?;
            if costs.is_empty() {
                costs.push((START, before));
            }
            costs.push((case.name, after));
        }
        Ok(Column { wasi: build.wasi, rustc: artifact.rustc, stack_bytes: artifact.stack_bytes, costs })
    };
    component::BUILDS
        .iter()
        .map(|build| measure(build).with_context(|| format!("the component for {}", build.wasi)))
        .collect()
}

/// Compares the builds in `target` with the table. Returns remarks on the comparison for the reader.
///
/// # Errors
///
/// The errors of [`measure`], a table that cannot be read, and requests that cost more than the table allows.
pub fn check(target: &Path) -> Result<Vec<String>> {
    let table = Table::parse(&fs::read_to_string(table_path()).context("cannot read bench/cost/table.md")?)?;
    let (mut dearer, mut notes) = (Vec::new(), Vec::new());
    for column in measure(target)? {
        let mut comparison = table.compare(&column);
        dearer.append(&mut comparison.dearer);
        notes.append(&mut comparison.notes);
    }
    if !dearer.is_empty() {
        notes.append(&mut dearer);
        bail!(
            "requests cost more than bench/cost/table.md allows; if that is intended, run `make cost`\n{}",
            notes.join("\n")
        );
    }
    Ok(notes)
}
