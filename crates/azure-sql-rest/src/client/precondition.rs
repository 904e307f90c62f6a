//! Preconditions on a row's version: `If-Match` and `If-None-Match` (RFC 9110, section 13). A version is an opaque text;
//! the entity tag is that text in double quotes, always strong.

use http::Method;
use http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};

use crate::client::problem::{Problem, kind};

/// The longest list of tags handed to a procedure, in characters: its parameter is `NVARCHAR(4000)`.
const MAX_LIST_CHARS: usize = 4000;

/// Stands for any version in a list of versions.
pub const ANY: &str = "*";

/// The conditions of a request.
#[derive(Debug)]
pub struct Preconditions<'h> {
    if_match: Condition<'h>,
    if_none_match: Condition<'h>,
}

/// The condition that one header sets.
#[derive(Debug, PartialEq, Eq)]
enum Condition<'h> {
    /// The header is absent.
    Absent,
    /// The header is not a list of entity tags.
    Malformed,
    /// `*`: any row.
    Any,
    /// A row in one of these versions.
    OneOf(Vec<EntityTag<'h>>),
}

/// The answer to a read after its preconditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The row itself.
    Proceed,
    /// 304: the client has this version.
    NotModified,
    /// 412: the client asked for other versions only.
    Failed,
}

impl<'h> Preconditions<'h> {
    /// Reads the conditions from the headers of a request.
    pub fn of(headers: &'h HeaderMap) -> Self {
        Self { if_match: Condition::of(headers, IF_MATCH), if_none_match: Condition::of(headers, IF_NONE_MATCH) }
    }

    /// Refuses a write with a precondition that its procedure does not evaluate. A client that sends a precondition relies
    /// on it. `is_versioned` is true if the procedure takes `If-Match`. A `PUT` of such a procedure takes `If-None-Match: *`, too.
    ///
    /// # Errors
    ///
    /// 412 for `If-Match` where the write creates a row, 400 for `If-None-Match` where the write changes one.
    pub fn refuse_on_write(&self, method: &Method, is_versioned: bool) -> Result<(), Problem> {
        if !is_versioned && self.if_match != Condition::Absent {
            let detail = "If-Match cannot hold: what is created has no version yet.";
            return Err(Problem::new(kind::PRECONDITION_FAILED, detail));
        }
        let takes_any = method == Method::PUT && self.allows_no_row();
        if is_versioned && self.if_none_match != Condition::Absent && !takes_any {
            let detail = "If-None-Match is for GET and HEAD; a change takes If-Match.";
            return Err(Problem::new(kind::INVALID_PARAMETER, detail));
        }
        Ok(())
    }

    /// True for `If-None-Match: *`, which no row fulfils.
    pub fn allows_no_row(&self) -> bool {
        self.if_none_match == Condition::Any
    }

    /// Returns the versions that `If-Match` accepts, without quotes and separated by spaces, which no tag contains. `*`
    /// becomes [`ANY`], which matches any row that exists. `None` means that the header is absent. A `PATCH` of a row that
    /// does not exist is 404 in any case, so that `*` changes nothing for its procedure.
    ///
    /// # Errors
    ///
    /// 412 for a list with weak tags only, which never match (RFC 9110, section 13.1.1). 400 for a value that is not a list
    /// of tags or is longer than 4000 characters.
    pub fn versions(&self, method: &Method) -> Result<Option<String>, Problem> {
        let invalid = |detail| Err(Problem::new(kind::INVALID_PARAMETER, detail));
        let tags = match &self.if_match {
            Condition::Any if method != Method::PATCH => return Ok(Some(ANY.to_owned())),
            Condition::Absent | Condition::Any => return Ok(None),
            Condition::Malformed => {
                return invalid("If-Match must be * or entity tags in double quotes, separated by commas.");
            }
            Condition::OneOf(tags) => tags,
        };
        // A tag that is not ASCII cannot be a version of ours, and a tag `*` must not read as any version.
        let strong = tags.iter().filter(|tag| !tag.weak && tag.opaque != ANY.as_bytes());
        let strong: Vec<_> = strong.filter_map(|tag| str::from_utf8(tag.opaque).ok()).collect();
        let versions = strong.join(" ");
        if versions.len() > MAX_LIST_CHARS {
            return invalid("If-Match names too many entity tags.");
        }
        if strong.is_empty() {
            let detail = "If-Match names only entity tags that never match, such as weak ones.";
            return Err(Problem::new(kind::PRECONDITION_FAILED, detail));
        }
        Ok(Some(versions))
    }

