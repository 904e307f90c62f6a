//! `azure-sql-rest sql`: merges the scripts of a project's `sql/` and of the library into one order. The ledger, the functions, the roles and
//! the transaction around all scripts come with this program, and so with its version.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use tempfile::TempDir;

use crate::steps::say;

/// The scripts of the library by their names, and `apply-sql.sh`, which applies a folder of scripts to a SQL Server.
const SHARED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sql.rs"));

/// Options of `azure-sql-rest sql`.
#[derive(Args)]
pub(crate) struct SqlArguments {
    #[command(subcommand)]
    command: SqlCommand,
}

#[derive(Subcommand)]
enum SqlCommand {
    /// Write all scripts into a folder, for deploy/compose.yaml or to read them
    Write {
        /// The folder, which is made if need be
        #[arg(default_value = ".local/sql")]
        folder: PathBuf,
    },
    /// Apply all scripts to a database with sqlcmd, in one transaction; safe to repeat
    Apply {
        /// Options of sqlcmd that say where: -S server.database.windows.net -d database -G
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        sqlcmd: Vec<String>,
    },
}

/// Does what the command line says for the project at `root`.
///
/// # Errors
///
/// When a script cannot be read or written, and when sqlcmd is missing or fails.
pub(crate) fn run(root: &Path, arguments: SqlArguments) -> Result<()> {
    let scripts = scripts(root)?;
    match arguments.command {
        SqlCommand::Write { folder } => {
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            for (name, text) in &scripts {
                let file = folder.join(name);
                fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
            }
            say(format_args!("{}: {} scripts written", folder.display(), scripts.len()));
            Ok(())
        }
        SqlCommand::Apply { sqlcmd } => apply(&scripts, &sqlcmd),
    }
}

/// All scripts by their names, in their order. A script of the project takes the place of the library's of the same name.
fn scripts(root: &Path) -> Result<BTreeMap<String, String>> {
    let mut scripts: BTreeMap<_, _> =
        SHARED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    for entry in fs::read_dir(root.join("sql")).context("cannot read sql/")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".sql") {
            let text = fs::read_to_string(root.join("sql").join(&name));
            scripts.insert(name.clone(), text.with_context(|| format!("cannot read sql/{name}"))?);
        }
    }
    Ok(scripts)
}

/// The scripts that are applied together, as one file: 00 begins a transaction that 89 ends, and sqlcmd stops at an error in its file.
fn whole(scripts: &BTreeMap<String, String>) -> String {
    let is_part = |name: &str| name.starts_with(|digit: char| digit.is_ascii_digit()) && name < "91";
    scripts.iter().filter(|(name, _)| is_part(name)).map(|(_, text)| text.trim_end().to_owned() + "\n").collect()
}

fn apply(scripts: &BTreeMap<String, String>, options: &[String]) -> Result<()> {
    let folder = TempDir::new().context("cannot make a folder for the scripts")?;
    let file = folder.path().join("schema.sql");
    fs::write(&file, whole(scripts)).context("cannot write the scripts")?;
    // -b stops at the first error, -I is QUOTED_IDENTIFIER ON.
    let status = Command::new("sqlcmd").args(["-b", "-I"]).args(options).arg("-i").arg(&file).status();
    let status = status.context("cannot run sqlcmd: https://learn.microsoft.com/sql/tools/sqlcmd/sqlcmd-utility")?;
    ensure!(status.success(), "sqlcmd has failed; the reason should be above, and nothing was changed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_of_project_and_library_are_in_one_order() {
        let project = TempDir::new().unwrap();
        fs::create_dir(project.path().join("sql")).unwrap();
        fs::write(project.path().join("sql/40-hue.sql"), "CREATE TABLE dbo.Hues (HueID INT);\nGO\n\n").unwrap();
        fs::write(project.path().join("sql/README.md"), "no script").unwrap();
        let scripts = scripts(project.path()).unwrap();
        let whole = whole(&scripts);
        let places = ["BEGIN TRANSACTION;\nGO", "CREATE TABLE dbo.Hues", "\nCOMMIT TRANSACTION;\nGO", "CREATE ROLE"]
            .map(|text| whole.find(text).unwrap_or_else(|| panic!("{text}")));
        assert!(places.is_sorted(), "{places:?}");
        assert!(!whole.contains("CREATE LOGIN") && !whole.contains("#!/bin"), "users are made one at a time");
        assert!(scripts.contains_key("apply-sql.sh") && scripts.contains_key("92-user-local.sql"));
    }
}
