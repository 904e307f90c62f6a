//! What a route is: a method and a path, and the stored procedure that they call with arguments from the request. The table
//! is in [`crate::routes`]; nothing here knows what the rows are about.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;

/// A method of a path, and what it does.
pub struct Route {
    /// `HEAD` comes with every `GET`, and `OPTIONS` with every path.
    pub method: Method,
    /// Segments separated by `/`; the segment in braces stands for the key of a row.
    pub path: &'static str,
    /// What it does, for the API's description: a line, then perhaps more.
    pub doc: &'static [&'static str],
    /// What it does.
    pub action: Action,
}

/// What a route does.
pub enum Action {
    /// Liveness: answers without Data API Builder and without any setting.
    Alive,
    /// Readiness: one short attempt at `web.ready`, no retries.
    Ready,
    /// The API's description, which is part of the component.
    OpenApi,
    /// A page for people, which is part of the component; not there with the option `serve_docs=false`.
    Page(Page),
    /// Calls a stored procedure and passes its answer on.
    Call(Call),
}

/// A page for people.
#[derive(Clone, Copy)]
pub enum Page {
    /// Leads to the next one.
    Home,
    /// The API's description, to try in a browser.
    Docs,
    /// What the problems mean.
    Problems,
}

/// A call of a stored procedure.
///
/// A `GET` calls it with a `GET` (no transaction), every other method with a `POST` (one transaction), and then with
/// `RequestKey`, which makes a write exactly-once: the request's `Idempotency-Key`, else a random one.
pub struct Call {
    /// The procedure's name in schema `web`, which is also its path at Data API Builder.
    pub procedure: &'static str,
    /// The procedure's other parameters, without `@`, as it declares them.
    pub parameters: &'static [(&'static str, Source)],
    /// For a call that creates a row: the result column with the key of the new row. Its `Location` is the `GET` that
    /// takes this key from its path.
    pub creates: Option<&'static str>,
}

/// The parameter of every write that makes it exactly-once.
pub const REQUEST_KEY: &str = "RequestKey";

/// `web.ready`: whether Data API Builder and the database answer.
pub static READY: Call = Call { procedure: "ready", parameters: &[], creates: None };

/// Where an argument comes from.
#[derive(Clone, Copy)]
pub enum Source {
    /// The path's segment in braces.
    Path(Kind),
    /// The query parameter of this name, once at most; without it and without a default, the procedure's default holds.
    Query(&'static str, Kind, Option<i64>),
    /// The query parameter `after`: the key behind which a page begins. `Link: rel="next"` moves it on.
    Page(Kind),
    /// The request's JSON object, byte for byte: the body itself, or the form field of this name.
    Body(&'static str),
    /// The entity tags of `If-Match`, without quotes and separated by spaces; left out when the header is absent or `*`.
    IfMatch,
}

/// What an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An integer from the first number to the second, in decimal digits.
    Integer(i64, i64),
    /// A text of 1 to this many UTF-16 code units, the unit of `NVARCHAR`.
    Text(usize),
    /// A `UNIQUEIDENTIFIER`, with hyphens.
    Guid,
}

/// The sources by the names that the table of routes has for them.
#[allow(non_upper_case_globals, reason = "words of the table of routes")]
pub mod source {
    use super::{Kind, Source};

    /// The row's key in the path: an `INT` above zero.
    pub const id: Source = Source::Path(Kind::Integer(1, i32::MAX as i64));
    /// The row's key in the path: a `BIGINT` above zero.
    pub const big_id: Source = Source::Path(Kind::Integer(1, i64::MAX));
    /// The row's key in the path: a `UNIQUEIDENTIFIER`.
    pub const guid: Source = Source::Path(Kind::Guid);
    /// The key behind which a page begins: an `INT`; 0 is the beginning.
    pub const page: Source = Source::Page(Kind::Integer(0, i32::MAX as i64));
    /// The key behind which a page begins: a `BIGINT`; 0 is the beginning.
    pub const big_page: Source = Source::Page(Kind::Integer(0, i64::MAX));
    /// The key behind which a page begins: a `UNIQUEIDENTIFIER`; absent at the beginning.
    pub const guid_page: Source = Source::Page(Kind::Guid);
    /// The versions of `If-Match`.
    pub const if_match: Source = Source::IfMatch;

