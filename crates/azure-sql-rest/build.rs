//! Makes the pages of the component: `/problems` of `problems.md`, and `/docs` with Swagger UI from its CDN. If `SWAGGER_UI` names the
//! folder of the package `swagger-ui-dist`, its files become part of the page, and the page needs no CDN.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use pulldown_cmark::{Event, Parser, Tag, html};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=SWAGGER_UI");
    let folder = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let page = read("src/client/pages/problems.html")?.replace("{{problems}}", &render(&read("problems.md")?));
    fs::write(folder.join("problems.html"), page)?;

    let mut page = read("src/client/pages/docs.html")?;
    let mut policy = read("src/client/pages/docs.policy")?.trim_end().replace('\n', " ");
    if let Some(files) = env::var_os("SWAGGER_UI") {
        let begins = [("style", "<link rel=\"stylesheet\" href=\""), ("script", "<script src=\"")];
        for (element, begin) in begins {
            (page, policy) = embed(&page, &policy, Path::new(&files), element, begin)?;
        }
        page = page.replace("JavaScript and cdn.jsdelivr.net. Without them", "JavaScript. Without it");
    }
    fs::write(folder.join("docs.html"), page)?;
    fs::write(folder.join("docs.policy"), policy)
}

/// The text of a file. A change of the file makes the pages again.
fn read(path: impl AsRef<Path>) -> io::Result<String> {
    let path = path.as_ref();
    println!("cargo::rerun-if-changed={}", path.display());
    fs::read_to_string(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Page and policy with the file in the page, in place of the line that links to the file. The policy allows the hash that the line had, so
/// that a browser runs no other file.
fn embed(page: &str, policy: &str, files: &Path, element: &str, begin: &str) -> io::Result<(String, String)> {
    let parts = || {
        let (before, rest) = page.split_once(begin)?;
        let (url, rest) = rest.split_once("\" integrity=\"")?;
        let (hash, rest) = rest.split_once('"')?;
        let (package, file) = url.rsplit_once('/')?;
        Some((before, url, package.rsplit_once('@')?.1, file, hash, rest.split_once('\n')?.1))
    };
    let (before, url, version, file, hash, after) = parts().ok_or(io::ErrorKind::InvalidData)?;
    if !read(files.join("package.json"))?.contains(&format!("\"version\": \"{version}\"")) {
        return Err(io::Error::other(format!("{} is not swagger-ui-dist {version}", files.display())));
    }
    let text = read(files.join(file))?;
    Ok((format!("{before}<{element}>{text}</{element}>\n{after}"), policy.replace(url, &format!("'{hash}'"))))
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
