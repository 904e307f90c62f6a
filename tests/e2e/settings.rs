//! Variables that cannot be used are named wherever they matter.

use http::Method;
use serde_json::json;

use crate::harness::{Process, Recorder, environment, host, local, up_with};

#[test]
fn a_bad_variable_is_named_at_readyz_and_on_every_route_and_its_value_is_not() {
    for (variable, value) in
        [("max_body_bytes", "1e6"), ("api_key", "one-secret\nother-secret"), ("options", "one-secret")]
    {
        let mut command =
            local(&["up", "--host", host(), "--listen", "127.0.0.1:0", "--dab-url", "http://127.0.0.1:9"]);
        let process = Process::start(match variable {
            "max_body_bytes" => command.envs(environment(&[(variable, value)])),
            _ => command.env(format!("SPIN_VARIABLE_{}", variable.to_uppercase()), value),
        });
        let api = process.api();
        assert_eq!(api.get("/healthz").status, 200);
        for reply in [api.get("/readyz"), api.get("/customers"), api.send(Method::DELETE, "/customer/1", &[], b"")] {
            let problem = reply.problem(500);
            assert!(problem["type"].as_str().unwrap().ends_with("problems#misconfigured"));
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(variable) && !reply.text().contains(value), "{detail}");
            assert!(!reply.text().contains("secret"), "{detail}");
        }
    }
}

#[test]
fn a_secret_of_a_file_may_end_in_a_line_break() {
    let bridge = Recorder::start();
    let process = up_with(&[("api_key", "key\n")], &["--dab-url", &bridge.url()]);
    bridge.row(json!({"Status": 200, "Json": "[]"}));
    assert_eq!(process.api().send(Method::GET, "/customers", &[("x-api-key", "key")], b"").status, 200);
}
