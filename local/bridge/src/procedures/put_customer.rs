//! `web.put_customer`: a new customer.

use rusqlite::Connection;

use super::{Arguments, Body, Column, Outcome, Parameter, Procedure, Refusal, SqlType, as_it_is_now};
use crate::{
    customer::{self, Customer, Document},
    datetime2::DateTime2,
    ledger::{self, Request},
};

pub(super) const PROCEDURE: Procedure = Procedure {
    name: "web.put_customer",
    parameters: &[
        Parameter::required("Json", SqlType::NVarCharMax),
        Parameter::required("RequestKey", SqlType::NVarChar(255)),
    ],
    columns: &[
        Column::Status,
        Column::ETag,
        Column::Id("CustomerID"),
        Column::Replayed,
        Column::Json,
    ],
    writes: true,
    body: Body::BuiltIn(put_customer),
};

fn put_customer(connection: &Connection, arguments: &Arguments) -> Outcome {
    let json = arguments.text("Json");
    ledger::exactly_once(
        connection,
        &Request::new(PROCEDURE.name, arguments),
        || create(connection, json),
        |recorded| as_it_is_now(connection, recorded.status, recorded.id),
    )
}

fn create(connection: &Connection, json: Option<&str>) -> Outcome {
    let document = json.and_then(Document::shred).ok_or_else(Refusal::not_an_object)?;
    let values = document.complete()?;
    let id = customer::next_id(connection)?;
    let version = DateTime2::now().to_string();
    customer::insert(connection, &Customer { id, values, version }, id)?;
    as_it_is_now(connection, 201, Some(id))
}
