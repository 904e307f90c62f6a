//! The row of a procedure as an HTTP response. The text that SQL wrote reaches the client byte for byte; a refusal becomes a
//! problem. This module decides all that depends on the row: status, 304, `ETag`, `Link`, `Location`,
//! `Idempotency-Replayed`.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::header::{CONTENT_TYPE, ETAG, HeaderMap, LINK, LOCATION};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use crate::client::arguments::AFTER;
use crate::client::precondition::{Preconditions, Verdict};
use crate::client::problem::{Problem, ProblemType, kind, root};
use crate::dab::answer::{Head, Row, Text};
use crate::dab::request::{Arguments, Value};
use crate::failure::Failure;
use crate::headers::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED, TOTAL_COUNT};
use crate::log::{Event, Log};
use crate::platform::{Chunks, Platform};
use crate::route::{Call, Creates, Kind, Route, Source, kind_of_key};

/// The body of a response.
#[derive(Debug)]
pub enum Body<C> {
    /// All of the body, until it has been taken.
    Whole(Bytes),
    /// A text that the client receives while it arrives from Data API Builder.
    Arriving {
        /// The text.
        text: Text<C>,
        /// The longest wait for a piece.
        limit: Duration,
        /// The log, for a text that breaks off.
        log: Log,
    },
}

impl<C: Chunks> Body<C> {
    /// True if nothing more arrives: [`Self::next`] returns the rest at once.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }

    /// Returns the next piece, which is never empty. `None` marks the end.
    ///
    /// # Errors
    ///
    /// The text broke off, or no part of it arrived for as long as an attempt may take. The log has the error. The response
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

/// The request and its call, which the rest of a response depends on.
pub struct Context<'a> {
    /// The routes of the app.
    pub routes: &'static [Route],
    /// The call that brought the row.
    pub call: &'a Call,
    /// The arguments of the call.
    pub arguments: &'a Arguments,
    /// The request.
    pub request: &'a Parts,
    /// The conditions in the headers of the request.
    pub preconditions: &'a Preconditions<'a>,
    /// The longest wait for a piece of a text that still arrives.
    pub limit: Duration,
    /// The log of the request.
    pub log: &'a Log,
}

