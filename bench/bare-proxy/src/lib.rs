//! A component that turns each request into one call of the bridge, and forwards its body and the answer. Nothing else
//! happens: no checks, no retries, no deadline. Only its bodies are sent with the same care. So the API's additional cost is
//! the cost of its promises.

// The SDK's macro looks for itself under this name.
#[cfg(feature = "wasip3")]
extern crate spin_sdk_wasip3 as spin_sdk;

#[cfg(feature = "wasip2")]
mod wasip2;
#[cfg(feature = "wasip3")]
mod wasip3;

/// Returns the path of the bridge for a path of the API, and true if the bridge requires a `GET`. Any other path asks
/// whether the bridge is ready, which is a host's first question.
fn call(method: &str, target: &str) -> (bool, String) {
    if let Some(limit) = target.strip_prefix("/customers?limit=") {
        return (true, format!("/api/get_customers?Limit={limit}"));
    }
    match (method, target.strip_prefix("/customer/")) {
        ("GET", Some(id)) => (true, format!("/api/get_customer?CustomerID={id}")),
        ("PATCH", Some(_)) => (false, "/api/patch_customer".to_owned()),
        ("PUT", None) => (false, "/api/put_customer".to_owned()),
        _ => (true, "/api/ready".to_owned()),
    }
}
