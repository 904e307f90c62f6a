//! The files of an entity: what is free, writing all of them or none, and removing them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use similar::TextDiff;

use crate::steps::say;

/// The script with the routes, and the line of it after which new ones go.
const ROUTES_FILE: &str = crate::routes::FILE;
const ROUTES_BEGIN: &str = "    routes: {\n";

/// What is written.
pub(super) enum Change {
    /// A file of the entity's own.
    File { path: String, text: String },
    /// Lines in the table of routes.
    Routes { lines: String },
}

impl Change {
    pub(super) fn path(&self) -> &str {
        match self {
            Self::File { path, .. } => path,
            Self::Routes { .. } => ROUTES_FILE,
        }
    }

    /// The text of the file before and after.
    fn texts(&self, root: &Path) -> Result<(String, String)> {
        match self {
            Self::File { text, .. } => Ok((String::new(), text.clone())),
            Self::Routes { lines } => {
                let before = read(root, ROUTES_FILE)?;
                let at = before.find(ROUTES_BEGIN).with_context(|| format!("{ROUTES_FILE} has no `    routes: {{`"))?
                    + ROUTES_BEGIN.len();
                let after = [&before[..at], lines, &before[at..]].concat();
                Ok((before, after))
            }
        }
    }

    /// Prints it as a diff.
    pub(super) fn show(&self, root: &Path) -> Result<()> {
        let (before, after) = self.texts(root)?;
        let path = self.path();
        let from = if before.is_empty() { "/dev/null" } else { path };
        print!("{}", TextDiff::from_lines(&before, &after).unified_diff().header(from, path));
        Ok(())
    }
}

fn read(root: &Path, path: &str) -> Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))
}

/// Writes all of it, and overwrites nothing.
pub(super) fn add(root: &Path, changes: &[Change]) -> Result<()> {
    for change in changes {
        let is_new = matches!(change, Change::File { .. });
        ensure!(
            !is_new || !root.join(change.path()).exists(),
            "{} is there already: nothing was written",
            change.path()
        );
    }
    let texts = changes.iter().map(|change| Ok((change.path(), change.texts(root)?.1))).collect::<Result<Vec<_>>>()?;
    for (path, text) in texts {
        fs::write(root.join(path), text).with_context(|| format!("cannot write {path}"))?;
        say(format!("{path}: written"));
    }
    Ok(())
}

/// Removes all of it, if nothing was changed since it was written.
pub(super) fn remove(root: &Path, changes: &[Change]) -> Result<()> {
    for change in changes {
        let is_untouched = match (change, read(root, change.path())?) {
            (Change::File { text, .. }, present) => present == *text,
            (Change::Routes { lines }, present) => present.contains(lines),
        };
        ensure!(is_untouched, "{} was changed since it was written: nothing was removed", change.path());
    }
    for change in changes {
        let path = change.path();
        match change {
            Change::File { .. } => fs::remove_file(root.join(path)),
            Change::Routes { lines } => fs::write(root.join(path), read(root, path)?.replacen(lines, "", 1)),
        }
        .with_context(|| format!("cannot change {path}"))?;
        say(format!("{path}: removed"));
    }
    Ok(())
}

/// The scripts of `sql/`, in their order.
pub(super) fn scripts(root: &Path) -> Result<Vec<(String, String)>> {
    let mut scripts = Vec::new();
    for entry in fs::read_dir(root.join("sql")).context("cannot read sql/")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".sql") {
            let path = format!("sql/{name}");
            let script = read(root, &path)?;
            scripts.push((path, script));
        }
    }
    scripts.sort();
    Ok(scripts)
}

/// The first number that no script of `sql/` has, of those that are between the customers and the end.
pub(super) fn free_number(root: &Path) -> Result<u32> {
    let scripts = scripts(root)?;
    let is_free = |number: &u32| !scripts.iter().any(|(path, _)| path.starts_with(&format!("sql/{number}-")));
    match (40..=88).find(is_free) {
        Some(number) => Ok(number),
        // Scripts may share a number: nothing of an entity needs another's.
        None if scripts.len() < 1000 => Ok(88),
        None => bail!("sql/ is full"),
    }
}

/// Whether a path or a procedure has this name.
pub(super) fn is_taken(root: &Path, name: &str) -> bool {
    let of_the_api = ["ready", "docs", "problems"];
    // In the file, because this program may be older.
    let is_route = read(root, ROUTES_FILE).is_ok_and(|routes| {
        [format!("\"/{name}\""), format!("\"/{name}/"), format!("_{name}(")].iter().any(|text| routes.contains(text))
    });
    is_route || of_the_api.contains(&name)
}

/// The tables of the local database.
pub(super) fn local_tables(root: &Path) -> Result<Vec<String>> {
    let mut tables = Vec::new();
    for entry in fs::read_dir(root.join("sqlite")).context("cannot read sqlite/")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".schema.sql") {
            let schema = read(root, &format!("sqlite/{name}"))?;
            let names = schema.lines().filter_map(|line| line.strip_prefix("CREATE TABLE ")?.strip_suffix(" ("));
            tables.extend(names.map(str::to_owned));
        }
    }
    Ok(tables)
}

/// The tables of the local database to which an entity's refers.
pub(super) fn referred_tables(root: &Path, name: &str) -> Result<Vec<String>> {
    let schema = read(root, &format!("sqlite/{name}.schema.sql"))?;
    let names = schema.lines().filter_map(|line| line.split_once(" REFERENCES "));
    Ok(names.map(|(_, table)| table.trim_end_matches(',').to_owned()).collect())
}
