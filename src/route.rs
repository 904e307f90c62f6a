//! What a route is: a path, the methods it answers, and for each of them the stored procedure that is called and where
//! every parameter of that procedure comes from. The table itself is in [`crate::api`]; nothing here knows what the
//! rows are about.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;

/// One path and what each method does there.
pub struct Route {
    /// Segments separated by `/`; the segment `{id}` stands for the row's id.
    pub path: &'static str,
    /// The methods the path answers, besides `OPTIONS` and the `HEAD` that comes with every `GET`.
    pub operations: &'static [(Method, Operation)],
}

/// What a method does.
pub enum Operation {
    /// Liveness: answers without the bridge and without reading any setting.
    Alive,
    /// A document that is part of the component: JSON text.
    Document(&'static str),
    /// Readiness: one short attempt at a call, no retries.
    Ready(Call),
    /// Calls a stored procedure and passes its answer on.
    Call(Call),
}

/// One call of a stored procedure by way of the bridge.
pub struct Call {
    /// The procedure's name without its schema, which is also the bridge's path for it.
    pub procedure: &'static str,
    /// The bridge's method: `GET` (parameters in the query, no transaction) for reads, `POST` (parameters in a JSON
    /// object, one transaction) for writes.
    pub method: Method,
    /// The procedure's parameters, without `@`, exactly as it declares them.
    pub parameters: &'static [(&'static str, Source)],
    /// For a call that creates a row: where the new row is then found.
    pub created: Option<Created>,
}

/// How the `Location` of a created row is made.
pub struct Created {
    /// The result column that holds the new row's id.
    pub id_column: &'static str,
    /// What the id is appended to.
    pub location: &'static str,
}

/// Where a parameter's value comes from.
pub enum Source {
    /// The path's `{id}`: an integer in 1..=2147483647.
    PathId,
    /// An integer of the query string.
    Query {
        /// The query parameter's name. The one named `after` is the page's start, which `Link: rel="next"` moves on.
        name: &'static str,
        /// The value when it is absent.
        default: i32,
        /// The least value accepted.
        min: i32,
        /// The greatest value accepted.
        max: i32,
    },
    /// The request's JSON object, byte for byte, whether it is the body itself or a form field.
    Body {
        /// The form field that holds the JSON in an `application/x-www-form-urlencoded` body.
        form_field: &'static str,
    },
    /// The key that makes a write exactly-once: the request's `Idempotency-Key`, else a random one.
    RequestKey,
    /// The entity tags of `If-Match`, without quotes and separated by spaces; left out when the header is absent or `*`.
    IfMatch,
}

impl Route {
    /// The route that `path` (still percent-encoded, no query) belongs to, with the decoded `{id}` segment when the
    /// route has one.
    pub fn find<'p>(routes: &'static [Route], path: &'p str) -> Option<(&'static Route, Option<Cow<'p, str>>)> {
        routes
            .iter()
            .find_map(|route| route.matches(path).map(|id| (route, id)))
    }

    fn matches<'p>(&self, path: &'p str) -> Option<Option<Cow<'p, str>>> {
        let mut id = None;
        let mut segments = path.split('/');
        for pattern in self.path.split('/') {
            // Invalid UTF-8 becomes U+FFFD, which no pattern and no id contains.
            let segment = percent_decode_str(segments.next()?).decode_utf8_lossy();
            if pattern == "{id}" && !segment.is_empty() {
                id = Some(segment);
            } else if segment != pattern {
                return None;
            }
        }
        segments.next().is_none().then_some(id)
    }

    /// What `method` does here; `HEAD` does what `GET` does.
    pub fn operation(&self, method: &Method) -> Option<&'static Operation> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.operations
            .iter()
            .find(|(candidate, _)| candidate == method)
            .map(|(_, operation)| operation)
    }

    /// The value of `Allow` (RFC 9110 section 10.2.1).
    pub fn allow(&self) -> String {
        let mut allow = String::new();
        for (method, _) in self.operations {
            allow.push_str(method.as_str());
            allow.push_str(", ");
            if method == Method::GET {
                allow.push_str("HEAD, ");
            }
        }
        allow + "OPTIONS"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ROUTES: &[Route] = &[
        Route {
            path: "/thing",
            operations: &[(Method::PUT, Operation::Alive)],
        },
        Route {
            path: "/thing/{id}",
            operations: &[(Method::GET, Operation::Alive), (Method::DELETE, Operation::Alive)],
        },
    ];

    fn find(path: &str) -> Option<(&'static str, Option<String>)> {
        Route::find(ROUTES, path).map(|(route, id)| (route.path, id.map(Cow::into_owned)))
    }

    #[test]
    fn segments_are_matched_after_percent_decoding() {
        assert_eq!(find("/thing"), Some(("/thing", None)));
        assert_eq!(find("/th%69ng"), Some(("/thing", None)));
        assert_eq!(find("/thing/7"), Some(("/thing/{id}", Some("7".into()))));
        assert_eq!(find("/thing/%37%2F8"), Some(("/thing/{id}", Some("7/8".into()))));
    }

    #[test]
    fn other_paths_match_nothing() {
        for path in [
            "",
            "/",
            "*",
            "thing",
            "/thing/",
            "/thing/7/",
            "/thing/7/8",
            "/Thing",
            "//thing",
            "/thing//7",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn head_comes_with_get_and_allow_names_all_methods() {
        let (route, _) = Route::find(ROUTES, "/thing/7").unwrap();
        assert!(route.operation(&Method::HEAD).is_some());
        assert!(route.operation(&Method::PATCH).is_none());
        assert_eq!(route.allow(), "GET, HEAD, DELETE, OPTIONS");
        let (route, _) = Route::find(ROUTES, "/thing").unwrap();
        assert!(route.operation(&Method::HEAD).is_none());
        assert_eq!(route.allow(), "PUT, OPTIONS");
    }
}
