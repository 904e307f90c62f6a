//! Reads the table of routes from an app's `src/lib.rs`, so that nothing has to be compiled to see it.
//!
//! The table has the words of [`azure_sql_rest::route`]; the compiler reads the same table by the macro `component!`.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use azure_sql_rest::route::{Action, Call, Creates, Kind, Page, Route, Source, kind, source};
use http::Method;
use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Ident, LitInt, LitStr, Token, braced, bracketed, parenthesized};

/// The file with the table, in a project.
pub(crate) const FILE: &str = "src/lib.rs";

/// Reads the routes of the project at `root`. They live as long as the program.
///
/// # Errors
///
/// When there is no table, or a line of it has no meaning; the message has file, line and column.
pub(crate) fn read(root: &Path) -> Result<&'static [Route]> {
    let text = fs::read_to_string(root.join(FILE)).with_context(|| format!("cannot read {FILE}"))?;
    parse(&text)
}

fn parse(text: &str) -> Result<&'static [Route]> {
    let place = |error: syn::Error| {
        let start = error.span().start();
        anyhow::anyhow!("{FILE}:{}:{}: {error}", start.line, start.column + 1)
    };
    let tokens: TokenStream = text.parse().map_err(|error: proc_macro2::LexError| place(error.into()))?;
    let Some(table) = component(tokens) else {
        bail!("{FILE} has no azure_sql_rest::component! {{ … }}");
    };
    let routes = table_of.parse2(table).map_err(place)?;
    ensure!(!routes.is_empty(), "{FILE} has no routes");
    Ok(routes.leak())
}

/// The tokens in the braces of `component! { … }`.
fn component(tokens: TokenStream) -> Option<TokenStream> {
    let mut tokens =
        tokens.into_iter().skip_while(|token| !matches!(token, TokenTree::Ident(name) if name == "component"));
    match (tokens.nth(1), tokens.next()) {
        (Some(TokenTree::Punct(bang)), Some(TokenTree::Group(group))) if bang.as_char() == '!' => Some(group.stream()),
        _ => None,
    }
}

/// The lines of `routes: { … }`; the members before it are left out.
fn table_of(input: ParseStream) -> syn::Result<Vec<Route>> {
    while !input.is_empty() {
        let name: Ident = input.parse()?;
        input.parse::<Token![:]>()?;
        if name == "routes" {
            let lines;
            braced!(lines in input);
            let mut routes = Vec::new();
            while !lines.is_empty() {
                routes.push(lines.call(route)?);
            }
            input.parse::<TokenStream>()?;
            return Ok(routes);
        }
        while !input.is_empty() && input.parse::<Option<Token![,]>>()?.is_none() {
            input.parse::<TokenTree>()?;
        }
    }
    Err(input.error("expected routes: { … }"))
}

fn route(input: ParseStream) -> syn::Result<Route> {
    let mut doc = Vec::new();
    while input.parse::<Option<Token![#]>>()?.is_some() {
        let line;
        bracketed!(line in input);
        line.parse::<Ident>()?;
        line.parse::<Token![=]>()?;
        doc.push(text(&line)?);
    }
    if doc.is_empty() {
        return Err(input.error("expected a line of documentation: /// What the route does"));
    }
    let name: Ident = input.parse()?;
    let method = Method::from_bytes(name.to_string().as_bytes()).ok();
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let method = method.filter(|method| known.contains(method));
    let method = method.ok_or_else(|| syn::Error::new(name.span(), "expected GET, POST, PUT, PATCH or DELETE"))?;
    let path = text(input)?;
    input.parse::<Token![=>]>()?;
    let action = action(input)?;
    // A procedure would take its absence for a caller without a name.
    if method == Method::GET && matches!(&action, Action::Call(call) if call.takes_caller()) {
        return Err(input.error("expected no caller: only a write has one"));
    }
    input.parse::<Token![;]>()?;
    Ok(Route { method, path, doc: doc.leak(), action })
}

