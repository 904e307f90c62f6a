//! The bridge: one HTTP request in, one response out, with DAB's checks in DAB's order.

use std::{error::Error, iter, path::PathBuf, sync::Arc};

use anyhow::ensure;
use http_body_util::{BodyExt, Limited, combinators::UnsyncBoxBody};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Body, Bytes},
    header::{ALLOW, CONNECTION, HOST, HeaderName, HeaderValue, IF_MATCH, LOCATION, SERVER},
    http::request::Parts,
};
use percent_encoding::percent_decode_str;
use rusqlite::OpenFlags;
use uuid::Uuid;

use crate::{
    arguments::Arguments,
    clock::Clock,
    config::{DabConfig, Entity},
    database::{self, Database},
    health,
    parameters::Fields,
    procedures::{self, Procedure},
    scripts,
    wire::{self, DabError, ReplyBody},
};

/// Kestrel's limit on a request body, bytes. DAB cannot change it.
const MAX_BODY: u64 = 30_000_000;

/// Kestrel's limit on a request line, bytes.
const MAX_REQUEST_LINE: usize = 8192;

type RequestBody = UnsyncBoxBody<Bytes, anyhow::Error>;

/// The files that the bridge reads and writes.
#[derive(Clone, Debug)]
pub struct Config {
    /// The SQLite file, which the bridge creates, with its folder, when it is missing.
    pub database: PathBuf,
    /// DAB's configuration, `dab-config.json`.
    pub dab_config: PathBuf,
    /// The folder of the procedures, as SQLite scripts.
    pub procedures: PathBuf,
}

/// The local bridge. Clones share the database.
#[derive(Clone)]
pub struct Bridge {
    dab: Arc<DabConfig>,
    procedures: Arc<[Arc<Procedure>]>,
    database: Database,
}

impl Bridge {
    /// Opens the database, and reads the scripts and DAB's configuration.
    ///
    /// # Errors
    /// When the configuration names something that the bridge does not have, or when a file cannot be used. When a build
    /// with another schema made the database; the message then says to run `make reset`.
    pub fn open(config: Config) -> anyhow::Result<Self> {
        let database = Database::open(&config.database)?;
        let mode = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let mut connection = database::connect(&config.database, mode, &database.clock)?;
        let scripts = scripts::load(&config.procedures, &mut connection)?;
        let procedures: Arc<[_]> = scripts.into_iter().map(Arc::new).collect();
        Ok(Self { dab: Arc::new(DabConfig::read(&config.dab_config, &procedures)?), procedures, database })
    }

    /// Every procedure of the bridge.
    pub fn procedures(&self) -> &[Arc<Procedure>] {
        &self.procedures
    }

    /// The clock that its scripts read.
    pub fn clock(&self) -> &Clock {
        &self.database.clock
    }

    /// Answers one request. Any failure is a response too.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<ReplyBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let body = body.map_err(|error| anyhow::Error::from_boxed(error.into()));
        let body = body.boxed_unsync();
        if is_line_too_long(&parts) {
            return of_kestrel(closing(wire::empty(StatusCode::URI_TOO_LONG)));
        }
        let correlation_id = wire::correlation_id(&parts.headers);
        of_dab(self.route(&parts, body, correlation_id).await, correlation_id)
    }

    async fn route(&self, parts: &Parts, body: RequestBody, correlation_id: Uuid) -> Response<ReplyBody> {
        match (&parts.method, parts.uri.path()) {
            (_, "/") => health::basic(),
            // GraphQL is disabled; middleware before all routes says so.
            (_, path) if is_under(path, "graphql") => wire::empty(StatusCode::NOT_FOUND),
            (&Method::GET, "/health") => health::comprehensive(&self.database).await,
            (&Method::GET | &Method::POST | &Method::PUT | &Method::PATCH | &Method::DELETE, _) => {
                self.rest(parts, body, correlation_id).await.unwrap_or_else(DabError::into_response)
            }
            _ => {
                let response = wire::empty(StatusCode::METHOD_NOT_ALLOWED);
                with(response, ALLOW, "DELETE, GET, PATCH, POST, PUT")
            }
        }
    }

    /// The REST endpoint.
    async fn rest(
        &self,
        parts: &Parts,
        body: RequestBody,
        correlation_id: Uuid,
    ) -> Result<Response<ReplyBody>, DabError> {
        let body = read(body).await;
        refuse_etags(parts)?;
        let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
        let route = self.after_rest_path(&path)?;
        let (entity, rest) = self.find_entity(route)?;
        let body = match body {
            Ok(body) => body,
            Err(cause) => {
                log(correlation_id, &entity.name, &cause);
                return Ok(closing(DabError::unexpected().into_response()));
            }
        };
        let arguments = self.arguments(parts, &body, entity, rest)?;
        let procedure = &entity.procedure;
        let answer = self.database.call(procedure.clone(), arguments).await;
        let row = answer.map_err(|error| {
            log(correlation_id, &procedure.name, &format_args!("{error:#}"));
            in_dab_terms(&error)
        })?;
        Ok(succeed(parts, || wire::envelope(&procedure.columns, &row)))
    }

    /// Returns the part of a path after the REST path, which need not end at a slash.
    fn after_rest_path<'a>(&self, path: &'a str) -> Result<&'a str, DabError> {
        if path == "/mcp" {
            let (code, message) = ("GlobalMcpEndpointDisabled", "Route mcp was not found.");
            return Err(DabError::new(StatusCode::NOT_FOUND, code, message));
        }
        let rest = path.strip_prefix(&self.dab.rest_path);
        rest.map(|rest| rest.trim_start_matches('/')).ok_or_else(|| {
            let route = path.trim_start_matches('/');
            DabError::bad_request(format!("Invalid Path for route: {route}."))
        })
    }

    /// The entity that a route starts with, and the rest of the route.
    fn find_entity<'a>(&self, path: &'a str) -> Result<(&Entity, &'a str), DabError> {
        // The longest match wins: paths of entities may contain slashes.
        let mut candidates = iter::successors(Some(path), |path| path.rsplit_once('/').map(|(parent, _)| parent));
        let found = candidates.find_map(|candidate| {
            let rest = path[candidate.len()..].strip_prefix('/').unwrap_or_default();
            self.dab.entities.get(candidate).map(|entity| (entity, rest))
        });
        found.ok_or_else(|| {
            let message = format!("Invalid Entity path: {path}.");
            DabError::new(StatusCode::NOT_FOUND, "EntityNotFound", message)
        })
    }

    /// The arguments of a request for an entity's procedure, if the request may call the procedure.
    fn arguments(&self, parts: &Parts, body: &str, entity: &Entity, rest_of_path: &str) -> Result<Arguments, DabError> {
        if !entity.is_public {
            let (code, message) = ("AuthorizationCheckFailed", "Authorization Failure: Access Not Allowed.");
            return Err(DabError::new(StatusCode::FORBIDDEN, code, message));
        }
        if !entity.methods.contains(&parts.method) {
            let message = "This operation is not supported.";
            return Err(DabError::new(StatusCode::METHOD_NOT_ALLOWED, "BadRequest", message));
        }
        let fields = match (&parts.method, parts.uri.query()) {
            (&Method::GET, query) => Fields::from_query(query.unwrap_or_default()),
            (_, None) => Fields::from_body(body)?,
            (_, Some(_)) => {
                let message = "Primary key for POST requests can't be specified in the request URL. \
                               Use request body instead.";
                return Err(DabError::bad_request(message));
            }
        };
        if !rest_of_path.trim().is_empty() {
            let message = "Primary key route not supported for this entity.";
            return Err(DabError::bad_request(message));
        }
        fields.bind(entity, self.dab.request_body_strict)
    }
}

