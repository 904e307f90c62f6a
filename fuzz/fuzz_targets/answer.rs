//! An answer of Data API Builder is read as `serde_json` reads it, in whatever parts it arrives.
#![no_main]

use azure_sql_rest::dab::answer::{Head, Row};
use azure_sql_rest::failure::Failure;
use azure_sql_rest::platform::Chunks;
use futures::executor::block_on;
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
        return assert_eq!(ours.map(|(_, text)| text), Some(text.into_bytes()), "a text is taken");
    }
    let Some((head, text)) = ours else { return };
    // The text is not checked for UTF-8, and the reference's values hold no number beyond a double's range.
    let Ok(reference) = serde_json::from_slice::<Value>(&body) else { return };
    let [row] = reference["value"].as_array().expect("a list").as_slice() else { panic!("not one row") };
    assert_eq!(Some(u64::from(head.status.as_u16())), row["Status"].as_u64());
    assert_eq!(Some(text.as_slice()), row["Json"].as_str().map(str::as_bytes));
    assert_eq!(head.etag.as_deref(), row["ETag"].as_str());
});

/// The row of a body that comes in parts of `size` bytes.
fn read(body: &[u8], size: usize) -> Option<(Head, Vec<u8>)> {
    let parts = Parts(body.chunks(size).map(<[u8]>::to_vec).collect::<Vec<_>>().into_iter());
    block_on(async {
        let mut row = Row::read(parts, None).await?;
        let mut text = Vec::new();
        while let Some(piece) = row.text.next().await? {
            text.extend(piece);
        }
        Ok::<_, Failure>((row.head, text))
    })
    .ok()
}

/// A body that comes in parts.
struct Parts(std::vec::IntoIter<Vec<u8>>);

impl Chunks for Parts {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.0.next())
    }
}
