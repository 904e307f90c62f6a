//! The arguments of a call, from the path, the query and the headers of a request, each with its limits.

use std::borrow::Cow;

use http::HeaderMap;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::client::precondition::Preconditions;
use crate::client::problem::{Problem, kind};
use crate::dab::request::{Arguments, Value};
use crate::headers::IDEMPOTENCY_KEY;
use crate::route::{self, Call, Kind, Source};

/// The query parameter with the key behind which a page begins.
pub const AFTER: &str = "after";

/// The arguments that the head of a request has for `call`, a call of the path that is `template` in the table. The JSON of
/// the body is not among them: [`crate::client::body`] reads it. `caller` is the name of the caller of a write.
///
/// # Errors
///
/// 400 for a value that is not of its kind, for an unknown query parameter, and the errors of [`Preconditions::versions`].
pub fn of_head(
    call: &Call,
    head: &Parts,
    template: &str,
    preconditions: &Preconditions,
    caller: Option<&str>,
) -> Result<Arguments, Problem> {
    let mut arguments = Arguments::new();
    let (mut has_query, mut known, mut parts) = (false, 0, 0);
    for (name, source) in call.parameters {
        let (field, kind, default) = match *source {
            Source::Query(field, kind, default) => (field, kind, default),
            Source::Page(kind) => (AFTER, kind, matches!(kind, Kind::Integer(0, _)).then_some(0)),
            Source::Path(kind) => {
                let key = route::key(template, head.uri.path(), parts).flatten();
                parts += 1;
                let value = key.and_then(|key| value(kind, &key));
                let value =
                    value.ok_or_else(|| invalid(&format!("The key in the path must be {}.", description(kind))))?;
                arguments.push((*name, value));
                continue;
            }
            Source::IfMatch => {
                arguments.extend(preconditions.versions(&head.method)?.map(|versions| (*name, Value::Text(versions))));
                continue;
            }
            Source::IfNoneMatch => {
                arguments.extend(preconditions.allows_no_row().then_some((*name, Value::Integer(1))));
                continue;
            }
            Source::Caller => {
                let caller = caller.filter(|caller| !caller.is_empty());
                arguments.extend(caller.map(|caller| (*name, Value::Text(caller.to_owned()))));
                continue;
            }
            Source::Body(_) => continue,
        };
        has_query = true;
        let value = query(head, field, kind)?;
        known += usize::from(value.is_some());
        let value = value.or(default.map(Value::Integer));
        arguments.extend(value.map(|value| (*name, value)));
    }
    // A filter with a slip in its name would return every row.
    if has_query && pairs(head.uri.query().unwrap_or_default()).count() > known {
        return Err(invalid("The query has a parameter that is unknown here."));
    }
    Ok(arguments)
}

/// The query parameter `name`, if there is one.
fn query(head: &Parts, name: &str, kind: Kind) -> Result<Option<Value>, Problem> {
    let mut values = fields(head.uri.query().unwrap_or_default()).filter(|(field, _)| field.as_deref() == Some(name));
    let only = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some((_, text)), None) => text.and_then(|text| value(kind, &text)),
        (Some(_), Some(_)) => None,
    };
    only.map(Some).ok_or_else(|| {
        let kind = description(kind);
        invalid(&format!("The query parameter {name} must be given once, as {kind}."))
    })
}

/// Returns the value of `text`, if it is of this kind. A GUID becomes upper case, which is SQL Server's spelling.
pub fn value(kind: Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Integer(min, max) => {
            // `parse` would also take a plus, and a minus before zero.
            let digits = text.strip_prefix('-').filter(|_| min < 0).unwrap_or(text);
            let digits = digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse().ok()?;
            (digits && (min..=max).contains(&number)).then_some(Value::Integer(number))
        }
        Kind::Text(max) => {
            let fits = !text.is_empty() && text.encode_utf16().count() <= max;
            fits.then(|| Value::Text(text.to_owned()))
        }
        Kind::Guid => is_guid(text).then(|| Value::Text(text.to_ascii_uppercase())),
    }
}

fn description(kind: Kind) -> String {
    match kind {
        Kind::Integer(min, max) => format!("a whole number between {min} and {max}"),
        Kind::Text(max) => format!("1 to {max} characters"),
        Kind::Guid => "a GUID with hyphens".to_owned(),
    }
}

/// True for a GUID with hyphens and nothing around it.
pub fn is_guid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

/// The `Idempotency-Key` of a request: 1 to 255 visible ASCII characters.
///
/// # Errors
///
/// 400 for any other value, or for several.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (Some(value), next) = (values.next(), values.next()) else {
        return Ok(None);
    };
    let key = value.to_str().ok().filter(|key| {
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        next.is_none() && (1..=255).contains(&key.len()) && visible
    });
    key.map(Some).ok_or_else(|| invalid("Idempotency-Key must be given once, as 1 to 255 visible ASCII characters."))
}