    /// The row's key in the path: a text of at most `max` UTF-16 code units.
    pub const fn text(max: usize) -> Source {
        Source::Path(Kind::Text(max))
    }

    /// The key behind which a page begins: a text of at most `max` UTF-16 code units; absent at the beginning.
    pub const fn text_page(max: usize) -> Source {
        Source::Page(Kind::Text(max))
    }

    /// The JSON of the body, or of this field of a form.
    pub const fn body(form_field: &'static str) -> Source {
        Source::Body(form_field)
    }

    /// An integer of the query, from `min` to `max`.
    pub const fn query(name: &'static str, default: i64, min: i64, max: i64) -> Source {
        Source::Query(name, Kind::Integer(min, max), Some(default))
    }

    /// A text of the query, of at most `max` UTF-16 code units; the procedure's default when it is absent.
    pub const fn query_text(name: &'static str, max: usize) -> Source {
        Source::Query(name, Kind::Text(max), None)
    }
}

/// Writes a table of [`Route`]s, about one line for each; see [`crate::routes`].
macro_rules! routes {
    ($($(#[doc = $doc:literal])+ $method:ident $path:literal => $name:ident
        $(($($parameter:ident: $source:expr),*))? $(creates $column:ident)?;)*) => {
        /// Every route of the API.
        pub static ROUTES: &[$crate::route::Route] = {
            #[allow(unused_imports, reason = "the words of the table")]
            use $crate::route::source::*;
            &[$($crate::route::Route {
                method: http::Method::$method,
                path: $path,
                doc: &[$($doc),+],
                action: $crate::route::action!($name $(($($parameter: $source),*))? $(creates $column)?),
            }),*]
        };
    };
}

/// What stands behind `=>` in the table.
macro_rules! action {
    (@creates) => { None };
    (@creates $column:ident) => { Some(stringify!($column)) };
    (alive) => { $crate::route::Action::Alive };
    (ready) => { $crate::route::Action::Ready };
    (openapi) => { $crate::route::Action::OpenApi };
    (home) => { $crate::route::Action::Page($crate::route::Page::Home) };
    (docs) => { $crate::route::Action::Page($crate::route::Page::Docs) };
    (problems) => { $crate::route::Action::Page($crate::route::Page::Problems) };
    ($name:ident($($parameter:ident: $source:expr),*) $(creates $column:ident)?) => {
        $crate::route::Action::Call($crate::route::Call {
            procedure: stringify!($name),
            parameters: &[$((stringify!($parameter), $source)),*],
            creates: $crate::route::action!(@creates $($column)?),
        })
    };
}

pub(crate) use {action, routes};

/// A path that has routes.
pub struct Found<'p> {
    routes: &'static [Route],
    /// The path as the table has it.
    pub path: &'static str,
    /// The segment in braces, decoded; empty when the path has none.
    pub key: Cow<'p, str>,
}

impl<'p> Found<'p> {
    /// The routes of `path`: still percent-encoded, without its query. `None` when there are none. Those of a path are
    /// neighbours in the table.
    pub fn at(routes: &'static [Route], path: &'p str) -> Option<Self> {
        let mut paths = routes.chunk_by(|route, next| route.path == next.path);
        paths.find_map(|routes| {
            let key = key(routes[0].path, path)?;
            Some(Self { routes, path: routes[0].path, key })
        })
    }

    /// What `method` does here; `HEAD` does what `GET` does.
    pub fn action(&self, method: &Method) -> Option<&'static Action> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let route = self.routes.iter().find(|route| route.method == method);
        route.map(|route| &route.action)
    }

    /// Whether this is a page for people.
    pub fn is_page(&self) -> bool {
        self.routes.iter().any(|route| matches!(route.action, Action::Page(_)))
    }

    /// The value of `Allow` (RFC 9110, section 10.2.1).
    pub fn allow(&self) -> String {
        let mut allow = String::new();
        for route in self.routes {
            allow.push_str(route.method.as_str());
            allow.push_str(if route.method == Method::GET { ", HEAD, " } else { ", " });
        }
        allow + "OPTIONS"
    }
}

