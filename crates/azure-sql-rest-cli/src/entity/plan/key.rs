//! The key of a table: the columns that name a row in paths, in their order.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Column, Filled, Identity, Plan, TableName};

/// A column that names a row in paths, alone or with others.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    pub(crate) column: String,
    /// Gives a new row its key.
    pub(crate) from: KeySource,
    /// The sequence, as T-SQL names it, when `from` is `Sequence`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sequence: Option<TableName>,
}

/// Gives a new row its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KeySource {
    /// The client sends it.
    Client,
    /// An IDENTITY.
    Identity,
    /// `NEXT VALUE FOR` a sequence.
    Sequence,
    /// A default that makes a UNIQUEIDENTIFIER: NEWID() or NEWSEQUENTIALID().
    Default,
}

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

/// Writes one column as a table of TOML, and several as a list of tables.
pub(super) fn write<S: Serializer>(key: &[Key], serializer: S) -> Result<S::Ok, S::Error> {
    match key {
        [one] => one.serialize(serializer),
        several => several.serialize(serializer),
    }
}

/// Reads what [`write`] writes.
pub(super) fn read<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Vec<Key>, D::Error> {
    struct OneOrSeveral;

    impl<'d> Visitor<'d> for OneOrSeveral {
        type Value = Vec<Key>;

        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            formatter.write_str("a key, or a list of several")
        }

        fn visit_map<A: MapAccess<'d>>(self, map: A) -> Result<Vec<Key>, A::Error> {
            Ok(vec![Key::deserialize(MapAccessDeserializer::new(map))?])
        }

        fn visit_seq<A: SeqAccess<'d>>(self, keys: A) -> Result<Vec<Key>, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(keys))
        }
    }

    deserializer.deserialize_any(OneOrSeveral)
}
