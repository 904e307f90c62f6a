//! Answers a request: finds its route, collects the arguments, calls the procedure, and has the row made the response.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, ORIGIN, RETRY_AFTER,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use uuid::Builder;

use crate::app::App;
use crate::client::arguments::{self, is_guid};
use crate::client::body::ACCEPT_PATCH_TYPES;
use crate::client::precondition::{Preconditions, Verdict};
use crate::client::problem::{Problem, kind};
use crate::client::response::{self, Body, Context, NotAgreed, ascii, json};
use crate::client::{accept, body, pages};
use crate::dab;
use crate::dab::answer::Row;
use crate::dab::call::{Effort, GaveUp};
use crate::dab::request::{Arguments, Value};
use crate::failure::Failure;
use crate::headers::{self, ACCEPT_PATCH, CORRELATION_ID, IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED, SERVER_TIMING};
use crate::log::{Event, Level, Log};
use crate::platform::Platform;
use crate::retry::GiveUp;
use crate::route::{Action, Call, Found, READY, REQUEST_KEY, Source};
use crate::settings::{Settings, SettingsError};

/// What always goes on to Data API Builder.
static TRACE: [HeaderName; 2] = [headers::TRACEPARENT, headers::TRACESTATE];

/// What goes on to Data API Builder with `forward_authorization`.
static CREDENTIALS: [HeaderName; 2] = [AUTHORIZATION, headers::ROLE];

/// How long readiness waits: within the second that Kubernetes gives a probe by default.
const READY_LIMIT: Duration = Duration::from_millis(900);

