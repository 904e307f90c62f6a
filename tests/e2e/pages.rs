//! The pages for people, as the component serves them. `tests/browser` looks at them in a browser.

use crate::harness::{Stack, root, shared};

#[test]
fn the_address_alone_leads_to_the_description() {
    let home = shared().get("/");
    assert_eq!((home.status, home.header("location")), (303, "docs"));
    let docs = shared().get("/docs");
    assert_eq!((docs.status, docs.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(docs.header("content-security-policy").starts_with("default-src 'none'; "));
    assert!(docs.text().contains("url: \"openapi.json\""));
}

#[test]
fn the_type_of_a_problem_leads_to_its_explanation() {
    let problem = shared().get("/customer/2000000").problem(404);
    let (page, heading) = problem["type"].as_str().unwrap().split_once('#').unwrap();
    let page = shared().get(page.strip_prefix("..").unwrap());
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.text().contains(&format!("<h2 id=\"{heading}\">")));
    let source = std::fs::read_to_string(root().join("crates/azure-sql-rest/problems.md")).unwrap();
    assert_eq!(page.text().matches("<h2 ").count(), source.matches("\n## ").count());
}

#[test]
fn without_pages_there_is_the_api_alone() {
    let stack = Stack::with(&[("serve_docs", "false")]);
    for path in ["/", "/docs", "/problems"] {
        assert_eq!(stack.api().get(path).problem(404)["type"], "problems#unknown-route");
    }
    assert_eq!(stack.api().get("/openapi.json").status, 200);
}
