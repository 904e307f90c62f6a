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

/// The part of a SpinApp behind its variables: a project of the template meets the same webhook, and the same memory, as this one.
fn behind_the_variables(path: &str) -> String {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    let app = text.split("kind: SpinApp\n").nth(1).unwrap().split("\n---").next().unwrap().to_owned();
    let lines = app.lines().skip_while(|line| *line != "  variables:").skip(1);
    let lines = lines.skip_while(|line| line.starts_with("    ") || line.trim_start().starts_with('#'));
    lines.filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_template_has_the_spin_app_of_this_project() {
    let here = behind_the_variables("deploy/spinkube/base/api.yaml");
    assert!(here.contains("memory: 512Mi"), "{here}");
    assert_eq!(behind_the_variables("template/templates/azure-sql-rest/content/deploy/spinkube/api.yaml"), here);
}
