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

/// The selections whose crates are built with the features that the workspace has: `make up`, and what a project installs.
const SELECTIONS: [&str; 2] = ["azure-sql-rest-up", "azure-sql-rest-cli"];

#[test]
fn the_engine_is_compiled_once() {
    let all = crates(&["--workspace"]);
    for package in SELECTIONS {
        let selected = crates(&["--package", package]);
        assert!(selected.len() > 100, "{package}: {}", selected.len());
        let only: Vec<_> = selected.difference(&all).collect();
        let hint = "name the features that they lack in crates/azure-sql-rest-host/Cargo.toml";
        assert_eq!(only, Vec::<&String>::new(), "{package}: {hint}");
    }
}

#[test]
fn make_up_compiles_no_generator_and_no_parser() {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    assert!(makefile.contains("cargo build --locked -p azure-sql-rest-up"));
    let names = |package| -> BTreeSet<String> {
        crates(&["--package", package]).iter().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    };
    let (up, whole) = (names("azure-sql-rest-up"), names("azure-sql-rest-cli"));
    for name in ["azure-sql-rest-cli", "jsonschema", "similar", "sqlparser"] {
        assert!(whole.contains(name) && !up.contains(name), "{name}");
    }
}

#[test]
fn scripts_build_packages_that_are_there() {
    let all = crates(&["--workspace"]);
    for file in ["Makefile", "bench/compare/run", ".github/workflows/release.yml"] {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let commands = text.lines().filter(|line| line.contains("cargo "));
        let packages: Vec<_> =
            commands.filter_map(|line| line.split_once(" -p ")?.1.split([' ', ',', ')']).next()).collect();
        assert!(!packages.is_empty(), "{file}");
        for package in packages {
            assert!(all.iter().any(|line| line.starts_with(&format!("{package} "))), "{file} builds {package}");
        }
    }
}
