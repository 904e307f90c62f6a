//! Answers a request: finds its route, collects the procedure's parameters, calls it, and has the row made the
//! response.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, ORIGIN,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use uuid::{Builder, Uuid};

use crate::accept;
use crate::access;
use crate::api::ROUTES;
use crate::bridge::{Bridge, Outcome};
use crate::log::Event;
use crate::platform::Platform;
use crate::precondition::{self, Verdict};
use crate::problem::{Problem, kind};
use crate::request;
use crate::response::{self, Body, ascii, json};
use crate::route::{Call, Operation, Route, Source};
use crate::settings::{InvalidSetting, Settings};
use crate::wire::{self, Arguments, Value};

/// The API's name for the id that ties an answer to the log; the bridge's, `x-ms-correlation-id`, is accepted too.
pub const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// Says that a write had been done before under the same `Idempotency-Key`, and was not done again.
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How long the bridge took, and in how many attempts (W3C Server Timing).
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// W3C Trace Context, handed on to the bridge so that its spans join the client's trace.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Its vendors' part.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// How long readiness waits for the bridge: within the second that Kubernetes gives a probe by default.
const READY_LIMIT: Duration = Duration::from_millis(900);

/// Answers `request`.
pub async fn handle<P: Platform>(platform: &P, request: Request<P::Body>) -> Response<Body<P::Body>> {
    let (parts, body) = request.into_parts();
    let (route, id) = match Route::find(ROUTES, parts.uri.path()) {
        Some((route, id)) => (Some(route), id.unwrap_or_default()),
        None => (None, Cow::default()),
    };
    let exchange = Exchange {
        platform,
        started: platform.now(),
        method: &parts.method,
        target: &parts.uri,
        headers: &parts.headers,
        route,
        id,
        correlation_id: correlation_id(&parts.headers, platform),
        settings: OnceCell::new(),
        server_timing: OnceCell::new(),
        attempts: Cell::new(0),
    };
    let mut response = match exchange.answer(body).await {
        Ok(response) => response,
        Err(problem) => problem
            .into_response(exchange.target.path(), &exchange.correlation_id)
            .map(Body::Whole),
    };
    let has_body = !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    match response.body() {
        _ if parts.method == Method::HEAD => *response.body_mut() = whole(""),
        Body::Whole(bytes) if has_body => {
            let length = bytes.len();
            response.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        _ => {}
    }
    exchange.log(response.status());
    let headers = response.headers_mut();
    exchange.permit_origin(headers);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CORRELATION_ID, ascii(exchange.correlation_id.into_owned()));
    if let Some(timing) = exchange.server_timing.into_inner() {
        headers.insert(SERVER_TIMING, timing);
    }
    response
}

/// A response, or the problem to answer with instead.
type Answer<P> = Result<Response<Body<<P as Platform>::Body>>, Problem>;

/// One request, without its body.
struct Exchange<'a, P> {
    platform: &'a P,
    started: Duration,
    method: &'a Method,
    target: &'a Uri,
    headers: &'a HeaderMap,
    route: Option<&'static Route>,
    /// The path's `{id}`, decoded; empty when the route has none.
    id: Cow<'a, str>,
    correlation_id: Cow<'a, str>,
    /// Read when first needed.
    settings: OnceCell<Result<&'a Settings, InvalidSetting>>,
    /// Set once the bridge has been called, whatever came of it.
    server_timing: OnceCell<HeaderValue>,
    /// How often the bridge has been called.
    attempts: Cell<u32>,
}

