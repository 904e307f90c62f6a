//! `web.ready`: can the database be read?

use rusqlite::Connection;

use super::{Arguments, Body, Column, Outcome, Procedure, Row};
use crate::for_json::Object;

pub(super) const PROCEDURE: Procedure = Procedure {
    name: "web.ready",
    parameters: &[],
    columns: &[Column::Status, Column::Json],
    writes: false,
    body: Body::BuiltIn(ready),
};

fn ready(connection: &Connection, _: &Arguments) -> Outcome {
    connection
        .prepare_cached("SELECT EXISTS (SELECT * FROM Sales_Customers)")?
        .query_row((), |row| row.get::<_, bool>(0))?;
    Ok(Row::new(200, Object::new().text("status", Some("ready")).finish()))
}
