//! The component file itself.

use crate::harness::artifact;

#[test]
fn the_component_is_small() {
    let bytes = std::fs::metadata(artifact()).expect("`make build` has made it").len();
    assert!(bytes < 400 * 1024, "{bytes} bytes");
}
