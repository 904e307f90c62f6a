//! The Spin template, used as Spin uses it. Spin reads its manifest, and the new project serves its table, passes its tests, and takes a new
//! version of the library.
//!
//! Spin's own code is the model: `crates/templates/src` of <https://github.com/spinframework/spin>, version 4.0.2. The
//! files `reader.rs`, `template.rs`, `run.rs` and `renderer.rs` matter, and are the same in 3.6, except for what Spin 4 leaves out.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use heck::{ToKebabCase, ToSnakeCase};
use liquid_core::{Display_filter, Filter, FilterReflection, ParseFilter, Runtime, Value, ValueView};
use regex::Regex;
use serde::Deserialize;

use crate::harness::{Process, root};
use crate::own_entity::{Files, execute, write};

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

/// `spin templates install --dir template` finds it here.
fn template() -> PathBuf {
    root().join("template/templates/azure-sql-rest")
}

fn manifest() -> Manifest {
    let text = fs::read_to_string(template().join("metadata/spin-template.toml")).unwrap();
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

/// The files that `spin new NAME -t azure-sql-rest --accept-defaults --value …` writes.
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
    let content = template().join("content");
    contents(&content, &content, &mut files);
    for (path, content) in &mut files {
        assert_ne!(path.extension(), Some("tmpl".as_ref()), "Spin takes this ending away");
        let text = std::str::from_utf8(content).unwrap();
        let rendered = parser.parse(text).and_then(|template| template.render(&globals));
        *content = rendered.unwrap_or_else(|error| panic!("{}: {error}", path.display())).into_bytes();
    }
    files
}

/// The library as a dependency on the folder of this repository.
fn by_path(repository: &Path) -> String {
    format!("path = {:?}", repository.join("crates/azure-sql-rest").display().to_string())
}

/// Removes everything in a folder but what Cargo has built there: with the same sources, it is the same.
fn clear(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.file_name().unwrap().to_str() {
            Some("target") => {}
            _ if path.is_dir() => fs::remove_dir_all(path).unwrap(),
            _ => fs::remove_file(path).unwrap(),
        }
    }
}

/// A project in a folder of its own, with the versions of crates that the repository has.
fn project(folder: &Path, name: &str, values: &[(&str, &str)]) {
    clear(folder);
    let mut files = instantiate(name, values);
    files.insert("Cargo.lock".into(), fs::read(root().join("Cargo.lock")).unwrap());
    write(folder, &files);
    // A compiler that was unpacked for the repository is the same there.
    fs::create_dir_all(folder.join(".local")).unwrap();
    let _ = std::os::unix::fs::symlink(root().join(".local/wasm-toolchain"), folder.join(".local/wasm-toolchain"));
    // Without what else the repository uses.
    execute(folder, "cargo metadata --quiet --format-version 1 >/dev/null");
}

