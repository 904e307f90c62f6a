//! What bench/cost/table.md says holds for the component that is built.

use std::path::PathBuf;

use cost::{Column, check, measure, root};

fn target() -> PathBuf {
    root().join("target")
}

fn measured() -> Vec<Column> {
    measure(&target()).unwrap_or_else(|error| panic!("{error:#}"))
}

#[test]
fn no_request_takes_more_instructions_than_the_table_allows() {
    for note in check(&target()).unwrap_or_else(|error| panic!("{error:#}")) {
        println!("{note}");
    }
}

#[test]
fn every_run_counts_the_same() {
    for (one, other) in measured().iter().zip(measured()) {
        assert_eq!(one.costs, other.costs, "{}", one.wasi);
    }
}

#[test]
fn no_request_needs_more_than_half_of_the_stack() {
    for column in measured() {
        for (name, cost) in column.costs {
            let stack = column.stack_bytes;
            assert!(
                2 * cost.stack <= stack,
                "{}: {name} needs {} of {stack} bytes",
                column.wasi,
                cost.stack
            );
        }
    }
}