    /// Decides how a read answers, given the `version` of the row. A malformed header sets no condition, because a read can
    /// ignore it without harm.
    pub fn of_read(&self, version: &str) -> Verdict {
        let names = |condition: &Condition, weakly: bool, otherwise: bool| match condition {
            Condition::Absent | Condition::Malformed => otherwise,
            Condition::Any => true,
            Condition::OneOf(tags) => tags.iter().any(|tag| tag.opaque == version.as_bytes() && (weakly || !tag.weak)),
        };
        if !names(&self.if_match, false, true) {
            Verdict::Failed
        } else if names(&self.if_none_match, true, false) {
            Verdict::NotModified
        } else {
            Verdict::Proceed
        }
    }
}

impl<'h> Condition<'h> {
    /// Reads the condition in the header `name`. Several lines of one header are one list.
    fn of(headers: &'h HeaderMap, name: HeaderName) -> Self {
        let lines: Vec<_> = headers.get_all(name).iter().map(|line| line.as_bytes().trim_ascii()).collect();
        let mut tags = Vec::new();
        match lines.as_slice() {
            [] => Self::Absent,
            [b"*"] => Self::Any,
            lines if lines.iter().any(|line| entity_tags(line, &mut tags).is_none()) || tags.is_empty() => {
                Self::Malformed
            }
            _ => Self::OneOf(tags),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct EntityTag<'h> {
    weak: bool,
    opaque: &'h [u8],
}

/// `[W/]"…"`, separated by commas; elements may be empty (RFC 9110, sections 5.6.1.2 and 8.8.3).
fn entity_tags<'h>(mut rest: &'h [u8], tags: &mut Vec<EntityTag<'h>>) -> Option<()> {
    loop {
        rest = rest.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            let (weak, quoted) = match rest.strip_prefix(b"W/") {
                Some(quoted) => (true, quoted),
                None => (false, rest),
            };
            let quoted = quoted.strip_prefix(b"\"")?;
            let end = quoted.iter().position(|byte| *byte == b'"')?;
            let opaque = &quoted[..end];
            if opaque.iter().any(|byte| matches!(byte, 0..=b' ' | 0x7f)) {
                return None;
            }
            tags.push(EntityTag { weak, opaque });
            rest = quoted[end + 1..].trim_ascii_start();
        }
        match rest.split_first() {
            None => return Some(()),
            Some((b',', after)) => rest = after,
            Some(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn headers(name: HeaderName, lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), HeaderValue::from_bytes(line.as_bytes()).unwrap())).collect()
    }

    fn if_match(lines: &[&str]) -> Result<Option<String>, u16> {
        let headers = headers(IF_MATCH, lines);
        let versions = Preconditions::of(&headers).versions(&Method::PATCH);
        versions.map_err(|problem| problem.kind().status.as_u16())
    }

    #[test]
    fn if_match_is_strong_tags_or_any() {
        let versions = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(if_match(&[]), Ok(None));
        assert_eq!(if_match(&[" * "]), Ok(None));
        assert_eq!(if_match(&["\"v1\""]), versions("v1"));
        assert_eq!(if_match(&["\"v1\" , \"v2\",W/\"v3\""]), versions("v1 v2"));
        assert_eq!(if_match(&["\"a,b\"", "\"c\""]), versions("a,b c"));
        assert_eq!(if_match(&[",, \"a\" ,"]), versions("a"));
        assert_eq!(if_match(&["\"\""]), versions(""));
    }

    #[test]
    fn any_version_is_told_where_a_row_may_be_missing() {
        let of = |line: &str, method: &Method| {
            let headers = headers(IF_MATCH, &[line]);
            Preconditions::of(&headers).versions(method).map_err(|problem| problem.kind().status.as_u16())
        };
        assert_eq!(of("*", &Method::DELETE), Ok(Some("*".to_owned())));
        assert_eq!(of("*", &Method::PUT), Ok(Some("*".to_owned())));
        assert_eq!(of("*", &Method::PATCH), Ok(None));
        assert_eq!(of("\"*\"", &Method::DELETE), Err(412), "a tag that looks like it");
        assert_eq!(of("\"*\", \"v1\"", &Method::DELETE), Ok(Some("v1".to_owned())));
    }