#[test]
fn spin_reads_the_manifest_and_takes_no_value_that_leaves_its_place() {
    let manifest = manifest();
    assert_eq!(manifest.manifest_version, "1");
    assert_eq!(manifest.id, "azure-sql-rest");
    assert!(manifest.new_application.is_none() && manifest.add_component.is_none());
    let ids: Vec<_> = manifest.parameters.keys().map(String::as_str).collect();
    assert_eq!(ids, ["columns", "entity", "library", "project-description", "table"]);
    for (id, parameter) in &manifest.parameters {
        assert_eq!(parameter.data_type, "string", "{id}");
        assert!(!parameter.prompt.is_empty(), "{id}");
        assert!(parameter.accepts(parameter.default.as_ref().unwrap()), "{id}");
    }
    let refused: &[(&str, &[&str])] = &[
        ("columns", &["", " ", "A int key\nCOLUMNS\nid", "A int key\r"]),
        ("entity", &["", "Color", "x'; id; '", "../x", "x\n", "`id`", "a23456789012345678901234567890"]),
        ("library", &["", "0.1.0", "version = 1", "version = \"1\"}\n[x]", "path = \"a\\\"b\"", "a = \"\n\""]),
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
    let library = &manifest.parameters["library"];
    // A release has its repository and tag in the place of the version.
    assert_eq!(library.default, Some(format!("version = {:?}", env!("CARGO_PKG_VERSION"))));
    assert!(library.accepts("git = \"https://example.com/a/b\", tag = \"v0.1.0\""));
}

#[test]
fn a_project_has_at_most_thirty_files_and_no_word_of_customers() {
    let files = instantiate("paint-shop", &[]);
    assert!(files.len() <= 30, "{}", files.len());
    for (path, content) in &files {
        let text = String::from_utf8(content.clone()).unwrap().to_lowercase();
        assert!(!text.contains("customer") && !text.contains("{%"), "{}", path.display());
    }
    let text = |path: &str| String::from_utf8(files[Path::new(path)].clone()).unwrap();
    let manifest: BTreeMap<String, toml::Value> = toml::from_str(&text("spin.toml")).unwrap();
    assert_eq!(manifest["application"]["name"].as_str(), Some("paint-shop"));
    for file in ["spin.toml", "spin.wasip3.toml"] {
        let ours = fs::read_to_string(root().join(file)).unwrap();
        let ours = ours
            .replace("\"A REST API on Azure SQL, through Data API Builder\"", "\"A REST API on Azure SQL\"")
            .replace(" What each means: docs/configuration.md.", "")
            .replace("bash scripts/build-component.sh", "sh azure-sql-rest.sh build")
            .replace("\"crates/azure-sql-rest/**/*\", ", "")
            .replace("customer_api.wasm", "api.wasm")
            .replace("customer-api", "paint-shop");
        assert_eq!(text(file), ours, "{file}");
    }
}

#[test]
fn a_project_has_the_settings_of_data_api_builder_that_this_one_has() {
    let read = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).unwrap();
    let mut ours = read(&fs::read(root().join("dab/dab-config.json")).unwrap());
    ours["entities"] = serde_json::json!({});
    let ours = ours.to_string().replace("customer-api", "paint-shop");
    let files = instantiate("paint-shop", &[]);
    assert_eq!(read(&files[Path::new("dab/dab-config.json")]), read(ours.as_bytes()));
    assert_eq!(files[Path::new("sqlite/web.ready.sql")], fs::read(root().join("sqlite/web.ready.sql")).unwrap());
}

#[test]
fn any_name_is_one_that_cargo_takes_or_refuses_with_the_reason() {
    let folder = tempfile::TempDir::new().unwrap();
    let library = by_path(root());
    // Unlike `cargo metadata`, it needs no package of other platforms, which a new machine has not downloaded.
    let resolve = "cargo tree --offline --target wasm32-wasip2 --edges normal,build >/dev/null";
    for name in ["http", "serde", "local", "test", "std", "async", "My API"] {
        let place = folder.path().join(name);
        write(&place, &instantiate(name, &[("library", &library)]));
        fs::copy(root().join("Cargo.lock"), place.join("Cargo.lock")).unwrap();
        execute(&place, resolve);
    }
    for (name, reason) in [("1st-api", "cannot start with a digit"), ("azure-sql-rest", "package collision")] {
        let place = folder.path().join(name);
        write(&place, &instantiate(name, &[("library", &library)]));
        let said = execute(&place, "! CARGO_NET_OFFLINE=true make build");
        assert!(said.contains(reason) && said.contains("Cargo.toml cannot be used"), "{said}");
    }
}

