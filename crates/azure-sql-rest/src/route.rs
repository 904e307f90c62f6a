//! A route: a method and a path, and the stored procedure that they call with arguments from the request.
//!
//! [`crate::component!`] takes a table of routes. A line has the form
//!
//! ```text
//! /// Summary of the route, for the API's description
//! METHOD "/path/{key}" => procedure(Parameter: source, …);
//! ```
//!
//! - `Parameter` is a parameter of the procedure, without `@`. [`source`] lists the sources, [`kind`] the kinds of value.
//! - A path with several segments in braces, `"/path/{a}/{b}"`, takes a `key(…)` for each of them, in the same order.
//! - A procedure that creates a row ends in `creates Column at "/path/{key}"`. `Column` is the result column with the new
//!   row's key. The path is the route of the row, which ends in braces and becomes `Location`. If it ends in several
//!   segments in braces, the column is `RowID`, with a part for each of them. Slashes separate the parts. In a part, `%` is
//!   `%25` and `/` is `%2F`.
//! - Behind that, `, many by procedure` names the procedure that creates the rows of a JSON array.
//! - `alive`, `ready`, `openapi`, `home`, `docs` and `problems` stand in place of a procedure for what the library answers itself.

use std::borrow::Cow;

#[doc(hidden)]
pub use http::Method;
use percent_encoding::percent_decode;

/// A method of a path, and what it does.
pub struct Route {
    /// `HEAD` comes with every `GET`, and `OPTIONS` with every path.
    pub method: Method,
    /// Segments separated by `/`; the segments in braces stand for the key of a row.
    pub path: &'static str,
    /// The text for the API's description: a line, then perhaps more. Empty in the component, which has the description itself.
    pub doc: &'static [&'static str],
    /// The answer to a request.
    pub action: Action,
}

/// The way in which a route answers.
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
#[derive(Clone, Copy, Debug)]
pub enum Page {
    /// Redirects to the next page.
    Home,
    /// The API's description, to try in a browser.
    Docs,
    /// The meanings of the problems.
    Problems,
}

/// A call of a stored procedure.
///
/// A `GET` calls the procedure with a `GET` (no transaction), every other method with a `POST` (one transaction) and with
/// `RequestKey`. The key makes a write exactly-once: the request's `Idempotency-Key`, or else a random one.
pub struct Call {
    /// The procedure's name in schema `web`, which is also its path at Data API Builder.
    pub procedure: &'static str,
    /// The procedure's other parameters, without `@`, as it declares them.
    pub parameters: &'static [(&'static str, Source)],
    /// Set for a call that creates a row.
    pub creates: Option<Creates>,
    /// The call for a body that is an array of rows. Its arguments are the same.
    pub many: Option<&'static Call>,
}

/// How the client finds a row that a call creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Creates {
    /// The result column with the key of the new row.
    pub column: &'static str,
    /// The path of the row as the table has it, with the key in braces at its end: the source of `Location`.
    pub path: &'static str,
}

impl Creates {
    /// True if the key has several parts.
    pub fn has_parts(&self) -> bool {
        self.column == ROW_ID
    }
}

/// The result column with a key of several parts.
pub const ROW_ID: &str = "RowID";

/// The parameter of every write that makes it exactly-once.
pub const REQUEST_KEY: &str = "RequestKey";

/// `web.ready`, which answers when Data API Builder and the database do.
pub static READY: Call = Call { procedure: "ready", parameters: &[], creates: None, many: None };

/// Where an argument comes from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The path's segment in braces: the first of these sources has the first such segment, the second the second.
    Path(Kind),
    /// The query parameter of this name, once at most; without it and without a default, the procedure's default holds.
    Query(&'static str, Kind, Option<i64>),
    /// The query parameter `after`: the key behind which a page begins. `Link: rel="next"` moves it on.
    Page(Kind),
    /// The request's JSON object, byte for byte: the body itself, or the form field of this name.
    Body(&'static str),
    /// The entity tags of `If-Match`, without quotes and separated by spaces; left out when the header is absent or `*`.
    IfMatch,
    /// 1 for `If-None-Match: *`: no row may be there. Left out otherwise.
    IfNoneMatch,
    /// The name of the caller of a write: of the API key, or issuer and subject of the token. No part of the request's own can set it.
    /// Left out for a caller without a name.
    Caller,
}

/// A kind of argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An integer from the first number to the second, in decimal digits.
    Integer(i64, i64),
    /// A text of 1 to this many UTF-16 code units, the unit of `NVARCHAR`.
    Text(usize),
    /// A `UNIQUEIDENTIFIER`, with hyphens.
    Guid,
}

