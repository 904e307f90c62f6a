//! The generator on tables: the customers, those of public sample databases, and what it refuses.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;

use super::files::Change;
use super::{Add, Recorded, written_as};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A command line after `local entity add`.
fn command(line: &str) -> Add {
    let words = shell_words::split(line).unwrap();
    Recorded::try_parse_from(words).unwrap().add
}

/// What is written for it in the project: texts by their path, the lines of the routes among them.
fn written(line: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let add = command(line);
    let changes = written_as(root(), &add, &format!("sql/40-{}.sql", add.name), false)?;
    let text = |change| match change {
        Change::File { path, text } => (path, text),
        Change::Routes { lines } => ("routes".to_owned(), lines),
    };
    Ok(changes.into_iter().map(text).collect())
}

fn refused(line: &str) -> String {
    format!(
        "{:#}",
        written(line).err().unwrap_or_else(|| panic!("{line} must be refused"))
    )
}

/// The customers are what the generator writes for their table and `customer.json`, but for these.
#[test]
fn the_customers_come_out_of_it() {
    let (path, line) = super::recorded(root(), "customer").unwrap();
    let changes = written_as(root(), &command(&line), &path, true).unwrap();
    let present = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let mut compared = Vec::new();
    for change in changes {
        let path = change.path().to_owned();
        let text = present(&path);
        match change {
            // The rows are those of WideWorldImporters, and orders refer to them.
            Change::File { text: written, .. } if path.ends_with(".schema.sql") => {
                let (create, rest) = written.split_once("INSERT INTO").unwrap();
                let (_, create) = create.split_once("CREATE TABLE").unwrap();
                let (_, views) = rest.split_once("\n\n").unwrap();
                assert!(text.contains(create) && text.contains(views), "{path}");
            }
            // The examples are those of the documents.
            Change::File { text: written, .. } if path.starts_with("openapi/") => {
                let schema = |text: &str| {
                    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
                    value["examples"] = serde_json::Value::Null;
                    value
                };
                assert_eq!(schema(&text), schema(&written), "{path}");
            }
            Change::File { text: written, .. } => assert!(text == written, "{path} is not as it is written"),
            // They have more to say.
            Change::Routes { lines } => {
                for line in lines.lines().filter(|line| !line.trim().starts_with("///")) {
                    assert!(text.contains(line), "{path} has no {line}");
                }
            }
        }
        compared.push(PathBuf::from(path));
    }
    assert_eq!(compared.len(), 9);
}
