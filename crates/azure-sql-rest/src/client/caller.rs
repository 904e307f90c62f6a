//! Callers and their idempotency keys. Where the API can tell callers apart, the same key from two callers is two keys.
//!
//! A caller is the name of an API key or, with tokens that go on to Data API Builder, a token's issuer and subject. The
//! token is decoded and not verified: Data API Builder verifies it and refuses the call. Here the token decides only to
//! which caller a key belongs, and whose name a row stores.

use http::header::HeaderMap;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::client::access::bearer_token;
use crate::client::problem::{Problem, kind};
use crate::dab::answer::{text, value};

/// The most characters that the ledger keeps of a key.
const MAX_KEY_BYTES: usize = 255;

/// The key under which the ledger stores a write: `<caller>:<key>`, or only `key` without a caller. No caller has a colon,
/// so that two callers never share a key.
///
/// # Errors
///
/// 400 for a key that leaves no room for the caller.
pub fn scoped(caller: Option<&str>, key: &str) -> Result<String, Problem> {
    let Some(caller) = caller else {
        return Ok(key.to_owned());
    };
    let scoped = [caller, ":", key].concat();
    if scoped.len() > MAX_KEY_BYTES {
        let most = MAX_KEY_BYTES.saturating_sub(caller.len() + 1);
        let detail = format!("Idempotency-Key must have at most {most} characters for this caller.");
        return Err(Problem::new(kind::INVALID_PARAMETER, &detail));
    }
    Ok(scoped)
}

/// Returns the issuer and the subject of the token in `Authorization`, as visible ASCII characters without a colon. `None`
/// for a token without both, which Data API Builder does not accept.
pub fn of_token(headers: &HeaderMap) -> Option<String> {
    let payload = bearer_token(headers)?.split(|byte| *byte == b'.').nth(1)?;
    let claims = base64url(payload)?;
    let mut rest = str::from_utf8(&claims).ok()?.trim_ascii_start().strip_prefix('{')?;
    let (mut issuer, mut subject) = (None, None);
    loop {
        let (name, after) = value(rest).ok()?;
        let (claim, after) = value(after.trim_ascii_start().strip_prefix(':')?).ok()?;
        match name {
            "\"iss\"" => issuer = text(claim).ok()?,
            "\"sub\"" => subject = text(claim).ok()?,
            _ => {}
        }
        match after.trim_ascii_start().strip_prefix(',') {
            Some(after) => rest = after,
            None => break,
        }
    }
    Some([encoded(&issuer?), encoded(&subject?)].join("!"))
}

fn encoded(text: &str) -> String {
    const OTHERS: &AsciiSet = &CONTROLS.add(b' ').add(b'!').add(b'%').add(b':');
    utf8_percent_encode(text, OTHERS).to_string()
}

/// Decodes base64url without padding (RFC 4648, section 5). A crate for this would add 4 KB to the component.
fn base64url(text: &[u8]) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use http::HeaderValue;
    use http::header::AUTHORIZATION;
    use proptest::prelude::*;

    fn caller(authorization: &str) -> Option<String> {
        of_token(&[(AUTHORIZATION, HeaderValue::from_str(authorization).unwrap())].into_iter().collect())
    }

    fn token(claims: &str) -> String {
        format!("Bearer e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_caller_is_issuer_and_subject_whatever_else_the_token_says() {
        let expected = Some("https%3A//login.example/v2.0!a%21b%3Ac%C3%A9".to_owned());
        for claims in [
            r#"{"iss":"https://login.example/v2.0","sub":"a!b:cé"}"#,
            r#" { "exp" : 1.5e3 , "roles" : ["x", {"sub": 1}] , "sub" : "a!b:c\u00e9" , "iss" : "https:\/\/login.example/v2.0" } "#,
        ] {
            assert_eq!(caller(&token(claims)), expected, "{claims}");
        }
    }

    #[test]
    fn other_tokens_have_no_caller() {
        for claims in
            ["", "{}", "[]", r#"{"sub":"a"}"#, r#"{"iss":"a"}"#, r#"{"iss":1,"sub":"a"}"#, r#"{"iss":"a","sub":"b"#]
        {
            assert_eq!(caller(&token(claims)), None, "{claims}");
        }
        for authorization in ["Bearer x", "Bearer a.b.c", "Bearer a.é.c", "Basic eyJ.eyJ.eyJ", "Bearer "] {
            assert_eq!(caller(authorization), None, "{authorization}");
        }
    }

    #[test]
    fn keys_of_two_callers_are_two_keys() {
        assert_eq!(scoped(None, "a:k").unwrap(), "a:k");
        assert_eq!(scoped(Some("a"), "k").unwrap(), "a:k");
        assert_eq!(scoped(Some(""), "a:k").unwrap(), ":a:k");
        assert!(scoped(Some("shop"), &"k".repeat(250)).is_ok());
        let problem = scoped(Some("shop"), &"k".repeat(251)).unwrap_err().into_response("/", "");
        assert!(String::from_utf8_lossy(problem.body()).contains("at most 250 characters"));
    }

    proptest! {
        #[test]
        fn bytes_are_decoded(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let encoded = BASE64_URL_SAFE_NO_PAD.encode(&bytes);
            prop_assert_eq!(base64url(encoded.as_bytes()), Some(bytes));
        }
    }
}
