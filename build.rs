//! Takes the white space out of `openapi.json`, which becomes part of the component.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
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