fn invalid(detail: &str) -> Problem {
    Problem::new(kind::INVALID_PARAMETER, detail)
}

/// The pairs of an `application/x-www-form-urlencoded` text; a name or value that is not UTF-8 once decoded is `None`.
pub fn fields(text: &str) -> impl Iterator<Item = (Option<Cow<'_, str>>, Option<Cow<'_, str>>)> {
    pairs(text).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn pairs(text: &str) -> impl Iterator<Item = &str> {
    text.split('&').filter(|pair| !pair.is_empty())
}

/// `+` is a space, `%XX` a byte, and a `%` that begins no such escape stands for itself (WHATWG URL, section 5.1).
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
        return Some(Cow::Owned(decoded.into_owned()));
    }
    percent_decode_str(text).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, Request};
    use proptest::prelude::*;

    const ID: Kind = Kind::Integer(1, i32::MAX as i64);
    const LIMIT: Kind = Kind::Integer(1, 10_000);
    const PAGE: Source = route::source::page(route::kind::ID);
    const ANY_PAGE: Source = route::source::page(route::kind::INT);

    fn head(query: &str) -> Option<Parts> {
        let request = Request::get(format!("/things?{query}")).body(()).ok()?;
        Some(request.into_parts().0)
    }

    /// The value of `limit`, 0 when it is absent.
    fn limit(text: &str) -> Option<i64> {
        match query(&head(text).unwrap(), "limit", LIMIT) {
            Ok(None) => Some(0),
            Ok(Some(Value::Integer(limit))) => Some(limit),
            _ => None,
        }
    }

    #[test]
    fn ids_are_positive_ints_in_plain_digits() {
        for (text, id) in [("1", 1), ("2147483647", i32::MAX.into()), ("007", 7)] {
            assert_eq!(value(ID, text), Some(Value::Integer(id)));
        }
        let long = "1".repeat(10_240);
        for text in ["0", "-1", "abc", "2147483648", "1.5", " ", "+1", "", "1 ", "1e3", "\u{664}", &long] {
            assert_eq!(value(ID, text), None, "{text}");
        }
        assert_eq!(value(Kind::Integer(1, i64::MAX), "9223372036854775807"), Some(Value::Integer(i64::MAX)));
        let int = Kind::Integer(i32::MIN.into(), i32::MAX.into());
        assert_eq!(value(int, "-2147483648"), Some(Value::Integer(i32::MIN.into())));
        assert_eq!(value(int, "0"), Some(Value::Integer(0)));
        for text in ["-2147483649", "-", "--1", "+1", "- 1", ""] {
            assert_eq!(value(int, text), None, "{text}");
        }
    }

    #[test]
    fn texts_are_measured_in_utf16_and_guids_have_hyphens() {
        for text in ["a", "\u{1f600}x", "\u{fffd}", " ' ; -- "] {
            assert_eq!(value(Kind::Text(9), text), Some(Value::Text(text.into())));
        }
        for (max, text) in [(5, ""), (1, "\u{1f600}"), (2, "abc")] {
            assert_eq!(value(Kind::Text(max), text), None, "{text}");
        }
        let guid = "0f8fad5b-d9cb-469f-a165-70867728950e";
        assert_eq!(value(Kind::Guid, guid), Some(Value::Text(guid.to_uppercase())));
        for text in ["", "0f8fad5bd9cb469fa16570867728950e", "{0f8fad5b-d9cb-469f-a165-70867728950}"] {
            assert_eq!(value(Kind::Guid, text), None, "{text}");
        }
    }

    #[test]
    fn query_parameters_are_given_once_and_in_range() {
        for (query, value) in
            [("", 0), ("after=3&x", 0), ("limit=1", 1), ("l%69mit=%31%30", 10), ("a=b&limit=10000", 10_000)]
        {
            assert_eq!(limit(query), Some(value), "{query}");
        }
        for query in
            ["limit", "limit=", "limit=0", "limit=10001", "limit=x", "limit=+1", "limit=1&limit=1", "limit=%ff"]
        {
            assert_eq!(limit(query), None, "{query}");
        }
    }

    #[test]
    fn arguments_come_from_where_the_call_says() {
        let call = Call {
            procedure: "get_things",
            parameters: &[
                ("Code", Source::Path(Kind::Text(4))),
                ("Number", Source::Path(Kind::Integer(0, 9))),
                ("After", PAGE),
                ("Limit", Source::Query("limit", LIMIT, Some(100))),
                ("Name", Source::Query("name", Kind::Text(9), None)),
                ("IfMatch", Source::IfMatch),
                ("IfNoneMatch", Source::IfNoneMatch),
                ("Json", Source::Body("thing")),
            ],
            creates: None,
            many: None,
        };
        let of = |query: &str, key: &str| {
            let head = Request::get(format!("/thing/{key}?{query}")).body(()).unwrap().into_parts().0;
            let arguments = of_head(&call, &head, "/thing/{code}/{number}", &Preconditions::of(&head.headers), None);
            arguments.map_err(|problem| problem.kind())
        };
        let text = |text: &str| Value::Text(text.into());
        let number = ("Number", Value::Integer(7));
        let defaults =
            [("Code", text("a/b")), number.clone(), ("After", Value::Integer(0)), ("Limit", Value::Integer(100))];
        assert_eq!(of("", "a%2Fb/7").unwrap(), defaults);
        let given = [
            ("Code", text("x")),
            number,
            ("After", Value::Integer(7)),
            ("Limit", Value::Integer(2)),
            ("Name", text("\u{e9} x")),
        ];
        assert_eq!(of("limit=2&after=7&name=%C3%A9+x", "x/7").unwrap(), given);
        let any = Call { parameters: &[("After", ANY_PAGE)], ..call };
        let head = head("").unwrap();
        assert_eq!(
            of_head(&any, &head, "", &Preconditions::of(&head.headers), None).unwrap(),
            [],
            "the first key may be the least"
        );
        assert_eq!(
            of("&limit=2&&after=7&name=%C3%A9+x&", "x/7").unwrap(),
            given,
            "nothing between ampersands is no parameter"
        );
        let none = Request::put("/").header("if-none-match", "*").body(()).unwrap().into_parts().0;
        let replaces = Call { parameters: &[("IfNoneMatch", Source::IfNoneMatch)], ..call };
        let no_row = [("IfNoneMatch", Value::Integer(1))];
        assert_eq!(of_head(&replaces, &none, "", &Preconditions::of(&none.headers), None).unwrap(), no_row);
        let unknown = [("nam=x", "x/7"), ("name=x&Name=y", "x/7"), ("limit=2&_", "x/7")];
        let no_key = [("", "abcde/7"), ("", "x/x"), ("", "7/10"), ("", "%FF/7"), ("", "x/%FF")];
        let invalid = [("limit=x", "x/7"), ("name=", "x/7"), ("name=0123456789", "x/7")];
        for (query, key) in unknown.into_iter().chain(no_key).chain(invalid) {
            assert_eq!(of(query, key), Err(kind::INVALID_PARAMETER), "{query} {key}");
        }
    }

    #[test]
    fn idempotency_keys_are_visible_ascii() {
        let key = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value).unwrap());
            idempotency_key(&headers).map(|key| key.map(str::to_owned)).ok()
        };
        assert_eq!(idempotency_key(&HeaderMap::new()).unwrap(), None);
        assert_eq!(key(b"a-~!\"1"), Some(Some("a-~!\"1".to_owned())));
        assert!(key("k".repeat(255).as_bytes()).is_some());
        for value in ["".as_bytes(), b"a b", "k".repeat(256).as_bytes(), "\u{e9}".as_bytes()] {
            assert_eq!(key(value), None);
        }
        let mut twice = HeaderMap::new();
        twice.append(IDEMPOTENCY_KEY, HeaderValue::from_static("a"));
        twice.append(IDEMPOTENCY_KEY, HeaderValue::from_static("a"));
        assert!(idempotency_key(&twice).is_err());
    }

    proptest! {
        #[test]
        fn forms_are_decoded_as_the_reference_decodes_them(form in "([a=&%+ ;0-9A-Fac\u{e9}]|customer=|%[0-9A-F]{2}){0,24}") {
            let reference: Vec<_> = form_urlencoded::parse(form.as_bytes()).collect();
            let ours: Vec<_> = fields(&form).collect();
            prop_assert_eq!(ours.len(), reference.len());
            for ((name, value), (reference_name, reference_value)) in ours.iter().zip(&reference) {
                for (ours, reference) in [(name, reference_name), (value, reference_value)] {
                    match ours {
                        Some(ours) => prop_assert_eq!(ours, reference),
                        // The reference replaces what is not UTF-8; here it is an error.
                        None => prop_assert_ne!(reference.find(char::REPLACEMENT_CHARACTER), None),
                    }
                }
            }
        }

        #[test]
        fn ids_are_what_a_wider_integer_says(text in "[0-9]{1,12}|[-+ 0-9a\u{664}.]{0,4}") {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let expected = text.parse().ok().filter(|number| digits && (1..=2_147_483_647).contains(number));
            prop_assert_eq!(value(ID, &text), expected.map(Value::Integer));
        }

        #[test]
        fn query_parameters_are_what_the_reference_finds(text in "((limit|after|l%69mit|x)=[0-9%a]{0,6}&?){0,4}") {
            let found: Vec<_> = form_urlencoded::parse(text.as_bytes()).filter(|(name, _)| name == "limit").collect();
            let expected = match found.as_slice() {
                [] => Some(0),
                [(_, value)] => value.parse().ok().filter(|limit| (1..=10_000).contains(limit)),
                _ => None,
            };
            prop_assume!(head(&text).is_some());
            prop_assert_eq!(limit(&text), expected);
        }
    }
}
