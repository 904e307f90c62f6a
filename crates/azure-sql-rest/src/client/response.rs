//! The row of a procedure as an HTTP response: what SQL wrote reaches the client byte for byte, and what SQL refused
//! becomes a problem.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::header::{CONTENT_TYPE, ETAG, LINK, LOCATION};
use http::{HeaderValue, Response, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::IgnoredAny;

use crate::client::arguments::AFTER;
use crate::client::problem::{Kind, Problem, kind};
use crate::dab::answer::{Head, Row, Text};
use crate::dab::request::{Arguments, Value};
use crate::failure::Failure;
use crate::log::{Event, Log};
use crate::platform::{Chunks, Platform};
use crate::route::{Call, Source};

/// The body of a response.
#[derive(Debug)]
pub enum Body<C> {
    /// All of it, until it has been taken.
    Whole(Bytes),
    /// A text that the client receives while it arrives from Data API Builder.
    Arriving {
        /// The text.
        text: Text<C>,
        /// The longest wait for a piece.
        limit: Duration,
        /// For what goes wrong.
        log: Log,
    },
}

impl<C: Chunks> Body<C> {
    /// Whether nothing more arrives: [`Self::next`] has the rest at once.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }

    /// The next piece, never empty; `None` when that was all.
    ///
    /// # Errors
    ///
    /// When the text breaks off, or nothing comes of it for as long as an attempt may take. It is logged, and the response
    /// must break off, so that nobody takes a part for the whole.
    pub async fn next(&mut self, platform: &impl Platform) -> Result<Option<Bytes>, Failure> {
        match self {
            Self::Whole(bytes) => Ok(Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty())),
            Self::Arriving { text, limit, log } => {
                let (piece, timer) = (pin!(text.next()), pin!(platform.sleep(*limit)));
                let piece = match select(piece, timer).await {
                    Either::Left((piece, _)) => piece,
                    Either::Right(((), _)) => Err(Failure::TimedOut),
                };
                piece.map(|piece| piece.map(Bytes::from)).inspect_err(|failure| {
                    let reason = failure.to_string();
                    log.write(platform, &Event::BrokenOff { reason });
                })
            }
        }
    }
}

/// Why a row cannot be passed on: it is not what was agreed, in this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAgreed(pub &'static str);

/// What the rest of a response is made from.
pub struct Context<'a> {
    /// The call that brought the row.
    pub call: &'a Call,
    /// Its arguments.
    pub arguments: &'a Arguments,
    /// The path of a created row, as the table has it.
    pub location: Option<&'static str>,
    /// The path of the request.
    pub path: &'a str,
}

/// The answer that `row` stands for: a response, or the problem that the procedure reports (a `Status` of 400 and above).
///
/// # Errors
///
/// When the row is not what was agreed.
pub fn of_row<C>(
    context: &Context,
    row: Row<C>,
    limit: Duration,
    log: &Log,
) -> Result<Result<Response<Body<C>>, Problem>, NotAgreed> {
    let Row { head, text } = row;
    let status = StatusCode::from_u16(head.status).map_err(|_| NotAgreed("Status is no HTTP status"))?;
    let text = text.ok_or(NotAgreed("Json is NULL"))?;
    if !status.is_success() {
        return rejection(status, text).map(Err);
    }
    let body = match text {
        text if text.is_whole() => Body::Whole(text.into_collected().into()),
        text => Body::Arriving { text, limit, log: log.clone() },
    };
    let mut response = json(status, body);
    add_headers(&mut response, context, head)?;
    Ok(Ok(response))
}

fn add_headers<C>(response: &mut Response<Body<C>>, context: &Context, head: Head) -> Result<(), NotAgreed> {
    let headers = response.headers_mut();
    if let Some(etag) = head.etag {
        // What RFC 9110, section 8.8.3, calls etagc, as far as it is ASCII: others could not be sent back in If-Match.
        if !etag.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'~')) {
            return Err(NotAgreed("ETag is no entity tag"));
        }
        headers.insert(ETAG, ascii(["\"", &etag, "\""].concat()));
    }
    if let Some(after) = head.next_after {
        headers.insert(LINK, ascii(next_link(context, &after)));
    }
    if let Some(template) = context.location {
        let key = head.created.ok_or(NotAgreed("the key of the new row is missing"))?;
        headers.insert(LOCATION, ascii(location(context.path, template, &key)));
    }
    Ok(())
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

