//! The orders of a list, of which clients choose one with `sort`.

use super::{Column, Plan, Sort};

/// An order of a list. Rows with the same value are in the order of the key, in the same direction.
pub(crate) struct Order<'p> {
    /// The value of `sort`: `Name` or `-CreatedAt`. `None` for the order by key, which a list has without `sort`.
    pub(crate) query: Option<String>,
    /// The column by which rows are ordered first.
    pub(crate) column: &'p Column,
    pub(crate) is_descending: bool,
    /// The other columns of the key.
    pub(crate) rest: Vec<&'p Column>,
}

/// Rows behind a cursor that stand together in the order, so that an index finds them. A list has its ranges one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Range {
    /// All rows, where there is no cursor.
    All,
    /// The rows with the cursor's value that are behind its key.
    Same,
    /// The rows with a value behind the cursor's.
    Behind,
    /// The rows with a value, behind a cursor without one: NULL comes first.
    Values,
    /// The rows without a value, behind a cursor with one: NULL comes last in a descending order.
    Nulls,
}

impl Order<'_> {
    /// The ranges of the order, in their order.
    pub(crate) fn ranges(&self) -> Vec<Range> {
        let nulls = if self.is_descending { Range::Nulls } else { Range::Values };
        let same = (!self.rest.is_empty()).then_some(Range::Same);
        let nulls = self.column.is_nullable.then_some(nulls);
        [Range::All].into_iter().chain(same).chain([Range::Behind]).chain(nulls).collect()
    }

    /// The columns by which rows of a range are ordered: all have one value of the first, or none, in some ranges.
    pub(crate) fn columns(&self, range: Range) -> Vec<&Column> {
        let first = (!matches!(range, Range::Same | Range::Nulls)).then_some(self.column);
        first.into_iter().chain(self.rest.iter().copied()).collect()
    }

    /// The reason why a list cannot have this order, with a way out.
    pub(crate) fn refusal(&self) -> Option<String> {
        let (name, sql_type) = (&self.column.name, self.column.sql_type);
        let is_short = sql_type.length().is_some_and(|length| length <= MOST);
        let reason = if !sql_type.has_json() || sql_type.is_only_shown() || sql_type.is_binary() {
            "which has no order for clients"
        } else if sql_type.is_text() && !is_short {
            "and the link to a page has at most 400 characters of a text"
        } else {
            return None;
        };
        Some(format!("column {name} is {sql_type}, {reason}: take it from `sort`"))
    }
}

/// The most characters of a text in a cursor. A key that an index holds has at most 850 besides.
const MOST: u16 = 400;

impl Plan {
    /// The orders that `sort` can ask for.
    pub(crate) fn orders(&self) -> Vec<Order<'_>> {
        let order = |sort: &Sort| {
            let column = self.column(&sort.column)?;
            let query = format!("{}{}", if sort.is_descending { "-" } else { "" }, column.path());
            Some(self.order(Some(query), column, sort.is_descending))
        };
        self.sort.iter().filter_map(order).collect()
    }

    /// All orders of the list, the order by key first.
    pub(crate) fn all_orders(&self) -> Vec<Order<'_>> {
        let keys = self.key_columns();
        let by_key = keys.first().map(|first| self.order(None, first, false));
        by_key.into_iter().chain(self.orders()).collect()
    }

    fn order<'p>(&'p self, query: Option<String>, column: &'p Column, is_descending: bool) -> Order<'p> {
        let rest = self.key_columns().into_iter().filter(|key| key.name != column.name).collect();
        Order { query, column, is_descending, rest }
    }

    /// The columns of orders that are not in the key: a cursor has the value of one.
    pub(crate) fn sorted(&self) -> Vec<&Column> {
        let mut columns: Vec<&Column> = Vec::new();
        for Order { column, .. } in self.orders() {
            if self.key_of(&column.name).is_none() && !columns.iter().any(|other| other.name == column.name) {
                columns.push(column);
            }
        }
        columns
    }

    /// True if a cursor of the list is a text that only `Link` has.
    pub(crate) fn has_cursor(&self) -> bool {
        self.has_parts() || !self.sort.is_empty()
    }

    /// The values of `sort`, and the length of the longest.
    pub(crate) fn sort_values(&self) -> (Vec<String>, usize) {
        let values: Vec<_> = self.orders().into_iter().filter_map(|order| order.query).collect();
        let longest = values.iter().map(|value| value.encode_utf16().count()).max().unwrap_or_default();
        (values, longest)
    }

    /// True for a key of one text: without `sort`, it is its own cursor.
    pub(crate) fn is_text_key(&self) -> bool {
        matches!(self.key_columns().as_slice(), [key] if key.sql_type.is_text())
    }
}
