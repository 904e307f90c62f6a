//! The bridge's answer is read as `serde_json` reads it, in whatever parts it arrives.
#![no_main]

use customer_api::envelope::{Envelope, Head};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Some((size, data)) = data.split_first() else { return };
    // Half of the inputs are the inside of a text, so that fewer are lost on the way there.
    let body = match size % 2 {
        0 => [br#"{"value":[{"Status":200,"Json":""#, data, br#""}]}"#].concat(),
        _ => data.to_vec(),
    };
    let ours = read(&body, usize::from(*size) / 2 + 1);
    assert_eq!(ours, read(&body, body.len().max(1)), "parts do not matter");
    if size % 2 == 0
        && let Ok(text) = serde_json::from_slice::<String>(&[b"\"", data, b"\""].concat())
    {
        return assert_eq!(ours.map(|(_, text)| text), Some(Some(text)), "a text is taken");
    }
    let Some((head, text)) = ours else { return };
    serde_json::from_slice::<serde::de::IgnoredAny>(&body).expect("what is taken is JSON");
    // The reference's values hold no number beyond a double's range.
    let Ok(reference) = serde_json::from_slice::<Value>(&body) else { return };
    let [row] = reference["value"].as_array().expect("a list").as_slice() else { panic!("not one row") };
    assert_eq!(Some(u64::from(head.status)), row["Status"].as_u64());
    assert_eq!(text.as_deref(), row["Json"].as_str());
    assert_eq!(head.etag.as_deref(), row["ETag"].as_str());
    assert_eq!(head.created_id.map(i64::from), row["ID"].as_i64());
});

fn read(body: &[u8], size: usize) -> Option<(Head, Option<String>)> {
    let mut envelope = Envelope::new(Some("ID"));
    let mut text = Vec::new();
    for part in body.chunks(size) {
        text.extend(envelope.push(part.to_vec()).ok()?);
    }
    let (head, has_text) = envelope.finish().ok()?;
    let text = String::from_utf8(text).expect("whole characters");
    Some((head.clone(), has_text.then_some(text)))
}
