//! Error answers: problem details for HTTP APIs (RFC 9457).
//!
//! A problem says what the client can do about it, and nothing about the systems behind the API. The log has the causes,
//! under the same correlation id.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Response, StatusCode};

/// A kind of problem. `problems.md` has a heading for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProblemType {
    /// The `type`: a reference relative to the root of the API, whose fragment is the heading in `problems.md`; or `about:blank`.
    pub uri: &'static str,
    /// The title, which is the same for every problem of the kind.
    pub title: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
}

impl ProblemType {
    /// A status that a procedure reports and that has no kind below: `about:blank` with its standard title (RFC 9457,
    /// section 4.2.1).
    pub fn other(status: StatusCode) -> Self {
        Self { uri: ABOUT_BLANK, title: status.canonical_reason().unwrap_or("Refused"), status }
    }
}

const ABOUT_BLANK: &str = "about:blank";

/// The root of the API, relative to a request for `path` (RFC 3986, section 5). The reference is relative because a gateway
/// may have removed a prefix from the path.
pub fn root(path: &str) -> String {
    "../".repeat(path.matches('/').count().saturating_sub(1))
}

/// All kinds.
pub mod kind {
    use super::{ProblemType, StatusCode};

    macro_rules! kinds {
        ($($name:ident, $slug:literal, $status:ident, $title:literal;)*) => {
            $(
                #[doc = $title]
                pub const $name: ProblemType = ProblemType {
                    uri: concat!("problems#", $slug),
                    title: $title,
                    status: StatusCode::$status,
                };
            )*
            /// Every kind of problem.
            pub const ALL: &[ProblemType] = &[$($name),*];
        };
    }

    kinds! {
        INVALID_BODY, "invalid-body", BAD_REQUEST, "The request body is not usable";
        INVALID_PARAMETER, "invalid-parameter", BAD_REQUEST, "A parameter or header is not valid";
        UNAUTHORIZED, "unauthorized", UNAUTHORIZED, "Credentials are missing or wrong";
        FORBIDDEN, "forbidden", FORBIDDEN, "The caller may not do this";
        UNKNOWN_ROUTE, "unknown-route", NOT_FOUND, "There is nothing at this path";
        NOT_FOUND, "not-found", NOT_FOUND, "What was asked for does not exist";
        METHOD_NOT_ALLOWED, "method-not-allowed", METHOD_NOT_ALLOWED, "The path does not answer this method";
        NOT_ACCEPTABLE, "not-acceptable", NOT_ACCEPTABLE, "The API has nothing that the client accepts";
        REQUEST_TIMEOUT, "request-timeout", REQUEST_TIMEOUT, "The request body did not arrive in time";
        CONFLICT, "conflict", CONFLICT, "The change conflicts with other data";
        PRECONDITION_FAILED, "precondition-failed", PRECONDITION_FAILED, "A precondition does not hold";
        BODY_TOO_LARGE, "body-too-large", PAYLOAD_TOO_LARGE, "The request body is too large";
        UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body's media type is not supported";
        UNPROCESSABLE, "unprocessable", UNPROCESSABLE_ENTITY, "The content breaks a rule";
        MISCONFIGURED, "misconfigured", INTERNAL_SERVER_ERROR, "The API is not set up correctly";
        BRIDGE_MISCONFIGURED, "bridge-misconfigured", BAD_GATEWAY, "The data bridge did not answer as agreed";
        UNAVAILABLE, "unavailable", SERVICE_UNAVAILABLE, "The database cannot be reached at the moment";
        TIMEOUT, "timeout", GATEWAY_TIMEOUT, "The database did not answer in time";
    }
}

