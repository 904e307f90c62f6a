//! How a row is named: the columns of its key, and its path.

use super::{Column, Filled, Identity, Key, KeySource, Plan};

impl Plan {
    /// The columns of the key, which `Plan::parse` and `decide` have found.
    pub(crate) fn key_columns(&self) -> Vec<&Column> {
        self.key.iter().filter_map(|key| self.column(&key.column)).collect()
    }

    /// The part of the key that this column is.
    pub(crate) fn key_of(&self, column: &str) -> Option<&Key> {
        self.key.iter().find(|key| key.column.eq_ignore_ascii_case(column))
    }

    /// True if the key has several columns.
    pub(crate) fn has_parts(&self) -> bool {
        self.key.len() > 1
    }

    /// True if this part of the key may be 0 or less: clients give it, or an IDENTITY that begins or goes there.
    pub(crate) fn counts_from_below(&self, key: &Key) -> bool {
        let filled = self.column(&key.column).map(|column| &column.filled);
        key.from == KeySource::Client
            || matches!(filled, Some(Filled::Identity(Identity(seed, increment))) if *seed < 1 || *increment < 1)
    }

    /// The segments of a path that name a row, and their columns: `id` where the key has one column.
    pub(crate) fn segments(&self) -> Vec<(String, &Column)> {
        let name = |column: &Column| if self.has_parts() { column.path().to_owned() } else { "id".to_owned() };
        self.key_columns().into_iter().map(|column| (name(column), column)).collect()
    }

    /// The path of a row: `/color/{id}`.
    pub(crate) fn path_of_row(&self) -> String {
        let segments = self.segments().into_iter().map(|(segment, _)| format!("/{{{segment}}}"));
        format!("/{}{}", self.name, segments.collect::<String>())
    }
}