/// The kinds by the names that the table of routes has for them.
#[allow(non_upper_case_globals, non_snake_case, reason = "words of the table of routes")]
pub mod kind {
    use super::Kind;

    /// An `INT` above zero.
    pub const ID: Kind = Kind::Integer(1, i32::MAX as i64);
    /// A `BIGINT` above zero.
    pub const BIG_ID: Kind = Kind::Integer(1, i64::MAX);
    /// An `INT`.
    pub const INT: Kind = Kind::Integer(i32::MIN as i64, i32::MAX as i64);
    /// A `BIGINT`.
    pub const BIGINT: Kind = Kind::Integer(i64::MIN, i64::MAX);
    /// A `UNIQUEIDENTIFIER`.
    pub const GUID: Kind = Kind::Guid;

    /// A text of 1 to `max` UTF-16 code units.
    pub const fn NVARCHAR(max: usize) -> Kind {
        Kind::Text(max)
    }
}

/// The sources by the names that the table of routes has for them.
#[allow(non_upper_case_globals, reason = "words of the table of routes")]
pub mod source {
    use std::ops::RangeInclusive;

    use super::{Kind, Source};

    /// The versions that `If-Match` names.
    pub const if_match: Source = Source::IfMatch;

    /// 1 if `If-None-Match` allows no row.
    pub const if_none_match: Source = Source::IfNoneMatch;

    /// The name of the caller of a write.
    pub const caller: Source = Source::Caller;

    /// The row's key, or a part of it: the path's next segment in braces.
    pub const fn key(kind: Kind) -> Source {
        Source::Path(kind)
    }

    /// The key behind which a page begins: the query parameter `after`. Without it, `ID` and `BIG_ID` begin at 0, and for any
    /// other kind the parameter is left out.
    pub const fn page(kind: Kind) -> Source {
        match kind {
            Kind::Integer(1, max) => Source::Page(Kind::Integer(0, max)),
            kind => Source::Page(kind),
        }
    }

    /// The JSON of the body, or of this field of a form.
    pub const fn body(form_field: &'static str) -> Source {
        Source::Body(form_field)
    }

    /// The query parameter of this name, an integer in `range`; `default` when it is absent.
    pub const fn query(name: &'static str, range: RangeInclusive<i64>, default: i64) -> Source {
        Source::Query(name, Kind::Integer(*range.start(), *range.end()), Some(default))
    }

    /// The query parameter of this name and kind; the procedure's default when it is absent.
    pub const fn optional(name: &'static str, kind: Kind) -> Source {
        Source::Query(name, kind, None)
    }
}

/// The text of a route. Nothing reads it in the component, where each instance would copy it.
#[doc(hidden)]
pub const fn described(doc: &'static [&'static str]) -> &'static [&'static str] {
    if cfg!(target_family = "wasm") { &[] } else { doc }
}

