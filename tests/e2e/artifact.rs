//! The component file itself.

use crate::harness::{artifact, instance_per_request, root};

#[test]
fn the_component_is_small() {
    let bytes = std::fs::metadata(artifact()).expect("`make build` has made it").len();
    // Debian's compiler (1.97) makes it 20,000 bytes larger than rustup's (1.95).
    let limit = if instance_per_request() { 370_000 } else { 420_000 };
    // An entity adds 12 KB, most of it its description in openapi.json.
    let entities = std::fs::read_dir(root().join("entities")).expect("descriptions").count() as u64 - 1;
    let limit = limit + 15_000 * entities;
    assert!(bytes <= limit, "{bytes} bytes");
}
