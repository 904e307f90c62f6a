//! `docs/add-your-own-entity.md`, followed to the letter: a copy of the project, every block of the page put where it
//! says, the component built, and the API called.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use http::Method;
use serde_json::{Map, Value};
use tempfile::TempDir;

use crate::document::{Block, blocks, run, split_samples};
use crate::harness::{Process, Reply, output, root, up};

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
        [path, key] if block.lead == format!("Add to `{path}` under `{key}`:") => {
            let mut file: Value = serde_json::from_str(&text(files, path)).unwrap();
            let members: Map<_, _> = serde_json::from_str(&format!("{{{}}}", block.text)).unwrap();
            let under = file[key].as_object_mut().unwrap();
            for (name, member) in members {
                let present = under.entry(name).or_insert_with(|| member.clone());
                assert_eq!(*present, member, "{path} has another");
            }
            (path, serde_json::to_string_pretty(&file).unwrap())
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

/// Builds the component of the copy as `make build` does, with what that has unpacked and built before.
fn build(copy: &Path) {
    let tools = root().join(".local");
    fs::create_dir_all(&tools).unwrap();
    // It may be there already.
    let _ = symlink(tools, copy.join(".local"));
    if !copy.join("target").exists() {
        for built in ["release", "wasm32-wasip2", "wasm-toolchain"] {
            link(&root().join("target").join(built), &copy.join("target").join(built));
        }
    }
    let (status, said) = output(Command::new("bash").arg(copy.join("local/build-component.sh")));
    assert!(status.success(), "{said}");
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
    write(&copy, &files);
    build(&copy);

    let data = TempDir::new().unwrap();
    let process = start(&copy, data.path());
    let api = process.api();
    run(&samples, api);

    let description = api.get("/openapi.json").json();
    assert!(description["paths"]["/color/{id}"]["get"].is_object());
    for reference in description.to_string().split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(description.pointer(pointer).is_some(), "{pointer} is nowhere");
    }

    let problem = api.get("/color/99").problem(404);
    assert_eq!(problem["detail"], "Color 99 does not exist.");
    assert_eq!(api.get("/customer/123").status, 200);

    let put = |key: &str, body: &str| -> Reply {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        api.send(Method::PUT, "/color", &headers, body.as_bytes())
    };
    let [first, second] = [(); 2].map(|()| put("once", r#"{"ColorName":"Tan"}"#));
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(
        (first.header("location"), second.header("location")),
        ("/color/6", "/color/6")
    );
    assert_eq!(
        (first.text(), second.text()),
        (second.text(), api.get("/color/6").text())
    );
    assert_eq!(second.header("idempotency-replayed"), "true");
    put("once", r#"{"ColorName":"Teal"}"#).problem(422);
    put("taken", r#"{"ColorName":"TAN "}"#).problem(409);
    put("invalid", r#"{"ColorName":7}"#).problem(422);

    let first = api.get("/colors?limit=4");
    let (query, _) = first.header("link")[1..].split_once(">; rel=\"next\"").unwrap();
    let second = api.get(&format!("/colors{query}"));
    assert!(!second.headers.contains_key("link"));
    let pages = [first.json(), second.json()];
    let ids = pages.iter().flat_map(|page| page.as_array().unwrap());
    assert!(ids.map(|color| color["ColorID"].as_u64().unwrap()).eq(1..=6));
}
