//! Answers a request: finds its route, collects the arguments, calls the procedure, and turns the row into the response.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use uuid::Builder;

use crate::app::App;
use crate::client::arguments::{self, is_guid};
use crate::client::body::ACCEPT_PATCH_TYPES;
use crate::client::precondition::Preconditions;
use crate::client::problem::{Problem, kind};
use crate::client::response::{self, Body, Context, ascii, json};
use crate::client::{accept, body, caller, pages};
use crate::dab;
use crate::dab::call::{Attempts, Effort, GaveUp};
use crate::dab::request::{Arguments, Value};
use crate::failure::Failure;
use crate::headers::{self, ACCEPT_PATCH, CORRELATION_ID, IDEMPOTENCY_KEY, SERVER_TIMING};
use crate::log::{Event, Level, Log};
use crate::platform::Platform;
use crate::retry::GiveUp;
use crate::route::{Action, Call, Found, READY, REQUEST_KEY, Source};
use crate::settings::{Settings, SettingsError};

/// The headers that always go on to Data API Builder.
static TRACE: [HeaderName; 2] = [headers::TRACEPARENT, headers::TRACESTATE];

/// The headers that go on to Data API Builder with `forward_authorization`.
static CREDENTIALS: [HeaderName; 2] = [AUTHORIZATION, headers::ROLE];

/// How long readiness waits: less than the second that Kubernetes gives a probe by default.
const READY_LIMIT: Duration = Duration::from_millis(900);

/// Answers `request` with the routes of `app`. `settings` is awaited once, and not for liveness.
pub async fn handle<'s, P: Platform>(
    platform: &P,
    app: &'static App,
    settings: impl Future<Output = Result<&'s Settings, SettingsError>>,
    request: Request<P::Body>,
) -> Response<Body<P::Body>> {
    let (head, body) = request.into_parts();
    let correlation_id = correlation_id(&head.headers, platform);
    let found = Found::at(app.routes, head.uri.path());
    let action = found.as_ref().and_then(|found| found.action(&head.method));
    // Liveness depends on no setting.
    if let Some(Action::Alive) = action {
        let mut response = json(StatusCode::OK, whole(r#"{"status":"alive"}"#));
        finish(&mut response, &head.method, correlation_id);
        return response;
    }
    let started = platform.now();
    let settings = settings.await;
    let level = settings.as_ref().map_or(Level::Info, |settings| settings.log_level);
    let log = Log { level, correlation_id };
    let outcome = match &settings {
        Ok(settings) => {
            let preconditions = Preconditions::of(&head.headers);
            let exchange = Exchange { platform, app, settings, log: &log, head: &head, preconditions };
            exchange.answer(found.as_ref(), action, body).await
        }
        Err(error) => misconfigured(error, platform, &log).into(),
    };
    let mut response = outcome
        .answer
        .unwrap_or_else(|problem| problem.into_response(head.uri.path(), &log.correlation_id).map(Body::Whole));
    let status = response.status();
    // A probe that succeeds is not logged.
    let is_quiet = matches!(action, Some(Action::Ready)) && status == StatusCode::OK;
    if (status.is_server_error() || log.has_requests()) && !is_quiet {
        let took = platform.now().saturating_sub(started);
        let event = Event::Request {
            method: head.method.as_str(),
            route: found.as_ref().map(|found| found.path),
            status: status.as_u16(),
            duration_us: took.as_micros() as u64,
            attempts: outcome.call.as_ref().map_or(0, |call| call.effort.attempts),
            caller: outcome.caller,
        };
        log.write(platform, &event);
    }
    let headers = response.headers_mut();
    if let Ok(settings) = settings {
        let allow = headers.get(ALLOW).cloned();
        settings.cors_allowed_origins.permit(&head.method, &head.headers, allow, headers);
    }
    if let Some(call) = outcome.call {
        headers.insert(SERVER_TIMING, ascii(server_timing(call.effort)));
        if let Some(key) = call.key {
            headers.insert(IDEMPOTENCY_KEY, ascii(key));
        }
    }
    finish(&mut response, &head.method, log.correlation_id);
    response
}

/// Adds the headers that every answer has, and removes the body from an answer to `HEAD`.
fn finish<C>(response: &mut Response<Body<C>>, method: &Method, correlation_id: String) {
    if method == Method::HEAD {
        *response.body_mut() = whole("");
    } else if let Body::Whole(bytes) = response.body()
        && !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
    {
        let length = bytes.len();
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CORRELATION_ID, ascii(correlation_id));
}

/// A response, or the problem to answer with instead.
type Answer<P> = Result<Response<Body<<P as Platform>::Body>>, Problem>;

/// How a request ended.
struct Outcome<'s, P: Platform> {
    answer: Answer<P>,
    /// Set once Data API Builder has been called.
    call: Option<Called>,
    /// The name of the caller, empty without one.
    caller: &'s str,
}

/// The part of a call that the headers of the answer report.
struct Called {
    effort: Effort,
    /// The key that a write ran under. The write can be repeated safely only with this key.
    key: Option<String>,
}

impl<P: Platform> From<Answer<P>> for Outcome<'_, P> {
    fn from(answer: Answer<P>) -> Self {
        Self { answer, call: None, caller: "" }
    }
}