impl<P: Platform> Exchange<'_, P> {
    async fn answer(&self, body: P::Body) -> Answer<P> {
        let Some(route) = self.route else {
            return Err(Problem::new(kind::UNKNOWN_ROUTE, "No route of this API has this path."));
        };
        match route.operation(self.method) {
            Some(Operation::Alive) => Ok(json(StatusCode::OK, whole(r#"{"status":"alive"}"#))),
            Some(Operation::Ready(call)) => self.ready(call).await,
            Some(Operation::Document(text)) => {
                self.negotiate()?;
                Ok(json(StatusCode::OK, whole(text)))
            }
            Some(Operation::Call(call)) => {
                self.admit()?;
                self.negotiate()?;
                self.call(call, body).await
            }
            None if self.method == Method::OPTIONS => {
                let mut response = Response::new(whole(""));
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

    /// Lets a request pass that has an API key, or all when there are no keys.
    fn admit(&self) -> Result<(), Problem> {
        let settings = self.settings()?;
        // A bearer token that goes on to the bridge is the bridge's to judge.
        match settings.api_keys.admit(self.headers, !settings.forward_authorization) {
            true => Ok(()),
            false => Err(Problem::new(
                kind::UNAUTHORIZED,
                "Send the API key as x-api-key, or as a bearer token unless the API passes those on.",
            )
            .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
        }
    }

    fn negotiate(&self) -> Result<(), Problem> {
        match accept::takes_json(self.headers) {
            true => Ok(()),
            false => Err(Problem::new(
                kind::NOT_ACCEPTABLE,
                "Accept must allow application/json.",
            )),
        }
    }

    async fn ready(&self, call: &Call) -> Answer<P> {
        let settings = self.settings()?;
        let request = wire::request(call, &Arguments::new(), settings, self.bridge_headers(settings));
        let outcome = self.bridge(settings).probe(call, &request, READY_LIMIT).await;
        self.respond(call, outcome)
    }

    async fn call(&self, call: &Call, body: P::Body) -> Answer<P> {
        let settings = self.settings()?;
        let arguments = pin!(self.arguments(call, body, settings));
        let timer = pin!(self.platform.sleep(settings.retry.deadline()));
        let arguments = match select(arguments, timer).await {
            Either::Left((arguments, _)) => arguments?,
            Either::Right(((), _)) => {
                return Err(Problem::new(kind::REQUEST_TIMEOUT, "Send the whole body in less time."));
            }
        };
        let request = wire::request(call, &arguments, settings, self.bridge_headers(settings));
        let outcome = self.bridge(settings).call(call, &request).await;
        self.respond(call, outcome)
    }

    /// The procedure's parameters, in the order of the route table; what costs nothing to check comes before the body
    /// is read.
    async fn arguments(&self, call: &Call, body: P::Body, settings: &Settings) -> Result<Arguments, Problem> {
        let mut arguments = Arguments::new();
        let mut json = None;
        self.check_preconditions(call)?;
        for (name, source) in call.parameters {
            let value = match source {
                Source::PathId => Value::Integer(request::id(&self.id)?),
                Source::Query {
                    name,
                    default,
                    min,
                    max,
                } => Value::Integer(request::query_integer(
                    self.target.query().unwrap_or_default(),
                    name,
                    *default,
                    *min..=*max,
                )?),
                Source::RequestKey => Value::Text(match request::idempotency_key(self.headers)? {
                    Some(key) => key.to_owned(),
                    None => random_uuid(self.platform),
                }),
                Source::IfMatch => match precondition::versions(self.headers)? {
                    Some(versions) => Value::Text(versions),
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

    /// Refuses a write with a precondition that its procedure does not evaluate: a client that sends one relies on it.
    fn check_preconditions(&self, call: &Call) -> Result<(), Problem> {
        if call.method == Method::GET {
            return Ok(());
        }
        let is_versioned = call
            .parameters
            .iter()
            .any(|(_, source)| matches!(source, Source::IfMatch));
        if !is_versioned && self.headers.contains_key(IF_MATCH) {
            let detail = "If-Match cannot hold: what is created has no version yet.";
            return Err(Problem::new(kind::PRECONDITION_FAILED, detail));
        }
        if is_versioned && self.headers.contains_key(IF_NONE_MATCH) {
            let detail = "If-None-Match is for GET and HEAD; a change takes If-Match.";
            return Err(Problem::new(kind::INVALID_PARAMETER, detail));
        }
        Ok(())
    }

    fn settings(&self) -> Result<&Settings, Problem> {
        let settings = self.settings.get_or_init(|| {
            self.platform.settings().inspect_err(|invalid| {
                Event::Misconfigured {
                    variable: invalid.variable,
                }
                .write(self.platform);
            })
        });
        settings
            .clone()
            .map_err(|invalid| Problem::new(kind::MISCONFIGURED, invalid.to_string()))
    }

    /// Lets the pages of listed origins read the answer, whatever it is.
    fn permit_origin(&self, headers: &mut HeaderMap) {
        if self.settings.get().is_none() && !self.headers.contains_key(ORIGIN) {
            return;
        }
        if let Ok(settings) = self.settings() {
            let allow = headers.get(ALLOW).cloned();
            settings
                .cors_allowed_origins
                .permit(self.method, self.headers, allow, headers);
        }
    }

    /// The request's line in the log. A probe that succeeds says nothing.
    fn log(&self, status: StatusCode) {
        let operation = self.route.and_then(|route| route.operation(self.method));
        if status == StatusCode::OK && matches!(operation, Some(Operation::Alive | Operation::Ready(_))) {
            return;
        }
        let took = self.platform.now().saturating_sub(self.started);
        Event::Request {
            method: self.method.as_str(),
            route: self.route.map(|route| route.path),
            status: status.as_u16(),
            duration_us: took.as_micros() as u64,
            attempts: self.attempts.get(),
            correlation_id: &self.correlation_id,
        }
        .write(self.platform);
    }

    fn bridge(&self, settings: &Settings) -> Bridge<'_, P> {
        Bridge {
            platform: self.platform,
            policy: settings.retry,
            started: self.started,
            correlation_id: &self.correlation_id,
            forwards_credentials: settings.forward_authorization,
        }
    }

    /// All that the bridge learns besides the call itself.
    fn bridge_headers(&self, settings: &Settings) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(wire::CORRELATION_ID, ascii(self.correlation_id.to_string()));
        let names = [TRACEPARENT, TRACESTATE, AUTHORIZATION, access::ROLE];
        let names = match settings.forward_authorization {
            true => &names[..],
            false => &names[..2],
        };
        for name in names {
            if let Some(value) = self.headers.get(name) {
                headers.insert(name, value.clone());
            }
        }
        if let Some(key) = &settings.dab_api_key {
            headers.insert(access::API_KEY, key.clone());
        }
        headers
    }

    fn respond(&self, call: &Call, outcome: Outcome<P::Body>) -> Answer<P> {
        let _ = self.server_timing.set(ascii(outcome.server_timing()));
        self.attempts.set(outcome.attempts);
        let row = outcome.result?;
        let replayed = row.head.replayed;
        let verdict = match &row.head.etag {
            Some(version) if call.method == Method::GET => precondition::of_read(self.headers, version),
            _ => Verdict::Proceed,
        };
        let mut response = response::of_row(call, row, self.target, &self.correlation_id).inspect_err(|problem| {
            if problem.kind() == kind::BRIDGE_MISCONFIGURED {
                Event::ContractBroken {
                    procedure: call.procedure,
                    correlation_id: &self.correlation_id,
                }
                .write(self.platform);
            }
        })?;
        match verdict {
            Verdict::Proceed => {}
            Verdict::NotModified => {
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                *response.body_mut() = whole("");
                response.headers_mut().remove(CONTENT_TYPE);
            }
            Verdict::Failed => {
                let detail = "The row is not in a version that If-Match names.";
                return Err(Problem::new(kind::PRECONDITION_FAILED, detail));
            }
        }
        // Under a key of our own, what was done before was done by an earlier attempt of this very request.
        if replayed && response.status().is_success() && self.headers.contains_key(request::IDEMPOTENCY_KEY) {
            response
                .headers_mut()
                .insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(response)
    }
}

/// A body that is part of the component.
fn whole<C>(text: &'static str) -> Body<C> {
    Body::Whole(Bytes::from_static(text.as_bytes()))
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
mod tests;
