//! The Spin template that `template/build` makes, used as Spin uses it: its manifest is one that Spin reads, and the project
//! that comes of it serves its table after the first make.
//!
//! Spin's own code is the model: `crates/templates/src` of <https://github.com/spinframework/spin>, version 4.0.2, of which
//! `reader.rs`, `template.rs`, `run.rs` and `renderer.rs` matter, and are the same in 3.6 but for what Spin 4 leaves out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use heck::{ToKebabCase, ToSnakeCase};
use liquid_core::{Display_filter, Filter, FilterReflection, ParseFilter, Runtime, Value, ValueView};
use regex::Regex;
use serde::Deserialize;

use crate::harness::{output, root};
use crate::own_entity::{Files, execute, prepare, start, write};

/// The manifest, as `reader.rs` has it: what is not named here is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    manifest_version: String,
    id: String,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(rename = "tags")]
    _tags: Option<HashSet<String>>,
    new_application: Option<Variant>,
    add_component: Option<Variant>,
    parameters: BTreeMap<String, Parameter>,
}

/// A way to use the template. This one has none but the default, a new application.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameter {
    #[serde(rename = "type")]
    data_type: String,
    prompt: String,
    default: Option<String>,
    pattern: Option<String>,
}

impl Parameter {
    fn accepts(&self, value: &str) -> bool {
        let is_match = |pattern: &String| Regex::new(pattern).expect("a pattern is one").is_match(value);
        self.pattern.as_ref().is_none_or(is_match)
    }
}

/// `spin templates install --dir` finds it here.
static TEMPLATE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = root().join("target/template");
    let (status, said) = output(Command::new("template/build").current_dir(root()).arg(&folder));
    assert!(status.success(), "{said}");
    folder.join("templates/azure-sql-rest")
});

fn manifest() -> Manifest {
    let text = fs::read_to_string(TEMPLATE.join("metadata/spin-template.toml")).unwrap();
    toml::from_str(&text).unwrap()
}

#[derive(Clone, ParseFilter, FilterReflection)]
#[filter(name = "kebab_case", description = "text-like-this", parsed(KebabCase))]
struct KebabCaseParser;

#[derive(Debug, Default, Display_filter)]
#[name = "kebab_case"]
struct KebabCase;

impl Filter for KebabCase {
    fn evaluate(&self, input: &dyn ValueView, _runtime: &dyn Runtime) -> liquid_core::Result<Value> {
        Ok(Value::scalar(input.to_kstr().to_kebab_case()))
    }
}

#[derive(Clone, ParseFilter, FilterReflection)]
#[filter(name = "snake_case", description = "text_like_this", parsed(SnakeCase))]
struct SnakeCaseParser;

#[derive(Debug, Default, Display_filter)]
#[name = "snake_case"]
struct SnakeCase;

impl Filter for SnakeCase {
    fn evaluate(&self, input: &dyn ValueView, _runtime: &dyn Runtime) -> liquid_core::Result<Value> {
        Ok(Value::scalar(input.to_kstr().to_snake_case()))
    }
}

/// All files of a folder, hidden ones too, by their path in it.
fn contents(base: &Path, folder: &Path, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contents(base, &path, files);
        } else {
            files.insert(path.strip_prefix(base).unwrap().to_owned(), fs::read(&path).unwrap());
        }
    }
}

/// What `spin new NAME -t azure-sql-rest --accept-defaults --value …` writes.
fn instantiate(name: &str, values: &[(&str, &str)]) -> Files {
    let parameters = manifest().parameters;
    let mut globals = liquid::Object::new();
    for (id, parameter) in &parameters {
        globals.insert(id.clone().into(), Value::scalar(parameter.default.clone().unwrap()));
    }
    for (id, value) in values {
        assert!(parameters[*id].accepts(value), "{id} = {value:?}");
        globals.insert((*id).to_owned().into(), Value::scalar((*value).to_owned()));
    }
    globals.insert("project-name".into(), Value::scalar(name.to_owned()));
    let parser = liquid::ParserBuilder::with_stdlib().filter(KebabCaseParser).filter(SnakeCaseParser).build().unwrap();
    let mut files = Files::new();
    let content = TEMPLATE.join("content");
    contents(&content, &content, &mut files);
    for (path, content) in &mut files {
        assert_ne!(path.extension(), Some("tmpl".as_ref()), "Spin takes this ending away");
        // Pictures stay as they are. So does a text that does not parse, but then it would be without its values.
        if let Ok(text) = std::str::from_utf8(content) {
            let rendered = parser.parse(text).and_then(|template| template.render(&globals));
            *content = rendered.unwrap_or_else(|error| panic!("{}: {error}", path.display())).into_bytes();
        }
    }
    files
}

#[test]
fn spin_reads_the_manifest_and_takes_no_value_that_leaves_its_place() {
    let manifest = manifest();
    assert_eq!(manifest.manifest_version, "1");
    assert_eq!(manifest.id, "azure-sql-rest");
    assert!(manifest.new_application.is_none() && manifest.add_component.is_none());
    let ids: Vec<_> = manifest.parameters.keys().map(String::as_str).collect();
    assert_eq!(ids, ["columns", "entity", "project-description", "table"]);
    for (id, parameter) in &manifest.parameters {
        assert_eq!(parameter.data_type, "string", "{id}");
        assert!(!parameter.prompt.is_empty(), "{id}");
        assert!(parameter.accepts(parameter.default.as_ref().unwrap()), "{id}");
    }
    let refused: &[(&str, &[&str])] = &[
        ("columns", &["", " ", "A int key\nCOLUMNS\nid", "A int key\r"]),
        ("entity", &["", "Color", "x'; id; '", "../x", "x\n", "`id`", "a23456789012345678901234567890"]),
        ("project-description", &["a \"quoted\" one", "\\", "a\nb"]),
        ("table", &["", "Colors", "a.b.c", "W.C'", "[W].[C]", "W.C; DROP", "W.C\n"]),
    ];
    for (id, values) in refused {
        for value in *values {
            assert!(!manifest.parameters[*id].accepts(value), "{id} = {value:?}");
        }
    }
    let columns = &manifest.parameters["columns"];
    assert!(columns.accepts("A int key, [B c] nvarchar(9) not null default N'it''s $(id) `id` {{ x }}'"));
}

