//! The table.

mod concurrency;
mod customer;
mod delete;
mod fields;
mod ledger;
mod patch;
mod put;
mod reads;
mod rows;

use crate::case::Case;

/// All cases, in the order in which they run.
pub fn all() -> Vec<Case> {
    [
        reads::cases(),
        put::cases(),
        rows::cases(),
        fields::cases(),
        patch::cases(),
        delete::cases(),
        ledger::cases(),
        concurrency::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
