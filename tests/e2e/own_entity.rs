//! `docs/add-your-own-entity.md`, followed to the letter: a copy of the project, every block of the page put where it
//! says, the generator run, the component built, and the API called.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use http::Method;
use tempfile::TempDir;

use crate::document::{Block, blocks, run, split_samples};
use crate::harness::{Process, Reply, output, root, up};
use crate::openapi::{examples_hold, schemas_hold};

/// Files by their path in the project.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// What is neither hidden nor built in a folder of `base`.
fn read(base: &Path, folder: &Path, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            read(base, &path, files);
        } else {
            files.insert(path.strip_prefix(base).unwrap().to_owned(), fs::read(&path).unwrap());
        }
    }
}

/// Puts a block where the line before it says, unless it is there: this may be a project that has followed the page.
fn apply(block: &Block, files: &mut Files) {
    let quoted: Vec<_> = block.lead.split('`').skip(1).step_by(2).collect();
    let text = |files: &Files, path: &str| {
        let file = files
            .get(Path::new(path))
            .unwrap_or_else(|| panic!("there is no {path}"));
        String::from_utf8(file.clone()).unwrap()
    };
    let (path, changed) = match *quoted {
        [path] if block.lead == format!("In `{path}`:") => {
            let present = files.get(Path::new(path));
            let is_free = present.is_none_or(|present| present == block.text.as_bytes());
            assert!(is_free, "{path} is there already, and another");
            (path, block.text.to_owned())
        }
        [path, line] if block.lead == format!("Add to `{path}` after `{line}`:") => {
            let text = text(files, path);
            let at = text.find(line).unwrap_or_else(|| panic!("{line} is not in {path}"));
            let (before, after) = text.split_at(at + line.len() + 1);
            let added = if text.contains(block.text) { "" } else { block.text };
            (path, [before, added, after].concat())
        }
        _ => panic!("{:?} does not say where this goes:\n{}", block.lead, block.text),
    };
    files.insert(path.into(), changed.into_bytes());
}

/// Gives a folder these files and no others. What is the same already is not touched, so that Cargo builds it once.
fn write(folder: &Path, files: &Files) {
    let mut present = Files::new();
    fs::create_dir_all(folder).unwrap();
    read(folder, folder, &mut present);
    for path in present.keys().filter(|path| !files.contains_key(*path)) {
        fs::remove_file(folder.join(path)).unwrap();
    }
    for (path, content) in files
        .iter()
        .filter(|(path, content)| present.get(*path) != Some(content))
    {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// Runs a command in the copy and returns what it prints.
fn execute(copy: &Path, command: &str) -> String {
    let (status, said) = output(Command::new("bash").current_dir(copy).args(["-c", command]));
    assert!(status.success(), "{command}: {said}");
    said
}

/// Generates and builds in the copy what `make generate` and `make build` do, with what the latter has unpacked and both
/// have built before.
fn build(copy: &Path) {
    let tools = root().join(".local");
    fs::create_dir_all(&tools).unwrap();
    // It may be there already.
    let _ = symlink(tools, copy.join(".local"));
    if !copy.join("target").exists() {
        for built in [
            "debug/.fingerprint",
            "debug/build",
            "debug/deps",
            "release",
            "wasm32-wasip2",
            "wasm-toolchain",
        ] {
            link(&root().join("target").join(built), &copy.join("target").join(built));
        }
    }
    // All packages decide on Cargo's features, as in `make stack`.
    execute(
        copy,
        "cargo build --quiet --locked --workspace --bin local --target-dir target",
    );
    execute(copy, "target/debug/local generate");
    let said = execute(copy, "target/debug/local generate");
    assert_eq!(said.matches(": current").count(), 2, "{said}");
    execute(copy, "bash local/build-component.sh");
}

/// Makes a folder with the same files, but for the project's own and Cargo's lock. Dependencies are the same in both
/// places, and Cargo takes them as built when their times are the same too, as those of links are.
fn link(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().replace('-', "_");
        if name.contains("customer_api") || name == ".cargo_lock" {
            continue;
        }
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            link(&from, &to);
        } else {
            // What cannot be linked is built.
            let _ = fs::hard_link(from, to);
        }
    }
}