    #[test]
    fn a_write_takes_the_conditions_that_its_procedure_evaluates() {
        let refused = |name: HeaderName, line: &str, method: &Method, is_versioned: bool| {
            let headers = headers(name, &[line]);
            let refused = Preconditions::of(&headers).refuse_on_write(method, is_versioned);
            refused.map_err(|problem| problem.kind().status.as_u16()).err()
        };
        assert_eq!(refused(IF_NONE_MATCH, "*", &Method::PUT, true), None);
        assert_eq!(refused(IF_NONE_MATCH, "\"v1\"", &Method::PUT, true), Some(400));
        for method in [Method::PATCH, Method::DELETE] {
            assert_eq!(refused(IF_NONE_MATCH, "*", &method, true), Some(400));
        }
        assert_eq!(refused(IF_NONE_MATCH, "*", &Method::POST, false), None);
        assert_eq!(refused(IF_MATCH, "*", &Method::PUT, false), Some(412));
        assert_eq!(refused(IF_MATCH, "*", &Method::PUT, true), None);
    }

    #[test]
    fn weak_tags_never_match() {
        assert_eq!(if_match(&["W/\"v1\""]), Err(412));
        assert_eq!(if_match(&["W/\"v1\", W/\"v2\""]), Err(412));
    }

    #[test]
    fn a_malformed_if_match_is_400() {
        for line in ["", ",", "v1", "\"v1", "\"a b\"", "\"a\"\"b\"", "w/\"a\"", "*, \"a\"", "**", "\"a\" \"b\""] {
            assert_eq!(if_match(&[line]), Err(400), "{line}");
        }
        assert_eq!(if_match(&["*", "*"]), Err(400));
        assert_eq!(if_match(&["*", "\"a\""]), Err(400));
        let long = format!("\"{}\"", "a".repeat(4001));
        assert_eq!(if_match(&[&long]), Err(400));
    }

    #[test]
    fn a_read_is_not_repeated_for_who_has_it() {
        let none_match = |lines: &[&str]| Preconditions::of(&headers(IF_NONE_MATCH, lines)).of_read("v1");
        assert_eq!(none_match(&[]), Verdict::Proceed);
        for lines in [&["\"v1\""][..], &["W/\"v1\""], &["*"], &["\"v0\"", "\"v1\""]] {
            assert_eq!(none_match(lines), Verdict::NotModified, "{lines:?}");
        }
        for lines in [&["\"v2\""][..], &["v1"], &[""], &["\"V1\""]] {
            assert_eq!(none_match(lines), Verdict::Proceed, "{lines:?}");
        }
    }

    #[test]
    fn a_read_may_insist_on_a_version() {
        let must_match = |lines: &[&str]| Preconditions::of(&headers(IF_MATCH, lines)).of_read("v1");
        assert_eq!(must_match(&["\"v1\""]), Verdict::Proceed);
        assert_eq!(must_match(&["*"]), Verdict::Proceed);
        assert_eq!(must_match(&["W/\"v1\""]), Verdict::Failed);
        assert_eq!(must_match(&["\"v2\""]), Verdict::Failed);
    }

    proptest! {
        #[test]
        fn a_list_that_is_written_is_read(tags in proptest::collection::vec((any::<bool>(), "[!#-)+-~]{0,12}"), 1..6)) {
            let line: Vec<_> = tags.iter().map(|(weak, tag)| format!("{}\"{tag}\"", if *weak { "W/" } else { "" })).collect();
            let strong: Vec<_> = tags.iter().filter(|(weak, _)| !weak).map(|(_, tag)| tag.as_str()).collect();
            let expected = if strong.is_empty() { Err(412) } else { Ok(Some(strong.join(" "))) };
            prop_assert_eq!(if_match(&[&line.join(", ")]), expected.clone());
            prop_assert_eq!(if_match(&line.iter().map(String::as_str).collect::<Vec<_>>()), expected);
        }

        #[test]
        fn nothing_makes_it_panic_and_what_is_taken_has_no_quotes(bytes in proptest::collection::vec(prop_oneof![Just(b'"'), Just(b','), Just(b'*'), Just(b'W'), Just(b'/'), Just(b' '), 0x20_u8..=0xff], 0..30)) {
            prop_assume!(HeaderValue::from_bytes(&bytes).is_ok());
            let headers: HeaderMap = [(IF_MATCH, HeaderValue::from_bytes(&bytes).unwrap())].into_iter().collect();
            let preconditions = Preconditions::of(&headers);
            if let Ok(Some(versions)) = preconditions.versions(&Method::DELETE) {
                prop_assert!(!versions.contains('"'));
            }
            let _ = preconditions.of_read("v1");
        }
    }
}
