//! Refuses plans that break a rule, both when decided from a table and when edited by hand.

use clap::ValueEnum;

use super::plan::condition::Condition;
use super::plan::order::Order;
use super::plan::{Column, Expression, Filled, Key, KeySource, Operation, Plan, Role, SqlType};

/// All reasons for which a plan cannot be served, each with a way out.
pub(crate) fn refusals(plan: &Plan) -> Vec<String> {
    let mut reasons = Vec::new();
    names(plan, &mut reasons);
    operations(plan, &mut reasons);
    key(plan, &mut reasons);
    members(plan, &mut reasons);
    filters(plan, &mut reasons);
    orders(plan, &mut reasons);
    for column in &plan.columns {
        values(plan, column, &mut reasons);
    }
    if plan.limit.default == 0 || plan.limit.default > plan.limit.max || plan.limit.max > 100_000 {
        reasons.push("limit: the default is 1 to the maximum, and that is at most 100000".to_owned());
    }
    reasons
}

/// Operations as `--only` takes them.
pub(crate) fn list(operations: &[&Operation]) -> String {
    let names = operations.iter().filter_map(|operation| operation.to_possible_value());
    let names: Vec<_> = names.map(|value| value.get_name().to_owned()).collect();
    names.join(",")
}

/// True for a name that paths, procedures and JSON have without quotes.
pub(crate) fn is_plain(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

fn names(plan: &Plan, reasons: &mut Vec<String>) {
    for (what, option, name) in [("name", "NAME=", &plan.name), ("plural", "--plural ", &plan.plural)] {
        let is_lower = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name
                .chars()
                .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_');
        if !is_lower || name.len() > 28 {
            reasons.push(format!(
                "the {what} {name:?} is not made of at most 28 lower-case letters, digits and underscores: give another with {option}…"
            ));
        }
    }
    if plan.name == plan.plural {
        reasons.push("one row and many need different names: give --plural".to_owned());
    }
}

fn operations(plan: &Plan, reasons: &mut Vec<String>) {
    let others = |without| plan.operations.iter().filter(|operation| **operation != without).collect::<Vec<_>>();
    if plan.operations.is_empty() {
        reasons.push("there is no operation: --only takes get, list, put, patch, replace and delete".to_owned());
    }
    let writes = [Operation::Put, Operation::Patch, Operation::Replace, Operation::Delete];
    if writes.into_iter().any(|operation| plan.has(operation)) && !plan.has(Operation::Get) {
        reasons.push("a row that is written is read at its own path: --only needs get as well".to_owned());
    }
    if plan.has(Operation::Patch) && plan.changed().count() == 0 {
        let only = list(&others(Operation::Patch));
        reasons.push(format!("no column can be changed: leave patch out with --only {only}"));
    }
    if plan.has(Operation::Replace) && !plan.can_replace() {
        let only = list(&others(Operation::Replace));
        reasons.push(format!(
            "replace needs put, patch and a key that clients give: leave replace out with --only {only}"
        ));
    }
    if plan.has(Operation::Put) && plan.sent().count() == 0 {
        let only = list(&others(Operation::Put));
        reasons.push(format!("a new row has nothing that a client gives: leave put out with --only {only}"));
    }
}

fn key(plan: &Plan, reasons: &mut Vec<String>) {
    for key in &plan.key {
        let name = &key.column;
        let Some(column) = plan.column(name) else {
            reasons.push(format!("the key {name} is no column of {}", plan.table));
            continue;
        };
        let (is_client, is_sent) = (key.from == KeySource::Client, column.role == Role::Sent);
        if is_client != is_sent || !matches!(column.role, Role::Sent | Role::Shown) {
            let how = if is_client { "sent by clients" } else { "read_only" };
            reasons.push(format!("the key {name} cannot be left out: it is {how}"));
        }
        if column.path().contains('.') {
            reasons.push(format!("the key {name} is in an object: set its path to a name without a point"));
        }
        if (key.from == KeySource::Sequence) != key.sequence.is_some() {
            reasons.push("the key is from a sequence, and `sequence` names it, or neither".to_owned());
        }
    }
    let is_counted = |key: &&Key| matches!(key.from, KeySource::Identity | KeySource::Sequence);
    let counted: Vec<_> = plan.key.iter().filter(is_counted).map(|key| key.column.as_str()).collect();
    if counted.len() > 1 {
        reasons.push(format!(
            "the database counts {} of the key, and the local database counts one column: let clients give the others",
            counted.join(" and ")
        ));
    }
}

fn members(plan: &Plan, reasons: &mut Vec<String>) {
    let shown: Vec<_> = plan.shown().collect();
    let mut closed: Vec<&str> = Vec::new();
    let mut open: Option<&str> = None;
    for (at, column) in shown.iter().enumerate() {
        let (name, path) = (&column.name, column.path());
        if !path.split('.').all(is_plain) || path.matches('.').count() > 1 {
            reasons.push(format!(
                "member {path:?} of column {name} is not made of ASCII letters, digits and underscores, with one point at most: set \
                 its path"
            ));
        }
        if let Some(other) = shown[..at].iter().find(|other| other.path() == path) {
            reasons.push(format!("columns {} and {name} are both the member {path}: set the path of one", other.name));
        }
        let object = path.split_once('.').map(|(object, _)| object);
        if open != object {
            closed.extend(open);
            open = object;
        }
        if object.is_some_and(|object| closed.contains(&object)) {
            reasons.push(format!(
                "member {path} stands apart from the others of its object: move the line of column {name}"
            ));
        }
        if shown.iter().any(|other| other.path().split_once('.').is_some_and(|(object, _)| object == path)) {
            reasons.push(format!("member {path} of column {name} has the name of an object: set its path"));
        }
    }
    for name in &plan.listed {
        if !shown.iter().any(|column| column.name == *name) {
            reasons.push(format!("the list shows column {name}, which a row does not: take it from `listed`"));
        }
    }
}

/// Each filter has a name of its own, and a column whose values a query can have.
fn filters(plan: &Plan, reasons: &mut Vec<String>) {
    if !plan.filter.is_empty() && !plan.has(Operation::List) {
        reasons.push("a filter is of a list: --only needs list as well, or take `filter` out".to_owned());
    }
    if plan.count && !plan.has(Operation::List) {
        reasons.push("a count is of a list: --only needs list as well, or take `count` out".to_owned());
    }
    let conditions = plan.conditions();
    for (at, condition) in conditions.iter().enumerate() {
        reasons.extend(condition.refusal());
        let (name, query) = (&condition.column.name, &condition.query);
        if !plan.shown().any(|column| column.name == *name) {
            reasons.push(format!(
                "the list is filtered by column {name}, which a row does not show: take it from `filter`"
            ));
        }
        if !query.split('.').all(is_plain) {
            reasons.push(format!(
                "the filter {query:?} is not made of ASCII letters, digits and underscores: name it as in name={name}"
            ));
        }
        // Names of variables fold case.
        let is_same = |other: &Condition| other.parameter.eq_ignore_ascii_case(&condition.parameter);
        if conditions[..at].iter().any(is_same) {
            reasons.push(format!(
                "two filters are the parameter {} of the procedure: take one from `filter`",
                condition.parameter
            ));
        }
        let is_taken = match query.as_str() {
            "after" | "limit" => true,
            "sort" => !plan.sort.is_empty(),
            "count" => plan.count,
            _ => false,
        };
        if is_taken || conditions[..at].iter().any(|other| other.query == *query) {
            reasons.push(format!(
                "two query parameters of the list are called {query}: name the filter as in other={name}"
            ));
        }
    }
}

/// Each order is asked for once, by a column that rows show.
fn orders(plan: &Plan, reasons: &mut Vec<String>) {
    if !plan.sort.is_empty() && !plan.has(Operation::List) {
        reasons.push("an order is of a list: --only needs list as well, or take `sort` out".to_owned());
    }
    let orders = plan.orders();
    for (at, order) in orders.iter().enumerate() {
        reasons.extend(order.refusal());
        let name = &order.column.name;
        if !plan.shown().any(|column| column.name == *name) {
            reasons
                .push(format!("the list is ordered by column {name}, which a row does not show: take it from `sort`"));
        }
        // The procedure compares the names without regard to case.
        let query = order.query.as_deref().unwrap_or_default();
        let is_same = |other: &Order| other.query.as_deref().is_some_and(|other| other.eq_ignore_ascii_case(query));
        if orders[..at].iter().any(is_same) {
            reasons.push(format!("two orders of the list are called {query}: take one from `sort`"));
        }
    }
}

/// A column is what its type allows.
fn values(plan: &Plan, column: &Column, reasons: &mut Vec<String>) {
    let (name, sql_type) = (&column.name, column.sql_type);
    match &column.role {
        Role::Sent | Role::Shown if !sql_type.has_json() => reasons.push(format!(
            "column {name} is {sql_type}, which no value of JSON stands for: leave it out with --without {name}"
        )),
        Role::Sent if sql_type.is_only_shown() => reasons.push(format!(
            "column {name} is {sql_type}, which clients can only read: set read_only = true, or leave it out with --without {name}"
        )),
        Role::Sent if column.filled != Filled::ByInsert => {
            reasons.push(format!("column {name} is filled by the database, so that clients cannot send it"));
        }
        Role::Set(_) | Role::Touch(_) if column.filled != Filled::ByInsert => {
            reasons.push(format!("column {name} is filled by the database, so that it cannot be set"));
        }
        Role::Set(_) | Role::Touch(_) if column.is_audit && !sql_type.has_json() => reasons.push(format!(
            "column {name} is {sql_type}, which no value of JSON stands for: take read_only from it"
        )),
        Role::Set(value) => set(plan, column, value, false, reasons),
        Role::Touch(value) => set(plan, column, value, true, reasons),
        _ => {}
    }
    if column.takes_number && !matches!(sql_type, SqlType::NChar(_) | SqlType::NVarChar(_)) {
        reasons.push(format!("column {name} is {sql_type}, and only NCHAR and NVARCHAR take a number as its text"));
    }
}

fn set(plan: &Plan, column: &Column, value: &Expression, is_touch: bool, reasons: &mut Vec<String>) {
    let name = &column.name;
    match value {
        Expression::Column(source) if is_touch => reasons.push(format!(
            "column {name} is set to @{source} with each change, and a change need not have that: use --set"
        )),
        Expression::Column(source) => {
            // The key of one column is there before the row, unless it is an IDENTITY.
            let is_key =
                matches!(plan.key.as_slice(), [key] if key.column == *source && key.from != KeySource::Identity);
            let is_sent = plan.sent().any(|column| column.name == *source);
            if !is_key && !is_sent {
                reasons.push(format!(
                    "column {name} is set to @{source}, which clients do not give before the row is there: name one that they send"
                ));
            }
        }
        value => {
            if let Err(why) = fits(value, column.sql_type, column.is_nullable) {
                reasons.push(format!("column {name} cannot be set to {value}: {why}"));
            }
        }
    }
}

/// Tells whether a column of this type takes a value, or why not.
fn fits(value: &Expression, sql_type: SqlType, is_nullable: bool) -> Result<(), String> {
    let is = || Err(format!("it is {sql_type}"));
    match value {
        Expression::Column(_) => Ok(()),
        Expression::Null => {
            if is_nullable {
                Ok(())
            } else {
                Err("it is NOT NULL".to_owned())
            }
        }
        Expression::Now => match sql_type {
            SqlType::Date
            | SqlType::DateTime
            | SqlType::DateTime2(_)
            | SqlType::DateTimeOffset(_)
            | SqlType::SmallDateTime => Ok(()),
            _ => is(),
        },
        Expression::Caller => match sql_type.length() {
            _ if !sql_type.is_text() || sql_type.is_padded() => is(),
            Some(..64) => Err(format!("it is {sql_type}, and the name of an API key has up to 64 characters")),
            _ => Ok(()),
        },
        Expression::Number(text) => {
            let (least, most) = match sql_type {
                SqlType::Bit => (0, 1),
                SqlType::TinyInt => (0, 255),
                SqlType::SmallInt => (i64::from(i16::MIN), i64::from(i16::MAX)),
                SqlType::Int => (i64::from(i32::MIN), i64::from(i32::MAX)),
                SqlType::BigInt => (i64::MIN, i64::MAX),
                SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => {
                    return if digits_fit(text, precision, scale) { Ok(()) } else { is() };
                }
                SqlType::Money => return if digits_fit(text, 18, 4) { Ok(()) } else { is() },
                SqlType::SmallMoney => return if digits_fit(text, 9, 4) { Ok(()) } else { is() },
                SqlType::Real | SqlType::Float | SqlType::SqlVariant => return Ok(()),
                // A text of digits.
                _ if sql_type.is_text() => return fits(&Expression::Text(text.clone()), sql_type, is_nullable),
                _ => return is(),
            };
            let number = text.parse::<i64>().ok();
            if number.is_some_and(|number| (least..=most).contains(&number)) { Ok(()) } else { is() }
        }
        Expression::Text(text) => {
            let length = if sql_type.has_code_page() { text.len() } else { text.encode_utf16().count() };
            match sql_type {
                _ if sql_type.is_text() => {
                    if sql_type.length().is_none_or(|most| length <= usize::from(most)) {
                        Ok(())
                    } else {
                        is()
                    }
                }
                SqlType::UniqueIdentifier => {
                    let is_guid = text.len() == 36
                        && text.chars().enumerate().all(|(at, digit)| match at {
                            8 | 13 | 18 | 23 => digit == '-',
                            _ => digit.is_ascii_hexdigit(),
                        });
                    if is_guid { Ok(()) } else { is() }
                }
                SqlType::Bit
                | SqlType::TinyInt
                | SqlType::SmallInt
                | SqlType::Int
                | SqlType::BigInt
                | SqlType::Decimal { .. }
                | SqlType::Numeric { .. }
                | SqlType::Money
                | SqlType::SmallMoney
                | SqlType::Real
                | SqlType::Float
                | SqlType::Binary(_)
                | SqlType::VarBinary(_)
                | SqlType::Image
                | SqlType::RowVersion
                | SqlType::Vector(_) => is(),
                _ => Ok(()),
            }
        }
        Expression::Binary(_) => match sql_type {
            SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image | SqlType::SqlVariant => Ok(()),
            _ => is(),
        },
    }
}

/// True if a decimal number has no more digits than these.
fn digits_fit(text: &str, precision: u8, scale: u8) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0').len();
    whole <= usize::from(precision - scale) && fraction.trim_end_matches('0').len() <= usize::from(scale)
}