/// Takes minutes of compiling: `make test-template`.
#[test]
#[ignore = "compiles a project"]
fn a_new_project_serves_its_table_and_passes_its_tests() {
    let (description, columns) = (
        "Colors, and what they're called",
        "ColorID int identity key, ColorName nvarchar(20) not null unique, Remark nvarchar(50) default N'it''s $(id)'",
    );
    let library = by_path(root());
    let values =
        [("project-description", description), ("entity", "colour"), ("columns", columns), ("library", &library)];
    let place = root().join("target/from-template");
    project(&place, "http", &values);

    // A refused table leaves nothing behind, and is corrected in the place that the answer names.
    let begin = place.join("begin.sh");
    let right = fs::read_to_string(&begin).unwrap();
    fs::write(&begin, right.replace("ColorID int", "ColorID geography")).unwrap();
    let said = execute(&place, "! make build");
    assert!(said.contains("ColorID") && said.contains("begin.sh"), "{said}");
    assert!(!place.join("sql/40-colour.sql").exists());
    fs::write(&begin, right).unwrap();

    // The command that `spin build` runs.
    let spin: BTreeMap<String, toml::Value> =
        toml::from_str(&fs::read_to_string(place.join("spin.toml")).unwrap()).unwrap();
    execute(&place, spin["component"]["http"]["build"]["command"].as_str().unwrap());
    assert!(!begin.exists() && place.join("openapi.json").exists());
    let said = execute(&place, "make test");
    assert!(said.contains(" passed, 0 failed"), "{said}");
    assert!(place.read_dir().unwrap().count() <= 30);

    let mut up = Command::new("sh");
    up.current_dir(&place).args(["azure-sql-rest.sh", "up", "--host", "local", "--listen", "127.0.0.1:0"]);
    let up = Process::start(up.args(["--bridge-listen", "127.0.0.1:0"]).env_remove("DAB_URL").env_remove("MANIFEST"));
    let reply = up.api().get("/colours?limit=1").is(200);
    assert_eq!(reply.text(), r#"[{"ColorID":1,"ColorName":"Color name 1","Remark":"Remark 1"}]"#);
    drop(up);

    let said = execute(&place, "make sql && cat .local/sql/[0-8]*.sql .local/sql/90-security.sql");
    for expected in ["CREATE TABLE [Warehouse].[Colors]", "CREATE OR ALTER PROCEDURE ops.claim_request", "web_executor"]
    {
        assert!(said.contains(expected), "{expected}");
    }
}

/// Takes minutes of compiling: `make test-template`.
#[test]
#[ignore = "compiles the library and its command line"]
fn a_raised_version_brings_library_command_line_and_sql() {
    let place = root().join("target/raised");
    let library = place.join("library");
    for old in [&library, &place.join("tools")] {
        let _ = fs::remove_dir_all(old);
    }
    let files = execute(root(), "git ls-files --cached --others --exclude-standard");
    for file in files.lines().filter(|file| root().join(file).is_file()) {
        fs::create_dir_all(library.join(file).parent().unwrap()).unwrap();
        // Links stay links.
        execute(root(), &format!("cp -P '{file}' '{}'", library.join(file).display()));
    }
    let commit =
        "git add --all --force && git -c user.name=test -c user.email=test@example.com commit --quiet --message x";
    execute(&library, &format!("git init --quiet . && {commit} && git tag v0.1.0"));
    let raise = "sed -i 's/0\\.1\\.0/0.1.1/' Cargo.toml && sed -i '1i -- raised' sql/25-ready.sql";
    execute(&library, &format!("{raise} && cargo update --offline --workspace --quiet && {commit} && git tag v0.1.1"));

    let by_tag = |tag: &str| format!("git = \"file://{}\", tag = \"{tag}\"", library.display());
    let my_api = place.join("my-api");
    // The command line is built beside what the repository has built.
    let shared = format!(
        "export CARGO_TARGET_DIR='{0}/target' AZURE_SQL_REST_HOME='{1}/tools'",
        root().display(),
        place.display()
    );
    project(&my_api, "my-api", &[("library", &by_tag("v0.1.0"))]);
    let said = execute(&my_api, &format!("{shared}; make test sql"));
    assert!(said.contains("azure-sql-rest 0.1.0 into ") && said.contains(" passed, 0 failed"), "{said}");
    let ready = my_api.join(".local/sql/25-ready.sql");
    assert!(!fs::read_to_string(&ready).unwrap().contains("-- raised"));

    execute(
        &my_api,
        &format!(
            "{shared}; sh azure-sql-rest.sh entity add size --table Warehouse.Sizes --columns 'SizeID int identity key, SizeName nvarchar(20) not null unique'"
        ),
    );
    execute(&my_api, "sed -i 's/v0\\.1\\.0/v0.1.1/' Cargo.toml");
    let said = execute(&my_api, &format!("{shared}; make test sql"));
    assert!(said.contains("azure-sql-rest 0.1.1 into ") && said.contains(" passed, 0 failed"), "{said}");
    assert!(fs::read_to_string(&ready).unwrap().starts_with("-- raised"));
    assert!(fs::read_to_string(my_api.join("openapi.json")).unwrap().contains("\"/sizes\""));
}