/// Writes a table of [`Route`]s as the static `ROUTES`.
#[doc(hidden)]
#[macro_export]
macro_rules! routes {
    ($($(#[doc = $doc:literal])+ $method:ident $path:literal => $name:ident
        $(($($parameter:ident: $source:expr),*))? $(creates $column:ident at $location:literal $(, many by $many:ident)?)?;)*) => {
        /// Every route of the API.
        pub static ROUTES: &[$crate::route::Route] = {
            #[allow(unused_imports, reason = "the words of the table")]
            use $crate::route::{kind::*, source::*};
            &[$($crate::route::Route {
                method: $crate::route::Method::$method,
                path: $path,
                doc: $crate::route::described(&[$($doc),+]),
                action: $crate::action!($name $(($($parameter: $source),*))? $(creates $column $location $($many)?)?),
            }),*]
        };
    };
}

/// The [`Action`] of a line in the table.
#[doc(hidden)]
#[macro_export]
macro_rules! action {
    (@creates) => { None };
    (@creates $column:ident $path:literal) => {
        Some($crate::route::Creates { column: stringify!($column), path: $path })
    };
    (@many [$($parameters:tt)*]) => { None };
    (@many [$($parameters:tt)*] $name:ident) => {
        Some(&$crate::route::Call { procedure: stringify!($name), parameters: &[$($parameters)*], creates: None, many: None })
    };
    (alive) => { $crate::route::Action::Alive };
    (ready) => { $crate::route::Action::Ready };
    (openapi) => { $crate::route::Action::OpenApi };
    (home) => { $crate::route::Action::Page($crate::route::Page::Home) };
    (docs) => { $crate::route::Action::Page($crate::route::Page::Docs) };
    (problems) => { $crate::route::Action::Page($crate::route::Page::Problems) };
    ($name:ident($($parameter:ident: $source:expr),*) $(creates $column:ident $location:literal $($many:ident)?)?) => {
        $crate::route::Action::Call($crate::route::Call {
            procedure: stringify!($name),
            parameters: &[$((stringify!($parameter), $source)),*],
            creates: $crate::action!(@creates $($column $location)?),
            many: $crate::action!(@many [$((stringify!($parameter), $source)),*] $($($many)?)?),
        })
    };
}

/// A path that has routes.
pub struct Found {
    routes: &'static [Route],
    /// The path as the table has it.
    pub path: &'static str,
}

impl Found {
    /// Finds the routes of `path`, which is still percent-encoded and has no query. `None` when there are none.
    pub fn at(routes: &'static [Route], path: &str) -> Option<Self> {
        let route = routes.iter().find(|route| key(route.path, path, 0).is_some())?;
        Some(Self { routes, path: route.path })
    }

    /// The routes of this path, wherever they stand in the table.
    fn routes(&self) -> impl Iterator<Item = &'static Route> {
        self.routes.iter().filter(|route| route.path == self.path)
    }

    /// Returns what `method` does here; `HEAD` does what `GET` does.
    pub fn action(&self, method: &Method) -> Option<&'static Action> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.routes().find(|route| route.method == method).map(|route| &route.action)
    }

    /// True for a page for people.
    pub fn is_page(&self) -> bool {
        self.routes().any(|route| matches!(route.action, Action::Page(_)))
    }

    /// The value of `Allow` (RFC 9110, section 10.2.1).
    pub fn allow(&self) -> String {
        let mut allow = String::new();
        for route in self.routes() {
            allow.push_str(route.method.as_str());
            allow.push_str(if route.method == Method::GET { ", HEAD, " } else { ", " });
        }
        allow + "OPTIONS"
    }
}

/// The segment of `path` where `template` has the `nth` braces, counted from 0. The segment is decoded: empty when the template
/// has fewer braces, and `None` when it is not UTF-8. `None` of all when the two do not match.
#[allow(clippy::option_option, reason = "a match whose key is not UTF-8 is a match")]
pub fn key<'p>(template: &str, path: &'p str, mut nth: usize) -> Option<Option<Cow<'p, str>>> {
    let decoded = |segment| percent_decode(segment).decode_utf8().ok();
    // `str::split` is ten times as slow in texts of this length.
    let is_slash = |byte: &u8| *byte == b'/';
    let mut key = Some(Cow::Borrowed(""));
    let mut segments = path.as_bytes().split(is_slash);
    for expected in template.as_bytes().split(is_slash) {
        let segment = segments.next()?;
        if expected.starts_with(b"{") && !segment.is_empty() {
            if nth == 0 {
                key = decoded(segment);
            }
            nth = nth.wrapping_sub(1);
        } else if segment != expected && !percent_decode(segment).eq(expected.iter().copied()) {
            return None;
        }
    }
    segments.next().is_none().then_some(key)
}

/// The kind of the key in `path`, which is a path of the table; of several, that of the first.
pub fn kind_of_key(routes: &[Route], path: &str) -> Option<Kind> {
    let calls = routes.iter().filter(|route| route.path == path).filter_map(|route| match &route.action {
        Action::Call(call) => Some(call),
        _ => None,
    });
    calls.flat_map(|call| call.parameters).find_map(|(_, source)| match source {
        Source::Path(kind) => Some(*kind),
        _ => None,
    })
}

impl Call {
    /// True when it takes the name of the caller.
    pub fn takes_caller(&self) -> bool {
        self.parameters.iter().any(|(_, source)| matches!(source, Source::Caller))
    }