fn action(input: ParseStream) -> syn::Result<Action> {
    let name: Ident = input.parse()?;
    if !input.peek(syn::token::Paren) {
        return Ok(match name.to_string().as_str() {
            "alive" => Action::Alive,
            "ready" => Action::Ready,
            "openapi" => Action::OpenApi,
            "home" => Action::Page(Page::Home),
            "docs" => Action::Page(Page::Docs),
            "problems" => Action::Page(Page::Problems),
            _ => {
                return Err(syn::Error::new(
                    name.span(),
                    "expected alive, ready, openapi, home, docs, problems, or a procedure(…)",
                ));
            }
        });
    }
    let list;
    parenthesized!(list in input);
    let parameters = list.parse_terminated(parameter, Token![,])?;
    let parameters: &[_] = Vec::from_iter(parameters).leak();
    let mut call = Call { procedure: leak(name), parameters, creates: None, many: None };
    if input.peek(Ident) {
        word(input, "creates")?;
        let column = leak(input.parse::<Ident>()?);
        word(input, "at")?;
        call.creates = Some(Creates { column, path: text(input)? });
        if input.parse::<Option<Token![,]>>()?.is_some() {
            word(input, "many")?;
            word(input, "by")?;
            let procedure = leak(input.parse::<Ident>()?);
            call.many = Some(Box::leak(Box::new(Call { procedure, parameters, creates: None, many: None })));
        }
    }
    Ok(Action::Call(call))
}

fn parameter(input: ParseStream) -> syn::Result<(&'static str, Source)> {
    let name = leak(input.parse::<Ident>()?);
    input.parse::<Token![:]>()?;
    let word: Ident = input.parse()?;
    match word.to_string().as_str() {
        "if_match" => return Ok((name, source::if_match)),
        "if_none_match" => return Ok((name, source::if_none_match)),
        "caller" => return Ok((name, source::caller)),
        _ => {}
    }
    let arguments;
    parenthesized!(arguments in input);
    let source = match word.to_string().as_str() {
        "key" => source::key(kind_of(&arguments)?),
        "page" => source::page(kind_of(&arguments)?),
        "body" => source::body(text(&arguments)?),
        "query" => {
            let name = text(&arguments)?;
            arguments.parse::<Token![,]>()?;
            let range = range(&arguments)?;
            arguments.parse::<Token![,]>()?;
            source::query(name, range, integer(&arguments)?)
        }
        "optional" => {
            let name = text(&arguments)?;
            arguments.parse::<Token![,]>()?;
            source::optional(name, kind_of(&arguments)?)
        }
        _ => {
            return Err(syn::Error::new(
                word.span(),
                "expected key, page, query, optional, body, if_match, if_none_match or caller",
            ));
        }
    };
    if !arguments.is_empty() {
        return Err(arguments.error("expected no more arguments"));
    }
    Ok((name, source))
}

fn kind_of(input: ParseStream) -> syn::Result<Kind> {
    let word: Ident = input.parse()?;
    Ok(match word.to_string().as_str() {
        "ID" => kind::ID,
        "BIG_ID" => kind::BIG_ID,
        "INT" => kind::INT,
        "BIGINT" => kind::BIGINT,
        "GUID" => kind::GUID,
        "NVARCHAR" => {
            let length;
            parenthesized!(length in input);
            kind::NVARCHAR(length.parse::<LitInt>()?.base10_parse()?)
        }
        _ => return Err(syn::Error::new(word.span(), "expected ID, BIG_ID, INT, BIGINT, GUID or NVARCHAR(length)")),
    })
}

fn range(input: ParseStream) -> syn::Result<RangeInclusive<i64>> {
    let first = integer(input)?;
    input.parse::<Token![..=]>()?;
    Ok(first..=integer(input)?)
}

fn integer(input: ParseStream) -> syn::Result<i64> {
    let sign = if input.parse::<Option<Token![-]>>()?.is_some() { "-" } else { "" };
    let literal: LitInt = input.parse()?;
    format!("{sign}{}", literal.base10_digits()).parse().map_err(|error| syn::Error::new(literal.span(), error))
}

fn word(input: ParseStream, expected: &str) -> syn::Result<()> {
    let found: Ident = input.parse()?;
    if found == expected { Ok(()) } else { Err(syn::Error::new(found.span(), format!("expected {expected}"))) }
}

fn text(input: ParseStream) -> syn::Result<&'static str> {
    Ok(input.parse::<LitStr>()?.value().leak())
}

