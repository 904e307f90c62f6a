//! The key of a table: the columns that name a row in paths, in their order.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::name::TableName;

/// A column that names a row in paths, by itself or with others.
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
