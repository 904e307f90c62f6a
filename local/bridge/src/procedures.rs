//! The stored procedures of schema `web`, each in a file of its own: what it takes, what it returns, and its body. Those
//! of the customer are built in; those of other entities are [scripts](script) in a folder.
//!
//! Signatures are data, so that a test can compare them with `sql/` and `dab/dab-config.json`.

mod delete_customer;
mod get_customer;
mod get_customers;
mod outcome;
mod patch_customer;
mod put_customer;
mod ready;
mod script;
mod signature;
#[cfg(test)]
mod tests;

use rusqlite::Connection;

use crate::{customer::Customer, for_json};

pub(crate) use outcome::{Failure, FieldError, Outcome, Refusal, Row};
pub(crate) use script::load_scripts;
pub use signature::{Column, DefaultValue, Parameter, SqlType};

/// The procedures that are built in.
pub const PROCEDURES: [Procedure; 6] = [
    get_customer::PROCEDURE,
    get_customers::PROCEDURE,
    put_customer::PROCEDURE,
    patch_customer::PROCEDURE,
    delete_customer::PROCEDURE,
    ready::PROCEDURE,
];

/// The procedure that needs nothing but the database.
pub(crate) const READY: Procedure = ready::PROCEDURE;

/// A stored procedure: it returns exactly one row.
#[derive(Clone, Copy, Debug)]
pub struct Procedure {
    /// Schema and name, as `source.object` of dab-config.json spells them.
    pub name: &'static str,
    /// In the order of their declaration.
    pub parameters: &'static [Parameter],
    /// The columns of its only row, in order.
    pub columns: &'static [Column],
    /// Whether it changes anything: then it runs in a transaction of the one connection that writes.
    pub writes: bool,
    body: Body,
}

/// What a procedure does.
#[derive(Clone, Copy, Debug)]
enum Body {
    BuiltIn(fn(&Connection, &Arguments) -> Outcome),
    /// The text of a script.
    Script(&'static str),
}

impl Procedure {
    /// Executes the procedure. The caller commits when there is an outcome, and rolls back otherwise.
    pub(crate) fn execute(&self, connection: &Connection, arguments: &Arguments) -> Outcome {
        match self.body {
            Body::BuiltIn(body) => body(connection, arguments),
            Body::Script(sql) => script::execute(self, sql, connection, arguments),
        }
    }
}

/// The value of an argument.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Int(i32),
    Text(String),
}

/// The arguments of a call: a value for each parameter of the procedure.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Arguments(pub Vec<(&'static str, Value)>);

impl Arguments {
    /// The argument for an `INT` parameter; `None` is NULL.
    pub fn int(&self, name: &str) -> Option<i32> {
        match self.get(name) {
            Some(Value::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// The argument for an `NVARCHAR` parameter; `None` is NULL.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The argument for a parameter.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(parameter, _)| *parameter == name)
            .map(|(_, value)| value)
    }
}

/// The row of a customer after a change, or of one that was deleted since the change.
fn as_it_is_now(connection: &Connection, status: u16, id: Option<i32>) -> Outcome {
    let row = match Customer::load(connection, id)? {
        Some(customer) => Row::of(status, &customer),
        None => Row::new(status, for_json::EMPTY_ARRAY.into()),
    };
    Ok(Row { id, ..row })
}

/// Whether a row may be changed: its version is among those of `@IfMatch`, separated by spaces, or none is asked for.
fn is_in(if_match: Option<&str>, version: &str) -> bool {
    if_match.is_none_or(|versions| versions.split(' ').any(|listed| listed == version))
}
