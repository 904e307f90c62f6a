//! `web.get_customer`: one customer.

use rusqlite::Connection;

use super::{Arguments, Body, Column, Outcome, Parameter, Procedure, Refusal, Row, SqlType};
use crate::customer::Customer;

pub(super) const PROCEDURE: Procedure = Procedure {
    name: "web.get_customer",
    parameters: &[Parameter::required("CustomerID", SqlType::Int)],
    columns: &[Column::Status, Column::ETag, Column::Json],
    writes: false,
    body: Body::BuiltIn(get_customer),
};

fn get_customer(connection: &Connection, arguments: &Arguments) -> Outcome {
    let id = arguments.int("CustomerID");
    match Customer::load(connection, id)? {
        Some(customer) => Ok(Row::of(200, &customer)),
        None => Err(Refusal::absent(id).into()),
    }
}
