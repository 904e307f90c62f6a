//! What is special about an entity: all that does not follow from its table.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::Deserialize;

/// What is special about an entity: all that does not follow from its table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Special {
    /// What clients send and see, in this order, by the column: `Delivery.AddressLine1` is a member of the object `Delivery`, of which
    /// there is one at most. Without it, every column is a member of its own name.
    pub(super) members: Vec<(String, String)>,
    /// What a list shows; all without it.
    pub(super) listed: Vec<String>,
    /// Members of text that may be sent as a number.
    pub(super) numbers: Vec<String>,
    /// What a member is called in a message that says it is taken; its name without it.
    pub(super) called: BTreeMap<String, String>,
    /// Rows a page, and the most.
    pub(super) limit: Option<(u32, u32)>,
    /// Columns that are left out.
    pub(super) without: Vec<String>,
    /// What columns have in a new row.
    pub(super) set: BTreeMap<String, String>,
    /// What columns have in a new row and after each change.
    pub(super) touch: BTreeMap<String, String>,
}

impl Special {
    pub(super) fn read(file: &Path) -> Result<Self> {
        Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
    }
}