fn leak(name: Ident) -> &'static str {
    name.to_string().leak()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Has the compiler read the table below, and keeps its text.
    macro_rules! twice {
        ($($table:tt)*) => {
            azure_sql_rest::routes! { $($table)* }
            const TABLE: &str = concat!("azure_sql_rest::component! { openapi: a!(1, 2), routes: {", stringify!($($table)*), "} }");
        };
    }

    twice! {
        /// Create
        PUT "/thing" => put_thing(Json: body("thing")) creates ThingID at "/thing/{id}";
        /// One
        /// thing
        GET "/thing/{id}" => get_thing(ThingID: key(NVARCHAR(20)));
        /// Other keys
        GET "/a/{id}" => get_a(A: key(ID), B: key(BIG_ID), C: key(INT), D: key(BIGINT), E: key(GUID));
        /// Create or replace
        PUT "/thing/{id}" => replace_thing(ThingID: key(NVARCHAR(20)), Json: body("thing"), IfMatch: if_match, IfNoneMatch: if_none_match);
        /// Delete
        DELETE "/thing/{id}" => delete_thing(ThingID: key(ID), IfMatch: if_match, By: caller);
        /// List
        GET "/things" => get_things(After: page(ID), Limit: query("limit", -1..=10_000, 1000), Name: optional("name", NVARCHAR(5)));
        /// Create one or many
        POST "/things" => put_thing(Json: body("thing")) creates ThingID at "/thing/{id}", many by put_things;
        /// Alive
        GET "/healthz" => alive;
        /// Ready
        GET "/readyz" => ready;
        /// Document
        GET "/openapi.json" => openapi;
        /// Home
        GET "/" => home;
        /// Docs
        GET "/docs" => docs;
        /// Problems
        GET "/problems" => problems;
    }

    #[test]
    fn the_table_is_read_as_the_compiler_reads_it() {
        let shape = |routes: &[Route]| {
            let shape = routes.iter().map(|route| {
                let action = match &route.action {
                    Action::Call(call) => {
                        let of = |call: &Call| {
                            let parameters = call.parameters.iter().map(|(name, source)| format!("{name}: {source:?}"));
                            format!("{} {:?} {:?}", call.procedure, parameters.collect::<Vec<_>>(), call.creates)
                        };
                        format!("{} {:?}", of(call), call.many.map(of))
                    }
                    Action::Alive => "alive".into(),
                    Action::Ready => "ready".into(),
                    Action::OpenApi => "openapi".into(),
                    Action::Page(page) => format!("{page:?}"),
                };
                format!("{} {} {:?} {action}", route.method, route.path, route.doc)
            });
            shape.collect::<Vec<_>>()
        };
        assert_eq!(shape(parse(TABLE).unwrap()), shape(ROUTES));
    }

    #[test]
    fn a_line_without_meaning_is_named_with_its_place() {
        for (line, expected) in [
            ("GET \"/a\" => alive;", "3:1: expected a line of documentation"),
            ("/// A\nFETCH \"/a\" => alive;", "4:1: expected GET, POST"),
            ("/// A\nGET \"/a\" => get_a(A: key(INTEGER));", "expected ID, BIG_ID"),
            ("/// A\nGET \"/a\" => get_a(A: path(INT));", "expected key, page"),
            ("/// A\nPUT \"/a\" => put_a(A: body(\"a\")) creates A;", "expected identifier"),
            ("/// A\nPUT \"/a\" => put_a(A: body(\"a\")) creates A at \"/a/{a}\", all by put_as;", "expected many"),
            ("/// A\nGET \"/a\" => get_a(By: caller);", "expected no caller: only a write has one"),
            ("/// A\nGET \"/a\" => health;", "expected alive, ready"),
            ("/// A\nGET \"/a\" => alive", "expected `;`"),
        ] {
            let text = format!("component! {{\n    routes: {{\n{line}\n}} }}");
            let error = parse(&text).err().unwrap().to_string();
            assert!(error.starts_with("src/lib.rs:") && error.contains(expected), "{line}: {error}");
        }
        assert!(parse("fn main() {}").is_err());
    }
}
