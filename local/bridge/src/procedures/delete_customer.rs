//! `web.delete_customer`: a customer less. Deleting one that is not there is a success too.

use rusqlite::Connection;

use super::{Arguments, Body, Column, DefaultValue, Outcome, Parameter, Procedure, Refusal, Row, SqlType, is_in};
use crate::{
    customer,
    for_json::{self, Object},
    ledger::{self, Request},
};

pub(super) const PROCEDURE: Procedure = Procedure {
    name: "web.delete_customer",
    parameters: &[
        Parameter::required("CustomerID", SqlType::Int),
        Parameter::required("RequestKey", SqlType::NVarChar(255)),
        Parameter::optional("IfMatch", SqlType::NVarChar(4000), DefaultValue::Null),
    ],
    columns: &[Column::Status, Column::Replayed, Column::Json],
    writes: true,
    body: Body::BuiltIn(delete_customer),
};

fn delete_customer(connection: &Connection, arguments: &Arguments) -> Outcome {
    let id = arguments.int("CustomerID");
    ledger::exactly_once(
        connection,
        &Request::new(PROCEDURE.name, arguments),
        || remove(connection, id, arguments.text("IfMatch")),
        |recorded| Ok(deleted(recorded.status, recorded.id)),
    )
}

fn remove(connection: &Connection, id: Option<i32>, if_match: Option<&str>) -> Outcome {
    let version = customer::version(connection, id)?;
    if version.is_some_and(|version| !is_in(if_match, &version)) {
        return Err(Refusal::changed(id).into());
    }
    customer::delete(connection, id)?;
    Ok(deleted(202, id))
}

fn deleted(status: u16, id: Option<i32>) -> Row {
    let json = for_json::array([Object::new().int("CustomerID", id)]);
    Row {
        id,
        ..Row::new(status, json)
    }
}
