//! Answers a request: finds its route, collects the procedure's parameters, calls it, and has the row made the
//! response.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::header::{ALLOW, CONTENT_LENGTH, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use uuid::{Builder, Uuid};

use crate::api::ROUTES;
use crate::bridge::{Bridge, Outcome};
use crate::platform::Platform;
use crate::problem::{Problem, kind};
use crate::request::{self, BodyError};
use crate::response::{self, ascii, json};
use crate::route::{Call, Operation, Route, Source};
use crate::settings::Settings;
use crate::wire::{self, Arguments, Value};

/// The API's name for the id that ties an answer to the log; the bridge's, `x-ms-correlation-id`, is accepted too.
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// Says that a write had been done before under the same `Idempotency-Key`, and was not done again.
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How long the bridge took, and in how many attempts (W3C Server Timing).
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// W3C Trace Context, handed on to the bridge so that its spans join the client's trace.
const TRACE_HEADERS: [HeaderName; 2] = [
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
];

/// How long readiness waits for the bridge: within the second that Kubernetes gives a probe by default.
const READY_LIMIT: Duration = Duration::from_millis(900);

/// Answers `request`.
pub async fn handle<P, B>(platform: &P, request: Request<B>) -> Response<Bytes>
where
    P: Platform,
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BodyError>,
{
    let (parts, body) = request.into_parts();
    let exchange = Exchange {
        platform,
        started: platform.now(),
        method: &parts.method,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        correlation_id: correlation_id(&parts.headers, platform),
        server_timing: OnceCell::new(),
    };
    let mut response = match exchange.answer(body).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(exchange.path, &exchange.correlation_id),
    };
    if parts.method == Method::HEAD {
        response.body_mut().clear();
    } else if response.status() != StatusCode::NO_CONTENT {
        let length = response.body().len();
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CORRELATION_ID, ascii(exchange.correlation_id.into_owned()));
    if let Some(timing) = exchange.server_timing.into_inner() {
        headers.insert(SERVER_TIMING, timing);
    }
    response
}

/// One request, without its body.
struct Exchange<'a, P> {
    platform: &'a P,
    started: Duration,
    method: &'a Method,
    path: &'a str,
    query: &'a str,
    headers: &'a HeaderMap,
    correlation_id: Cow<'a, str>,
    /// Set once the bridge has been called, whatever came of it.
    server_timing: OnceCell<HeaderValue>,
}