impl<P: Platform> From<Problem> for Outcome<'_, P> {
    fn from(problem: Problem) -> Self {
        Err(problem).into()
    }
}

/// One request, without its body.
struct Exchange<'a, 's, P> {
    platform: &'a P,
    app: &'static App,
    settings: &'s Settings,
    log: &'a Log,
    head: &'a Parts,
    preconditions: Preconditions<'a>,
}

impl<'s, P: Platform> Exchange<'_, 's, P> {
    async fn answer(&self, found: Option<&Found>, action: Option<&'static Action>, body: P::Body) -> Outcome<'s, P> {
        let Some(found) = found.filter(|found| self.settings.serve_docs || !found.is_page()) else {
            return Problem::new(kind::UNKNOWN_ROUTE, "No route of this API has this path.").into();
        };
        match action {
            None => self.without_action(found).into(),
            Some(Action::Page(page)) => Ok(pages::response(*page)).into(),
            Some(Action::Ready) => self.ready().await,
            Some(Action::Call(call)) => match self.admit() {
                Ok(caller) => {
                    let outcome = self.call(call, caller, found, body).await;
                    Outcome { caller, ..outcome.unwrap_or_else(Outcome::from) }
                }
                Err(problem) => problem.into(),
            },
            Some(Action::OpenApi | Action::Alive) => {
                self.negotiate().map(|()| json(StatusCode::OK, whole(self.app.openapi))).into()
            }
        }
    }

    /// The answer to a method that the path does not support.
    fn without_action(&self, found: &Found) -> Answer<P> {
        let allow = found.allow();
        if self.head.method == Method::OPTIONS {
            let mut response = response::empty(StatusCode::NO_CONTENT);
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

    /// Lets a request pass that has an API key, or every request when there are no keys. Returns the name of the caller.
    fn admit(&self) -> Result<&'s str, Problem> {
        // Data API Builder judges a bearer token that goes on to it.
        self.settings.api_key.admit(&self.head.headers, !self.settings.forward_authorization).ok_or_else(|| {
            unauthorized("Send the API key as x-api-key, or as a bearer token unless the API passes those on.")
        })
    }

    /// The caller to whom the idempotency keys of this request belong, and whom it may store; `None` where callers cannot be told apart.
    fn scope(&self, name: &str) -> Option<String> {
        let token = caller::of_token(&self.head.headers).filter(|_| self.settings.forward_authorization);
        let are_told_apart = self.settings.forward_authorization || self.settings.api_key.have_names();
        are_told_apart.then(|| token.unwrap_or_else(|| name.to_owned()))
    }

    fn negotiate(&self) -> Result<(), Problem> {
        if accept::takes_json(&self.head.headers) {
            return Ok(());
        }
        let detail = "Accept must allow application/json.";
        Err(Problem::new(kind::NOT_ACCEPTABLE, detail))
    }

    async fn ready(&self) -> Outcome<'s, P> {
        let arguments = Arguments::new();
        let begin = self.platform.now();
        let row = self.to_dab(&READY, &arguments).attempt(READY_LIMIT).await;
        let effort = Effort { attempts: 1, took: self.platform.now().saturating_sub(begin) };
        let answer = match row {
            Ok(row) => self.context(&READY, &arguments).answer(row),
            Err(failure) => {
                let procedure = READY.procedure;
                let event = match failure {
                    Failure::Contract(reason) => Event::ContractBroken { procedure, reason },
                    _ => Event::NotReady { reason: failure.to_string() },
                };
                self.log.write(self.platform, &event);
                Err(unavailable("Data API Builder or the database behind it does not answer."))
            }
        };
        Outcome { answer, call: Some(Called { effort, key: None }), caller: "" }
    }

    /// Calls a procedure.
    ///
    /// # Errors
    ///
    /// The problem of a request that is refused before the call is made.
    async fn call(
        &self,
        call: &'static Call,
        caller: &str,
        found: &Found,
        body: P::Body,
    ) -> Result<Outcome<'s, P>, Problem> {
        self.negotiate()?;
        let policy = self.settings.policy();
        let in_flight = self.platform.instance().enter(self.settings.max_in_flight);
        let _in_flight = in_flight.ok_or_else(|| unavailable("As many requests are in flight as may be."))?;
        let arguments = pin!(self.arguments(call, caller, found, body));
        let timer = pin!(self.platform.sleep(policy.deadline));
        let (arguments, key) = match select(arguments, timer).await {
            Either::Left((arguments, _)) => arguments?,
            Either::Right(((), _)) => {
                return Err(Problem::new(kind::REQUEST_TIMEOUT, "Send the whole body in less time."));
            }
        };
        // The body is the last argument.
        let call = match (call.many, arguments.last()) {
            (Some(many), Some((_, Value::Text(json)))) if body::is_array(json) => many,
            _ => call,
        };
        let (effort, result) = self.to_dab(call, &arguments).make(&policy).await;
        let answer = match result {
            Ok(row) => self.context(call, &arguments).answer(row),
            Err(gave_up) => Err(refusal(&gave_up, effort.attempts, key.is_some(), self.settings.forward_authorization)),
        };
        Ok(Outcome { answer, call: Some(Called { effort, key }), caller: "" })
    }

    /// All arguments, and the key of a write. The cheap checks come before the body is read.
    async fn arguments(
        &self,
        call: &Call,
        caller: &str,
        found: &Found,
        body: P::Body,
    ) -> Result<(Arguments, Option<String>), Problem> {
        let Parts { method, headers, .. } = self.head;
        let is_write = !method.is_safe();
        if is_write {
            self.preconditions.refuse_on_write(method, call.is_versioned())?;
        }
        let scope = if is_write { self.scope(caller) } else { None };
        let mut arguments = arguments::of_head(call, self.head, found.path, &self.preconditions, scope.as_deref())?;
        let mut key = None;
        if is_write {
            let sent = arguments::idempotency_key(headers)?;
            let key = key.insert(sent.map_or_else(|| random_uuid(self.platform), str::to_owned));
            let scoped = caller::scoped(scope.as_deref(), key)?;
            arguments.push((REQUEST_KEY, Value::Text(scoped)));
        }
        for (name, source) in call.parameters {
            if let Source::Body(form_field) = source {
                let limit = self.settings.max_body_bytes;
                let json = body::json(method, headers, body, limit, form_field, call.many.is_some()).await?;
                arguments.push((name, Value::Text(json)));
                break;
            }
        }
        Ok((arguments, key))
    }

    fn to_dab(&self, call: &'static Call, arguments: &Arguments) -> Attempts<'_, P> {
        let settings = self.settings;
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
        let method = if self.head.method.is_safe() { Method::GET } else { Method::POST };
        let target = [&settings.dab_url, &settings.dab_path, "/", call.procedure].concat();
        let request = dab::request::request(method, target, arguments, headers);
        Attempts { platform: self.platform, log: self.log, call, request }
    }

    fn context<'c>(&'c self, call: &'c Call, arguments: &'c Arguments) -> Context<'c> {
        Context {
            routes: self.app.routes,
            call,
            arguments,
            request: self.head,
            preconditions: &self.preconditions,
            limit: self.settings.attempt_timeout_ms,
            log: self.log,
        }
    }
}

/// The answer to every request while the settings cannot be used.
fn misconfigured(error: &SettingsError, platform: &impl Platform, log: &Log) -> Problem {
    let reason = error.to_string();
    let problem = match error {
        SettingsError::Provider(_) => unavailable("The settings cannot be read at the moment."),
        _ => Problem::new(kind::MISCONFIGURED, &reason),
    };
    log.write(platform, &Event::Misconfigured { reason });
    problem
}

/// The problem for a call that brought no row. `forwards` is true if the client's own credentials were forwarded, so that
/// 401 and 403 are about the client.
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
        0 => "No attempt was made, since the database has not answered for some time".to_owned(),
        1 => "1 attempt was made".to_owned(),
        attempts => format!("{attempts} attempts were made"),
    };
    let repeat = if is_write && attempts > 0 {
        "The write may have been done: repeat it with the Idempotency-Key of this answer."
    } else {
        "The request can be repeated as it is."
    };
    // Rounded up, so that a client that obeys does not come back too early.
    let seconds = |wait: Duration| (wait.as_millis() as u64).div_ceil(1000);
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
    let micros = effort.took.as_micros() as u64;
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