/// Answers `request` as `app` says. `settings` is awaited only when something depends on it.
pub async fn handle<'s, P: Platform>(
    platform: &P,
    app: &'static App,
    settings: impl Future<Output = Result<&'s Settings, SettingsError>>,
    request: Request<P::Body>,
) -> Response<Body<P::Body>> {
    let started = platform.now();
    let (head, body) = request.into_parts();
    let found = Found::at(app.routes, head.uri.path());
    let action = found.as_ref().and_then(|found| found.action(&head.method));
    // Liveness must not depend on a setting.
    let defaults;
    let settings = if matches!(action, Some(Action::Alive)) && !head.headers.contains_key(ORIGIN) {
        defaults = Settings::default();
        Ok(&defaults)
    } else {
        settings.await
    };
    let has_pages = settings.as_ref().map_or(true, |settings| settings.serve_docs);
    let found = found.filter(|found| has_pages || !found.is_page());
    let action = action.filter(|_| found.is_some());
    let log = Log {
        level: settings.as_ref().map_or(Level::Info, |settings| settings.log_level),
        correlation_id: correlation_id(&head.headers, platform),
    };
    let exchange = Exchange {
        platform,
        app,
        settings: &settings,
        log: &log,
        head: &head,
        preconditions: Preconditions::of(&head.headers),
    };
    let mut told = Told::default();
    let result = match (&found, action) {
        (None, _) => Err(Problem::new(kind::UNKNOWN_ROUTE, "No route of this API has this path.")),
        (Some(found), None) => exchange.without_action(found),
        (Some(found), Some(action)) => exchange.act(action, &found.key, body, &mut told).await,
    };
    let mut response =
        result.unwrap_or_else(|problem| problem.into_response(head.uri.path(), &log.correlation_id).map(Body::Whole));
    if head.method == Method::HEAD {
        *response.body_mut() = whole("");
    } else if let Body::Whole(bytes) = response.body()
        && !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
    {
        let length = bytes.len();
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    // A probe that succeeds says nothing.
    let is_probe = matches!(action, Some(Action::Alive | Action::Ready));
    let is_logged = response.status().is_server_error() || log.has_requests();
    if is_logged && !(is_probe && response.status() == StatusCode::OK) {
        let took = platform.now().saturating_sub(started);
        let event = Event::Request {
            method: head.method.as_str(),
            route: found.as_ref().map(|found| found.path),
            status: response.status().as_u16(),
            duration_us: took.as_micros() as u64,
            attempts: told.effort.map_or(0, |effort| effort.attempts),
        };
        log.write(platform, &event);
    }
    let headers = response.headers_mut();
    if let Ok(settings) = settings {
        let allow = headers.get(ALLOW).cloned();
        settings.cors_allowed_origins.permit(&head.method, &head.headers, allow, headers);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(effort) = told.effort {
        headers.insert(SERVER_TIMING, ascii(server_timing(effort)));
        if let Some(key) = told.key {
            headers.insert(IDEMPOTENCY_KEY, ascii(key));
        }
    }
    headers.insert(CORRELATION_ID, ascii(log.correlation_id));
    response
}

/// A response, or the problem to answer with instead.
type Answer<P> = Result<Response<Body<<P as Platform>::Body>>, Problem>;

/// What the answer's headers tell of the call, once it has been made.
#[derive(Default)]
struct Told {
    effort: Option<Effort>,
    /// The key that a write ran under: with it, and only with it, the write can be repeated safely.
    key: Option<String>,
}

/// One request, without its body.
struct Exchange<'a, P> {
    platform: &'a P,
    app: &'static App,
    settings: &'a Result<&'a Settings, SettingsError>,
    log: &'a Log,
    head: &'a Parts,
    preconditions: Preconditions<'a>,
}

impl<P: Platform> Exchange<'_, P> {
    /// The answer to a method that the path does not have.
    fn without_action(&self, found: &Found) -> Answer<P> {
        let allow = found.allow();
        if self.head.method == Method::OPTIONS {
            let mut response = Response::new(whole(""));
            *response.status_mut() = StatusCode::NO_CONTENT;
            if found.action(&Method::PATCH).is_some() {
                let types = HeaderValue::from_static(ACCEPT_PATCH_TYPES);
                response.headers_mut().insert(ACCEPT_PATCH, types);
            }
            response.headers_mut().insert(ALLOW, ascii(allow));
            return Ok(response);
        }
        let detail = format!("This path answers {allow}.");
        Err(Problem::new(kind::METHOD_NOT_ALLOWED, &detail).with_header(ALLOW, ascii(allow)))
    }

    async fn act(&self, action: &'static Action, key: &str, body: P::Body, told: &mut Told) -> Answer<P> {
        match action {
            Action::Alive => Ok(json(StatusCode::OK, whole(r#"{"status":"alive"}"#))),
            Action::OpenApi => {
                self.negotiate()?;
                Ok(json(StatusCode::OK, whole(self.app.openapi)))
            }
            Action::Page(page) => Ok(pages::response(*page)),
            Action::Ready => self.ready(told).await,
            Action::Call(call) => {
                self.admit()?;
                self.negotiate()?;
                self.call(call, key, body, told).await
            }
        }
    }

    fn settings(&self) -> Result<&Settings, Problem> {
        self.settings.as_ref().copied().map_err(|error| {
            let reason = error.to_string();
            self.log.write(self.platform, &Event::Misconfigured { reason });
            match error {
                SettingsError::Invalid { .. } => Problem::new(kind::MISCONFIGURED, &error.to_string()),
                SettingsError::Provider(_) => unavailable("The settings cannot be read at the moment."),
            }
        })
    }

    /// Lets a request pass that has an API key, or all when there are no keys.
    fn admit(&self) -> Result<(), Problem> {
        let settings = self.settings()?;
        // A bearer token that goes on to Data API Builder is for it to judge.
        if settings.api_keys.admit(&self.head.headers, !settings.forward_authorization) {
            return Ok(());
        }
        Err(unauthorized("Send the API key as x-api-key, or as a bearer token unless the API passes those on."))
    }

    fn negotiate(&self) -> Result<(), Problem> {
        if accept::takes_json(&self.head.headers) {
            return Ok(());
        }
        let detail = "Accept must allow application/json.";
        Err(Problem::new(kind::NOT_ACCEPTABLE, detail))
    }

    async fn ready(&self, told: &mut Told) -> Answer<P> {
        let begin = self.platform.now();
        let row = self.to_dab(&READY, &Arguments::new())?.attempt(READY_LIMIT).await;
        let took = self.platform.now().saturating_sub(begin);
        told.effort = Some(Effort { attempts: 1, took });
        let row = row.map_err(|failure| {
            let reason = failure.to_string();
            self.log.write(self.platform, &Event::NotReady { reason });
            unavailable("Data API Builder or the database behind it does not answer.")
        })?;
        self.respond(&READY, &Arguments::new(), row)
    }

    async fn call(&self, call: &'static Call, key: &str, body: P::Body, told: &mut Told) -> Answer<P> {
        let settings = self.settings()?;
        let arguments = pin!(self.arguments(call, key, body));
        let timer = pin!(self.platform.sleep(settings.policy.deadline));
        let arguments = match select(arguments, timer).await {
            Either::Left((arguments, _)) => arguments?,
            Either::Right(((), _)) => {
                return Err(Problem::new(kind::REQUEST_TIMEOUT, "Send the whole body in less time."));
            }
        };
        told.key = arguments.iter().find_map(|(name, value)| match value {
            Value::Text(key) if *name == REQUEST_KEY => Some(key.clone()),
            _ => None,
        });
        let (took, result) = self.to_dab(call, &arguments)?.make(&settings.policy).await;
        told.effort = Some(took);
        match result {
            Ok(row) => self.respond(call, &arguments, row),
            Err(gave_up) => {
                let is_write = told.key.is_some();
                Err(refusal(&gave_up, took.attempts, is_write, settings.forward_authorization))
            }
        }
    }

    /// All arguments; what costs nothing to check comes before the body is read.
    async fn arguments(&self, call: &Call, key: &str, body: P::Body) -> Result<Arguments, Problem> {
        let Parts { method, headers, .. } = self.head;
        let is_write = method != Method::GET && method != Method::HEAD;
        if is_write {
            self.preconditions.refuse_on_write(call.is_versioned())?;
        }
        let mut arguments = arguments::of_head(call, self.head, key, &self.preconditions)?;
        if is_write {
            let key = arguments::idempotency_key(headers)?.map_or_else(|| random_uuid(self.platform), str::to_owned);
            arguments.push((REQUEST_KEY, Value::Text(key)));
        }
        for (name, source) in call.parameters {
            if let Source::Body(form_field) = source {
                let limit = self.settings()?.max_body_bytes;
                let json = body::json_object(method, headers, body, limit, form_field).await?;
                arguments.push((name, Value::Text(json)));
                break;
            }
        }
        Ok(arguments)
    }

    fn to_dab(&self, call: &'static Call, arguments: &Arguments) -> Result<dab::call::Call<'_, P>, Problem> {
        let settings = self.settings()?;
        let mut headers = HeaderMap::new();
        headers.insert(headers::MS_CORRELATION_ID, ascii(self.log.correlation_id.clone()));
        let credentials = CREDENTIALS.iter().filter(|_| settings.forward_authorization);
        for name in TRACE.iter().chain(credentials) {
            // Several lines of tracestate are one list.
            for value in self.head.headers.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        if let Some(key) = &settings.dab_api_key {
            headers.insert(headers::API_KEY, key.clone());
        }
        let method = match self.head.method {
            Method::GET | Method::HEAD => Method::GET,
            _ => Method::POST,
        };
        let target = [&settings.dab_url, &settings.dab_path, "/", call.procedure].concat();
        Ok(dab::call::Call {
            platform: self.platform,
            log: self.log,
            call,
            request: dab::request::request(method, target, arguments, headers),
        })
    }

    fn respond(&self, call: &'static Call, arguments: &Arguments, row: Row<P::Body>) -> Answer<P> {
        let is_read = matches!(self.head.method, Method::GET | Method::HEAD);
        let verdict = match &row.head.etag {
            Some(version) if is_read => self.preconditions.of_read(version),
            _ => Verdict::Proceed,
        };
        let replayed = row.head.replayed;
        let context =
            Context { call, arguments, location: call.creates.map(|creates| creates.path), path: self.head.uri.path() };
        let limit = self.settings()?.policy.attempt_timeout;
        let answer = response::of_row(&context, row, limit, self.log).map_err(|NotAgreed(reason)| {
            let procedure = call.procedure;
            self.log.write(self.platform, &Event::ContractBroken { procedure, reason });
            let detail = "The procedure's answer is not what was agreed.";
            Problem::new(kind::BRIDGE_MISCONFIGURED, detail)
        })?;
        let mut response = answer?;
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
        // What a PUT sends is not what is stored, so that it must not have an entity tag (RFC 9110, section 9.3.4).
        if self.head.method == Method::PUT {
            response.headers_mut().remove(ETAG);
        }
        // Under a key of our own, what was done before was done by an earlier attempt of this very request.
        if replayed && self.head.headers.contains_key(IDEMPOTENCY_KEY) {
            response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(response)
    }
}

/// What the client is told of a call that brought no row. `forwards` is whether its own credentials went along, so that 401
/// and 403 are about the client.
fn refusal(gave_up: &GaveUp, attempts: u32, is_write: bool, forwards: bool) -> Problem {
    match &gave_up.failure {
        Failure::Status { status: 401, .. } if forwards => {
            return unauthorized("The bearer token is missing, expired or not valid.");
        }
        Failure::Status { status: 403, .. } if forwards => {
            let detail = "The caller's role does not have permission for this operation.";
            return Problem::new(kind::FORBIDDEN, detail);
        }
        _ => {}
    }
    let made = match attempts {
        1 => "1 attempt was made".to_owned(),
        attempts => format!("{attempts} attempts were made"),
    };
    let repeat = if is_write {
        "The write may have been done: repeat it with the Idempotency-Key of this answer."
    } else {
        "The request can be repeated as it is."
    };
    // Rounded up, so that a client which obeys does not come too early.
    let seconds = |wait: Duration| wait.as_millis().div_ceil(1000) as u64;
    match gave_up.because {
        GiveUp::Unavailable { retry_after } => {
            let detail = format!("{made}. {repeat}");
            Problem::new(kind::UNAVAILABLE, &detail).with_header(RETRY_AFTER, seconds(retry_after).into())
        }
        GiveUp::Timeout { retry_after } => {
            let detail = format!("{made}; the last one timed out. {repeat}");
            Problem::new(kind::TIMEOUT, &detail).with_header(RETRY_AFTER, seconds(retry_after).into())
        }
        GiveUp::Misconfigured => Problem::new(
            kind::BRIDGE_MISCONFIGURED,
            "Repeating the request will not help; the reason is in the log under the correlation id.",
        ),
        GiveUp::Conflict => Problem::new(kind::CONFLICT, "The database reports a conflict with another change."),
    }
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(kind::UNAUTHORIZED, detail).with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

fn unavailable(detail: &str) -> Problem {
    Problem::new(kind::UNAVAILABLE, detail).with_header(RETRY_AFTER, 1.into())
}

/// The value of `Server-Timing`: milliseconds, and how many attempts.
fn server_timing(effort: Effort) -> String {
    let micros = effort.took.as_micros();
    let (ms, micros, attempts) = (micros / 1000, micros % 1000, effort.attempts);
    format!("bridge;dur={ms}.{micros:03}, attempts;desc=\"{attempts}\"")
}

/// A body that is part of the component.
fn whole<C>(text: &'static str) -> Body<C> {
    Body::Whole(Bytes::from_static(text.as_bytes()))
}

/// The client's correlation id when it is a GUID, else a new one.
fn correlation_id(headers: &HeaderMap, platform: &impl Platform) -> String {
    [CORRELATION_ID, headers::MS_CORRELATION_ID]
        .iter()
        .filter_map(|name| headers.get(name)?.to_str().ok())
        .find(|id| is_guid(id))
        .map_or_else(|| random_uuid(platform), str::to_owned)
}

fn random_uuid(platform: &impl Platform) -> String {
    Builder::from_random_bytes(platform.random().to_be_bytes()).into_uuid().to_string()
}

#[cfg(test)]
mod tests;