impl<P: Platform> Exchange<'_, P> {
    async fn answer<B>(&self, body: B) -> Result<Response<Bytes>, Problem>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<BodyError>,
    {
        let Some((route, id)) = Route::find(ROUTES, self.path) else {
            return Err(Problem::new(kind::UNKNOWN_ROUTE, "No route of this API has this path."));
        };
        match route.operation(self.method) {
            Some(Operation::Alive) => Ok(json(StatusCode::OK, r#"{"status":"alive"}"#)),
            Some(Operation::Ready(call)) => self.ready(call).await,
            Some(Operation::Call(call)) => self.call(call, id.as_deref().unwrap_or_default(), body).await,
            None if self.method == Method::OPTIONS => {
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::NO_CONTENT;
                response.headers_mut().insert(ALLOW, ascii(route.allow()));
                Ok(response)
            }
            None => {
                let detail = format!("This path answers {}.", route.allow());
                Err(Problem::new(kind::METHOD_NOT_ALLOWED, detail).with_header(ALLOW, ascii(route.allow())))
            }
        }
    }

    async fn ready(&self, call: &Call) -> Result<Response<Bytes>, Problem> {
        let settings = self.settings()?;
        let request = wire::request(call, &Arguments::new(), &settings, self.bridge_headers());
        let outcome = self.bridge(&settings).probe(call, &request, READY_LIMIT).await;
        self.respond(call, outcome)
    }

    async fn call<B>(&self, call: &Call, id: &str, body: B) -> Result<Response<Bytes>, Problem>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<BodyError>,
    {
        let settings = self.settings()?;
        let arguments = pin!(self.arguments(call, id, body, &settings));
        let timer = pin!(self.platform.sleep(settings.retry.deadline()));
        let arguments = match select(arguments, timer).await {
            Either::Left((arguments, _)) => arguments?,
            Either::Right(((), _)) => {
                return Err(Problem::new(kind::REQUEST_TIMEOUT, "Send the whole body in less time."));
            }
        };
        let request = wire::request(call, &arguments, &settings, self.bridge_headers());
        let outcome = self.bridge(&settings).call(call, &request).await;
        self.respond(call, outcome)
    }

    /// The procedure's parameters, in the order of the route table; what costs nothing to check comes before the body
    /// is read.
    async fn arguments<B>(&self, call: &Call, id: &str, body: B, settings: &Settings) -> Result<Arguments, Problem>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<BodyError>,
    {
        let mut arguments = Arguments::new();
        let mut json = None;
        for (name, source) in call.parameters {
            let value = match source {
                Source::PathId => Value::Integer(request::id(id)?),
                Source::Query {
                    name,
                    default,
                    min,
                    max,
                } => Value::Integer(request::query_integer(self.query, name, *default, *min..=*max)?),
                Source::RequestKey => Value::Text(match request::idempotency_key(self.headers)? {
                    Some(key) => key.to_owned(),
                    None => random_uuid(self.platform),
                }),
                Source::IfMatch => match request::if_match(self.headers)? {
                    Some(tag) => Value::Text(tag.to_owned()),
                    None => continue,
                },
                Source::Body { form_field } => {
                    json = Some((arguments.len(), form_field));
                    Value::Text(String::new())
                }
            };
            arguments.push((*name, value));
        }
        if let Some((index, form_field)) = json {
            let limit = settings.max_body_bytes;
            let text = request::json_object(self.method, self.headers, body, limit, form_field).await?;
            arguments[index].1 = Value::Text(text);
        }
        Ok(arguments)
    }

    fn settings(&self) -> Result<Settings, Problem> {
        Settings::read(self.platform).map_err(|invalid| {
            self.platform.log(&format!(
                r#"{{"event":"misconfigured","variable":"{}"}}"#,
                invalid.variable
            ));
            Problem::new(kind::MISCONFIGURED, invalid.to_string())
        })
    }

    fn bridge(&self, settings: &Settings) -> Bridge<'_, P> {
        Bridge {
            platform: self.platform,
            policy: settings.retry,
            started: self.started,
            correlation_id: &self.correlation_id,
        }
    }

    fn bridge_headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(wire::CORRELATION_ID, ascii(self.correlation_id.to_string()));
        for name in TRACE_HEADERS {
            if let Some(value) = self.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        headers
    }

    fn respond(&self, call: &Call, outcome: Outcome) -> Result<Response<Bytes>, Problem> {
        let _ = self.server_timing.set(ascii(outcome.server_timing()));
        let row = outcome.result?;
        let replayed = row.replayed == Some(true);
        let mut response = response::of_row(call, row, self.path, self.query).inspect_err(|problem| {
            if problem.kind() == kind::BRIDGE_MISCONFIGURED {
                let (procedure, id) = (call.procedure, &self.correlation_id);
                let line =
                    format!(r#"{{"event":"contract_broken","procedure":"{procedure}","correlation_id":"{id}"}}"#);
                self.platform.log(&line);
            }
        })?;
        // Under a key of our own, what was done before was done by an earlier attempt of this very request.
        if replayed && response.status().is_success() && self.headers.contains_key(request::IDEMPOTENCY_KEY) {
            response
                .headers_mut()
                .insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(response)
    }
}

/// The client's correlation id when it is a GUID, else a new one.
fn correlation_id<'h>(headers: &'h HeaderMap, platform: &impl Platform) -> Cow<'h, str> {
    [CORRELATION_ID, wire::CORRELATION_ID]
        .iter()
        .filter_map(|name| headers.get(name)?.to_str().ok())
        // Of the forms of a UUID, this is the one that everybody takes for a GUID.
        .find(|id| id.len() == 36 && Uuid::try_parse(id).is_ok())
        .map_or_else(|| Cow::Owned(random_uuid(platform)), Cow::Borrowed)
}

