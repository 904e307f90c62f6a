//! The name of the caller in columns of audit, such as `CreatedBy`.

use super::{Column, Expression, Operation, Plan, Role};

/// The most characters of a name: in the ledger, a colon and a key of at least one character follow, in 255 together.
const LONGEST: u16 = 253;

impl Plan {
    /// The columns in which the procedure of this operation stores the name of the caller.
    fn of_caller(&self, operation: Operation) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(move |column| match &column.role {
            Role::Set(value) => {
                *value == Expression::Caller && matches!(operation, Operation::Put | Operation::Replace)
            }
            Role::Touch(value) => {
                *value == Expression::Caller
                    && matches!(operation, Operation::Put | Operation::Patch | Operation::Replace)
            }
            _ => false,
        })
    }

    /// True if the procedure of this operation stores the name of the caller.
    pub(crate) fn takes_caller(&self, operation: Operation) -> bool {
        self.of_caller(operation).next().is_some()
    }

    /// The most characters of a name that all of these columns hold. `None` if they hold every name.
    pub(crate) fn longest_caller(&self, operation: Operation) -> Option<u16> {
        self.of_caller(operation).filter_map(|column| column.sql_type.length()).min().filter(|most| *most < LONGEST)
    }
}
