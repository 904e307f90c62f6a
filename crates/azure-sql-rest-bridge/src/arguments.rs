//! The values of a call by name, and the parameters with a meaning of their own.

use std::collections::BTreeMap;

pub use rusqlite::types::Value;

/// Arguments and variables by name.
pub(crate) type Arguments = BTreeMap<String, Value>;

/// The parameter of every procedure that writes: the idempotency key. NULL is an error, as in any `NOT NULL` column.
pub(crate) const REQUEST_KEY: &str = "RequestKey";
