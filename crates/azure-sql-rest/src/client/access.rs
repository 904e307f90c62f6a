//! Access: API keys, compared in constant time, and the names of their callers.

use std::fmt;

use http::header::{AUTHORIZATION, HeaderMap};
use subtle::ConstantTimeEq;

use crate::headers::API_KEY;

/// The keys that open the API. Several are valid while a new key replaces an old one, and when each caller has its own key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ApiKeys(Vec<ApiKey>);

#[derive(Clone, PartialEq, Eq)]
struct ApiKey {
    /// The caller's name; empty for a key without one.
    name: String,
    key: String,
}

/// The longest name of a caller.
const MAX_NAME_BYTES: usize = 64;

impl ApiKey {
    /// A key, or `name:key` with a name of letters, digits, `-` and `_`.
    fn parse(text: &str) -> Option<Self> {
        let is_name = |name: &str| {
            let is_short = (1..=MAX_NAME_BYTES).contains(&name.len());
            is_short && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let (name, key) = text.split_once(':').filter(|(name, _)| is_name(name)).unwrap_or(("", text));
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        is_key.then(|| Self { name: name.to_owned(), key: key.to_owned() })
    }
}

impl ApiKeys {
    /// Reads a list of keys separated by commas. The empty text has no keys, which leaves the API open. `None` when a key is
    /// empty or has other than visible ASCII characters. A list that was meant to close the API must not open it.
    pub fn parse(list: &str) -> Option<Self> {
        if list.is_empty() {
            return Some(Self::default());
        }
        list.split(',').map(|key| ApiKey::parse(key.trim_ascii())).collect::<Option<Vec<_>>>().map(Self)
    }

    /// True when a key has a caller's name.
    pub fn have_names(&self) -> bool {
        self.0.iter().any(|key| !key.name.is_empty())
    }

    /// Returns the name of the caller, or an empty name for a key without a name and for an API without keys. `None` for a
    /// request that must not pass. A key comes as `x-api-key: <key>` or, if `bearer` is true, as `Authorization: Bearer
    /// <key>`. The time that a comparison takes must reveal nothing but lengths. So every key is compared with every key of
    /// the request, and no comparison ends early.
    pub fn admit(&self, headers: &HeaderMap, bearer: bool) -> Option<&str> {
        if self.0.is_empty() {
            return Some("");
        }
        let bearer = bearer_token(headers).filter(|_| bearer);
        let presented = headers.get(API_KEY).map(|value| value.as_bytes()).into_iter().chain(bearer);
        let mut admitted = None;
        for presented in presented {
            for ApiKey { name, key } in &self.0 {
                if key.as_bytes().ct_eq(presented).into() {
                    admitted = Some(name.as_str());
                }
            }
        }
        admitted
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeys({})", self.0.len())
    }
}

/// The token of `Authorization: Bearer <token>`; the scheme's case does not matter (RFC 9110, section 11.1).
pub fn bearer_token(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?;
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
        ApiKeys::parse(keys).unwrap().admit(&headers, true).is_some()
    }

    #[test]
    fn a_key_has_the_name_of_its_caller() {
        let keys = ApiKeys::parse("shop:a, shop:b,stock:c:d,e,f/g:h").unwrap();
        let name = |key: &str| {
            let headers = [(API_KEY, HeaderValue::from_str(key).unwrap())].into_iter().collect();
            keys.admit(&headers, true).map(str::to_owned)
        };
        for (key, expected) in [("a", "shop"), ("b", "shop"), ("c:d", "stock"), ("e", ""), ("f/g:h", "")] {
            assert_eq!(name(key).as_deref(), Some(expected), "{key}");
        }
        for key in ["shop:a", "shop", "c", "h"] {
            assert_eq!(name(key), None, "{key}");
        }
        assert!(keys.have_names() && !ApiKeys::parse("e,f/g:h").unwrap().have_names());
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
        assert!(keys.admit(&headers, true).is_some());
        assert!(keys.admit(&headers, false).is_none());
    }

    #[test]
    fn a_list_that_could_open_by_mistake_is_refused() {
        for list in [",", "a,", " ", "a,,b", "a b", "\u{e9}", "shop:", "a\nb"] {
            assert_eq!(ApiKeys::parse(list), None, "{list:?}");
        }
        assert_eq!(format!("{:?}", ApiKeys::parse("secret").unwrap()), "ApiKeys(1)");
    }
}
