//! An acknowledged write survives `kill -9`.

use std::{
    env,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

use super::server::{self, Server};

const DATABASE: &str = "LOCAL_BRIDGE_TEST_DATABASE";

#[test]
fn an_acknowledged_write_survives_kill_9() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = folder.path().join("bridge.db");
    // This executable again, but as the server.
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "durability::serve_until_killed", "--nocapture"])
        .env(DATABASE, &database)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address =
        lines.map_while(Result::ok).find_map(|line| Some(line.split_once("listening on ")?.1.to_owned())).unwrap();
    let body = r#"{"CustomerID":801,"Json":"{\"PhoneNumber\":\"survived\"}","RequestKey":"k"}"#;
    let reply = server::connect(&address).exchange(
        format!("POST /api/patch_customer HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            .as_bytes(),
    );
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(reply.status, 201);
    assert!(reply.body.contains("\"Status\":202"), "{}", reply.body);

    let reopened = Server::with_database(&database);
    let stored = reopened.get("/api/get_customer?CustomerID=801");
    assert!(stored.body.contains("survived"));
    // The ledger also survived: a retry changes nothing.
    let replay = reply.body.replace("\"Replayed\":false", "\"Replayed\":true");
    assert_eq!(reopened.post("/api/patch_customer", body).body, replay);
}

/// Not a test: the server that the test above kills.
#[test]
#[ignore = "started by an_acknowledged_write_survives_kill_9"]
fn serve_until_killed() {
    let Some(database) = env::var_os(DATABASE) else { return };
    let server = Server::with_database(&PathBuf::from(database));
    println!("listening on {}", server.address);
    loop {
        std::thread::park();
    }
}