/// A problem on its way to the client.
#[derive(Debug)]
pub struct Problem {
    kind: ProblemType,
    /// The members that say what this occurrence is about, as JSON: `"detail":"…"` and perhaps `,"errors":[…]`.
    members: String,
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Problem {
    /// A problem; `detail` says what this occurrence of it is about.
    // Not inlined: an error need not be fast.
    #[inline(never)]
    pub fn new(kind: ProblemType, detail: &str) -> Self {
        Self { kind, members: ["\"detail\":", &json(detail)].concat(), header: None }
    }

    /// A problem whose text comes from a procedure: the JSON object `{"detail":"…","errors":[{"field":"…",
    /// "message":"…"}]}`. `errors` is optional. A text that is not an object leaves `detail` empty.
    pub fn reported(kind: ProblemType, object: &str) -> Self {
        let members = object.trim_ascii();
        let members = members.strip_prefix('{').and_then(|members| members.strip_suffix('}'));
        Self { kind, members: members.unwrap_or("\"detail\":\"\"").to_owned(), header: None }
    }

    /// Adds a response header.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    /// The kind of this problem.
    pub fn kind(&self) -> ProblemType {
        self.kind
    }

    /// The response: `application/problem+json` with `type` (relative to `instance`), `title`, `status`, `detail`, `instance`
    /// (the request's path), `correlationId` and, when there are any, `errors`.
    pub fn into_response(self, instance: &str, correlation_id: &str) -> Response<Bytes> {
        let root = if self.kind.uri == ABOUT_BLANK { String::new() } else { root(instance) };
        let ProblemType { uri, title, status, .. } = self.kind;
        // Only the path may have characters that JSON escapes. `StatusCode::as_str` has a table of 3 KB.
        let (instance, code) = (json(instance), status.as_u16().to_string());
        let body = [
            r#"{"type":""#,
            &root,
            uri,
            r#"","title":""#,
            title,
            r#"","status":"#,
            &code,
            r#","instance":"#,
            &instance,
            r#","correlationId":""#,
            correlation_id,
            "\",",
            &self.members,
            "}",
        ];
        let mut response = Response::new(body.concat().into());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(header) = self.header {
            headers.insert(header.0, header.1);
        }
        response
    }
}

/// Writes a text as JSON, which cannot fail.
fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::ALLOW;
    use serde_json::{Value, json};

    #[test]
    fn the_body_has_the_members_of_rfc_9457() {
        let reported = r#"{"detail":"a \"detail\"","errors":[{"field":"A","message":"b"}]}"#;
        let response = Problem::reported(kind::UNPROCESSABLE, reported).into_response("/customer/1", "id");
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(
            serde_json::from_slice::<Value>(response.body()).unwrap(),
            json!({
                "type": "../problems#unprocessable", "title": "The content breaks a rule", "status": 422, "detail": "a \"detail\"",
                "instance": "/customer/1", "correlationId": "id", "errors": [{"field": "A", "message": "b"}]
            })
        );
    }

    #[test]
    fn headers_and_absent_errors() {
        let response = Problem::new(kind::METHOD_NOT_ALLOWED, "no")
            .with_header(ALLOW, HeaderValue::from_static("GET"))
            .into_response("/", "id");
        assert_eq!(response.headers()[ALLOW], "GET");
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert!(body.get("errors").is_none());
    }

    #[test]
    fn any_text_can_be_reported() {
        for text in ["", "{", "}", "x", "[]"] {
            let response = Problem::reported(kind::CONFLICT, text).into_response("/", "id");
            assert_eq!(serde_json::from_slice::<Value>(response.body()).unwrap()["detail"], "", "{text}");
        }
    }

    #[test]
    fn types_are_unique() {
        let mut types: Vec<_> = kind::ALL.iter().map(|kind| kind.uri).collect();
        types.sort_unstable();
        types.dedup();
        assert_eq!(types.len(), kind::ALL.len());
    }

    #[test]
    fn every_kind_has_its_heading_and_status_in_the_docs() {
        let docs = include_str!("../../problems.md");
        for kind in kind::ALL {
            let slug = kind.uri.strip_prefix("problems#").unwrap();
            let section = format!("\n## {slug}\n\nStatus {}. ", kind.status.as_u16());
            assert!(docs.contains(&section), "{slug}");
        }
        assert_eq!(docs.matches("\n## ").count(), kind::ALL.len());
    }
}