/// DAB refuses an If-Match other than `*` before all else.
fn refuse_etags(parts: &Parts) -> Result<(), DabError> {
    let is_update = matches!(parts.method, Method::PUT | Method::PATCH);
    match parts.headers.get(IF_MATCH) {
        Some(value) if is_update && value != "*" => Err(DabError::bad_request("Etags not supported, use '*'")),
        _ => Ok(()),
    }
}

fn is_line_too_long(parts: &Parts) -> bool {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    parts.method.as_str().len() + target + " HTTP/1.1\r\n".len() + 1 > MAX_REQUEST_LINE
}

/// The whole body as UTF-8, without a byte order mark; other bytes become U+FFFD.
///
/// # Errors
/// When the body is longer than Kestrel accepts, or breaks off.
async fn read(body: RequestBody) -> anyhow::Result<String> {
    ensure!(body.size_hint().lower() <= MAX_BODY, "the request body is longer than {MAX_BODY} bytes");
    let whole = Limited::new(body, usize::try_from(MAX_BODY)?).collect().await;
    let bytes = whole.map_err(anyhow::Error::from_boxed)?.to_bytes();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// The response to a call that returned a row; DAB's status depends only on the method.
fn succeed(parts: &Parts, envelope: impl FnOnce() -> String) -> Response<ReplyBody> {
    if parts.method == Method::DELETE {
        return wire::empty(StatusCode::NO_CONTENT);
    }
    let response = wire::json(StatusCode::OK, envelope());
    if parts.method != Method::POST {
        return response;
    }
    let location = format!("http://{}{}", header(&parts.headers, HOST), parts.uri.path());
    let mut response = with(response, LOCATION, &location);
    *response.status_mut() = StatusCode::CREATED;
    response
}

/// The text of a header; empty when it is absent.
fn header(headers: &HeaderMap, name: HeaderName) -> &str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().trim()
}

/// True if the first segment of a path is this one, in any case.
fn is_under(path: &str, name: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next();
    first.is_some_and(|first| first.eq_ignore_ascii_case(name))
}

/// A response of DAB, with the headers that every response has.
pub(crate) fn of_dab(response: Response<ReplyBody>, correlation_id: Uuid) -> Response<ReplyBody> {
    let name = HeaderName::from_static(wire::CORRELATION_ID);
    of_kestrel(with(response, name, &correlation_id.to_string()))
}

/// A response of the server under DAB.
fn of_kestrel(response: Response<ReplyBody>) -> Response<ReplyBody> {
    with(response, SERVER, "Kestrel")
}

/// A response after which the connection cannot be used again.
fn closing(response: Response<ReplyBody>) -> Response<ReplyBody> {
    with(response, CONNECTION, "close")
}

fn with(mut response: Response<ReplyBody>, name: HeaderName, value: &str) -> Response<ReplyBody> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// DAB's error for a failure in the bridge.
fn in_dab_terms(error: &anyhow::Error) -> DabError {
    let Some(error) = error.downcast_ref::<rusqlite::Error>() else {
        return DabError::unexpected();
    };
    DabError::database(match procedures::error_number(error) {
        Some(2627) => StatusCode::CONFLICT,
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::INTERNAL_SERVER_ERROR,
    })
}

/// The only place that shows the cause of a 500, as DAB's log does.
fn log(correlation_id: Uuid, what: &str, cause: &dyn std::fmt::Display) {
    eprintln!("local bridge: {correlation_id} {what}: {cause}");
}