impl Context<'_> {
    /// Makes the answer of `row`.
    ///
    /// # Errors
    ///
    /// The problem that the procedure reports with a `Status` of 400 and above. 412 for a read of a version that `If-Match`
    /// does not name.
    pub fn answer<C>(&self, row: Row<C>) -> Result<Response<Body<C>>, Problem> {
        let Row { head, text } = row;
        if !head.status.is_success() {
            return Err(self.rejection(head.status, text.into_collected()));
        }
        let method = &self.request.method;
        let verdict = match &head.etag {
            Some(version) if method.is_safe() => self.preconditions.of_read(version),
            _ => Verdict::Proceed,
        };
        let mut response = match verdict {
            Verdict::Proceed if text.is_whole() => json(head.status, Body::Whole(text.into_collected().into())),
            Verdict::Proceed => json(head.status, Body::Arriving { text, limit: self.limit, log: self.log.clone() }),
            Verdict::NotModified => empty(StatusCode::NOT_MODIFIED),
            Verdict::Failed => {
                let detail = "The row is not in a version that If-Match names.";
                return Err(Problem::new(kind::PRECONDITION_FAILED, detail));
            }
        };
        self.add_headers(response.headers_mut(), head);
        Ok(response)
    }

    /// The problem that a procedure reports as `{"detail": "…", "errors": […]}`, whose members go into the answer unchanged.
    fn rejection(&self, status: StatusCode, report: Vec<u8>) -> Problem {
        let kind = match status {
            // A read has no body.
            StatusCode::BAD_REQUEST if self.request.method.is_safe() => kind::INVALID_PARAMETER,
            StatusCode::BAD_REQUEST => kind::INVALID_BODY,
            StatusCode::NOT_FOUND => kind::NOT_FOUND,
            StatusCode::CONFLICT => kind::CONFLICT,
            StatusCode::PRECONDITION_FAILED => kind::PRECONDITION_FAILED,
            StatusCode::UNPROCESSABLE_ENTITY => kind::UNPROCESSABLE,
            status => ProblemType::other(status),
        };
        Problem::reported(kind, &String::from_utf8(report).unwrap_or_default())
    }

    fn add_headers(&self, headers: &mut HeaderMap, head: Head) {
        // A PUT may store other content than it was sent, so that the answer must not have its tag (RFC 9110, section
        // 9.3.4).
        if let Some(etag) = head.etag.filter(|_| self.request.method != Method::PUT) {
            headers.insert(ETAG, ascii(["\"", &etag, "\""].concat()));
        }
        if let Some(after) = head.next_after {
            headers.insert(LINK, ascii(self.next_link(&after)));
        }
        if let Some(total) = head.total {
            headers.insert(TOTAL_COUNT, ascii(total));
        }
        if let (Some(creates), Some(mut key)) = (self.call.creates, head.created) {
            // Data API Builder writes GUIDs in lower case, and SQL Server in upper case, as in the body. SQL Server has
            // written the parts of a key.
            if let (Some(Kind::Guid), false) = (kind_of_key(self.routes, creates.path), creates.has_parts()) {
                key.make_ascii_uppercase();
            }
            headers.insert(LOCATION, ascii(location(self.request.uri.path(), creates, &key)));
        }
        // A random key was used before only by an earlier attempt of this same request.
        if head.replayed && self.request.headers.contains_key(IDEMPOTENCY_KEY) {
            headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
    }

    /// The link to the next page (RFC 8288): this page's query with another `after`, relative to its path.
    fn next_link(&self, after: &str) -> String {
        let mut link = String::from("<");
        let mut add = |field: &str, value: &str| {
            link.push(if link.len() == 1 { '?' } else { '&' });
            link.extend([field, "="]);
            link.extend(encoded(value));
        };
        for (name, source) in self.call.parameters {
            let argument = || self.arguments.iter().find(|(argument, _)| argument == name);
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
}

/// A response without a body.
pub fn empty<C>(status: StatusCode) -> Response<Body<C>> {
    let mut response = Response::new(Body::Whole(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// A response of JSON text.
pub fn json<C>(status: StatusCode, body: Body<C>) -> Response<Body<C>> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// A header value of a text that is always ASCII.
pub fn ascii(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// Returns the reference to the row with this key, relative to the request's `path`.
fn location(path: &str, creates: Creates, key: &str) -> String {
    let (before, _) = creates.path.split_once('{').unwrap_or((creates.path, ""));
    let reserved = if creates.has_parts() { RESERVED_IN_PARTS } else { RESERVED };
    format!("{}{}{}", root(path), before.trim_start_matches('/'), utf8_percent_encode(key, reserved))
}

/// All but the unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// In parts of a key, these two are escaped already.
const RESERVED_IN_PARTS: &AsciiSet = &RESERVED.remove(b'/').remove(b'%');

/// Encodes a text as a part of a reference.
fn encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Level;
    use crate::platform::fake::Parts as Fake;
    use crate::route::kind::{ID, NVARCHAR};
    use crate::route::source;
    use http::Request;

    crate::routes! {
        /// A thing
        GET "/thing/{id}" => get_thing(ThingID: key(NVARCHAR(9)));
        /// Another
        GET "/part/{id}" => get_part(PartID: key(GUID));
        /// One of a key of several columns
        GET "/line/{order}/{number}/{code}" => get_line(Order: key(GUID), Number: key(INT), Code: key(NVARCHAR(9)));
    }

    static LIST: Call = Call {
        procedure: "list",
        parameters: &[
            ("After", source::page(ID)),
            ("Limit", source::query("limit", 1..=10_000, 1000)),
            ("Name", source::optional("name", NVARCHAR(9))),
        ],
        creates: None,
        many: None,
    };
    static CREATE: Call = Call {
        procedure: "create",
        parameters: &[("Json", source::body("thing"))],
        creates: Some(Creates { column: "ThingID", path: "/thing/{id}" }),
        many: None,
    };

    fn row(head: Head, json: &str) -> Row<Fake> {
        Row { head, text: Text::whole(json.as_bytes().to_vec()) }
    }

    fn status(status: u16) -> Head {
        Head { status: StatusCode::from_u16(status).unwrap(), ..Head::default() }
    }

    fn answer(
        call: &Call,
        arguments: Arguments,
        request: Request<()>,
        row: Row<Fake>,
    ) -> Result<Response<Body<Fake>>, Problem> {
        let (request, ()) = request.into_parts();
        let preconditions = &Preconditions::of(&request.headers);
        let log = &Log { level: Level::Off, correlation_id: String::new() };
        let (arguments, request) = (&arguments, &request);
        Context { routes: ROUTES, call, arguments, request, preconditions, limit: Duration::ZERO, log }.answer(row)
    }

    fn response(call: &Call, arguments: Arguments, path: &str, row: Row<Fake>) -> Response<Body<Fake>> {
        answer(call, arguments, Request::get(path).body(()).unwrap(), row).unwrap()
    }

    fn refusal(method: Method, row: Row<Fake>) -> Problem {
        let request = Request::builder().method(method).body(()).unwrap();
        answer(&LIST, Vec::new(), request, row).unwrap_err()
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
        assert_eq!(location("/shop/things", "a/b \u{e9}-._~!"), "../thing/a%2Fb%20%C3%A9-._~%21");
    }

    #[test]
    fn a_row_with_a_key_of_several_columns_has_a_location_of_as_many_segments() {
        static CREATE_LINE: Call =
            Call { creates: Some(Creates { column: "RowID", path: "/line/{order}/{number}/{code}" }), ..CREATE };
        let location = |path: &str, key: &str| {
            let head = Head { created: Some(key.into()), ..status(201) };
            response(&CREATE_LINE, Vec::new(), path, row(head, "[]")).headers()[LOCATION].clone()
        };
        let guid = "0F8FAD5B-D9CB-469F-A165-70867728950E";
        let expected = format!("../line/{guid}/-7/a%2Fb%25%22%2C%20%C3%A9");
        assert_eq!(location("/shop/lines", &format!("{guid}/-7/a%2Fb%25\", \u{e9}")), expected);
        assert_eq!(location("/lines", "a/1/b"), "line/a/1/b", "a text stays as it is");
    }

    #[test]
    fn a_guid_has_the_spelling_of_the_body() {
        static CREATE_PART: Call = Call { creates: Some(Creates { column: "PartID", path: "/part/{id}" }), ..CREATE };
        let guid = "0f8fad5b-d9cb-469f-a165-70867728950e";
        let location = |call: &Call, path: &str| {
            let head = Head { created: Some(guid.into()), ..status(201) };
            response(call, Vec::new(), path, row(head, "[]")).headers()[LOCATION].clone()
        };
        assert_eq!(location(&CREATE_PART, "/parts"), format!("part/{}", guid.to_uppercase()));
        assert_eq!(location(&CREATE, "/things"), format!("thing/{guid}"), "a text stays as it is");
    }

    #[test]
    fn pages_link_to_the_next_with_the_same_query_and_count_their_list() {
        let next = |arguments: Arguments, after: &str| {
            let head = Head { next_after: Some(after.into()), total: Some("7".into()), ..status(200) };
            let response = response(&LIST, arguments, "/things", row(head, "[]"));
            assert_eq!(response.headers()["x-total-count"], "7");
            response.headers()[LINK].clone()
        };
        let limit = |limit| vec![("After", Value::Integer(5)), ("Limit", Value::Integer(limit))];
        assert_eq!(next(limit(2), "12"), "<?after=12&limit=2>; rel=\"next\"");
        let named = [limit(1000), vec![("Name", Value::Text("a&b".into()))]].concat();
        assert_eq!(next(named, "x y"), "<?after=x%20y&limit=1000&name=a%26b>; rel=\"next\"");
        let last = response(&LIST, limit(2), "/things", row(status(200), "[]"));
        assert!(!last.headers().contains_key(LINK) && !last.headers().contains_key("x-total-count"));
    }

    #[test]
    fn a_refusal_is_a_problem_of_its_status() {
        for (code, uri) in [
            (400, "problems#invalid-body"),
            (404, "problems#not-found"),
            (409, "problems#conflict"),
            (412, "problems#precondition-failed"),
            (422, "problems#unprocessable"),
            (402, "about:blank"),
            (499, "about:blank"),
        ] {
            let row = row(status(code), r#"{"detail":"No."}"#);
            let problem = refusal(Method::POST, row);
            assert_eq!((problem.kind().status.as_u16(), problem.kind().uri), (code, uri));
        }
        let parameter = refusal(Method::GET, row(status(400), r#"{"detail":"No."}"#));
        assert_eq!(parameter.kind().uri, "problems#invalid-parameter");
        let errors = r#"{"detail":"No.","errors":[{"field":"A","message":"is required"}]}"#;
        let problem = refusal(Method::POST, row(status(422), errors));
        let response = problem.into_response("/", "id");
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["detail"], "No.");
        assert_eq!(body["errors"], serde_json::json!([{"field": "A", "message": "is required"}]));
    }
}
