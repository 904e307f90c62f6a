use proptest::prelude::*;

use super::*;

/// Reads `answer` in parts of `size` bytes.
fn read(answer: &[u8], size: usize) -> Result<(Head, Option<String>), Failure> {
    let mut envelope = Envelope::new(Some("CustomerID"));
    let mut text = Vec::new();
    for part in answer.chunks(size) {
        let part = envelope.push(part.to_vec())?;
        assert!(str::from_utf8(&part).is_ok(), "whole characters");
        text.extend(part);
    }
    let (head, has_text) = envelope.finish()?;
    let text = String::from_utf8(text).expect("UTF-8");
    assert!(has_text || text.is_empty());
    Ok((head.clone(), has_text.then_some(text)))
}

fn whole(answer: &str) -> Result<(Head, Option<String>), Failure> {
    read(answer.as_bytes(), usize::MAX)
}

#[test]
fn a_row_is_read_by_column_names_in_parts_of_any_size() {
    let answer = r#" {"value" : [{"Status":201,"ETag":"v1","CustomerID":7,"Extra":-1.5e3,"NextAfter":null,"Replayed":true,"Json":"[\"\u00e9\uD83D\uDE00\\\/é\"]\n"} ]}
"#;
    let head = Head {
        status: 201,
        etag: Some("v1".into()),
        created_id: Some(7),
        next_after: None,
        replayed: true,
    };
    let text = "[\"\u{e9}\u{1f600}\\/é\"]\n".to_owned();
    for size in 1..=answer.len() {
        assert_eq!(
            read(answer.as_bytes(), size),
            Ok((head.clone(), Some(text.clone()))),
            "{size}"
        );
    }
}

#[test]
fn the_status_is_known_when_the_text_begins() {
    let mut envelope = Envelope::new(None);
    assert_eq!(
        envelope.push(br#"{"value":[{"Status":200,"Json":"[1"#.to_vec()),
        Ok(b"[1".to_vec())
    );
    assert_eq!(envelope.head().unwrap().unwrap().status, 200);
    assert_eq!(envelope.finish(), Err(Failure::Malformed));
}

#[test]
fn columns_may_come_in_another_order() {
    for answer in [
        r#"{"value":[{"Json":"[]","ETag":"v1","Status":200}]}"#,
        r#"{"value":[{"Status":200,"Json":"[]","ETag":"v1"}]}"#,
    ] {
        for size in 1..=answer.len() {
            let (head, text) = read(answer.as_bytes(), size).unwrap();
            assert_eq!(
                (head.status, head.etag.as_deref(), text.as_deref()),
                (200, Some("v1"), Some("[]"))
            );
        }
    }
}

#[test]
fn a_text_can_be_null() {
    assert_eq!(whole(r#"{"value":[{"Status":404,"Json":null}]}"#).unwrap().1, None);
    assert_eq!(
        whole(r#"{"value":[{"Status":404,"Json":""}]}"#).unwrap().1,
        Some(String::new())
    );
}

#[test]
fn control_characters_must_be_escaped_wherever_they_are() {
    for byte in 0..0x80 {
        for at in 0..40 {
            let mut text = "x".repeat(40);
            text.replace_range(at..=at, &char::from(byte).to_string());
            let read = whole(&format!(r#"{{"value":[{{"Status":200,"Json":"{text}"}}]}}"#));
            match byte {
                b'"' | b'\\' | 0..=0x1f => assert_eq!(read, Err(Failure::Malformed), "{text:?}"),
                _ => assert_eq!(read.unwrap().1, Some(text)),
            }
        }
    }
}

#[test]
fn what_is_not_whole_json_is_malformed() {
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
        r#"{"value":[{"Status":200,"Json":"\u00g0"}]}"#,
        r#"{"value":[{"Status":2x0,"Json":""}]}"#,
        r#"{"value":[{"Status":200,"Extra":"\x","Json":""}]}"#,
        r#"{"value":[{"Status":200,"Json":"","a\=b":1}]}"#,
        "{\"value\":[{\"Status\":200,\"Json\":\"\n\"}]}",
    ] {
        assert_eq!(whole(answer), Err(Failure::Malformed), "{answer}");
    }
    let bytes = b"{\"value\":[{\"Status\":200,\"Json\":\"\xff\"}]}";
    for size in [1, usize::MAX] {
        assert_eq!(read(bytes, size), Err(Failure::Malformed));
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
        r#"{"value":[{"Status":200,"Json":"","Json":""}]}"#,
        r#"{"value":[{"Json":""}]}"#,
        r#"{"value":[{"Status":200,"Json":"","Json":null}]}"#,
        r#"{"value":[{"Status":200,"Json":null,"Json":""}]}"#,
        r#"{"value":[{"\u0053tatus":200,"Json":""}]}"#,
        r#"{"value":[{"Status":"200","Json":""}]}"#,
        r#"{"value":[{"Status":null,"Json":""}]}"#,
        r#"{"value":[{"Status":500,"Json":""}]}"#,
        r#"{"value":[{"Status":302,"Json":""}]}"#,
        r#"{"value":[{"Status":66000,"Json":""}]}"#,
        r#"{"value":[{"Status":200,"Json":{}}]}"#,
        r#"{"value":[{"Status":200,"ETag":[1],"Json":""}]}"#,
        r#"{"value":[{"JSON_F52E2B61-18A1-11d1-B105-00805F49916B":"[{"}]}"#,
    ] {
        assert!(
            matches!(whole(answer), Err(Failure::Contract(_))),
            "{answer}: {:?}",
            whole(answer)
        );
    }
    let endless = format!(r#"{{"value":[{{"Extra":"{}"#, "x".repeat(2 * MAX_COLUMNS_BYTES));
    assert!(matches!(whole(&endless), Err(Failure::Contract(_))));
}

/// What `serde_json` makes of an answer: status and text of its only row.
fn reference(answer: &[u8]) -> Option<(u64, Option<String>)> {
    let value: serde_json::Value = serde_json::from_slice(answer).ok()?;
    let [row] = value["value"].as_array()?.as_slice() else {
        return None;
    };
    Some((row["Status"].as_u64()?, row["Json"].as_str().map(str::to_owned)))
}

proptest! {
    #[test]
    fn any_text_comes_back_unchanged(text in any::<String>(), size in 1_usize..40) {
        let escaped = serde_json::to_string(&text).unwrap();
        let answer = format!(r#"{{"value":[{{"Status":200,"Json":{escaped}}}]}}"#);
        prop_assert_eq!(read(answer.as_bytes(), size).unwrap().1, Some(text));
    }

    #[test]
    fn escapes_are_read_as_the_reference_reads_them(
        text in r#"(\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}|\\ud83d\\ude00|[a-z\u{e9}"\\ ]){0,12}"#, size in 1_usize..20
    ) {
        let answer = format!(r#"{{"value":[{{"Status":200,"Json":"{text}"}}]}}"#);
        let ours = read(answer.as_bytes(), size).ok().map(|(head, text)| (u64::from(head.status), text));
        prop_assert_eq!(ours, reference(answer.as_bytes()));
    }

    #[test]
    fn no_answer_makes_it_panic_and_parts_do_not_matter(bytes in proptest::collection::vec(any::<u8>(), 0..200), size in 1_usize..20) {
        let answer = [b"{\"value\":[{\"Status\":200,\"Json\":\"", bytes.as_slice()].concat();
        for answer in [&answer, &bytes] {
            prop_assert_eq!(read(answer, size).is_ok(), read(answer, usize::MAX).is_ok());
        }
    }
}
