//! What a procedure has to say: a row, a refusal, or trouble.

use std::{error::Error, fmt};

use crate::{customer::Customer, for_json::Object};

/// What a procedure has to say: a row to commit, or why there is none.
pub(crate) type Outcome = Result<Row, Failure>;

/// The row of a procedure. It can hold more than the columns that the procedure returns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub status: u16,
    pub etag: Option<String>,
    /// The id of the row that was created, changed or deleted.
    pub id: Option<i32>,
    pub next_after: Option<i32>,
    pub replayed: bool,
    pub json: String,
}

impl Row {
    /// A row of which only two columns have a value.
    pub fn new(status: u16, json: String) -> Self {
        Self {
            status,
            etag: None,
            id: None,
            next_after: None,
            replayed: false,
            json,
        }
    }

    /// The row of a customer.
    pub fn of(status: u16, customer: &Customer) -> Self {
        Self {
            etag: Some(customer.version.clone()),
            ..Self::new(status, customer.to_json())
        }
    }
}

/// Why a procedure changed nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An expected failure, which the client gets to know as data: a row with a status of 400 or more.
    Refused(Row),
    /// SQLite had trouble.
    Database(rusqlite::Error),
    /// The procedure itself is wrong.
    Internal(anyhow::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Refused(row) => formatter.write_str(&row.json),
            Self::Database(error) => error.fmt(formatter),
            Self::Internal(error) => error.fmt(formatter),
        }
    }
}

impl Error for Failure {}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// An expected failure: a status of 400 or more, and a text for people.
#[derive(Debug, PartialEq)]
pub(crate) struct Refusal {
    pub status: u16,
    pub detail: String,
    pub errors: Vec<FieldError>,
}

/// What is wrong with one field of a customer.
#[derive(Debug, PartialEq)]
pub(crate) struct FieldError {
    pub field: &'static str,
    pub message: String,
}

impl Refusal {
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// 404 for a customer that is not there.
    pub fn absent(id: Option<i32>) -> Self {
        Self::new(404, format!("Customer {} does not exist.", display(id)))
    }

    /// 412 for a customer that is not the version which the client expects.
    pub fn changed(id: Option<i32>) -> Self {
        let id = display(id);
        Self::new(
            412,
            format!("Customer {id} has changed since the version named in If-Match."),
        )
    }

    /// 400 for a `@Json` that is no JSON object.
    pub fn not_an_object() -> Self {
        Self::new(400, "The body is not a JSON object.")
    }
}

/// NULL is an empty text, as in T-SQL's `CONCAT`.
fn display(id: Option<i32>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<Refusal> for Row {
    fn from(refusal: Refusal) -> Self {
        let errors = refusal.errors.iter().map(|error| {
            Object::new()
                .text("field", Some(error.field))
                .text("message", Some(&error.message))
        });
        let json = Object::new()
            .text("detail", Some(&refusal.detail))
            .array("errors", errors);
        Self::new(refusal.status, json.finish())
    }
}
