//! The settings in the manifests and in `docs/configuration.md`, from the table of the library ([`azure_sql_rest::settings::TABLE`]).
//!
//! Each place is between two lines that name it, as comments of the file's format. A file without them is its owner's.

use std::fmt::Write;

use azure_sql_rest::settings::{Place, SEPARATOR, Setting, TABLE};

/// The files that can have such places.
pub(super) const FILES: [&str; 3] = ["spin.toml", "spin.wasip3.toml", "docs/configuration.md"];

/// Returns `text` with its places as the table has them.
pub(super) fn filled(text: &str) -> String {
    let places = [
        ("# variables: written by azure-sql-rest generate", "# end of variables", variables()),
        ("# settings: written by azure-sql-rest generate", "# end of settings", template()),
        ("<!-- variables -->", "<!-- end of variables -->", rows(|setting| setting.place != Place::Option)),
        ("<!-- options -->", "<!-- end of options -->", rows(|setting| setting.place == Place::Option)),
    ];
    places.iter().fold(text.to_owned(), |text, (begin, end, content)| fill(&text, begin, end, content))
}

/// Replaces the lines between `begin` and `end`.
fn fill(text: &str, begin: &str, end: &str, content: &str) -> String {
    let Some((before, rest)) = text.split_once(&format!("{begin}\n")) else {
        return text.to_owned();
    };
    let Some((_, after)) = rest.split_once(end) else {
        return text.to_owned();
    };
    format!("{before}{begin}\n{content}{end}{after}")
}

fn all_variables() -> impl Iterator<Item = &'static Setting> {
    TABLE.iter().filter(|setting| setting.place != Place::Option)
}

/// The table `[variables]` of a manifest.
fn variables() -> String {
    let mut text = String::from("[variables]\n");
    for setting in all_variables() {
        let secret = if setting.place == Place::Secret { ", secret = true" } else { "" };
        let _ = writeln!(text, "{} = {{ default = \"{}\"{secret} }}", setting.name, setting.default);
    }
    text + "# Settings that seldom change, as name=value pairs separated by spaces: \"request_deadline_ms=10000 \
            cors_allowed_origins=https://shop.example\".\noptions = { default = \"\" }\n"
}

/// The component variable `settings`: a part for each variable. TOML joins lines that end in a backslash.
fn template() -> String {
    let separator = format!("\\u{:04x}", u32::from(SEPARATOR));
    let parts: Vec<_> = all_variables().map(|setting| setting.name).chain(["options"]).map(part).collect();
    format!("settings = \"\"\"\n{}\"\"\"\n", parts.join(&format!("{separator}\\\n")))
}

/// `name={{ name }}`
fn part(name: &str) -> String {
    format!("{name}={{{{ {name} }}}}")
}

/// The rows of a table in Markdown.
fn rows(is_meant: impl Fn(&Setting) -> bool) -> String {
    let kind = if is_meant(&TABLE[0]) { "variable" } else { "option" };
    let mut text = format!("| {kind} | default | what it is |\n|---|---|---|\n");
    for setting in TABLE.iter().filter(|setting| is_meant(setting)) {
        let default = match setting.default {
            "" => "empty".to_owned(),
            default => format!("`{default}`"),
        };
        let doc: Vec<_> = setting.doc.iter().map(|line| line.trim()).collect();
        let secret = if setting.place == Place::Secret { ". Secret" } else { "" };
        let _ = writeln!(text, "| `{}` | {default} | {}{secret} |", setting.name, doc.join(" "));
    }
    if kind == "variable" {
        text += "| `options` | empty | the options below, as `name=value` pairs separated by spaces |\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_the_rest_stays() {
        let text = "a\n# variables: written by azure-sql-rest generate\nold\n# end of variables\nb\n<!-- options -->\n";
        let filled = filled(text);
        assert!(filled.starts_with("a\n# variables: written by azure-sql-rest generate\n[variables]\ndab_url = {"));
        assert!(filled.contains("api_key = { default = \"\", secret = true }\n"));
        assert!(filled.ends_with("# end of variables\nb\n<!-- options -->\n"), "{filled}");
        assert_eq!(super::filled(&filled), filled);
    }

    #[test]
    fn a_manifest_gives_the_component_every_default() {
        let manifest: toml::Value = toml::from_str(&format!("{}[component]\n{}", variables(), template())).unwrap();
        let mut text = manifest["component"]["settings"].as_str().unwrap().to_owned();
        for (name, variable) in manifest["variables"].as_table().unwrap() {
            text = text.replace(&format!("{{{{ {name} }}}}"), variable["default"].as_str().unwrap());
        }
        assert!(!text.contains('{'), "{text}");
        assert_eq!(text.split(SEPARATOR).count(), all_variables().count() + 1);
        let settings = azure_sql_rest::settings::Settings::parse;
        assert_eq!(settings(&text), settings(""));
    }
}