/// `local up` over the copy, with fresh data in another folder.
fn start(copy: &Path, data: &Path) -> Process {
    let of_copy = |path| copy.join(path).to_str().unwrap().to_owned();
    up(&[
        "--bridge-listen",
        "127.0.0.1:0",
        "--database",
        data.join("customers.db").to_str().unwrap(),
        "--dab-config",
        &of_copy("dab/dab-config.json"),
        "--procedures",
        &of_copy("local/procedures"),
        "--manifest",
        &of_copy("spin.toml"),
    ])
}

#[test]
fn an_entity_added_as_documented_works() {
    let document = fs::read_to_string(root().join("docs/add-your-own-entity.md")).unwrap();
    let (samples, blocks) = split_samples(blocks(&document));
    let mut files = Files::new();
    read(root(), root(), &mut files);
    for block in blocks.iter().filter(|block| block.language != "sh") {
        apply(block, &mut files);
    }
    let copy = root().join("target/own-entity");
    // What an earlier run has generated is generated again unless it is current; left as it is, nothing is built again.
    if let Ok(generated) = fs::read(copy.join("openapi.json")) {
        files.insert("openapi.json".into(), generated);
    }
    write(&copy, &files);
    build(&copy);

    let data = TempDir::new().unwrap();
    let process = start(&copy, data.path());
    let api = process.api();
    run(&samples, api);

    let description = api.get("/openapi.json").json();
    schemas_hold(&description);
    let schemas = description["components"]["schemas"].as_object().unwrap().keys();
    let schemas = schemas.filter(|name| name.starts_with("Color"));
    let schemas: BTreeSet<_> = schemas.map(String::as_str).collect();
    assert_eq!(schemas, BTreeSet::from(["Color", "ColorNew", "ColorPage", "ColorRows"]));
    let fresh = TempDir::new().unwrap();
    let tried = examples_hold(&description, start(&copy, fresh.path()).api());
    for (path, methods) in [
        ("/color", "put"),
        ("/color/{id}", "get head"),
        ("/colors", "get head post"),
    ] {
        for method in methods.split(' ') {
            assert!(tried.contains(&(path.into(), method.into())), "{method} {path}");
        }
    }

    let problem = api.get("/color/99").problem(404);
    assert_eq!(problem["detail"], "Color 99 does not exist.");
    assert_eq!(api.get("/customer/123").status, 200);

    let create = |method: Method, path: &str, key: &str, body: &str| -> Reply {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        api.send(method, path, &headers, body.as_bytes())
    };
    for (method, path, body, row) in [
        (Method::PUT, "/color", r#"{"ColorName":"Tan"}"#, "/color/6"),
        (Method::POST, "/colors", r#"{"ColorName":"Teal"}"#, "/color/7"),
    ] {
        let key = method.as_str();
        let [first, second] = [(); 2].map(|()| create(method.clone(), path, key, body));
        assert_eq!((first.status, second.status), (201, 201));
        assert_eq!((&*first.location(), &*second.location()), (row, row));
        let read = api.get(row);
        assert_eq!((first.text(), second.text()), (second.text(), read.text()));
        assert_eq!(first.headers.get("etag").is_some(), method == Method::POST);
        assert!(first.headers.get("etag").is_none_or(|etag| etag == read.header("etag")));
        assert!(!first.headers.contains_key("idempotency-replayed"));
        assert_eq!(second.header("idempotency-replayed"), "true");
    }
    create(Method::PUT, "/color", "PUT", r#"{"ColorName":"Rose"}"#).problem(422);
    create(Method::PUT, "/color", "taken", r#"{"ColorName":"TAN "}"#).problem(409);
    create(Method::POST, "/colors", "invalid", r#"{"ColorName":7}"#).problem(422);

    let shown = api.get("/colors?limit=2&after=1");
    let link = format!("`Link: {}`", shown.header("link"));
    assert!(document.contains(&link), "the page does not show {link}");
    let first = api.get("/colors?limit=4");
    let (query, _) = first.header("link")[1..].split_once(">; rel=\"next\"").unwrap();
    let second = api.get(&format!("/colors{query}"));
    assert!(!second.headers.contains_key("link"));
    let pages = [first.json(), second.json()];
    let ids = pages.iter().flat_map(|page| page.as_array().unwrap());
    assert!(ids.map(|color| color["ColorID"].as_u64().unwrap()).eq(1..=7));
}
