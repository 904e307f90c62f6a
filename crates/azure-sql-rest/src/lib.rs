//! REST APIs on Azure SQL as WebAssembly components for Spin.
//!
//! [`component!`] makes a component of a table of routes. The component passes each request to a stored procedure through
//! Data API Builder, and retries transient failures. The procedure's JSON reaches the client unchanged. SQL knows everything
//! about the rows.
//!
//! A request passes through the modules in the order of this list. A module uses only modules that are lower in the list; a
//! test checks this.

pub mod export;

pub mod host;

pub mod handler;

pub mod app;

pub mod settings;

pub mod client {
    //! The client's side: what a request must be, and what the answer looks like.

    pub mod pages;

    pub mod response;

    pub mod body;

    pub mod arguments;

    pub mod accept;
    pub mod caller;

    pub mod access;
    pub mod cors;
    pub mod precondition;

    pub mod problem;
}

pub mod dab {
    //! Data API Builder's side: a call as HTTP, and its answer.

    pub mod call;

    pub mod answer;
    pub mod request;
}

pub mod route;

pub mod log;

pub mod platform;

pub mod instance;

pub mod retry;

pub mod failure;
pub mod headers;

#[cfg(test)]
mod tests {
    use std::fs;

    /// The modules of this file in their order, as their paths in the crate.
    fn modules() -> Vec<String> {
        let (mut modules, mut parent) = (Vec::new(), String::new());
        for line in include_str!("lib.rs").lines().map(str::trim) {
            match line.strip_prefix("pub mod ") {
                Some(module) if module.ends_with('{') => parent = module.replace(" {", "::"),
                Some(module) => modules.push(parent.clone() + module.trim_end_matches(';')),
                None if line == "}" => parent.clear(),
                None => {}
            }
        }
        modules
    }

    /// The paths behind `crate::` in the code of a file, with braces expanded. Macros, which are at the root, and tests do
    /// not count.
    fn uses(code: &str) -> Vec<String> {
        let code = code.split("#[cfg(test)]").next().unwrap_or_default();
        let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let paths = code.split("crate::").skip(1).filter(|rest| !is_macro(rest)).flat_map(|rest| {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':'))).unwrap_or(rest.len());
            let (path, rest) = rest.split_at(end);
            match rest.strip_prefix('{').and_then(|list| list.split_once('}')) {
                Some((list, _)) => list.split(',').map(|name| format!("{path}{}", name.trim())).collect(),
                None => vec![path.to_owned()],
            }
        });
        paths.collect()
    }

    /// True where a macro is called or linked to.
    fn is_macro(rest: &str) -> bool {
        rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').starts_with('!')
    }

    #[test]
    fn a_module_uses_only_those_below_it() {
        let modules = modules();
        assert!(modules.len() > 15, "{modules:?}");
        for (place, module) in modules.iter().enumerate() {
            let path = format!("{}/src/{}", env!("CARGO_MANIFEST_DIR"), module.replace("::", "/"));
            let folder = fs::read_dir(&path).into_iter().flatten();
            let mut files: Vec<_> = folder.map(|file| file.unwrap().path()).collect();
            files.push(format!("{path}.rs").into());
            files.retain(|file| file.is_file() && !file.ends_with("tests.rs") && !file.ends_with("fake.rs"));
            assert!(!files.is_empty(), "{module}");
            for used in files.iter().flat_map(|file| uses(&fs::read_to_string(file).unwrap())) {
                // A module itself, what is in it, or a folder of modules.
                let within = |inner: &str, outer: &str| inner == outer || inner.starts_with(&format!("{outer}::"));
                let found = modules.iter().position(|other| within(&used, other) || within(other, &used));
                let found = found.unwrap_or_else(|| panic!("{module} uses {used}, which is no module of lib.rs"));
                assert!(found >= place, "{module} uses {used}, which is above it");
            }
        }
    }
}
