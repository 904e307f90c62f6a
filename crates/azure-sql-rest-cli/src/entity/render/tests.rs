//! The customers come out of the renderers as they are in the repository.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::plan::Plan;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn customers() -> Plan {
    let text = fs::read_to_string(root().join("entities/customer.toml")).expect("entities/customer.toml");
    Plan::parse(&text).expect("a plan")
}

/// Set to write the files instead of comparing them.
const WRITE: &str = "WRITE_CUSTOMERS";

#[test]
fn the_customers_come_out_of_it() {
    let plan = customers();
    let mut files = super::sqlite(&plan, &[]);
    files.push((plan.script.clone(), super::tsql(&plan)));
    for (path, text) in files {
        let path = root().join(path);
        if std::env::var_os(WRITE).is_some() {
            fs::write(&path, &text).expect("written");
        }
        assert_eq!(fs::read_to_string(&path).expect("a script"), text, "{}", path.display());
    }
}
