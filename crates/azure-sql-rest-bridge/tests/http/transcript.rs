//! The answers of a real Data API Builder 2.0.9, recorded with `dab/dab-config.json` in production mode: the bridge gets the
//! same requests. The recorded DAB called a scripted SQL Server; the procedures in `tests/transcript` answer as its script
//! did. Requests that the bridge cannot answer are left out, such as other SQL errors, several rows, other types and forms.

use std::{collections::BTreeMap, fs, path::Path};

use azure_sql_rest_bridge::Config;
use serde_json::Value;
use tempfile::TempDir;

use super::server::{Reply, Server};

const TRANSCRIPT: &str = include_str!("../transcript/dab-2.0.9.txt");

/// The headers for which the record has `(JSON)`.
const JSON: &str = "Content-Type: application/json; charset=utf-8
Date: …
Server: Kestrel
Transfer-Encoding: chunked
x-ms-correlation-id: …";

fn start() -> Server {
    let (folder, package) = (TempDir::new().unwrap(), Path::new(env!("CARGO_MANIFEST_DIR")));
    let procedures = package.join("tests/transcript");
    // The recorded DAB had no other entities, and no filters.
    let file = fs::read_to_string(package.join("../../dab/dab-config.json")).unwrap();
    let mut dab_config: Value = serde_json::from_str(&file).unwrap();
    let recorded = |name: &String| procedures.join(format!("web.{name}.sql")).exists();
    let entities = dab_config["entities"].as_object_mut().unwrap();
    entities.retain(|name, _| recorded(name));
    assert_eq!(entities.len(), 6);
    for (name, entity) in entities {
        let script = fs::read_to_string(procedures.join(format!("web.{name}.sql"))).unwrap();
        if let Some(Value::Array(parameters)) = entity.pointer_mut("/source/parameters") {
            parameters.retain(|parameter| script.contains(&format!("@{} ", parameter["name"].as_str().unwrap())));
        }
    }
    let config = Config {
        database: folder.path().join("bridge.db"),
        dab_config: folder.path().join("dab-config.json"),
        procedures,
    };
    fs::write(&config.dab_config, dab_config.to_string()).unwrap();
    Server::with_config(config, folder)
}

/// Sends the request of a line of curl's arguments: headers, then the body, then the path, or the path before the body.
fn ask(server: &Server, line: &str) -> Reply {
    let (mut method, mut headers, mut path, mut body) = ("GET", String::new(), "", "");
    let mut rest = line;
    while !rest.is_empty() {
        let (flag, after) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = match flag {
            "-X" => {
                let (name, rest) = after.split_once(' ').unwrap();
                method = name;
                rest
            }
            "-I" => {
                method = "HEAD";
                after
            }
            "-H" => {
                let end = [" -H ", " -d ", " /"].iter().filter_map(|next| after.find(next)).min();
                // With `Content-Type:` and no value, curl sends no such header.
                let (header, rest) = after.split_at(end.unwrap());
                if !header.trim_end().ends_with(':') {
                    headers += &format!("{header}\r\n");
                }
                rest.trim_start()
            }
            "-d" => {
                // The path, if it did not come before, follows the last space.
                let (sent, rest) = if path.is_empty() { after.rsplit_once(' ').unwrap() } else { (after, "") };
                body = sent;
                rest
            }
            _ => {
                path = flag;
                after
            }
        };
    }
    server.send(method, path, &headers, body)
}

/// An answer without the parts that differ each time: dates, identifiers, durations, addresses.
fn normalised(mut headers: BTreeMap<String, String>, body: &str) -> (BTreeMap<String, String>, String) {
    for name in ["date", "x-ms-correlation-id"] {
        assert!(headers.insert(name.into(), "…".into()).is_some(), "{name}");
    }
    if let Some(location) = headers.get_mut("location") {
        let path = location.find("/api").unwrap();
        location.drain(..path);
    }
    let mut body = body.to_owned();
    for (begin, end) in [("\"timestamp\": \"", "\""), ("\"response-ms\": ", ",")] {
        if let Some((before, rest)) = body.split_once(begin) {
            let (_, after) = rest.split_once(end).unwrap();
            body = format!("{before}{begin}…{end}{after}");
        }
    }
    // The record has `^@` for NUL. The bridge says whether a write was done before; the recorded procedures had no such
    // column.
    (headers, body.replace('\0', "^@").replace("\"Replayed\":false,", ""))
}

#[test]
fn the_bridge_answers_as_a_real_dab_did() {
    let mut compared = 0;
    for exchange in TRANSCRIPT.replace("(JSON)", JSON).split("### ").skip(1) {
        let (request, answer) = exchange.split_once('\n').unwrap();
        let (head, body) = answer.split_once("\n\n").unwrap();
        let (status, lines) = head.split_once('\n').unwrap();
        let pairs = lines.lines().map(|line| line.split_once(": ").unwrap());
        let headers = pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        // Each request has a new database, because the same key comes again and again.
        let reply = ask(&start(), request);
        assert_eq!(status[9..12], reply.status.to_string(), "{request}");
        let ours = normalised(reply.headers.into_iter().collect(), &reply.body);
        assert_eq!(ours, normalised(headers, body.trim_end_matches('\n')), "{request}");
        compared += 1;
    }
    assert_eq!(compared, 73);
}
