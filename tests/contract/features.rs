//! `make up` builds less than `make test`, and nothing of it is built again for the tests.

use std::collections::BTreeSet;
use std::process::Command;

use crate::root;

/// The crates that Cargo would build, each with its features.
fn crates(selection: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    cargo.current_dir(root()).args(["tree", "--locked", "--offline"]).args(selection);
    let tree = cargo.args(["--edges", "normal,build", "--prefix", "none", "--format", "{p} {f}"]);
    let tree = tree.output().unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    tree.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn the_local_stack_has_the_features_that_it_has_in_the_workspace() {
    let (local, all) = (crates(&["--package", "azure-sql-rest-cli"]), crates(&["--workspace"]));
    assert!(local.len() > 100, "{}", local.len());
    let only: Vec<_> = local.difference(&all).collect();
    assert_eq!(only, Vec::<&String>::new(), "add the features that they lack to the workspace's dependencies");
}
