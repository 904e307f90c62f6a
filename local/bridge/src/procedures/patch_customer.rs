//! `web.patch_customer`: a customer with some of its fields replaced (RFC 7396).

use rusqlite::Connection;

use super::{
    Arguments, Body, Column, DefaultValue, Outcome, Parameter, Procedure, Refusal, SqlType, as_it_is_now, is_in,
};
use crate::{
    customer::{self, Customer, Document},
    datetime2::DateTime2,
    ledger::{self, Request},
};

pub(super) const PROCEDURE: Procedure = Procedure {
    name: "web.patch_customer",
    parameters: &[
        Parameter::required("CustomerID", SqlType::Int),
        Parameter::required("Json", SqlType::NVarCharMax),
        Parameter::required("RequestKey", SqlType::NVarChar(255)),
        Parameter::optional("IfMatch", SqlType::NVarChar(4000), DefaultValue::Null),
    ],
    columns: &[Column::Status, Column::ETag, Column::Replayed, Column::Json],
    writes: true,
    body: Body::BuiltIn(patch_customer),
};

fn patch_customer(connection: &Connection, arguments: &Arguments) -> Outcome {
    let id = arguments.int("CustomerID");
    let json = arguments.text("Json");
    ledger::exactly_once(
        connection,
        &Request::new(PROCEDURE.name, arguments),
        || merge(connection, id, json, arguments.text("IfMatch")),
        |recorded| as_it_is_now(connection, recorded.status, recorded.id),
    )
}

fn merge(connection: &Connection, id: Option<i32>, json: Option<&str>, if_match: Option<&str>) -> Outcome {
    let document = json.and_then(Document::shred).ok_or_else(Refusal::not_an_object)?;
    let current = Customer::load(connection, id)?.ok_or_else(|| Refusal::absent(id))?;
    if !is_in(if_match, &current.version) {
        return Err(Refusal::changed(id).into());
    }
    let version = DateTime2::following(&current.version).to_string();
    let values = document.merged_into(current.values)?;
    customer::update(
        connection,
        &Customer {
            id: current.id,
            values,
            version,
        },
    )?;
    as_it_is_now(connection, 202, id)
}
