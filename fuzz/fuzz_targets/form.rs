//! A form is decoded as the reference (`form_urlencoded`) decodes it, and its JSON is judged as `serde_json` judges it.
#![no_main]

use azure_sql_rest::client::body::json;
use azure_sql_rest::failure::Failure;
use azure_sql_rest::platform::Chunks;
use futures::executor::block_on;
use http::{HeaderMap, HeaderValue, Method, header::CONTENT_TYPE};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let headers: HeaderMap = [(CONTENT_TYPE, form)].into_iter().collect();
    let body = Whole(Some(data.to_vec()));
    let ours = block_on(json(&Method::PUT, &headers, body, data.len() + 1, "c", true));
    assert_eq!(ours.ok(), reference(data));
});

/// A body that is there at once.
struct Whole(Option<Vec<u8>>);

impl Chunks for Whole {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.0.take())
    }
}

/// The only field `c`, when it is a JSON object. Bytes that are not UTF-8 are an error, where the reference replaces them.
fn reference(data: &[u8]) -> Option<String> {
    std::str::from_utf8(data).ok()?;
    let mut values = form_urlencoded::parse(data).filter(|(name, _)| name == "c").map(|(_, value)| value);
    let (value, None) = (values.next()?, values.next()) else { return None };
    let replaced = value.contains(char::REPLACEMENT_CHARACTER) && !sends_replacement(data);
    let is_object = value.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{');
    (!replaced && is_object && is_json(&value)).then(|| value.into_owned())
}

/// True if the text itself has U+FFFD, plain or percent-encoded: then its presence says nothing.
fn sends_replacement(data: &[u8]) -> bool {
    let decoded: Vec<u8> = percent_decoded(data);
    decoded.windows(3).any(|bytes| bytes == "\u{fffd}".as_bytes())
}

fn percent_decoded(data: &[u8]) -> Vec<u8> {
    let hex = |byte: u8| (byte as char).to_digit(16);
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < data.len() {
        let pair = data.get(at + 1..at + 3).and_then(|pair| Some(hex(pair[0])? * 16 + hex(pair[1])?));
        match pair {
            Some(byte) if data[at] == b'%' => {
                decoded.push(byte as u8);
                at += 3;
            }
            _ => {
                decoded.push(data[at]);
                at += 1;
            }
        }
    }
    decoded
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}
