//! The README's curl samples, run as they stand but for the port, in their order, against a fresh stack.

use crate::document::{blocks, run, split_samples};
use crate::harness::{Stack, root};

#[test]
fn the_samples_of_the_readme_give_what_it_shows() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (samples, _) = split_samples(blocks(&readme));
    assert!(samples.len() >= 5, "{}", samples.len());
    run(&samples, Stack::start().api());
}