fn random_uuid(platform: &impl Platform) -> String {
    Builder::from_random_bytes(platform.random().to_be_bytes())
        .into_uuid()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fake::Fake;
    use http::header::{CONTENT_TYPE, ETAG};
    use http_body_util::Full;
    use serde_json::Value as Json;

    const CUSTOMER: &str = r#"{"CustomerName":"A"}"#;
    const GUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

    fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
            .unwrap()
    }

    fn get(platform: &Fake, path: &str) -> Response<Bytes> {
        platform.run(handle(platform, request(Method::GET, path, &[], "")))
    }

    fn write(platform: &Fake, method: Method, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        platform.run(handle(platform, request(method, path, &headers, CUSTOMER)))
    }

    fn sent(platform: &Fake) -> Json {
        serde_json::from_slice(platform.sent.borrow()[0].1.body()).unwrap()
    }

    fn problem(response: &Response<Bytes>) -> (u16, Json) {
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        (
            response.status().as_u16(),
            serde_json::from_slice(response.body()).unwrap(),
        )
    }

    #[test]
    fn a_get_brings_what_sql_wrote() {
        let platform =
            Fake::default().row(r#""Status":200,"ETag":"v1","Json":"[{\"A\":\"\\\/\u00e9\uD83D\uDE00\"} ]""#);
        let response = get(&platform, "/customer/7");
        assert_eq!(response.body(), "[{\"A\":\"\\/\u{e9}\u{1f600}\"} ]");
        assert_eq!(response.headers()[CONTENT_LENGTH], response.body().len().to_string());
        let target = platform.sent.borrow()[0].1.uri().to_string();
        assert_eq!(target, "http://127.0.0.1:5000/api/get_customer?CustomerID=7");
    }

    #[test]
    fn a_put_makes_up_a_key() {
        let platform = Fake::default().row(r#""Status":201,"CustomerID":1062,"Json":"[]""#);
        assert_eq!(write(&platform, Method::PUT, "/customer", &[]).status(), 201);
        let sent = sent(&platform);
        assert_eq!(sent["Json"], CUSTOMER);
        assert!(Uuid::try_parse(sent["RequestKey"].as_str().unwrap()).is_ok());
    }

    #[test]
    fn an_answer_that_was_not_agreed_is_502_and_logged() {
        let platform = Fake::default().row(r#""Status":200,"Json":null"#);
        assert_eq!(problem(&get(&platform, "/customer/7")).0, 502);
        let expected = r#"{"event":"contract_broken","procedure":"get_customer","correlation_id":"#;
        assert!(platform.lines.borrow()[0].starts_with(expected));
    }

    #[test]
    fn head_is_get_without_the_body() {
        let platform = Fake::default().row(r#""Status":200,"ETag":"v1","Json":"[]""#);
        let response = platform.run(handle(&platform, request(Method::HEAD, "/customer/7", &[], "")));
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[ETAG], "\"v1\"");
        assert!(response.body().is_empty());
    }

    #[test]
    fn key_and_precondition_are_the_clients() {
        let platform = Fake::default().row(r#""Status":202,"Json":"[]""#);
        let headers = [("idempotency-key", "k-1"), ("if-match", "\"v1\"")];
        assert_eq!(write(&platform, Method::PATCH, "/customer/7", &headers).status(), 202);
        let expected = serde_json::json!({"CustomerID": 7, "Json": CUSTOMER, "RequestKey": "k-1", "IfMatch": "v1"});
        assert_eq!(sent(&platform), expected);
    }

    #[test]
    fn a_replay_is_marked_when_the_key_is_the_clients() {
        for (headers, marked) in [(&[("idempotency-key", "k")][..], true), (&[], false)] {
            let platform = Fake::default().row(r#""Status":202,"Replayed":true,"Json":"[]""#);
            let response = write(&platform, Method::PATCH, "/customer/7", headers);
            assert_eq!(response.headers().contains_key(IDEMPOTENCY_REPLAYED), marked);
        }
        let first = Fake::default().row(r#""Status":202,"Replayed":false,"Json":"[]""#);
        let response = write(&first, Method::PATCH, "/customer/7", &[("idempotency-key", "k")]);
        assert!(!response.headers().contains_key(IDEMPOTENCY_REPLAYED));
    }

    #[test]
    fn every_proxied_answer_tells_its_timing() {
        let slow = Fake::default()
            .answer(0, 503, "")
            .answer(7, 200, r#"{"value":[{"Status":200,"Json":"[]"}]}"#);
        assert_eq!(
            get(&slow, "/customers").headers()[SERVER_TIMING],
            "bridge;dur=107.000, attempts;desc=\"2\""
        );
        let failed = Fake::default().answer(3, 404, "");
        assert_eq!(
            get(&failed, "/customers").headers()[SERVER_TIMING],
            "bridge;dur=3.000, attempts;desc=\"1\""
        );
        assert!(!get(&Fake::default(), "/healthz").headers().contains_key(SERVER_TIMING));
        assert!(
            !get(&Fake::default(), "/customer/x")
                .headers()
                .contains_key(SERVER_TIMING)
        );
    }

    #[test]
    fn bad_requests_never_reach_the_bridge() {
        let platform = Fake::default();
        for (method, path, status) in [
            (Method::GET, "/nowhere", 404),
            (Method::GET, "/customer/", 404),
            (Method::GET, "/customer/abc", 400),
            (Method::GET, "/customers?limit=0", 400),
            (Method::POST, "/customer", 405),
            (Method::TRACE, "/customers", 405),
            (Method::GET, "/customer", 405),
        ] {
            let response = platform.run(handle(&platform, request(method, path, &[], "")));
            assert_eq!(problem(&response).0, status, "{path}");
        }
        assert!(platform.sent.borrow().is_empty());
    }

    #[test]
    fn methods_are_told() {
        let platform = Fake::default();
        let response = platform.run(handle(&platform, request(Method::OPTIONS, "/customer/7", &[], "")));
        assert_eq!(response.status(), 204);
        assert_eq!(response.headers()[ALLOW], "GET, HEAD, PATCH, DELETE, OPTIONS");
        let response = platform.run(handle(&platform, request(Method::POST, "/customers", &[], "")));
        assert_eq!(response.headers()[ALLOW], "GET, HEAD, OPTIONS");
    }

    #[test]
    fn the_correlation_id_is_the_clients_guid_or_a_new_one() {
        let ask = |headers: &[(&str, &str)]| {
            let platform = Fake::default().row(r#""Status":404,"Json":"{\"detail\":\"No.\"}""#);
            let response = platform.run(handle(&platform, request(Method::GET, "/customer/7", headers, "")));
            let id = response.headers()[CORRELATION_ID].to_str().unwrap().to_owned();
            assert_eq!(platform.sent.borrow()[0].1.headers()[wire::CORRELATION_ID], id);
            assert_eq!(problem(&response).1["correlationId"], id);
            id
        };
        assert_eq!(ask(&[("x-correlation-id", GUID)]), GUID);
        assert_eq!(ask(&[("x-ms-correlation-id", GUID)]), GUID);
        for other in ["abc", "", "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e"] {
            let id = ask(&[("x-correlation-id", other)]);
            assert!(id != other && Uuid::try_parse(&id).is_ok());
        }
    }

    #[test]
    fn trace_context_travels_and_other_headers_do_not() {
        let platform = Fake::default().row(r#""Status":200,"Json":"[]""#);
        let headers = [
            ("traceparent", "00-1-2-01"),
            ("tracestate", "a=b"),
            ("cookie", "c"),
            ("authorization", "Bearer x"),
        ];
        platform.run(handle(&platform, request(Method::GET, "/customers", &headers, "")));
        let sent = platform.sent.borrow();
        let mut names: Vec<_> = sent[0].1.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "accept",
                "accept-encoding",
                "traceparent",
                "tracestate",
                "x-ms-correlation-id"
            ]
        );
    }

    #[test]
    fn bad_settings_are_named_everywhere_but_at_healthz() {
        let platform = Fake::default().set("retry_cap_ms", "soon");
        for path in ["/customer/7", "/customers", "/readyz"] {
            let (status, body) = problem(&get(&platform, path));
            assert_eq!(status, 500);
            assert!(body["detail"].as_str().unwrap().contains("retry_cap_ms"));
        }
        assert_eq!(get(&platform, "/healthz").status(), 200);
    }

    #[test]
    fn readiness_is_one_short_attempt() {
        let ready = Fake::default().row(r#""Status":200,"Json":"{\"status\":\"ready\"}""#);
        assert_eq!(get(&ready, "/readyz").status(), 200);
        let broken = Fake::default().answer(0, 500, "");
        assert_eq!(problem(&get(&broken, "/readyz")).0, 503);
        let slow = Fake::default().answer(901, 200, "");
        assert_eq!(problem(&get(&slow, "/readyz")).0, 503);
        assert_eq!(slow.sent.borrow().len(), 1);
    }

    #[test]
    fn a_body_that_does_not_come_ends_in_408() {
        let platform = Fake::default();
        let body = http_body_util::StreamBody::new(futures::stream::pending::<Result<_, BodyError>>());
        let request = Request::put("/customer")
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .unwrap();
        let response = platform.run(handle(&platform, request));
        assert_eq!(problem(&response).0, 408);
        assert_eq!(
            platform.now(),
            Duration::from_secs(26),
            "after the request's deadline of 25 s"
        );
    }
}
