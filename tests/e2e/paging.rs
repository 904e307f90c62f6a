//! `GET /customers` in pages, while rows come and go.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

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
        next = page.headers.get("link").map(|link| {
            let link = link.to_str().expect("ASCII").strip_prefix('<').expect("<…>");
            link.split_once(">; rel=\"next\"").expect("the next page").0.to_owned()
        });
    }
    found
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
    let before: BTreeSet<u64> = ids(&api.get("/customers")).into_iter().collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let changes = scope.spawn(|| {
            let mut turn = 0;
            while !done.load(Ordering::Relaxed) || turn < 10 {
                let path = put(&api, &format!("Comes and goes {turn}"));
                if turn % 2 == 0 {
                    assert_eq!(api.send(Method::DELETE, &path, &[], b"").status, 202);
                }
                turn += 1;
            }
        });
        for _ in 0..3 {
            let found = follow(&api, "/customers?limit=50");
            assert!(found.is_sorted_by(|a, b| a < b), "each at most once, by id");
            let found: BTreeSet<u64> = found.into_iter().collect();
            assert!(found.is_superset(&before), "each that was there all the time");
        }
        done.store(true, Ordering::Relaxed);
        changes.join().expect("changes");
    });
}
