//! `spin.toml` and `spin.wasip3.toml` run the same application.

use crate::root;

/// A manifest without what may differ: which file it runs, and how that is built.
fn manifest(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(name)).unwrap();
    let same = |line: &&str| !line.starts_with("source = ") && !line.starts_with("command = ");
    text.lines().filter(same).map(str::to_owned).collect()
}

#[test]
fn the_manifests_differ_in_source_and_build_command_only() {
    assert_eq!(manifest("spin.toml"), manifest("spin.wasip3.toml"));
}
