//! Follows `docs/add-your-own-entity.md` in a copy of the project that also has the tables of `tests/entities`. The test runs
//! every command and every diff of the page, builds the component, and calls the API.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use http::Method;

use azure_sql_rest_conformance::SHORT;
use azure_sql_rest_conformance::description::schemas_hold;
use azure_sql_rest_conformance::examples::examples_hold;

use crate::conformance::conform;
use crate::document::{blocks, run, split_samples};
use crate::faulty::Faulty;
use crate::harness::{local, output, root};

/// Files by their path in the project.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Reads the files in a folder of `base` that are neither hidden nor built.
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

/// Gives a folder these files and no others. Equal files are not touched. A file that equals the
/// repository's gets its time, so that Cargo builds it once.
pub fn write(folder: &Path, files: &Files) {
    let mut present = Files::new();
    fs::create_dir_all(folder).unwrap();
    read(folder, folder, &mut present);
    for path in present.keys().filter(|path| !files.contains_key(*path)) {
        fs::remove_file(folder.join(path)).unwrap();
    }
    for (path, content) in files {
        if present.get(path) != Some(content) {
            let to = folder.join(path);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(&to, content).unwrap();
            let original = root().join(path);
            if fs::read(&original).is_ok_and(|original| original == *content) {
                let time = fs::metadata(original).unwrap().modified().unwrap();
                fs::File::options().write(true).open(to).unwrap().set_modified(time).unwrap();
            }
        }
    }
}

/// Runs a command in the copy and returns what it prints.
pub fn execute(copy: &Path, command: &str) -> String {
    let mut shell = Command::new("bash");
    // Cargo tells a test these. A build in the copy would take them for a change, and build much again.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name == "OUT_DIR" || name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_") {
            shell.env_remove(&*name);
        }
    }
    let (status, said) = output(shell.current_dir(copy).args(["-c", command]));
    assert!(status.success(), "{command}: {said}");
    said
}

/// Lets the copy use what was unpacked and built before.
pub fn prepare(copy: &Path) {
    let tools = root().join(".local");
    fs::create_dir_all(&tools).unwrap();
    // The link may be there already.
    let _ = symlink(tools, copy.join(".local"));
    if !copy.join("target").exists() {
        for built in ["debug/.fingerprint", "debug/build", "debug/deps", "release", "wasm32-wasip2", "wasm-toolchain"] {
            link(&root().join("target").join(built), &copy.join("target").join(built));
        }
    }
}

/// Makes a folder with the same files, but for the project's own and Cargo's lock. Dependencies are the same in both
/// places, and Cargo takes them as built when their times are the same too.
fn link(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().replace('-', "_");
        if name.contains("customer_api") || name == ".cargo_lock" {
            continue;
        }
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let ending = source.extension().and_then(|ending| ending.to_str());
        match ending {
            _ if source.is_dir() => link(&source, &target),
            // The compiler writes another file in their place. What cannot be linked is built.
            Some("rlib" | "rmeta" | "so") => drop(fs::hard_link(source, target)),
            // Programs and objects are the project's own.
            _ if from.ends_with("deps") && ending != Some("d") => {}
            // Cargo and build scripts write into these: a link would tell the repository's Cargo of what is built here.
            _ => {
                let copied = fs::copy(&source, &target).and_then(|_| fs::metadata(source)?.modified());
                let _ = copied.and_then(|time| fs::File::options().append(true).open(target)?.set_modified(time));
            }
        }
    }
}

/// The stack over the copy, with fresh data.
pub fn start(copy: &Path) -> Faulty {
    start_with(copy, &SHORT)
}

/// The same with other settings.
fn start_with(copy: &Path, settings: &[(&str, impl ToString)]) -> Faulty {
    let of_copy = |path| copy.join(path).to_str().unwrap().to_owned();
    let arguments = [
        "--dab-config",
        &of_copy("dab/dab-config.json"),
        "--procedures",
        &of_copy("sqlite"),
        "--manifest",
        &of_copy("spin.toml"),
    ];
    Faulty::with(settings, &arguments)
}

/// Adds the tables of `tests/entities`, except the table of the page.
fn add_tables(copy: &Path) {
    let commands = fs::read_to_string(copy.join("tests/entities/commands.txt")).unwrap();
    let program = local(&[]).get_program().to_str().unwrap().to_owned();
    let added = commands.lines().filter(|line| !line.contains(" ! ") && !line.starts_with("color "));
    for line in added {
        execute(copy, &format!("{program} entity add {line}"));
    }
}