/// The row with this key, relative to the request's `path` (RFC 3986, section 5): a gateway may have taken a prefix from it.
/// `template` is the path of such a row, with braces where the key belongs.
fn location(path: &str, template: &str, key: &str) -> String {
    let up = "../".repeat(path.matches('/').count().saturating_sub(1));
    let (before, after) = template.split_once('{').unwrap_or((template, ""));
    let after = after.split_once('}').map_or("", |(_, after)| after);
    let key = utf8_percent_encode(key, NON_ALPHANUMERIC);
    format!("{up}{}{key}{after}", before.trim_start_matches('/'))
}

/// The link to the next page (RFC 8288): this page's query with another `after`, relative to its path.
fn next_link(context: &Context, after: &str) -> String {
    let mut link = String::from("<");
    let mut add = |field: &str, value: &str| {
        link.push(if link.len() == 1 { '?' } else { '&' });
        link.extend([field, "="]);
        link.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    };
    for (name, source) in context.call.parameters {
        let argument = || context.arguments.iter().find(|(argument, _)| argument == name);
        match source {
            Source::Page(_) => add(AFTER, after),
            Source::Query(field, ..) => match argument() {
                Some((_, Value::Integer(number))) => add(field, &number.to_string()),
                Some((_, Value::Text(text))) => add(field, text),
                None => {}
            },
            _ => {}
        }
    }
    link + ">; rel=\"next\""
}

/// The problem that a procedure reports: `{"detail": "…", "errors": […]}`, which goes into the answer as it is.
fn rejection<C>(status: StatusCode, text: Text<C>) -> Result<Problem, NotAgreed> {
    let kind = match status {
        StatusCode::BAD_REQUEST => kind::INVALID_BODY,
        StatusCode::NOT_FOUND => kind::NOT_FOUND,
        StatusCode::CONFLICT => kind::CONFLICT,
        StatusCode::PRECONDITION_FAILED => kind::PRECONDITION_FAILED,
        StatusCode::UNPROCESSABLE_ENTITY => kind::UNPROCESSABLE,
        status => Kind::other(status),
    };
    match String::from_utf8(text.into_collected()) {
        Ok(text) if is_report(&text) => Ok(Problem::reported(kind, &text)),
        _ => Err(NotAgreed("Json is no report of a problem")),
    }
}

