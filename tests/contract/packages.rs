//! The crates can be packaged, and the command line has the scripts that all projects share.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::root;

/// The names of the crates in `crates/`, which are published.
fn crates() -> Vec<String> {
    let folders = fs::read_dir(root().join("crates")).unwrap();
    folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn the_crates_can_be_packaged() {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    cargo.current_dir(root()).args(["package", "--quiet", "--offline", "--locked", "--allow-dirty", "--no-verify"]);
    for name in crates() {
        cargo.args(["--package", &name]);
    }
    let packaged = cargo.output().unwrap();
    assert!(packaged.status.success(), "{}", String::from_utf8_lossy(&packaged.stderr));
}

#[test]
fn the_command_line_has_every_script_that_is_not_the_customers() {
    let names = |folder: &str| -> BTreeSet<String> {
        let files = fs::read_dir(root().join(folder)).unwrap();
        files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".sql"))
            .collect()
    };
    let (all, shared) = (names("sql"), names("crates/azure-sql-rest-cli/shared/sql"));
    for name in &shared {
        let link = format!("crates/azure-sql-rest-cli/shared/sql/{name}");
        assert_eq!(fs::read(root().join(link)).unwrap(), fs::read(root().join("sql").join(name)).unwrap(), "{name}");
    }
    // The numbers from 40 to 88 are for scripts of the owner's own.
    let is_own = |name: &&String| !("40".."89").contains(&name.as_str());
    let own: Vec<_> = all.difference(&shared).filter(is_own).collect();
    assert!(own.iter().all(|name| name.contains("customer")), "{own:?}");
}