    /// True when it takes `If-Match`.
    pub fn is_versioned(&self) -> bool {
        self.parameters.iter().any(|(_, source)| matches!(source, Source::IfMatch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::routes! {
        /// Create
        PUT "/thing" => put_thing(Json: body("thing")) creates ThingID at "/thing/{id}";
        /// One
        /// thing
        GET "/thing/{id}" => get_thing(ThingID: key(ID));
        /// Delete
        DELETE "/thing/{id}" => delete_thing(ThingID: key(ID), IfMatch: if_match);
        /// All
        GET "/things" => get_things(After: page(NVARCHAR(20)), Limit: query("limit", 1..=100, 10), Name: optional("name", NVARCHAR(5)));
        /// Alive
        GET "/alive" => alive;
        /// A part of a thing
        GET "/part/{thing}/{number}" => get_part(ThingID: key(NVARCHAR(9)), Number: key(INT));
        /// The parts of a thing
        GET "/thing/{id}/parts" => get_parts(ThingID: key(ID), After: page(NVARCHAR(4000)));
        /// Create one or many
        POST "/things" => put_thing(Json: body("thing")) creates ThingID at "/thing/{id}", many by put_things;
        /// Create or replace
        PUT "/sign/{id}" => replace_sign(SignID: key(ID), Json: body("sign"), IfMatch: if_match, IfNoneMatch: if_none_match, By: caller);
    }

    /// The path in the table, and the segments in braces.
    fn find(path: &str) -> Option<(&'static str, String)> {
        let template = Found::at(ROUTES, path)?.path;
        let keys = 0..template.matches('{').count();
        let keys = keys.map(|nth| key(template, path, nth).unwrap().unwrap()).collect::<Vec<_>>();
        Some((template, keys.join("|")))
    }

    fn call(index: usize) -> &'static Call {
        match &ROUTES[index].action {
            Action::Call(call) => call,
            _ => panic!("a call"),
        }
    }

    #[test]
    fn the_table_says_all_about_a_route() {
        let created = Creates { column: "ThingID", path: "/thing/{id}" };
        assert_eq!((call(0).procedure, call(0).creates), ("put_thing", Some(created)));
        assert_eq!((call(1).procedure, call(1).creates), ("get_thing", None));
        assert_eq!((call(7).procedure, call(7).creates), ("put_thing", Some(created)));
        let many = call(7).many.unwrap();
        assert_eq!((many.procedure, many.creates), ("put_things", None));
        assert!(matches!(many.parameters, [("Json", Source::Body("thing"))]) && call(0).many.is_none());
        assert_eq!(ROUTES[1].doc, [" One", " thing"]);
        assert!(matches!(call(0).parameters, [("Json", Source::Body("thing"))]));
        assert!(matches!(call(3).parameters[0], ("After", Source::Page(Kind::Text(20)))));
        assert!(matches!(ROUTES[4].action, Action::Alive));
        assert!(call(2).is_versioned() && !call(1).is_versioned());
        assert!(matches!(call(8).parameters[3..], [("IfNoneMatch", Source::IfNoneMatch), ("By", Source::Caller)]));
    }

    #[test]
    fn segments_are_matched_after_percent_decoding() {
        assert_eq!(find("/thing"), Some(("/thing", String::new())));
        assert_eq!(find("/th%69ng"), Some(("/thing", String::new())));
        assert_eq!(find("/thing/7"), Some(("/thing/{id}", "7".into())));
        assert_eq!(find("/thing/%37%2F8"), Some(("/thing/{id}", "7/8".into())));
    }

    #[test]
    fn a_key_is_utf_8_and_may_have_any_character() {
        assert_eq!(find("/thing/%EF%BF%BD"), Some(("/thing/{id}", "\u{fffd}".into())));
        assert_eq!(key("/thing/{id}", "/thing/%FF", 0), Some(None));
        assert_eq!(key("/part/{thing}/{number}", "/part/%FF/7", 0), Some(None));
        assert_eq!(key("/part/{thing}/{number}", "/part/%FF/7", 1), Some(Some("7".into())));
        assert_eq!(key("/part/{thing}/{number}", "/part/%FF/7", 2), Some(Some("".into())));
    }

    #[test]
    fn a_key_of_several_columns_has_a_segment_for_each() {
        assert_eq!(find("/part/a%2Fb/%2D7"), Some(("/part/{thing}/{number}", "a/b|-7".into())));
        assert_eq!(find("/thing/7/parts"), Some(("/thing/{id}/parts", "7".into())));
        for path in ["/part", "/part/a", "/part/a/", "/part//7", "/part/a/7/", "/part/a/7/8"] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn other_paths_match_nothing() {
        for path in ["", "/", "*", "thing", "/thing/", "/thing/7/", "/thing/7/8", "/Thing", "//thing", "/thing//7"] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn the_kind_of_a_key_is_that_of_its_routes() {
        assert_eq!(kind_of_key(ROUTES, "/thing/{id}"), Some(kind::ID));
        assert_eq!(kind_of_key(ROUTES, "/things"), None);
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
