//! Versions over real data: `ETag`, `If-None-Match`, `If-Match`.

use http::Method;

use crate::customers::put;
use crate::harness::{Reply, shared};

const PATCH: &[u8] = br#"{"PhoneNumber":"3"}"#;

fn patch(path: &str, if_match: &[&str]) -> Reply {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(if_match.iter().map(|value| ("if-match", *value)));
    shared().send(Method::PATCH, path, &headers, PATCH)
}

#[test]
fn a_version_that_the_client_has_is_not_sent_again() {
    let api = shared();
    let path = put(&api, "Not modified");
    let etag = api.get(&path).header("etag").to_owned();
    for method in [Method::GET, Method::HEAD] {
        for value in [&etag, "*", &format!("W/{etag}"), &format!("\"other\", {etag}")] {
            let reply = api.send(method.clone(), &path, &[("if-none-match", value)], b"");
            assert_eq!((reply.status, reply.header("etag")), (304, etag.as_str()), "{value}");
            assert_eq!(reply.header("cache-control"), "private, no-cache");
            assert!(reply.body.is_empty());
        }
    }
    assert_eq!(patch(&path, &[]).status, 202);
    let reply = api.send(Method::GET, &path, &[("if-none-match", &etag)], b"");
    assert_eq!(reply.status, 200);
    assert_ne!(reply.header("etag"), etag);
}

#[test]
fn a_stale_version_is_not_overwritten() {
    let api = shared();
    let path = put(&api, "With versions");
    let first = api.get(&path).header("etag").to_owned();
    let second = patch(&path, &[&first]);
    assert_eq!(second.status, 202);
    assert_ne!(second.header("etag"), first);
    patch(&path, &[&first]).problem(412);
    let delete = |etag: &str| api.send(Method::DELETE, &path, &[("if-match", etag)], b"");
    delete(&first).problem(412);
    assert_eq!(delete(second.header("etag")).status, 202);
}

#[test]
fn one_strong_tag_of_a_list_is_enough_and_weak_ones_are_none() {
    let api = shared();
    let path = put(&api, "With lists of versions");
    let mut etag = api.get(&path).header("etag").to_owned();
    for list in [
        vec!["\"x\", TAG"],
        vec!["\"x\"", "TAG"],
        vec!["W/TAG, TAG"],
        vec!["*"],
        vec![",TAG,,"],
    ] {
        let list: Vec<_> = list.iter().map(|value| value.replace("TAG", &etag)).collect();
        let reply = patch(&path, &list.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(reply.status, 202, "{list:?}: {}", reply.text());
        etag = reply.header("etag").to_owned();
    }
    for list in ["\"x\", \"y\"", "W/TAG", "\"x\", W/TAG"] {
        patch(&path, &[&list.replace("TAG", &etag)]).problem(412);
    }
    assert_eq!(api.get(&path).header("etag"), etag, "nothing was changed");
}
