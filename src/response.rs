//! The row of a procedure as an HTTP response: what SQL wrote reaches the client byte for byte, and what SQL refused
//! becomes a problem.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::header::{CONTENT_TYPE, ETAG, LINK, LOCATION};
use http::{HeaderValue, Response, StatusCode, Uri};
use serde::de::IgnoredAny;

use crate::log::Event;
use crate::platform::{Chunks, Platform};
use crate::problem::{Problem, kind};
use crate::request;
use crate::retry::Failure;
use crate::route::{Call, Source};
use crate::wire::{Arriving, Row, Text};

/// The body of a response.
#[derive(Debug)]
pub enum Body<C> {
    /// All of it, until it has been taken.
    Whole(Bytes),
    /// A text that the client receives while it arrives from the bridge.
    Arriving {
        /// The text.
        text: Arriving<C>,
        /// Ties a failure in the log to the client's answer.
        correlation_id: String,
    },
}

impl<C: Chunks> Body<C> {
    /// The next piece, never empty; `None` when that was all.
    ///
    /// # Errors
    ///
    /// When the bridge fails after the response has begun, or nothing comes from it for as long as an attempt may take.
    /// It is logged, and the response must break off, so that nobody takes a part for the whole.
    pub async fn next(&mut self, platform: &impl Platform) -> Result<Option<Bytes>, Failure> {
        match self {
            Self::Whole(bytes) => Ok(Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty())),
            Self::Arriving { text, correlation_id } => {
                let limit = platform
                    .settings()
                    .map_or(Duration::ZERO, |settings| settings.retry.attempt_timeout());
                let (piece, timer) = (pin!(text.next()), pin!(platform.sleep(limit)));
                let piece = match select(piece, timer).await {
                    Either::Left((piece, _)) => piece,
                    Either::Right(((), _)) => Err(Failure::TimedOut),
                };
                piece.map(|piece| piece.map(Bytes::from)).inspect_err(|failure| {
                    Event::BrokenOff {
                        reason: failure.reason(),
                        correlation_id,
                    }
                    .write(platform);
                })
            }
        }
    }
}

/// The answer that `row`, which `call` brought for this target, stands for.
///
/// # Errors
///
/// The problem that the procedure reports (a `Status` of 400 and above), or 502 for a row that does not say what was
/// agreed.
pub fn of_row<C>(call: &Call, row: Row<C>, target: &Uri, correlation_id: &str) -> Result<Response<Body<C>>, Problem> {
    let Row { head, text } = row;
    let status = StatusCode::from_u16(head.status).map_err(|_| not_agreed())?;
    let body = match text.ok_or_else(not_agreed)? {
        Text::Whole(text) if !status.is_success() => return Err(rejection(status, text)),
        Text::Whole(text) => Body::Whole(text.into()),
        Text::Arriving(text) => Body::Arriving {
            text,
            correlation_id: correlation_id.to_owned(),
        },
    };
    let mut response = json(status, body);
    let headers = response.headers_mut();
    if let Some(etag) = head.etag {
        let quoted = HeaderValue::try_from(["\"", &etag, "\""].concat());
        headers.insert(ETAG, quoted.map_err(|_| not_agreed())?);
    }
    if let Some(after) = head.next_after {
        headers.insert(LINK, ascii(next_link(call, target, after)?));
    }
    if let Some(created) = &call.created {
        let id = head.created_id.ok_or_else(not_agreed)?;
        headers.insert(LOCATION, ascii(format!("{}{id}", created.location)));
    }
    Ok(response)
}

