//! Variables that cannot be used are named wherever they matter.

use http::Method;

use crate::harness::{Process, environment, host, local};

#[test]
fn a_bad_variable_is_named_at_readyz_and_on_every_route() {
    for (variable, value) in [
        ("retry_cap_ms", "99"),
        ("request_deadline_ms", "0"),
        ("attempt_timeout_ms", "-1"),
        ("retry_base_ms", "soon"),
        ("max_body_bytes", "1e6"),
        ("dab_path", "no-slash"),
        ("no_such_option", "secret"),
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
            assert_eq!(problem["type"], "/problems#misconfigured");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(variable) && !detail.contains(value), "{detail}");
        }
    }
}
