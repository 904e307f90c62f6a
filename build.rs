//! Takes the white space out of `openapi.json`, which becomes part of the component, and makes its stack small: the host
//! clears all memory that a component asks for, for each instance.

use std::path::Path;
use std::{env, fs, io};

/// Bytes of stack, a power of two. Nothing here recurses with its input; `make cost` tells how much is used at most.
const STACK_BYTES: u32 = 32 * 1024;

fn main() -> io::Result<()> {
    if env::var_os("CARGO_CFG_TARGET_FAMILY").is_some_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size={STACK_BYTES}");
    }
    println!("cargo::rerun-if-changed=openapi.json");
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    let document = fs::read_to_string("openapi.json")?;
    fs::write(Path::new(&folder).join("openapi.json"), minify(&document))
}

/// JSON without the white space between its tokens.
fn minify(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    json.chars()
        .filter(|character| {
            match character {
                '"' if !escaped => in_string = !in_string,
                _ => {}
            }
            escaped = in_string && !escaped && *character == '\\';
            in_string || !character.is_ascii_whitespace()
        })
        .collect()
}
