use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::platform::fake::block_on;

/// A body that arrives in these parts.
struct Parts(VecDeque<Vec<u8>>);

impl Chunks for Parts {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.0.pop_front())
    }
}

/// Reads `answer` in parts of `size` bytes.
fn read(answer: &[u8], size: usize) -> Result<(Head, String), Failure> {
    let parts = answer.chunks(size).map(<[u8]>::to_vec).collect();
    block_on(async {
        let Row { head, mut text } = Row::read(Parts(parts), None).await?;
        let mut whole = Vec::new();
        while let Some(piece) = text.next().await? {
            whole.extend(piece);
        }
        Ok((head, String::from_utf8(whole).expect("UTF-8")))
    })
}

/// Reads the row of a call that creates.
fn created(answer: &str) -> Result<Head, Failure> {
    let parts = Parts([answer.as_bytes().to_vec()].into());
    block_on(Row::read(parts, Some("CustomerID"))).map(|row| row.head)
}

fn whole(answer: &str) -> Result<(Head, String), Failure> {
    read(answer.as_bytes(), usize::MAX)
}

#[test]
fn a_row_is_read_by_column_names_in_parts_of_any_size() {
    let answer = r#"{"value":[{"Status":202,"ETag":"v\u0031","Other":7,"Extra":-1.5e3,"NextAfter":null,"Replayed":true,"Json":"[\"\u00e9\uD83D\uDE00\\\/é\"]\n"}]}
"#;
    let head = Head { status: StatusCode::ACCEPTED, etag: Some("v1".into()), replayed: true, ..Head::default() };
    let text = "[\"\u{e9}\u{1f600}\\/é\"]\n".to_owned();
    for size in 1..=answer.len() {
        assert_eq!(read(answer.as_bytes(), size), Ok((head.clone(), text.clone())), "{size}");
    }
}

#[test]
fn keys_are_numbers_or_texts() {
    let answer = r#"{"value":[{"Status":201,"CustomerID":"a\"b","NextAfter":9223372036854775807,"Total":3000000000,"Json":"[]"}]}"#;
    let head = created(answer).unwrap();
    assert_eq!((head.created.as_deref(), head.next_after.as_deref()), (Some("a\"b"), Some("9223372036854775807")));
    assert_eq!(head.total.as_deref(), Some("3000000000"));
}