/// Whether a text is a JSON object that begins with `detail`, a text. Not read into a struct: with that come
/// serde_json's numbers, a fifth of the component.
fn is_report(text: &str) -> bool {
    let begins =
        ["{", "\"detail\"", ":", "\""].into_iter().try_fold(text, |text, token| text.trim_start().strip_prefix(token));
    begins.is_some() && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Level;
    use crate::platform::fake::Parts;
    use crate::route::kind::{ID, NVARCHAR};
    use crate::route::{Creates, source};

    static LIST: Call = Call {
        procedure: "list",
        parameters: &[
            ("After", source::page(ID)),
            ("Limit", source::query("limit", 1..=10_000, 1000)),
            ("Name", source::optional("name", NVARCHAR(9))),
        ],
        creates: None,
    };
    static CREATE: Call = Call {
        procedure: "create",
        parameters: &[("Json", source::body("thing"))],
        creates: Some(Creates { column: "ThingID", path: "/thing/{id}" }),
    };

    fn row(head: Head, json: &str) -> Row<Parts> {
        let text = Some(Text::whole(json.as_bytes().to_vec()));
        Row { head, text }
    }

    fn status(status: u16) -> Head {
        Head { status, ..Head::default() }
    }

    fn answer(
        call: &Call,
        arguments: Arguments,
        path: &str,
        row: Row<Parts>,
    ) -> Result<Result<Response<Body<Parts>>, Problem>, NotAgreed> {
        let context = Context { call, arguments: &arguments, location: call.creates.map(|_| "/thing/{id}"), path };
        let log = Log { level: Level::Off, correlation_id: String::new() };
        of_row(&context, row, Duration::ZERO, &log)
    }

    fn response(call: &Call, arguments: Arguments, path: &str, row: Row<Parts>) -> Response<Body<Parts>> {
        answer(call, arguments, path, row).unwrap().unwrap()
    }

    #[test]
    fn the_text_is_the_body() {
        let head = Head { etag: Some("v1".into()), ..status(200) };
        let row = row(head, "[{\"A\":\"\\/\u{e9}\u{1f600}\"} ]");
        let response = response(&LIST, Vec::new(), "/things", row);
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[ETAG], "\"v1\"");
        match response.into_body() {
            Body::Whole(bytes) => assert_eq!(bytes, "[{\"A\":\"\\/\u{e9}\u{1f600}\"} ]"),
            Body::Arriving { .. } => panic!("not all there"),
        }
    }

    #[test]
    fn a_created_row_has_a_location_relative_to_the_request() {
        let location = |path: &str, key: &str| {
            let head = Head { created: Some(key.into()), ..status(201) };
            response(&CREATE, Vec::new(), path, row(head, "[]")).headers()[LOCATION].clone()
        };
        assert_eq!(location("/thing", "1062"), "thing/1062");
        assert_eq!(location("/shop/things", "a/b \u{e9}"), "../thing/a%2Fb%20%C3%A9");
    }

    #[test]
    fn pages_link_to_the_next_with_the_same_query() {
        let next = |arguments: Arguments, after: &str| {
            let head = Head { next_after: Some(after.into()), ..status(200) };
            response(&LIST, arguments, "/things", row(head, "[]")).headers()[LINK].clone()
        };
        let limit = |limit| vec![("After", Value::Integer(5)), ("Limit", Value::Integer(limit))];
        assert_eq!(next(limit(2), "12"), "<?after=12&limit=2>; rel=\"next\"");
        let named = [limit(1000), vec![("Name", Value::Text("a&b".into()))]].concat();
        assert_eq!(next(named, "x y"), "<?after=x%20y&limit=1000&name=a%26b>; rel=\"next\"");
        let last = response(&LIST, limit(2), "/things", row(status(200), "[]"));
        assert!(!last.headers().contains_key(LINK));
    }

    #[test]
    fn what_sql_refuses_is_a_problem_of_its_status() {
        for (code, uri) in [
            (400, "/problems#invalid-body"),
            (404, "/problems#not-found"),
            (409, "/problems#conflict"),
            (412, "/problems#precondition-failed"),
            (422, "/problems#unprocessable"),
            (402, "about:blank"),
            (499, "about:blank"),
        ] {
            let row = row(status(code), r#"{"detail":"No."}"#);
            let problem = answer(&LIST, Vec::new(), "/", row).unwrap().unwrap_err();
            assert_eq!((problem.kind().status.as_u16(), problem.kind().uri), (code, uri));
        }
        let errors = r#"{"detail":"No.","errors":[{"field":"A","message":"is required"}]}"#;
        let problem = answer(&LIST, Vec::new(), "/", row(status(422), errors)).unwrap().unwrap_err();
        let response = problem.into_response("/", "id");
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["detail"], "No.");
        assert_eq!(body["errors"], serde_json::json!([{"field": "A", "message": "is required"}]));
    }

    #[test]
    fn what_was_not_agreed_is_told() {
        let with_etag = Head { etag: Some("a b".into()), ..status(200) };
        let without_text = Row { head: status(200), text: None };
        for (row, reason) in [
            (without_text, "Json is NULL"),
            (row(status(404), "not JSON"), "Json is no report of a problem"),
            (row(status(404), r#"{"detail":1}"#), "Json is no report of a problem"),
            (row(status(422), r#"{"errors":[]}"#), "Json is no report of a problem"),
            (row(with_etag, "[]"), "ETag is no entity tag"),
        ] {
            assert_eq!(answer(&LIST, Vec::new(), "/", row).unwrap_err(), NotAgreed(reason));
        }
        let without_key = answer(&CREATE, Vec::new(), "/thing", row(status(201), "[]"));
        assert_eq!(without_key.unwrap_err(), NotAgreed("the key of the new row is missing"));
    }
}