/// So nothing in it is taken for Liquid that is not meant so.
#[test]
fn under_its_own_name_the_template_is_the_repository() {
    let files = instantiate("customer-api", &[]);
    let (status, listed) = output(Command::new("git").current_dir(root()).arg("ls-files"));
    assert!(status.success(), "{listed}");
    let repository: BTreeSet<_> = listed.lines().map(PathBuf::from).collect();
    let present: BTreeSet<_> = files.keys().cloned().collect();
    let added: Vec<_> = present.difference(&repository).map(|path| path.to_str().unwrap()).collect();
    assert_eq!(added, ["GNUmakefile", "scripts/begin.sh"]);
    let absent: Vec<_> = repository.difference(&present).map(|path| path.to_str().unwrap()).collect();
    assert_eq!(
        absent,
        [
            "template/GNUmakefile",
            "template/begin.sh",
            "template/build",
            "template/spin-template.toml",
            "tests/e2e/template.rs",
        ]
    );
    let changed: Vec<_> = repository
        .intersection(&present)
        .filter(|path| fs::read(root().join(path)).unwrap() != files[*path])
        .map(|path| path.to_str().unwrap())
        .collect();
    assert_eq!(
        changed,
        [
            ".github/workflows/release.yml",
            "CHANGELOG.md",
            "CONTRIBUTING.md",
            "Cargo.toml",
            "README.md",
            "docs/add-your-own-entity.md",
            "spin.toml",
            "spin.wasip3.toml",
            "tests/e2e/main.rs",
        ]
    );
}

#[test]
fn a_project_made_with_spin_serves_its_table_after_the_first_make() {
    let (description, columns) = (
        "Colors, and what they're called",
        "ColorID int identity key, ColorName nvarchar(20) not null unique, Remark nvarchar(50) default N'it''s $(id)'",
    );
    let values = [("project-description", description), ("entity", "colour"), ("columns", columns)];
    let files = instantiate("paint-shop", &values);
    let project = root().join("target/from-template");
    write(&project, &files);
    for path in files.keys() {
        // Spin gives no file the mode that it has in the template.
        fs::set_permissions(project.join(path), fs::Permissions::from_mode(0o644)).unwrap();
    }
    prepare(&project);

    let manifest = fs::read_to_string(project.join("spin.toml")).unwrap();
    let manifest: HashMap<String, toml::Value> = toml::from_str(&manifest).unwrap();
    assert_eq!(manifest["application"]["name"].as_str(), Some("paint-shop"));
    assert_eq!(manifest["application"]["description"].as_str(), Some(description));
    let command = manifest["component"]["paint-shop"]["build"]["command"].as_str().unwrap();
    assert_eq!(command, "bash scripts/begin.sh && cargo build --release --target wasm32-wasip2");

    // What is refused is corrected where the answer says, and nothing has come of it.
    let begin = project.join("scripts/begin.sh");
    let right = fs::read_to_string(&begin).unwrap();
    fs::write(&begin, right.replace("ColorID int", "ColorID geography")).unwrap();
    assert!(execute(&project, "make").contains("make up"));
    let said = execute(&project, "! make fmt");
    assert!(said.contains("ColorID") && said.contains("scripts/begin.sh"), "{said}");
    assert!(!project.join("sql/40-colour.sql").exists());
    fs::write(&begin, right).unwrap();

    let said = execute(&project, "bash scripts/begin.sh");
    assert!(said.contains("sql/40-colour.sql: written"), "{said}");

    assert!(!project.join("GNUmakefile").exists() && !project.join("scripts/begin.sh").exists());
    assert_eq!(execute(&project, "grep -rl begin.sh --exclude-dir=target . || true"), "");
    let old = "grep -rlIiE 'customer.?api' --exclude-dir={target,.local,pictures} . || true";
    assert_eq!(execute(&project, old), "./LICENSE\n");
    assert_eq!(execute(&project, "find . -path ./target -prune -o -name '*customer?api*' -print"), "");
    for path in files.keys().filter(|path| project.join(path).exists()) {
        let is_executable = |file: PathBuf| fs::metadata(file).unwrap().permissions().mode() & 0o111 != 0;
        assert_eq!(is_executable(project.join(path)), is_executable(root().join(path)), "{}", path.display());
    }
    execute(&project, "cargo fmt --all --check");
    execute(&project, "bash scripts/build-component.sh spin.toml");

    let stack = start(&project);
    let api = &stack.api;
    let document = api.get("/openapi.json").json();
    assert_eq!(document["info"]["title"], "Paint shop");
    let reply = api.get("/colours?limit=1");
    assert_eq!(reply.text(), r#"[{"ColorID":1,"ColorName":"Color name 1","Remark":"Remark 1"}]"#);
    assert_eq!(api.get("/customer/123").status, 200);
}
