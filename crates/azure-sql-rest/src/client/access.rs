//! Who may call: API keys, compared in constant time.

use std::fmt;

use http::header::{AUTHORIZATION, HeaderMap};
use subtle::{Choice, ConstantTimeEq};

use crate::headers::API_KEY;

/// The keys that open the API. Several are in force while one replaces another.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ApiKeys(Vec<String>);

impl ApiKeys {
    /// The keys of a list separated by commas; the empty text is no keys, which leaves the API open. `None` when a key is
    /// empty or is anything but visible ASCII characters: a list that was meant to close the API must not open it.
    pub fn parse(list: &str) -> Option<Self> {
        if list.is_empty() {
            return Some(Self::default());
        }
        let keys = list.split(',').map(str::trim);
        keys.map(|key| (!key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic())).then(|| key.to_owned()))
            .collect::<Option<Vec<_>>>()
            .map(Self)
    }

    /// Whether a request with these headers may pass: `x-api-key: <key>` or, when `bearer` says so, `Authorization:
    /// Bearer <key>`. Every key is compared with everything that was presented, and no comparison ends early, so that
    /// the time it takes tells nothing but lengths.
    pub fn admit(&self, headers: &HeaderMap, bearer: bool) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let bearer = headers.get(AUTHORIZATION).and_then(token).filter(|_| bearer);
        let presented = headers.get(API_KEY).map(|value| value.as_bytes()).into_iter().chain(bearer);
        let mut admitted = Choice::from(0);
        for presented in presented {
            for key in &self.0 {
                admitted |= key.as_bytes().ct_eq(presented);
            }
        }
        admitted.into()
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeys({})", self.0.len())
    }
}

/// The token of `Bearer <token>`; the scheme's case does not matter (RFC 9110, section 11.1).
fn token(value: &http::HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn admits(keys: &str, headers: &[(&'static str, &str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect();
        ApiKeys::parse(keys).unwrap().admit(&headers, true)
    }

    #[test]
    fn without_keys_the_api_is_open() {
        assert!(admits("", &[]));
        assert!(admits("", &[("x-api-key", "anything")]));
    }

    #[test]
    fn each_key_opens_in_either_header() {
        for key in ["old", "new"] {
            assert!(admits("old, new", &[("x-api-key", key)]));
            assert!(admits("old,new", &[("authorization", &format!("Bearer {key}"))]));
            assert!(admits("old,new", &[("authorization", &format!("bearer  {key} "))]));
        }
        assert!(admits("k", &[("authorization", "Bearer other"), ("x-api-key", "k")]));
    }

    #[test]
    fn nothing_else_opens() {
        for headers in [
            &[][..],
            &[("x-api-key", "")],
            &[("x-api-key", "ke")],
            &[("x-api-key", "keys")],
            &[("x-api-key", "KEY")],
            &[("x-api-key", "key,key2")],
            &[("authorization", "key")],
            &[("authorization", "Basic key")],
            &[("authorization", "Bearerkey")],
            &[("authorization", "Bearer ")],
        ] {
            assert!(!admits("key,key2", headers), "{headers:?}");
        }
    }

    #[test]
    fn a_bearer_token_meant_for_the_bridge_is_no_key() {
        let keys = ApiKeys::parse("key").unwrap();
        let headers = [(AUTHORIZATION, HeaderValue::from_static("Bearer key"))].into_iter().collect();
        assert!(keys.admit(&headers, true));
        assert!(!keys.admit(&headers, false));
    }

    #[test]
    fn a_list_that_could_open_by_mistake_is_refused() {
        for list in [",", "a,", " ", "a,,b", "a b", "\u{e9}"] {
            assert_eq!(ApiKeys::parse(list), None, "{list:?}");
        }
        assert_eq!(format!("{:?}", ApiKeys::parse("secret").unwrap()), "ApiKeys(1)");
    }
}