#[test]
fn a_long_text_is_passed_on_before_its_end_and_a_refusal_is_not() {
    let long = "x".repeat(COLLECT_BYTES);
    for (status, is_whole) in [(200, false), (404, true)] {
        let begin = format!(r#"{{"value":[{{"Status":{status},"Json":"{{\"detail\":\"{long}"#);
        let parts = Parts([begin, r#"\"}"}]}"#.to_owned()].map(String::into_bytes).into());
        let text = block_on(Row::read(parts, None)).unwrap().text;
        assert_eq!(text.is_whole(), is_whole);
        assert_eq!(text.into_collected().ends_with(b"}"), is_whole);
    }
}

#[test]
fn a_row_that_was_not_agreed_breaks_the_contract() {
    for (row, expected) in [
        (r#""Status":404,"Json":null"#, "there is no text in Json"),
        (r#""Status":404,"Json":"not JSON""#, "Json is no report of a problem"),
        (r#""Status":404,"Json":"""#, "Json is no report of a problem"),
        (r#""Status":404,"Json":"{\"detail\":1}""#, "Json is no report of a problem"),
        (r#""Status":422,"Json":"{\"errors\":[]}""#, "Json is no report of a problem"),
        (r#""Status":200,"ETag":"a b","Json":"[]""#, "ETag is no entity tag"),
        (r#""Status":200,"ETag":"v\u00e9","Json":"[]""#, "ETag is no entity tag"),
        (r#""Status":200,"ETag":"\"","Json":"[]""#, "ETag is no entity tag"),
    ] {
        let read = whole(&format!(r#"{{"value":[{{{row}}}]}}"#));
        assert_eq!(read, Err(Failure::Contract(expected)), "{row}");
    }
    let missing = Failure::Contract("the key of the new row is missing");
    assert_eq!(created(r#"{"value":[{"Status":201,"Json":"[]"}]}"#), Err(missing));
    assert!(created(r#"{"value":[{"Status":409,"Json":"{\"detail\":\"No.\"}"}]}"#).is_ok());
}

#[test]
fn part_of_an_answer_is_malformed() {
    for answer in [
        "",
        "{",
        "<html>",
        "\u{feff}{}",
        r#"{"value":[{"Status":200,"Json":"["#,
        r#"{"value":[{"Status":200,"Json":"[]"}]}x"#,
        r#"{"value":[{"Status":200,"Json":"[]"}]"#,
        r#"{"value":[{"Status":200,"Json":"\x"}]}"#,
        r#"{"value":[{"Status":200,"Json":"\ud800"}]}"#,
        r#"{"value":[{"Status":200,"Json":"\ud800\u0041"}]}"#,
        r#"{"value":[{"Status":200,"Json":"\udc00 and more"}]}"#,
        r#"{"value":[{"Status":200,"Json":"\u00g0"}]}"#,
        r#"{"value":[{"Status":200,"Json":"\u+123"}]}"#,
        r#"{"value":[{"Status":2x0,"Json":""}]}"#,
        r#"{"value":[{"Status":200,"Extra":"\x","Json":""}]}"#,
    ] {
        for size in [1, usize::MAX] {
            assert_eq!(read(answer.as_bytes(), size), Err(Failure::Malformed), "{answer}");
        }
    }
}

#[test]
fn json_of_another_shape_breaks_the_contract() {
    for answer in [
        "[]",
        "{}",
        r#"{"rows":[]}"#,
        r#"{"value":[]}"#,
        r#"{"value":{}}"#,
        r#"{"value":[{}]}"#,
        r#"{"value":[{"Status":200}]}"#,
        r#"{"value":[{"Status":200,"Json":""},{"Status":200,"Json":""}]}"#,
        r#"{"value":[{"Status":200,"Json":null},{"Status":200,"Json":null}]}"#,
        r#"{"value":[{"Status":200,"Json":"","Json":""}]}"#,
        r#"{"value":[{"Json":""}]}"#,
        r#"{"value":[{"Status":200,"Json":"","Json":null}]}"#,
        r#"{"value":[{"Json":"[]","ETag":"v1","Status":200}]}"#,
        r#"{"value":[{"\u0053tatus":200,"Json":""}]}"#,
        r#"{"value":[{"Status":"200","Json":""}]}"#,
        r#"{"value":[{"Status":null,"Json":""}]}"#,
        r#"{"value":[{"Status":500,"Json":""}]}"#,
        r#"{"value":[{"Status":302,"Json":""}]}"#,
        r#"{"value":[{"Status":66000,"Json":""}]}"#,
        r#"{"value":[{"Status":200,"Json":{}}]}"#,
        r#"{"value":[{"Status":200,"ETag":[1],"Json":""}]}"#,
        r#"{"value":[{"Status":200,"ETag":1,"Json":""}]}"#,
        r#"{"value":[{"Status":200,"NextAfter":1.5,"Json":""}]}"#,
        r#"{"value":[{"JSON_F52E2B61-18A1-11d1-B105-00805F49916B":"[{"}]}"#,
    ] {
        let read = whole(answer);
        assert!(matches!(read, Err(Failure::Contract(_))), "{answer}: {read:?}");
    }
    let endless = format!(r#"{{"value":[{{"Extra":"{}"#, "x".repeat(2 * MAX_HEAD_BYTES));
    assert!(matches!(whole(&endless), Err(Failure::Contract(_))));
}

/// Returns the text of an answer as `serde_json` reads it, for comparison.
fn reference(answer: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(answer).ok()?;
    value["value"][0]["Json"].as_str().map(str::to_owned)
}

proptest! {
    #[test]
    fn any_text_comes_back_unchanged(text in any::<String>(), size in 1_usize..40) {
        let escaped = serde_json::to_string(&text).unwrap();
        let answer = format!(r#"{{"value":[{{"Status":200,"Json":{escaped}}}]}}"#);
        prop_assert_eq!(read(answer.as_bytes(), size).unwrap().1, text);
    }

    #[test]
    fn escapes_are_read_as_the_reference_reads_them(
        text in r#"(\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}|\\ud83d\\ude00|[a-z\u{e9}"\\ ]){0,12}"#, size in 1_usize..20
    ) {
        let answer = format!(r#"{{"value":[{{"Status":200,"Json":"{text}"}}]}}"#);
        let ours = read(answer.as_bytes(), size).ok().map(|(_, text)| text);
        prop_assert_eq!(ours, reference(answer.as_bytes()));
    }

    #[test]
    fn parts_do_not_matter(bytes in proptest::collection::vec(any::<u8>(), 0..200), size in 1_usize..20) {
        let read = |answer: &[u8], size: usize| {
            let parts = Parts(answer.chunks(size).map(<[u8]>::to_vec).collect());
            block_on(async { Row::read(parts, None).await?.text.next().await }).map(|text| text.unwrap_or_default())
        };
        let answer = [b"{\"value\":[{\"Status\":200,\"Json\":\"", bytes.as_slice(), b"\"}]}"].concat();
        for answer in [&answer, &bytes] {
            prop_assert_eq!(read(answer, size), read(answer, usize::MAX));
        }
    }
}
