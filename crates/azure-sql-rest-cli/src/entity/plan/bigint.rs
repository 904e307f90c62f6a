//! The form of a BIGINT in JSON: a number, of which JavaScript loses digits beyond 2^53, or a string.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

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
