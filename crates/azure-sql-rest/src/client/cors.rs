//! Cross-origin requests from browsers (Fetch standard, "HTTP extensions"). Pages of the listed origins may call the API and
//! read everything. Other origins get no permission, and their browsers refuse the answer.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, ORIGIN, VARY,
};
use http::{HeaderValue, Method, Uri};

/// Request headers that a page may send.
const REQUEST_HEADERS: &str = "accept, authorization, baggage, content-type, idempotency-key, if-match, if-none-match, \
                               traceparent, tracestate, x-api-key, x-correlation-id, x-ms-api-role, x-ms-correlation-id";

/// Response headers that a page may read, besides the headers that every page may read.
const RESPONSE_HEADERS: &str = "accept-patch, allow, etag, idempotency-key, idempotency-replayed, link, location, \
                                retry-after, server-timing, www-authenticate, x-correlation-id, x-total-count";

/// How long a browser may remember a preflight, in seconds.
const MAX_AGE: &str = "600";

/// The origins whose pages may call the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Reads a list of origins separated by commas, each as browsers send it: `https://shop.example`, without a slash at the
    /// end. `None` when an entry is not an origin. `*` is not one either: a list never means to permit everybody.
    pub fn parse(list: &str) -> Option<Self> {
        if list.is_empty() {
            return Some(Self::default());
        }
        list.split(',')
            .map(str::trim_ascii)
            .map(|origin| is_origin(origin).then(|| origin.to_owned()))
            .collect::<Option<Vec<_>>>()
            .map(Self)
    }

    /// Adds to `response` the headers that permit a request of this method with these headers. `allow` lists the methods of
    /// the path, for preflights.
    pub fn permit(&self, method: &Method, request: &HeaderMap, allow: Option<HeaderValue>, response: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        response.insert(VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = request.get(ORIGIN) else { return };
        if !self.0.iter().any(|listed| listed.as_bytes() == origin.as_bytes()) {
            return;
        }
        response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        match allow {
            Some(allow) if method == Method::OPTIONS && request.contains_key(ACCESS_CONTROL_REQUEST_METHOD) => {
                response.insert(ACCESS_CONTROL_ALLOW_METHODS, allow);
                response.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
                response.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
            }
            _ => {
                response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(RESPONSE_HEADERS));
            }
        }
    }
}

/// Scheme, host and port in lower case, and nothing else.
fn is_origin(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| {
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        matches!(scheme, "http" | "https")
            && !authority.contains(['@', '*'])
            // Browsers leave out the default port.
            && !matches!((scheme, uri.port_u16()), ("http", Some(80)) | ("https", Some(443)))
            && text.len() == scheme.len() + "://".len() + authority.len()
            && !text.bytes().any(|byte| byte.is_ascii_uppercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "https://shop.example";

    fn permitted(list: &str, method: Method, headers: &[(http::HeaderName, &str)]) -> HeaderMap {
        let request =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect();
        let mut response = HeaderMap::new();
        let allow = Some(HeaderValue::from_static("GET, HEAD, OPTIONS"));
        Origins::parse(list).unwrap().permit(&method, &request, allow, &mut response);
        response
    }

    #[test]
    fn without_a_list_nothing_is_said() {
        assert!(permitted("", Method::GET, &[(ORIGIN, PAGE)]).is_empty());
    }

    #[test]
    fn listed_origins_may_read() {
        let headers = permitted("http://localhost:8080, https://shop.example", Method::GET, &[(ORIGIN, PAGE)]);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], PAGE);
        assert!(headers[ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap().ends_with(", x-total-count"));
        assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_METHODS));
        assert_eq!(headers[VARY], "Origin");
    }

    #[test]
    fn preflights_tell_methods_and_headers() {
        let preflight = [(ORIGIN, PAGE), (ACCESS_CONTROL_REQUEST_METHOD, "GET")];
        let headers = permitted(PAGE, Method::OPTIONS, &preflight);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_METHODS], "GET, HEAD, OPTIONS");
        assert_eq!(headers[ACCESS_CONTROL_MAX_AGE], "600");
        let allowed: Vec<_> = headers[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().split(", ").collect();
        for name in ["baggage", "idempotency-key", "x-ms-correlation-id"] {
            assert!(allowed.contains(&name), "{name}");
        }
    }

    #[test]
    fn other_origins_get_no_permission_and_caches_know() {
        for origin in ["https://evil.example", "https://shop.example.evil.example", "https://SHOP.example", "null", "*"]
        {
            let preflight = [(ORIGIN, origin), (ACCESS_CONTROL_REQUEST_METHOD, "GET")];
            let headers = permitted(PAGE, Method::OPTIONS, &preflight);
            assert_eq!(headers.len(), 1, "{origin}");
            assert_eq!(headers[VARY], "Origin");
        }
    }

    #[test]
    fn only_origins_can_be_listed() {
        for list in [
            "*",
            "https://*.example",
            "shop.example",
            "https://shop.example/",
            "https://Shop.example",
            "https://u@shop.example",
            "https://shop.example:443",
            "http://shop.example:80",
            "ftp://shop.example",
            "https://shop.example,",
            "null",
        ] {
            assert_eq!(Origins::parse(list), None, "{list}");
        }
    }
}
