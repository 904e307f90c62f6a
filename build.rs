//! Takes the white space out of `openapi.json` and makes a page of `docs/problems.md`, both of which become part of the
//! component, and makes its stack small: the host clears all memory that a component asks for, for each instance.

use std::path::Path;
use std::{env, fs, io};

use pulldown_cmark::{Event, Parser, Tag, html};

/// Bytes of stack, a power of two. Nothing here recurses with its input; `make cost` tells how much is used at most.
const STACK_BYTES: u32 = 32 * 1024;

fn main() -> io::Result<()> {
    if env::var_os("CARGO_CFG_TARGET_FAMILY").is_some_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size={STACK_BYTES}");
    }
    for source in ["openapi.json", "docs/problems.md", "src/client/pages/problems.html"] {
        println!("cargo::rerun-if-changed={source}");
    }
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    let folder = Path::new(&folder);
    fs::write(folder.join("openapi.json"), minify(&fs::read_to_string("openapi.json")?))?;
    let page = fs::read_to_string("src/client/pages/problems.html")?;
    let problems = render(&fs::read_to_string("docs/problems.md")?);
    fs::write(folder.join("problems.html"), page.replace("{{problems}}", &problems))
}

/// Markdown as HTML. The headings of the second level have themselves as ids: they are single words.
fn render(markdown: &str) -> String {
    let mut events: Vec<_> = Parser::new(markdown).collect();
    for place in 1..events.len() {
        if let [Event::Start(Tag::Heading { level, id, .. }), Event::Text(text)] = &mut events[place - 1..=place]
            && *level as usize == 2
        {
            *id = Some(text.clone());
        }
    }
    let mut page = String::new();
    html::push_html(&mut page, events.into_iter());
    page
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
