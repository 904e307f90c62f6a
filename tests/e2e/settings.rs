//! Variables that cannot be used are named wherever they matter.

use http::Method;
use serde_json::json;

use crate::harness::{Process, Recorder, environment, host, local, up_with};

#[test]
fn a_bad_variable_is_named_at_readyz_and_on_every_route() {
    for (variable, value) in [
        ("retry_cap_ms", "99"),
        ("request_deadline_ms", "0"),
        ("attempt_timeout_ms", "-1"),
        ("retry_base_ms", "soon"),
        ("max_body_bytes", "1e6"),
        ("dab_path", "no-slash"),
        ("log_level", "loud"),
    ] {
        let mut command =
            local(&["up", "--host", host(), "--listen", "127.0.0.1:0", "--dab-url", "http://127.0.0.1:9"]);
        let process = Process::start(command.envs(environment(&[(variable, value)])));
        let api = process.api();
        assert_eq!(api.get("/healthz").status, 200);
        let replies = [
            api.get("/readyz"),
            api.get("/customer/1"),
            api.get("/customers"),
            api.json(Method::PUT, "/customer", "{}"),
            api.json(Method::PATCH, "/customer/1", "{}"),
            api.send(Method::DELETE, "/customer/1", &[], b""),
        ];
        for reply in replies {
            let problem = reply.problem(500);
            assert!(problem["type"].as_str().unwrap().ends_with("problems#misconfigured"));
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(variable) && !detail.contains(value), "{detail}");
        }
    }
}

#[test]
fn a_secret_is_told_to_nobody() {
    for (variable, value) in [
        ("api_key", "one-secret\nother-secret"),
        ("dab_api_key", "one-secret\nlog_level=other-secret"),
        ("options", "one-secret"),
        ("options", "one-secret=other-secret"),
    ] {
        let mut command =
            local(&["up", "--host", host(), "--listen", "127.0.0.1:0", "--dab-url", "http://127.0.0.1:9"]);
        let process = Process::start(command.env(format!("SPIN_VARIABLE_{}", variable.to_uppercase()), value));
        let reply = process.api().get("/customers");
        let problem = reply.problem(500);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(variable) && !reply.text().contains("secret"), "{detail}");
    }
}

#[test]
fn a_secret_of_a_file_may_end_in_a_line_break() {
    let bridge = Recorder::start();
    let process = up_with(&[("api_key", "key\n")], &["--dab-url", &bridge.url()]);
    bridge.row(json!({"Status": 200, "Json": "[]"}));
    assert_eq!(process.api().send(Method::GET, "/customers", &[("x-api-key", "key")], b"").status, 200);
}