/// The segment of `path` that stands where `template` has braces, if the two match otherwise; empty without braces.
fn key<'p>(template: &str, path: &'p str) -> Option<Cow<'p, str>> {
    // Invalid UTF-8 becomes U+FFFD, which no path and no key has.
    let decoded = |segment| percent_decode_str(segment).decode_utf8_lossy();
    let mut key = Cow::Borrowed("");
    let mut segments = path.split('/');
    for expected in template.split('/') {
        let segment = segments.next()?;
        if expected.starts_with('{') && !segment.is_empty() {
            key = decoded(segment);
        } else if segment != expected && !(segment.contains('%') && decoded(segment) == expected) {
            return None;
        }
    }
    segments.next().is_none().then_some(key)
}

impl Call {
    /// The path of the row that this call creates, as the table has it.
    pub fn location(&self, routes: &'static [Route]) -> Option<&'static str> {
        let column = self.creates?;
        let by_key = |route: &&Route| match &route.action {
            Action::Call(call) => {
                let has = |(name, source): &(&str, Source)| *name == column && matches!(source, Source::Path(_));
                route.method == Method::GET && call.parameters.iter().any(has)
            }
            _ => false,
        };
        routes.iter().find(by_key).map(|route| route.path)
    }

    /// Whether it takes `If-Match`.
    pub fn is_versioned(&self) -> bool {
        self.parameters.iter().any(|(_, source)| matches!(source, Source::IfMatch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    routes! {
        /// Create
        PUT "/thing" => put_thing(Json: body("thing")) creates ThingID;
        /// One
        /// thing
        GET "/thing/{id}" => get_thing(ThingID: id);
        /// No more
        DELETE "/thing/{id}" => delete_thing(ThingID: id, IfMatch: if_match);
        /// All
        GET "/things" => get_things(After: text_page(20), Limit: query("limit", 10, 1, 100), Name: query_text("name", 5));
        /// Alive
        GET "/alive" => alive;
    }

    fn find(path: &str) -> Option<(&'static str, String)> {
        Found::at(ROUTES, path).map(|found| (found.path, found.key.into_owned()))
    }

    fn call(index: usize) -> &'static Call {
        match &ROUTES[index].action {
            Action::Call(call) => call,
            _ => panic!("a call"),
        }
    }

    #[test]
    fn the_table_says_all_about_a_route() {
        assert_eq!((call(0).procedure, call(0).creates), ("put_thing", Some("ThingID")));
        assert_eq!((call(1).procedure, call(1).creates), ("get_thing", None));
        assert_eq!(ROUTES[1].doc, [" One", " thing"]);
        assert!(matches!(call(0).parameters, [("Json", Source::Body("thing"))]));
        assert!(matches!(call(3).parameters[0], ("After", Source::Page(Kind::Text(20)))));
        assert!(matches!(ROUTES[4].action, Action::Alive));
        assert!(call(2).is_versioned() && !call(1).is_versioned());
    }

    #[test]
    fn a_created_row_is_where_its_key_is_read() {
        assert_eq!(call(0).location(ROUTES), Some("/thing/{id}"));
        assert_eq!(call(1).location(ROUTES), None);
    }

    #[test]
    fn segments_are_matched_after_percent_decoding() {
        assert_eq!(find("/thing"), Some(("/thing", String::new())));
        assert_eq!(find("/th%69ng"), Some(("/thing", String::new())));
        assert_eq!(find("/thing/7"), Some(("/thing/{id}", "7".into())));
        assert_eq!(find("/thing/%37%2F8"), Some(("/thing/{id}", "7/8".into())));
    }

    #[test]
    fn other_paths_match_nothing() {
        for path in ["", "/", "*", "thing", "/thing/", "/thing/7/", "/thing/7/8", "/Thing", "//thing", "/thing//7"] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn head_comes_with_get_and_allow_names_all_methods() {
        let found = Found::at(ROUTES, "/thing/7").unwrap();
        assert!(found.action(&Method::HEAD).is_some());
        assert!(found.action(&Method::PATCH).is_none());
        assert_eq!(found.allow(), "GET, HEAD, DELETE, OPTIONS");
        let found = Found::at(ROUTES, "/thing").unwrap();
        assert!(found.action(&Method::HEAD).is_none());
        assert_eq!(found.allow(), "PUT, OPTIONS");
    }
}
