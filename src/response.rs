//! The row of a procedure as an HTTP response: what SQL wrote reaches the client byte for byte, and what SQL refused
//! becomes a problem.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, LINK, LOCATION};
use http::{HeaderValue, Response, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::problem::{Problem, kind};
use crate::request;
use crate::route::{Call, Source};
use crate::wire::Row;

/// The answer that `row`, which `call` brought for this path and query, stands for.
///
/// # Errors
///
/// The problem that the procedure reports (a `Status` of 400 and above), or 502 for a row that does not say what was
/// agreed.
pub fn of_row(call: &Call, row: Row, path: &str, query: &str) -> Result<Response<Bytes>, Problem> {
    let status = StatusCode::from_u16(row.status).map_err(|_| not_agreed())?;
    let text = row.json.ok_or_else(not_agreed)?;
    if !status.is_success() {
        return Err(rejection(status, &text));
    }
    let mut response = json(status, text);
    let headers = response.headers_mut();
    if let Some(etag) = row.etag {
        let quoted = HeaderValue::try_from(format!("\"{etag}\""));
        headers.insert(ETAG, quoted.map_err(|_| not_agreed())?);
    }
    if let Some(after) = row.next_after {
        headers.insert(LINK, ascii(next_link(call, path, query, after)?));
    }
    if let Some(created) = &call.created {
        let id = row.created_id.ok_or_else(not_agreed)?;
        headers.insert(LOCATION, ascii(format!("{}{id}", created.location)));
    }
    Ok(response)
}

/// A response of JSON text.
pub fn json(status: StatusCode, text: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// A header value of text that is ASCII by construction.
pub fn ascii(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// The link to the next page (RFC 8288): this page's query with another `after`.
fn next_link(call: &Call, path: &str, query: &str, after: i32) -> Result<String, Problem> {
    let mut link = format!("<{path}");
    let mut separator = '?';
    for (_, source) in call.parameters {
        if let Source::Query {
            name,
            default,
            min,
            max,
        } = source
        {
            let value = match *name {
                "after" => after,
                _ => request::query_integer(query, name, *default, *min..=*max)?,
            };
            link.push_str(&format!("{separator}{name}={value}"));
            separator = '&';
        }
    }
    Ok(link + ">; rel=\"next\"")
}

/// The problem that a procedure reports: `{"detail": "…", "errors": […]}`.
fn rejection(status: StatusCode, text: &str) -> Problem {
    #[derive(Deserialize)]
    struct Rejection<'a> {
        detail: String,
        #[serde(borrow)]
        errors: Option<&'a RawValue>,
    }
    let kind = match status {
        StatusCode::BAD_REQUEST => kind::INVALID_BODY,
        StatusCode::NOT_FOUND => kind::NOT_FOUND,
        StatusCode::CONFLICT => kind::CONFLICT,
        StatusCode::PRECONDITION_FAILED => kind::PRECONDITION_FAILED,
        StatusCode::UNPROCESSABLE_ENTITY => kind::UNPROCESSABLE,
        _ => return not_agreed(),
    };
    match serde_json::from_str::<Rejection>(text) {
        Ok(rejection) => Problem::new(kind, rejection.detail).with_errors(rejection.errors.map(RawValue::to_owned)),
        Err(_) => not_agreed(),
    }
}

fn not_agreed() -> Problem {
    Problem::new(
        kind::BRIDGE_MISCONFIGURED,
        "The procedure's answer is not what was agreed.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Created;
    use http::Method;

    const LIMIT: Source = Source::Query {
        name: "limit",
        default: 1000,
        min: 1,
        max: 10_000,
    };
    const AFTER: Source = Source::Query {
        name: "after",
        default: 0,
        min: 0,
        max: i32::MAX,
    };

    fn list() -> Call {
        let parameters = &[("After", AFTER), ("Limit", LIMIT)];
        Call {
            procedure: "list",
            method: Method::GET,
            parameters,
            created: None,
        }
    }

    fn create() -> Call {
        let created = Some(Created {
            id_column: "ThingID",
            location: "/thing/",
        });
        Call {
            procedure: "create",
            method: Method::POST,
            parameters: &[],
            created,
        }
    }

    fn row(status: u16, json: &str) -> Row {
        Row {
            status,
            json: Some(json.to_owned()),
            ..Row::default()
        }
    }

    #[test]
    fn the_text_is_the_body() {
        let row = Row {
            etag: Some("v1".into()),
            ..row(200, "[{\"A\":\"\\/\u{e9}\u{1f600}\"} ]")
        };
        let response = of_row(&list(), row, "/things", "").unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.body(), "[{\"A\":\"\\/\u{e9}\u{1f600}\"} ]");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[ETAG], "\"v1\"");
    }

    #[test]
    fn a_created_row_has_a_location() {
        let row = Row {
            created_id: Some(1062),
            ..row(201, "[]")
        };
        let response = of_row(&create(), row, "/thing", "").unwrap();
        assert_eq!(response.headers()[LOCATION], "/thing/1062");
    }

    #[test]
    fn pages_link_to_the_next_with_the_same_limit() {
        let next = |query| {
            let row = Row {
                next_after: Some(12),
                ..row(200, "[]")
            };
            of_row(&list(), row, "/things", query).unwrap().headers()[LINK].clone()
        };
        assert_eq!(next("limit=2&after=5"), "</things?after=12&limit=2>; rel=\"next\"");
        assert_eq!(next(""), "</things?after=12&limit=1000>; rel=\"next\"");
        let last = of_row(&list(), row(200, "[]"), "/things", "").unwrap();
        assert!(!last.headers().contains_key(LINK));
    }

    #[test]
    fn what_sql_refuses_is_a_problem_of_its_status() {
        for status in [400, 404, 409, 412, 422] {
            let problem = of_row(&list(), row(status, r#"{"detail":"No."}"#), "/", "").unwrap_err();
            assert_eq!(problem.kind().status, status);
        }
        let errors = r#"{"detail":"No.","errors":[{"field":"A","message":"is required"}]}"#;
        let response = of_row(&list(), row(422, errors), "/", "")
            .unwrap_err()
            .into_response("/", "id");
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["detail"], "No.");
        assert_eq!(
            body["errors"],
            serde_json::json!([{"field": "A", "message": "is required"}])
        );
    }

    #[test]
    fn what_was_not_agreed_is_502() {
        let rows = [
            Row {
                status: 200,
                ..Row::default()
            },
            row(404, "not JSON"),
            row(418, r#"{"detail":"No."}"#),
            Row {
                etag: Some("line\nbreak".into()),
                ..row(200, "[]")
            },
        ];
        for row in rows {
            assert_eq!(
                of_row(&list(), row, "/", "").unwrap_err().kind(),
                kind::BRIDGE_MISCONFIGURED
            );
        }
        let without_id = of_row(&create(), row(201, "[]"), "/", "").unwrap_err();
        assert_eq!(without_id.kind(), kind::BRIDGE_MISCONFIGURED);
    }
}
