//! The customers of a new database.

use std::collections::HashSet;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::server::Server;

#[test]
fn a_new_database_has_the_same_663_customers_every_time() {
    let server = Server::start();
    let ids: Vec<i64> = (1..=201).chain(401..=601).chain(801..=1061).collect();
    let mut connection = server.connect();
    let mut get = |target: &str| {
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        connection.exchange(request.as_bytes()).body
    };
    let page: Value = serde_json::from_str(&get("/api/get_customers?Limit=1000")).unwrap();
    let page: Vec<Value> = serde_json::from_str(page["value"][0]["Json"].as_str().unwrap()).unwrap();
    assert!(page.iter().map(|customer| customer["CustomerID"].as_i64().unwrap()).eq(ids.clone()));

    let names = page.iter().map(|customer| customer["CustomerName"].as_str().unwrap());
    let names: HashSet<_> = names.map(str::to_lowercase).collect();
    assert_eq!(names.len(), 663);
    assert!(names.iter().filter(|name| !name.is_ascii()).count() > 150);
    assert!(names.iter().any(|name| name.chars().any(|character| character > '\u{ffff}')));

    let mut all = Sha256::new();
    for id in ids {
        all.update(get(&format!("/api/get_customer?CustomerID={id}")));
    }
    let digest = "de751ec3b9172bfe0c6ee26b2b3fa1c082275adf2f162bbd70852b55871b2c2b";
    assert_eq!(format!("{:x}", all.finalize()), digest);
}
