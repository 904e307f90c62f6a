//! `GET /customers` in pages, while rows come and go.

use std::collections::BTreeSet;

use http::Method;

use crate::customers::put;
use crate::harness::{Api, Reply, Stack, shared};

fn ids(page: &Reply) -> Vec<u64> {
    let rows = page.json();
    let rows = rows.as_array().expect("a list");
    rows.iter()
        .map(|row| row["CustomerID"].as_u64().expect("an id"))
        .collect()
}

/// The ids of all pages, as a client finds them that follows the links.
fn follow(api: &Api, first: &str) -> Vec<u64> {
    let mut found = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(target) = next {
        let page = api.get(&target);
        assert_eq!(page.status, 200, "{}", page.text());
        found.extend(ids(&page));
        next = next_page(&page);
    }
    found
}

/// Where the link of a page leads.
fn next_page(page: &Reply) -> Option<String> {
    page.headers.get("link").map(|link| {
        let link = link.to_str().expect("ASCII").strip_prefix('<').expect("<…>");
        let (query, _) = link.split_once(">; rel=\"next\"").expect("the next page");
        format!("/customers{query}")
    })
}

#[test]
fn pages_are_the_list() {
    let stack = Stack::start();
    let all = ids(&stack.api().get("/customers"));
    assert_eq!(all.len(), 663);
    for limit in [1, 7, 100, 662, 663, 664] {
        // 663 requests of one row tell no more than 60.
        let first = if limit == 1 {
            "/customers?limit=1&after=1000"
        } else {
            &format!("/customers?limit={limit}")
        };
        let expected = if limit == 1 { &all[all.len() - 61..] } else { &all[..] };
        assert_eq!(follow(&stack.api(), first), expected, "{limit}");
    }
}

#[test]
fn the_last_page_has_no_link() {
    let api = shared();
    assert!(api.get("/customers?limit=2").headers.contains_key("link"));
    let last = api.get("/customers?after=2147483647");
    assert_eq!((last.status, last.text()), (200, "[]"));
    assert!(!last.headers.contains_key("link"));
}

#[test]
fn every_row_is_seen_exactly_once_while_others_come_and_go() {
    let stack = Stack::start();
    let api = stack.api();
    // Rows that come with the database have others that refer to them.
    put(&api, "Comes first");
    let seeded = ids(&api.get("/customers")).pop().expect("a row");
    for number in 0..60 {
        put(&api, &format!("Was there {number}"));
    }
    let first = format!("/customers?limit=5&after={seeded}");
    let before = ids(&api.get(&format!("/customers?after={seeded}")));
    let (mut found, mut deleted) = (Vec::new(), BTreeSet::new());
    let mut next = Some(first);
    while let Some(target) = next {
        let page = api.get(&target);
        let rows = ids(&page);
        // One goes that has been seen, one goes that has not, and one comes: who counts rows would skip some now.
        let unseen = before.iter().rev().find(|id| !deleted.contains(*id));
        for id in [rows[0], *unseen.expect("a row")] {
            if before.contains(&id) && deleted.insert(id) {
                let path = format!("/customer/{id}");
                assert_eq!(api.send(Method::DELETE, &path, &[], b"").status, 202, "{id}");
            }
        }
        put(&api, &format!("Comes {}", rows[0]));
        found.extend(rows);
        next = next_page(&page);
    }
    assert!(found.is_sorted_by(|a, b| a < b), "each at most once, by id");
    let stayed = before.iter().filter(|id| !deleted.contains(id));
    let missed: Vec<_> = stayed.filter(|id| !found.contains(id)).collect();
    assert!(missed.is_empty(), "each that was there all the time: {missed:?}");
    assert!(deleted.len() > 10, "{deleted:?}");
}

/// What a client makes of a reference in the answer to a request for `path` (RFC 3986, section 5.2).
fn resolve(path: &str, reference: &str) -> String {
    match reference.strip_prefix('?') {
        Some(_) => format!("{path}{reference}"),
        None => format!("{}/{reference}", path.rsplit_once('/').expect("a path").0),
    }
}

#[test]
fn a_prefix_that_a_gateway_removes_stays_in_references() {
    let stack = Stack::start();
    let api = stack.api();
    // The client asks for /shop/…, and the gateway hands on what follows /shop.
    let through = |target: &str| api.get(target.strip_prefix("/shop").expect("a target behind the gateway"));
    let created = api.json(
        Method::POST,
        "/customers",
        &crate::customers::customer("Behind a gateway").to_string(),
    );
    let row = through(&resolve("/shop/customers", created.header("location")));
    assert_eq!(row.text(), created.text());
    let first = through("/shop/customers?limit=2");
    let (link, _) = first.header("link")[1..]
        .split_once(">; rel=\"next\"")
        .expect("the next page");
    assert_eq!(ids(&through(&resolve("/shop/customers", link))), [3, 4]);
}
