//! The form of a BIGINT in JSON: a number, of which JavaScript loses digits beyond 2^53, or a string.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Column, Plan, SqlType};

/// The form of a BIGINT in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BigInt {
    /// A number.
    #[default]
    Number,
    /// A string. Clients may also send a number.
    String,
}

impl BigInt {
    pub(super) fn is_number(&self) -> bool {
        *self == Self::Number
    }
}

impl Plan {
    /// True if JSON has a string for the numbers of this column.
    pub(crate) fn has_digits_as_text(&self, column: &Column) -> bool {
        self.bigint == BigInt::String && column.sql_type == SqlType::BigInt
    }

    /// The value as JSON has it.
    pub(super) fn in_json(&self, column: &Column, value: Value) -> Value {
        if value.is_number() && self.has_digits_as_text(column) { json!(value.to_string()) } else { value }
    }

    /// The JSON Schema of a column's values.
    pub(super) fn values(&self, column: &Column) -> Value {
        match self.has_digits_as_text(column) {
            true => json!({"type": "string", "format": "int64", "pattern": "^(0|-?[1-9][0-9]{0,18})$"}),
            false => column.sql_type.schema(),
        }
    }
}