/// A response of JSON text.
pub fn json<C>(status: StatusCode, body: Body<C>) -> Response<Body<C>> {
    let mut response = Response::new(body);
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
fn next_link(call: &Call, target: &Uri, after: i32) -> Result<String, Problem> {
    let query = target.query().unwrap_or_default();
    let mut link = format!("<{}", target.path());
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

/// The problem that a procedure reports: `{"detail": "…", "errors": […]}`, which goes into the answer as it is.
fn rejection(status: StatusCode, text: Vec<u8>) -> Problem {
    let kind = match status {
        StatusCode::BAD_REQUEST => kind::INVALID_BODY,
        StatusCode::NOT_FOUND => kind::NOT_FOUND,
        StatusCode::CONFLICT => kind::CONFLICT,
        StatusCode::PRECONDITION_FAILED => kind::PRECONDITION_FAILED,
        StatusCode::UNPROCESSABLE_ENTITY => kind::UNPROCESSABLE,
        _ => return not_agreed(),
    };
    match String::from_utf8(text) {
        Ok(text) if is_report(&text) => Problem::reported(kind, &text),
        _ => not_agreed(),
    }
}

/// Whether a text is a JSON object that begins with `detail`, a text. Not read into a struct: with that come
/// serde_json's numbers, a fifth of the component.
fn is_report(text: &str) -> bool {
    let begins = ["{", "\"detail\"", ":", "\""]
        .into_iter()
        .try_fold(text, |text, token| text.trim_start().strip_prefix(token));
    begins.is_some() && serde_json::from_str::<IgnoredAny>(text).is_ok()
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
    use crate::envelope::Head;
    use crate::platform::fake::Parts;
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

    fn row(head: Head, json: &str) -> Row<Parts> {
        Row {
            head,
            text: Some(Text::Whole(json.as_bytes().to_vec())),
        }
    }

    fn status(status: u16) -> Head {
        Head {
            status,
            ..Head::default()
        }
    }

    fn text(response: Response<Body<Parts>>) -> Bytes {
        match response.into_body() {
            Body::Whole(bytes) => bytes,
            Body::Arriving { .. } => panic!("not all there"),
        }
    }

    #[test]
    fn the_text_is_the_body() {
        let head = Head {
            etag: Some("v1".into()),
            ..status(200)
        };
        let row = row(head, "[{\"A\":\"\\/\u{e9}\u{1f600}\"} ]");
        let response = of_row(&list(), row, &Uri::from_static("/things"), "").unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[ETAG], "\"v1\"");
        assert_eq!(text(response), "[{\"A\":\"\\/\u{e9}\u{1f600}\"} ]");
    }

    #[test]
    fn a_created_row_has_a_location() {
        let head = Head {
            created_id: Some(1062),
            ..status(201)
        };
        let response = of_row(&create(), row(head, "[]"), &Uri::from_static("/thing"), "").unwrap();
        assert_eq!(response.headers()[LOCATION], "/thing/1062");
    }

    #[test]
    fn pages_link_to_the_next_with_the_same_limit() {
        let next = |target| {
            let head = Head {
                next_after: Some(12),
                ..status(200)
            };
            of_row(&list(), row(head, "[]"), &Uri::from_static(target), "")
                .unwrap()
                .headers()[LINK]
                .clone()
        };
        assert_eq!(
            next("/things?limit=2&after=5"),
            "</things?after=12&limit=2>; rel=\"next\""
        );
        assert_eq!(next("/things"), "</things?after=12&limit=1000>; rel=\"next\"");
        let last = of_row(&list(), row(status(200), "[]"), &Uri::from_static("/things"), "").unwrap();
        assert!(!last.headers().contains_key(LINK));
    }

    #[test]
    fn what_sql_refuses_is_a_problem_of_its_status() {
        for code in [400, 404, 409, 412, 422] {
            let problem = of_row(
                &list(),
                row(status(code), r#"{"detail":"No."}"#),
                &Uri::from_static("/"),
                "",
            )
            .unwrap_err();
            assert_eq!(problem.kind().status, code);
        }
        let errors = r#"{"detail":"No.","errors":[{"field":"A","message":"is required"}]}"#;
        let response = of_row(&list(), row(status(422), errors), &Uri::from_static("/"), "")
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
        let with_etag = Head {
            etag: Some("line\nbreak".into()),
            ..status(200)
        };
        let rows = [
            Row {
                head: status(200),
                text: None,
            },
            row(status(404), "not JSON"),
            row(status(404), r#"{"detail":1}"#),
            row(status(422), r#"{"errors":[]}"#),
            row(status(418), r#"{"detail":"No."}"#),
            row(with_etag, "[]"),
        ];
        for row in rows {
            assert_eq!(
                of_row(&list(), row, &Uri::from_static("/"), "").unwrap_err().kind(),
                kind::BRIDGE_MISCONFIGURED
            );
        }
        let without_id = of_row(&create(), row(status(201), "[]"), &Uri::from_static("/"), "").unwrap_err();
        assert_eq!(without_id.kind(), kind::BRIDGE_MISCONFIGURED);
    }
}
