//! `web.get_customers`: a page of ids and names.

use rusqlite::Connection;

use super::{Arguments, Body, Column, DefaultValue, Outcome, Parameter, Procedure, Refusal, Row, SqlType};
use crate::for_json::{self, Object};

pub(super) const PROCEDURE: Procedure = Procedure {
    name: "web.get_customers",
    parameters: &[
        Parameter::optional("After", SqlType::Int, DefaultValue::Int(0)),
        Parameter::optional("Limit", SqlType::Int, DefaultValue::Int(1000)),
    ],
    columns: &[Column::Status, Column::NextAfter, Column::Json],
    writes: false,
    body: Body::BuiltIn(get_customers),
};

const MAX_LIMIT: i32 = 10_000;

fn get_customers(connection: &Connection, arguments: &Arguments) -> Outcome {
    let (Some(after @ 0..), Some(limit @ 1..=MAX_LIMIT)) = (arguments.int("After"), arguments.int("Limit")) else {
        let detail = format!("limit must be between 1 and {MAX_LIMIT} and after must not be negative.");
        return Err(Refusal::new(400, detail).into());
    };
    // One more than asked for, to see whether more follow.
    let mut page: Vec<(i32, String)> = connection
        .prepare_cached(
            "SELECT CustomerID, CustomerName FROM Sales_Customers
             WHERE CustomerID > ?1 ORDER BY CustomerID LIMIT ?2",
        )?
        .query_map((after, limit + 1), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let more_follow = page.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more_follow {
        page.pop();
    }
    let customers = page.iter().map(|(id, name)| {
        Object::new()
            .int("CustomerID", Some(*id))
            .text("CustomerName", Some(name))
    });
    let next_after = if more_follow {
        page.last().map(|(id, _)| *id)
    } else {
        None
    };
    Ok(Row {
        next_after,
        ..Row::new(200, for_json::array(customers))
    })
}
