//! Variables that cannot be used are named wherever they matter.

use http::Method;

use crate::harness::{Process, host, local};

#[test]
fn a_bad_variable_is_named_at_readyz_and_on_every_route() {
    for (variable, value) in [
        ("RETRY_CAP_MS", "99"),
        ("REQUEST_DEADLINE_MS", "0"),
        ("ATTEMPT_TIMEOUT_MS", "-1"),
        ("RETRY_BASE_MS", "soon"),
        ("MAX_BODY_BYTES", "1e6"),
        ("DAB_PATH", "no-slash"),
    ] {
        let mut command = local(&[
            "up",
            "--host",
            host(),
            "--listen",
            "127.0.0.1:0",
            "--dab-url",
            "http://127.0.0.1:9",
        ]);
        let process = Process::start(command.env(format!("SPIN_VARIABLE_{variable}"), value));
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
            assert!(
                detail.contains(&variable.to_lowercase()) && !detail.contains(value),
                "{detail}"
            );
        }
    }
}
