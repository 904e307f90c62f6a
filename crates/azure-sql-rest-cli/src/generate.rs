//! `azure-sql-rest generate`: writes the files that follow from the table of routes and from the entities. Nobody edits them by hand.

mod dab;
mod entity;
mod openapi;
pub(crate) mod pretty;
pub(crate) mod schemas;
mod settings;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::entity::local_scripts;
use crate::routes;
use crate::steps::say;

/// Makes the files that follow from the table of routes, the entities and the settings of the project at `root`. Gives their paths in the
/// project, and the texts that they should have.
///
/// # Errors
///
/// When something that is written by hand is missing or is not JSON of the expected shape.
fn files(root: &Path) -> Result<Vec<(String, String)>> {
    let routes = routes::read(root)?;
    let mut files = vec![
        ("dab/dab-config.json".to_owned(), pretty::print(&dab::config(root, routes)?)),
        ("openapi.json".to_owned(), pretty::print(&openapi::document(root, routes)?)),
    ];
    files.extend(local_scripts(root)?);
    // A project need not have all of them.
    let present = settings::FILES.map(|path| fs::read_to_string(root.join(path)).map(|text| (path.to_owned(), text)));
    files.extend(present.into_iter().flatten().map(|(path, text)| {
        let filled = settings::filled(&text);
        (path, filled)
    }));
    Ok(files)
}

/// Writes the files that are not current, and says which.
///
/// # Errors
///
/// The errors of [`files`], and a file that cannot be written.
pub(crate) fn generate(root: &Path) -> Result<()> {
    for (path, text) in files(root)? {
        let file = root.join(&path);
        let is_current = fs::read_to_string(&file).is_ok_and(|present| present == text);
        if !is_current {
            fs::write(&file, text).with_context(|| format!("cannot write {path}"))?;
        }
        say(format!("{path}: {}", if is_current { "current" } else { "written" }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_the_routes_is_current() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        for (path, text) in files(root).unwrap() {
            let present = fs::read_to_string(root.join(&path)).unwrap();
            assert!(present == text, "{path} is not current: run `make generate`");
        }
    }
}
