//! Makes a page of `problems.md`, which becomes part of the component.

use std::path::Path;
use std::{env, fs, io};

use pulldown_cmark::{Event, Parser, Tag, html};

fn main() -> io::Result<()> {
    let (source, template) = ("problems.md", "src/client/pages/problems.html");
    for path in [source, template] {
        println!("cargo::rerun-if-changed={path}");
    }
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    let page = fs::read_to_string(template)?.replace("{{problems}}", &render(&fs::read_to_string(source)?));
    fs::write(Path::new(&folder).join("problems.html"), page)
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
