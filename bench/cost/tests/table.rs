//! The component that is built keeps to bench/cost/table.md.

use std::path::PathBuf;
use std::sync::LazyLock;

use cost::{Column, Cost, check, measure, root};

fn target() -> PathBuf {
    root().join("target")
}

fn measure_again() -> Vec<Column> {
    measure(&target()).unwrap_or_else(|error| panic!("{error:#}"))
}

/// The measurement that all tests share, because each takes seconds and all give the same.
static MEASURED: LazyLock<Vec<Column>> = LazyLock::new(measure_again);

#[test]
fn no_request_costs_more_than_the_table_allows() {
    for note in check(&target()).unwrap_or_else(|error| panic!("{error:#}")) {
        println!("{note}");
    }
}

#[test]
fn every_run_counts_the_same() {
    for (one, other) in MEASURED.iter().zip(measure_again()) {
        assert_eq!(one.costs, other.costs, "{}", one.wasi);
    }
}

#[test]
fn no_request_needs_more_than_half_of_the_stack() {
    for column in MEASURED.iter() {
        for (name, cost) in &column.costs {
            let stack = column.stack_bytes;
            assert!(2 * cost.stack <= stack, "{}: {name} needs {} of {stack} bytes", column.wasi, cost.stack);
        }
    }
}

#[test]
fn a_list_costs_the_same_for_each_byte_and_no_memory_for_its_length() {
    for column in MEASURED.iter() {
        let list = |length: &str| {
            let name = format!("GET /customers, {length}");
            let found = column.costs.iter().find(|(case, _)| *case == name);
            found.unwrap_or_else(|| panic!("{name} is not measured")).1
        };
        let (short, middle, long, longest) = (list("10 KB"), list("100 KB"), list("1 MB"), list("10 MB"));
        // A page of the guest's memory is 64 KiB.
        assert!(longest.pages <= short.pages + 16, "{}: {longest:?}", column.wasi);
        let fuel_a_byte = |from: Cost, to: Cost, bytes: u64| (to.fuel - from.fuel) as f64 / bytes as f64;
        let (first, last) = (fuel_a_byte(short, middle, 90_000), fuel_a_byte(long, longest, 9_000_000));
        assert!(last <= 1.05 * first, "{}: {first} and then {last} a byte", column.wasi);
    }
}
