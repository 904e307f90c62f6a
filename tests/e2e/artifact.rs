//! The component file itself.

use crate::harness::{artifact, instance_per_request};

#[test]
fn the_component_is_small() {
    let bytes = std::fs::metadata(artifact()).expect("`make build` has made it").len();
    let limit = if instance_per_request() { 400 } else { 420 };
    assert!(bytes < limit * 1024, "{bytes} bytes");
}