/// A token refers to a specimen.
fn references_hold(stack: &Faulty) {
    let create = |code: &str| {
        let body = format!(r#"{{"Label":"a token","SpecimenCode":"{code}"}}"#);
        stack.api.json(Method::POST, "/tokens", &body)
    };
    let refused = create("no code").problem(409);
    assert_eq!(refused["detail"], "A value refers to a row that does not exist.");
    let errors = serde_json::json!([{"field": "SpecimenCode", "message": "refers to a row that does not exist"}]);
    assert_eq!(refused["errors"], errors);
    assert_eq!(create("Code 1").status, 201);
    let refused = stack.api.send(Method::DELETE, "/specimen/Code%201", &[], b"").problem(409);
    assert_eq!(refused["detail"], "Specimen Code 1 is referred to by other rows and cannot be deleted.");
}

/// The procedures of the page check what they are given, and the write is done once.
fn own_procedures_hold(stack: &Faulty) {
    let refused = stack.api.get("/report?from=2026-02-30").problem(400);
    assert_eq!(refused["detail"], "from must be a date, such as 2026-01-31.");
    assert_eq!(stack.api.get("/report?from=2999-01-01").is(200).text(), "[]");
    let remove = |key: &str, body: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        stack.api.send(Method::POST, "/color_removals", &headers, body.as_bytes())
    };
    for (body, message) in [
        (r#"{"Prefix":""}"#, "must not be empty"),
        (r#"{"Prefix":null}"#, "must not be null"),
        (r#"{"Prefix":7}"#, "must be a string"),
        ("{}", "is required"),
    ] {
        let refused = remove("wrong", body).problem(422);
        assert_eq!(refused["errors"], serde_json::json!([{"field": "Prefix", "message": message}]), "{body}");
    }
    let repeated = remove("remove-1", r#"{"Prefix": "Char"}"#).is(200);
    assert_eq!((repeated.text(), repeated.header("idempotency-replayed")), (r#"{"Colors":1}"#, "true"));
    remove("remove-1", r#"{"Prefix": "Color"}"#).problem(422);
    assert_eq!(remove("remove-2", r#"{"Prefix": "Char"}"#).is(200).text(), r#"{"Colors":0}"#);
}

/// Columns of audit have the name of the API key.
fn callers_are_stored(stack: &Faulty) {
    let ask = |method, target: &str, key: &str, body: &str| {
        let headers = [("content-type", "application/json"), ("x-api-key", key)];
        let reply = stack.api.send(method, target, &headers, body.as_bytes()).json();
        let rows = reply.as_array().expect("rows").iter();
        rows.map(|row| (row["CreatedBy"].clone(), row["ModifiedBy"].clone())).collect::<Vec<_>>()
    };
    let [shop, stock] = ["shop", "stock"].map(serde_json::Value::from);
    let both = vec![(shop.clone(), shop.clone())];
    assert_eq!(ask(Method::POST, "/memos", "a", r#"{"Code":"m 1","Body":"new","CreatedBy":"stock"}"#), both);
    assert_eq!(ask(Method::PATCH, "/memo/m%201", "b", r#"{"Body":"changed"}"#), [(shop, stock.clone())]);
    assert_eq!(ask(Method::PUT, "/memo/m%202", "b", r#"{"Body":"new"}"#), [(stock.clone(), stock)]);
    let array = r#"[{"Code":"m 3","Body":"new"},{"Code":"m 4","Body":"new"}]"#;
    assert_eq!(ask(Method::POST, "/memos", "a", array), [both.clone(), both].concat());
}

/// Neither make nor the shell looks into the values that `make entity` is given.
fn nothing_is_executed(copy: &Path) {
    let mark = copy.join("target/executed");
    let touch = format!("touch {}", mark.display());
    for hostile in
        [format!("$(shell {touch})"), format!("`{touch}`"), format!("'; {touch}; '"), format!("\"; {touch} #")]
    {
        for name in ["NAME", "TABLE", "COLUMNS", "DDL", "ONLY"] {
            let mut make = Command::new("make");
            make.current_dir(copy).args(["-s", "entity", "NAME=hue", "TABLE=Hues"]);
            let (status, said) = output(make.arg(format!("{name}={hostile}")));
            assert!(!status.success(), "{name}={hostile}: {said}");
            assert!(!mark.exists(), "{name}={hostile}");
        }
    }
}

/// True if the project has entities of its own, which may have the names of the page.
fn has_entities() -> bool {
    fs::read_dir(root().join("entities")).unwrap().count() > 1
}

/// Takes minutes of compiling: `make test-template`.
#[test]
#[ignore = "compiles a project"]
fn an_entity_added_as_documented_keeps_every_promise_and_so_do_public_tables() {
    if has_entities() {
        println!("SKIPPED: this project has entities of its own, of which the conformance suite asks the same");
        return;
    }
    let document = fs::read_to_string(root().join("docs/add-your-own-entity.md")).unwrap();
    let (samples, blocks) = split_samples(blocks(&document));
    let copy = root().join("target/own-entity");
    let mut files = Files::new();
    read(root(), root(), &mut files);
    write(&copy, &files);
    for path in files.keys() {
        fs::set_permissions(copy.join(path), fs::metadata(root().join(path)).unwrap().permissions()).unwrap();
    }
    prepare(&copy);
    for block in blocks {
        match block.language {
            "sh" => {
                execute(&copy, block.text);
                if block.text.starts_with("make entity") {
                    add_tables(&copy);
                }
            }
            "diff" => {
                fs::write(copy.join("target/page.diff"), block.text).unwrap();
                execute(&copy, "git apply --unidiff-zero target/page.diff");
            }
            _ => {}
        }
    }
    let said = execute(&copy, "target/debug/azure-sql-rest generate");
    assert!(said.contains(": current") && !said.contains(": written"), "{said}");
    execute(&copy, "bash scripts/build-component.sh spin.toml");

    nothing_is_executed(&copy);
    let stack = start(&copy);
    run(&samples, stack.api);
    references_hold(&stack);
    own_procedures_hold(&stack);
    callers_are_stored(&start_with(&copy, &[("api_key", "shop:a,stock:b")]));
    let document = stack.api.get("/openapi.json").json();
    schemas_hold(&document);
    examples_hold(&document, start(&copy).api);
    let entities = conform(&start(&copy));
    assert!(entities.len() >= 20, "{entities:?}");
}
