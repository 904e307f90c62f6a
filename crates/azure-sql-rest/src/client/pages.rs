//! The pages for people: the API's description, to try in a browser, and the meanings of the problems. Each is one file. A
//! browser loads and runs only the sources that its content security policy lists.

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Response, StatusCode};

use crate::client::response::Body;
use crate::route::Page;

/// `docs.html`, as `build.rs` makes it: Swagger UI comes from a CDN, by its exact version and hash, and describes `openapi.json`.
const DOCS: &str = include_str!(concat!(env!("OUT_DIR"), "/docs.html"));

/// `problems.md`, as `build.rs` makes it.
const PROBLEMS: &str = include_str!(concat!(env!("OUT_DIR"), "/problems.html"));

const DOCS_POLICY: &str = include_str!(concat!(env!("OUT_DIR"), "/docs.policy"));

const PROBLEMS_POLICY: &str = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    style-src 'sha256-u533XoZVPURC9SNAyQFZ6IncojZ9C/y6wcs1k966MyQ='";

/// The answer to a `GET` of a page.
pub fn response<C>(page: Page) -> Response<Body<C>> {
    let (html, policy) = match page {
        Page::Home => {
            let mut response = Response::new(Body::Whole(Bytes::new()));
            *response.status_mut() = StatusCode::SEE_OTHER;
            let headers = response.headers_mut();
            headers.insert(LOCATION, HeaderValue::from_static("docs"));
            return response;
        }
        Page::Docs => (DOCS, DOCS_POLICY),
        Page::Problems => (PROBLEMS, PROBLEMS_POLICY),
    };
    let mut response = Response::new(Body::Whole(Bytes::from_static(html.as_bytes())));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD as STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::client::problem::kind;

    /// The contents of the elements of this name that have no attributes.
    fn inline<'h>(html: &'h str, name: &str) -> Vec<&'h str> {
        let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
        let elements = html.split(begin.as_str()).skip(1);
        elements.map(|rest| rest.split(end.as_str()).next().unwrap()).collect()
    }

    #[test]
    fn a_policy_allows_what_its_page_has_and_no_more() {
        for (page, policy) in [(DOCS, DOCS_POLICY), (PROBLEMS, PROBLEMS_POLICY)] {
            for element in ["script", "style"] {
                let directive = format!("{element}-src ");
                let allowed = policy.split("; ").find_map(|rule| rule.strip_prefix(directive.as_str()));
                let hashes: Vec<_> = inline(page, element).into_iter().map(hash).collect();
                let linked = page.split('"').filter(|value| {
                    value.starts_with("https://cdn.")
                        && value.ends_with(if element == "script" { ".js" } else { ".css" })
                });
                let needed: Vec<_> = linked.map(str::to_owned).chain(hashes).collect();
                assert_eq!(allowed.map_or(Vec::new(), |allowed| allowed.split(' ').collect()), needed, "{element}");
            }
            assert!(!page.contains(" style="), "no policy allows attributes");
        }
        assert_eq!(DOCS.matches(" integrity=\"sha384-").count(), DOCS.matches("https://cdn.").count());
    }

    /// The hash in the form of a policy.
    fn hash(text: &str) -> String {
        format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
    }

    #[test]
    fn every_problem_has_its_place() {
        for kind in kind::ALL {
            let slug = kind.uri.strip_prefix("problems#").unwrap();
            let heading = format!("<h2 id=\"{slug}\">{slug}</h2>");
            assert!(PROBLEMS.contains(&heading), "{heading}");
        }
        assert!(PROBLEMS.contains("<h1>Problems</h1>") && !PROBLEMS.contains("{{"));
        let links = PROBLEMS.split("href=\"").skip(1);
        let elsewhere =
            links.filter(|link| !["docs\"", "data:", "https:", "#"].iter().any(|place| link.starts_with(place)));
        assert_eq!(elsewhere.count(), 0, "links lead nowhere else: the page has no repository around it");
    }
}
