//! A column of a table.

use anyhow::{Error, ensure};
use serde::{Deserialize, Serialize};

use super::expression::Expression;
use super::sql_type::SqlType;

/// A column: its definition in SQL Server, and its part in the API.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "Line", into = "Line")]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) sql_type: SqlType,
    pub(crate) is_nullable: bool,
    /// Its own collation, where the definition names one.
    pub(crate) collation: Option<String>,
    /// The T-SQL of its default, word for word.
    pub(crate) default: Option<String>,
    pub(crate) filled: Filled,
    pub(crate) role: Role,
    /// Its path in JSON: `Delivery.AddressLine1`. `None`: its name.
    pub(crate) path: Option<String>,
    /// True for a text that may be sent as a JSON number.
    pub(crate) takes_number: bool,
    /// Its name in messages: `name` for `CustomerName`. `None`: its path.
    pub(crate) called: Option<String>,
    /// True for a column with the role `Set` or `Touch` that clients see.
    pub(crate) is_audit: bool,
}

/// Gives a column its value in a new row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Filled {
    /// The INSERT, or the default.
    #[default]
    ByInsert,
    Identity(Identity),
    /// A computed column: its T-SQL, word for word.
    Computed(String),
    /// GENERATED ALWAYS AS ROW START
    RowStart,
    /// GENERATED ALWAYS AS ROW END
    RowEnd,
    /// ROWVERSION
    RowVersion,
}

/// The seed and increment of an IDENTITY.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Identity(pub(crate) i64, pub(crate) i64);

/// Says if clients send a column, see it, or neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Clients send and see it.
    Sent,
    /// Clients see it.
    Shown,
    /// Clients neither send nor see it.
    Hidden,
    /// Clients do not send it, and a new row has this value. They see it if `is_audit`.
    Set(Expression),
    /// Clients do not send it, and a new or changed row has this value. They see it if `is_audit`.
    Touch(Expression),
}

impl Column {
    /// Its path in JSON.
    pub(crate) fn path(&self) -> &str {
        self.path.as_deref().unwrap_or(&self.name)
    }

    /// Its name in messages.
    pub(crate) fn called(&self) -> &str {
        self.called.as_deref().unwrap_or(self.path())
    }

    /// True if clients see it.
    pub(crate) fn is_shown(&self) -> bool {
        matches!(self.role, Role::Sent | Role::Shown) || self.is_audit
    }

    /// True if an INSERT may name it.
    pub(crate) fn is_insertable(&self) -> bool {
        self.filled == Filled::ByInsert
    }

    /// True if a new row must have it from the client.
    pub(crate) fn is_required(&self) -> bool {
        self.role == Role::Sent && !self.is_nullable && self.default.is_none()
    }
}

/// A column as `entities/<name>.toml` writes it, in one line.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    #[serde(rename = "type")]
    sql_type: SqlType,
    #[serde(default, skip_serializing_if = "is_false")]
    null: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    collation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<Identity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    computed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    period: Option<Bound>,
    #[serde(default, skip_serializing_if = "is_false")]
    hidden: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    read_only: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set: Option<Expression>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    touch: Option<Expression>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    called: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    takes_number: bool,
}

/// The bound of a period.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Bound {
    Start,
    End,
}

impl TryFrom<Line> for Column {
    type Error = Error;

    fn try_from(line: Line) -> Result<Self, Error> {
        let is_written = line.set.is_some() || line.touch.is_some();
        let roles = [line.hidden, line.read_only && !is_written, line.set.is_some(), line.touch.is_some()];
        let name = &line.name;
        ensure!(
            roles.iter().filter(|is_given| **is_given).count() <= 1,
            "column {name} has more than one of hidden, read_only, set and touch: only read_only goes with set or touch"
        );
        let is_version = line.sql_type == SqlType::RowVersion;
        let fills = [line.identity.is_some(), line.computed.is_some(), line.period.is_some(), is_version];
        ensure!(
            fills.iter().filter(|is_given| **is_given).count() <= 1,
            "column {name} has more than one of identity, computed, period and ROWVERSION"
        );
        let filled = match (line.identity, line.computed, line.period) {
            (Some(identity), _, _) => Filled::Identity(identity),
            (_, Some(expression), _) => Filled::Computed(expression),
            (_, _, Some(Bound::Start)) => Filled::RowStart,
            (_, _, Some(Bound::End)) => Filled::RowEnd,
            _ if is_version => Filled::RowVersion,
            _ => Filled::ByInsert,
        };
        let role = match (line.set, line.touch) {
            (Some(value), _) => Role::Set(value),
            (_, Some(value)) => Role::Touch(value),
            _ if line.hidden => Role::Hidden,
            _ if line.read_only => Role::Shown,
            _ => Role::Sent,
        };
        ensure!(
            filled == Filled::ByInsert || matches!(role, Role::Shown | Role::Hidden),
            "column {name} is filled by the database: it is read_only or hidden"
        );
        Ok(Self {
            name: line.name,
            sql_type: line.sql_type,
            is_nullable: line.null,
            collation: line.collation,
            default: line.default,
            filled,
            role,
            path: line.path,
            takes_number: line.takes_number,
            called: line.called,
            is_audit: line.read_only && is_written,
        })
    }
}

impl From<Column> for Line {
    fn from(column: Column) -> Self {
        let (identity, computed, period) = match column.filled {
            Filled::Identity(identity) => (Some(identity), None, None),
            Filled::Computed(expression) => (None, Some(expression), None),
            Filled::RowStart => (None, None, Some(Bound::Start)),
            Filled::RowEnd => (None, None, Some(Bound::End)),
            Filled::ByInsert | Filled::RowVersion => (None, None, None),
        };
        let (hidden, read_only) = (column.role == Role::Hidden, column.role == Role::Shown || column.is_audit);
        let (set, touch) = match column.role {
            Role::Set(value) => (Some(value), None),
            Role::Touch(value) => (None, Some(value)),
            Role::Sent | Role::Shown | Role::Hidden => (None, None),
        };
        Self {
            name: column.name,
            sql_type: column.sql_type,
            null: column.is_nullable,
            collation: column.collation,
            default: column.default,
            identity,
            computed,
            period,
            hidden,
            read_only,
            set,
            touch,
            path: column.path,
            called: column.called,
            takes_number: column.takes_number,
        }
    }
}

/// True if a flag need not be written.
pub(super) fn is_false(value: &bool) -> bool {
    !value
}
