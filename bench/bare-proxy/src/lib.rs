//! A component that turns each request into one call of the bridge, hands its body on and its answer back, and does nothing else: no
//! checks, no retries, no deadline. Only its bodies are sent with the same care, so that what the API costs beyond this is what its
//! promises cost.

// The SDK's macro looks for itself under this name.
#[cfg(feature = "wasip3")]
extern crate spin_sdk_wasip3 as spin_sdk;

#[cfg(feature = "wasip2")]
mod wasip2;
#[cfg(feature = "wasip3")]
mod wasip3;

/// The path of the bridge for a path of the API, and whether the bridge wants a `GET`. Whatever is no route asks whether the bridge is
/// ready, which is what a host wants to know first.
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
