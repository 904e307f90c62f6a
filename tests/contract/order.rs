//! No file uses another that uses it, directly or through others. So files can be read in one order, and each can be understood with the
//! files below it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use crate::root;

/// The files of a crate by their module, as the module is called in paths; the root is the empty text.
struct Crate(BTreeMap<String, String>);

impl Crate {
    fn read(src: &Path) -> Self {
        let mut files = BTreeMap::new();
        add(&mut files, src, "");
        let of_tests: Vec<_> = files.iter().flat_map(|(module, code)| test_modules(module, code)).collect();
        files.retain(|module, _| !of_tests.iter().any(|tests| is_within(module, tests)));
        Self(files)
    }

    /// The modules that a file uses.
    fn uses(&self, module: &str, code: &str) -> BTreeSet<&str> {
        let found = paths(code).into_iter().filter_map(|path| self.file(module, &path));
        found.filter(|used| *used != module).collect()
    }

    /// The module whose file has the item of a path in `module`; `None` for an item of another crate.
    fn file(&self, module: &str, path: &[&str]) -> Option<&str> {
        let mut place: Vec<_> = module.split("::").filter(|name| !name.is_empty()).collect();
        let mut path = path;
        match path.first() {
            Some(&"crate") => place.clear(),
            Some(&"super") => {}
            Some(&"self") => path = &path[1..],
            // The rest begin with a child of the module, or with a crate.
            Some(first) => drop(self.0.get_key_value(&joined(&place, &[first]))?),
            None => return None,
        }
        path = path.strip_prefix(&["crate"]).unwrap_or(path);
        while let [first, rest @ ..] = path
            && *first == "super"
        {
            place.pop()?;
            path = rest;
        }
        (0..=path.len())
            .rev()
            .find_map(|end| self.0.get_key_value(&joined(&place, &path[..end])))
            .map(|(name, _)| name.as_str())
    }

    /// A way from a module back to itself, if there is one.
    fn circle(&self) -> Option<Vec<&str>> {
        let uses: BTreeMap<_, _> =
            self.0.iter().map(|(module, code)| (module.as_str(), self.uses(module, code))).collect();
        uses.keys().find_map(|start| {
            let (mut ways, mut seen) = (vec![vec![*start]], BTreeSet::new());
            while let Some(way) = ways.pop() {
                for next in way.last().and_then(|last| uses.get(last)).into_iter().flatten() {
                    let longer = [&way[..], &[next]].concat();
                    if next == start {
                        return Some(longer);
                    }
                    if seen.insert(*next) {
                        ways.push(longer);
                    }
                }
            }
            None
        })
    }
}

fn joined(place: &[&str], path: &[&str]) -> String {
    [place, path].concat().join("::")
}

fn is_within(module: &str, outer: &str) -> bool {
    module == outer || module.starts_with(&format!("{outer}::"))
}

/// Adds the files of a folder, without their tests and comments.
fn add(files: &mut BTreeMap<String, String>, folder: &Path, parent: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let module = match name.as_str() {
            "lib" | "main" | "mod" => parent.to_owned(),
            _ if parent.is_empty() => name,
            _ => format!("{parent}::{name}"),
        };
        if path.is_dir() {
            add(files, &path, &module);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let code = fs::read_to_string(&path).unwrap();
            let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            let code = lines.fold(String::new(), |code, line| code + line + "\n");
            // A library and its program may lie side by side.
            *files.entry(module).or_default() += &code;
        }
    }
}

/// The modules that a file has only for tests.
fn test_modules(module: &str, code: &str) -> Vec<String> {
    static DECLARED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"#\[cfg\(test\)\]\s*(?:pub )?mod (\w+);").unwrap());
    let parent: Vec<_> = module.split("::").filter(|name| !name.is_empty()).collect();
    DECLARED.captures_iter(code).map(|found| joined(&parent, &[&found[1]])).collect()
}

/// The paths in a file's code, with what is in braces undone, and without macros, which are at the root.
fn paths(code: &str) -> Vec<Vec<&str>> {
    static PATH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(\w+(?:::\w+)*)(?:::\{([^{}]*)\}|(!))?").unwrap());
    let mut paths = Vec::new();
    for found in PATH.captures_iter(code).filter(|found| found.get(3).is_none()) {
        let path: Vec<_> = found.get(1).unwrap().as_str().split("::").collect();
        match found.get(2) {
            None => paths.push(path),
            Some(names) => paths.extend(names.as_str().split(',').map(|name| {
                let name = name.trim().split("::").filter(|name| *name != "self");
                path.iter().copied().chain(name).collect()
            })),
        }
    }
    // A single word is a name, not a path.
    paths.retain(|path| path.len() > 1);
    paths
}

#[test]
fn no_file_uses_one_that_uses_it() {
    let mut crates: Vec<_> = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path()).collect();
    crates.extend(["bench/cost", "tests/cases", "tests/soak"].map(|path| root().join(path)));
    let mut circles = Vec::new();
    assert!(crates.len() >= 8, "{crates:?}");
    for folder in crates {
        let files = Crate::read(&folder.join("src"));
        assert!(!files.0.is_empty(), "{}", folder.display());
        if let Some(circle) = files.circle() {
            let names = circle.iter().map(|name| if name.is_empty() { "(root)" } else { name });
            circles.push(format!("{}: {}", folder.display(), names.collect::<Vec<_>>().join(" → ")));
        }
    }
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn a_circle_is_found_across_folders() {
    let file = |module: &str, code: &str| (module.to_owned(), code.to_owned());
    let one_way = [
        file("", "use a::B;"),
        file("a", "use crate::c::{D, e::F};"),
        file("a::b", "super::super::c::f()"),
        file("c", "std::fs::read(c)"),
    ];
    assert_eq!(Crate(one_way.into()).circle(), None);
    let back = [file("a", "mod b;\nuse b::C;"), file("a::b", "use crate::d;\nd::f()"), file("d", "use crate::{a::X};")];
    assert_eq!(Crate(back.into()).circle(), Some(vec!["a", "a::b", "d", "a"]));
    let child = [file("a", "b::f()"), file("a::b", "use super::C;")];
    assert_eq!(Crate(child.into()).circle(), Some(vec!["a", "a::b", "a"]));
}
