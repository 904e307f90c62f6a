//! An acknowledged write is there after every failure of the bridge.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use http::Method;
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Process, local, up};

const WRITERS: usize = 4;
const WRITES: usize = 12;

#[test]
fn acknowledged_writes_survive_kill_9_of_the_bridge() {
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("customers.db");
    let bridge = |listen: &str| {
        Process::start(&mut local(&["bridge", "--listen", listen, "--database", database.to_str().unwrap()]))
    };
    let first = bridge("127.0.0.1:0");
    let listen = first.url.strip_prefix("http://").unwrap().to_owned();
    let process = up(&["--dab-url", &first.url]);
    let api = process.api();

    let acknowledged = AtomicUsize::new(0);
    let (middle, wait_for_middle) = mpsc::channel();
    let names: BTreeMap<String, String> = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (acknowledged, middle) = (&acknowledged, middle.clone());
                scope.spawn(move || {
                    (0..WRITES)
                        .map(|write| {
                            let name = format!("Durable {writer}-{write}");
                            let customer = json!({"CustomerName": name, "PhoneNumber": "1", "FaxNumber": "2", "WebsiteURL": "3",
                                "Delivery": {"AddressLine1": "4", "PostalCode": "5"}});
                            let reply = api.json(Method::PUT, "/customer", &customer.to_string());
                            assert_eq!(reply.status, 201, "{}", reply.text());
                            if acknowledged.fetch_add(1, Ordering::Relaxed) == WRITERS * WRITES / 2 {
                                middle.send(()).unwrap();
                            }
                            (name, reply.location())
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        wait_for_middle.recv().unwrap();
        first.kill_9();
        // The component tries again until the bridge is back: the writers see no error.
        let _second = bridge(&listen);
        let names = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        let list = api.get("/customers?after=1061&limit=1000").json();
        let written =
            list.as_array().unwrap().iter().filter(|row| row["CustomerName"].as_str().unwrap().starts_with("Durable "));
        assert_eq!(written.count(), WRITERS * WRITES, "each write once");
        names
    });
    // Once more, only from the disk.
    let _third = bridge(&listen);
    for (name, path) in names {
        assert_eq!(api.get(&path).json()[0]["CustomerName"], name);
    }
}
