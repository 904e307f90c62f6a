//! The requests, each with the answer of the bridge and the expected response.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, WasiBody};

/// A request.
pub(crate) struct Case {
    /// The name in the table.
    pub name: &'static str,
    pub method: Method,
    /// Path and query.
    pub target: &'static str,
    /// Headers besides the headers that every request has.
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: Bytes,
    /// The bridge's answer, if the component calls the bridge.
    pub answer: Answer,
    /// The expected status.
    pub status: u16,
    /// The smallest expected length of the body.
    pub least_bytes: usize,
}

/// An answer of the bridge.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    body: Bytes,
}

/// How much of a body arrives at a time.
const CHUNK_BYTES: usize = 16 * 1024;

impl Answer {
    /// One row: the columns before `Json`, and its text.
    fn row(status: u16, columns: &str, json: &str) -> Self {
        let json = serde_json::Value::from(json);
        Self { status, body: format!(r#"{{"value":[{{{columns},"Json":{json}}}]}}"#).into() }
    }

    /// A response whose body is complete, in chunks.
    pub fn response(&self) -> Result<Response<WasiBody>, Error> {
        Response::builder()
            .status(self.status)
            .header("content-type", "application/json; charset=utf-8")
            .header("date", "Fri, 15 Jan 2027 08:00:00 GMT")
            .header("server", "Kestrel")
            .header("transfer-encoding", "chunked")
            .header("x-ms-correlation-id", "00112233-4455-6677-8899-aabbccddeeff")
            .body(Chunks(self.body.clone()).boxed_unsync())
            .map_err(|error| Error::InternalError(Some(error.to_string())))
    }
}

/// A complete body, in chunks.
struct Chunks(Bytes);

impl Body for Chunks {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let length = self.0.len().min(CHUNK_BYTES);
        Poll::Ready((length > 0).then(|| Ok(Frame::data(self.0.split_to(length)))))
    }
}

const CUSTOMER: &str = r#"{"CustomerName": "John Doe", "PhoneNumber": "123-234-5678", "FaxNumber": "123-234-5678", "WebsiteURL": "http://www.something.com", "Delivery": { "AddressLine1": "One Microsoft Way", "PostalCode": 98052 }}"#;

const FORM: &str = "customer=%7B%22CustomerName%22%3A+%22John+Doe%22%2C+%22PhoneNumber%22%3A+%22123-234-5678%22%2C+%22FaxNumber%22%3A+%22123-234-5678%22%2C+%22WebsiteURL%22%3A+%22http%3A%2F%2Fwww.something.com%22%2C+%22Delivery%22%3A+%7B+%22AddressLine1%22%3A+%22One+Microsoft+Way%22%2C+%22PostalCode%22%3A+98052+%7D%7D";

const FOUND: &str = r#"[{"CustomerID":123,"CustomerName":"Tailspin Toys (Roe Park, NY)","PhoneNumber":"(212) 555-0100","FaxNumber":"(212) 555-0101","WebsiteURL":"http://www.tailspintoys.com/RoePark","Delivery":{"AddressLine1":"Shop 219","AddressLine2":"528 Persson Road","PostalCode":"90775"}}]"#;

const JSON: (&str, &str) = ("content-type", "application/json");
const URL_ENCODED: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// All requests.
pub(crate) fn cases() -> Vec<Case> {
    let none = Answer::row(500, r#""Status":500"#, "[]");
    let found = Answer::row(200, r#""Status":200,"ETag":"2026-01-02T03:04:05.1234567""#, FOUND);
    let missing = Answer::row(200, r#""Status":404,"ETag":null"#, r#"{"detail":"There is no customer 124."}"#);
    let created = Answer::row(
        201,
        r#""Status":201,"ETag":"2026-01-02T03:04:05.1234567","Replayed":false,"CustomerID":1062"#,
        r#"[{"CustomerID":1062}]"#,
    );
    let changed = Answer::row(201, r#""Status":202,"ETag":"2026-01-02T03:04:05.1234567","Replayed":false"#, FOUND);
    let deleted = Answer::row(201, r#""Status":202,"ETag":null,"Replayed":false"#, FOUND);
    let invalid = Answer::row(
        201,
        r#""Status":422,"ETag":null,"Replayed":false,"CustomerID":null"#,
        r#"{"detail":"CustomerName is required.","errors":[{"field":"CustomerName","detail":"It is required."}]}"#,
    );
    let get = |name, target, answer: &Answer, status| Case {
        name,
        method: Method::GET,
        target,
        headers: Vec::new(),
        body: Bytes::new(),
        answer: answer.clone(),
        status,
        least_bytes: 1,
    };
    let page = |name, bytes| Case { least_bytes: bytes, ..get(name, "/customers?limit=1000", &page_of(bytes), 200) };
    let write = |name, method, target, header, body: &str, answer: &Answer, status| Case {
        method,
        headers: vec![header],
        body: Bytes::copy_from_slice(body.as_bytes()),
        ..get(name, target, answer, status)
    };
    vec![
        get("GET /healthz", "/healthz", &none, 200),
        get("GET /openapi.json", "/openapi.json", &none, 200),
        get("GET /customer/123", "/customer/123", &found, 200),
        Case {
            headers: vec![("if-none-match", "\"2026-01-02T03:04:05.1234567\"")],
            least_bytes: 0,
            ..get("GET /customer/123, unchanged", "/customer/123", &found, 304)
        },
        Case { method: Method::HEAD, least_bytes: 0, ..get("HEAD /customer/123", "/customer/123", &found, 200) },
        get("GET /customer/124, missing", "/customer/124", &missing, 404),
        page("GET /customers, 10 KB", 10_000),
        page("GET /customers, 100 KB", 100_000),
        page("GET /customers, 1 MB", 1_000_000),
        page("GET /customers, 10 MB", 10_000_000),
        write("PUT /customer", Method::PUT, "/customer", JSON, CUSTOMER, &created, 201),
        write("PUT /customer, form", Method::PUT, "/customer", URL_ENCODED, FORM, &created, 201),
        write(
            "PUT /customer, invalid",
            Method::PUT,
            "/customer",
            JSON,
            r#"{"PhoneNumber": "123-234-5678"}"#,
            &invalid,
            422,
        ),
        write("PUT /customer, 64 KiB nested", Method::PUT, "/customer", JSON, &nested(64 * 1024), &invalid, 422),
        write(
            "PATCH /customer/123",
            Method::PATCH,
            "/customer/123",
            JSON,
            r#"{"PhoneNumber": "123-234-9999", "Delivery": {"AddressLine2": "Building 92"}}"#,
            &changed,
            202,
        ),
        Case { method: Method::DELETE, ..get("DELETE /customer/123", "/customer/123", &deleted, 202) },
    ]
}

/// A page whose text has at least this many bytes, and few more.
fn page_of(bytes: usize) -> Answer {
    let mut json = String::from("[");
    for id in 1.. {
        json += &format!(r#"{{"CustomerID":{id},"CustomerName":"Tailspin Toys (No. {id}, NY)"}}"#);
        if json.len() > bytes {
            break;
        }
        json.push(',');
    }
    json.push(']');
    Answer::row(200, r#""Status":200,"NextAfter":null"#, &json)
}

/// A JSON object of at most this many bytes, full of arrays with the deepest nesting that the component accepts: 128 levels
/// with the object.
fn nested(bytes: usize) -> String {
    let item = ["[".repeat(126), "]".repeat(126)].concat();
    let items = vec![item.as_str(); (bytes - r#"{"a":[]}"#.len()) / (item.len() + 1)];
    [r#"{"a":["#, &items.join(","), "]}"].concat()
}
