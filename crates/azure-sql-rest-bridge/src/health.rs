//! DAB's two health endpoints. `/` checks nothing, and `/health` checks the database.

use std::time::Instant;

use hyper::{
    Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderValue, PRAGMA},
};

use crate::{
    database::Database,
    wire::{self, ReplyBody},
};

/// The version of DAB that the bridge imitates.
const VERSION: &str = "2.0.9";

/// A data source that takes longer counts as unhealthy, in milliseconds.
const THRESHOLD_MS: u128 = 1000;

/// `GET /`: always healthy.
pub(crate) fn basic() -> Response<ReplyBody> {
    let body = format!(
        r#"{{
  "status": "Healthy",
  "version": "{VERSION}",
  "app-name": "dab_oss_{VERSION}"
}}"#
    );
    let mut response = wire::json(StatusCode::OK, body);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(EXPIRES, HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"));
    response
}

/// `GET /health`: always 200, even for a failed check, without a content type, and for everybody. The settings of
/// `runtime.health` have no effect. (DAB keeps a report for five seconds; this report is always new.)
pub(crate) async fn comprehensive(database: &Database) -> Response<ReplyBody> {
    let started = Instant::now();
    let is_ready = database.is_ready().await;
    let elapsed_ms = started.elapsed().as_millis();
    let (status, exception) = if is_ready && elapsed_ms < THRESHOLD_MS {
        ("Healthy", "")
    } else {
        let exception = "\n      \"exception\": \"The threshold for executing the request has exceeded.\",";
        ("Unhealthy", exception)
    };
    let response_ms = if is_ready { elapsed_ms.to_string() } else { "-1".into() };
    let now = database.clock.now();
    // Procedures are never checked.
    let report = format!(
        r#"{{
  "status": "{status}",
  "version": "{VERSION}",
  "app-name": "dab_oss_{VERSION}",
  "timestamp": "{now}Z",
  "currentRole": "anonymous",
  "configuration": {{
    "rest": true,
    "graphql": false,
    "mcp": false,
    "caching": false,
    "telemetry": true,
    "mode": "Production"
  }},
  "checks": [
    {{
      "status": "{status}",
      "name": "MSSQL",{exception}
      "tags": [
        "data-source"
      ],
      "data": {{
        "response-ms": {response_ms},
        "threshold-ms": {THRESHOLD_MS}
      }}
    }}
  ]
}}"#
    );
    let mut response = wire::json(StatusCode::OK, report);
    response.headers_mut().remove(CONTENT_TYPE);
    response
}
