//! The component file itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::harness::{artifact, instance_per_request, manifest, output, root};

/// Where Cargo keeps what it downloads.
fn cargo_home() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").expect("a home")).join(".cargo");
    std::env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

#[test]
fn the_component_is_small() {
    let bytes = fs::metadata(artifact()).expect("`make build` has made it").len();
    // Debian's compiler (1.97) makes it 20,000 bytes larger than rustup's (1.95).
    let limit = if instance_per_request() { 370_000 } else { 420_000 };
    // An entity adds 12 KB, most of it its description in openapi.json.
    let entities = fs::read_dir(root().join("entities")).expect("descriptions").count() as u64 - 1;
    let limit = limit + 15_000 * entities;
    assert!(bytes <= limit, "{bytes} bytes");
}

#[test]
fn the_component_has_no_path_of_this_machine() {
    let bytes = fs::read(artifact()).expect("`make build` has made it");
    for path in [root(), &cargo_home()] {
        let path = path.to_str().expect("UTF-8").as_bytes();
        assert!(!bytes.windows(path.len()).any(|window| window == path), "{}", String::from_utf8_lossy(path));
    }
}

/// Takes a minute of compiling: `make test-build`.
#[test]
#[ignore = "compiles the component again"]
fn the_same_compiler_makes_the_same_bytes_anywhere() {
    let elsewhere = TempDir::new().expect("a folder");
    let (project, home) = (elsewhere.path().join("a project"), elsewhere.path().join("cargo"));
    fs::create_dir_all(home.join("registry")).expect("a folder");
    copy(&cargo_home().join("registry"), &home);
    for tool in ["config.toml", "config"].map(|name| cargo_home().join(name)).iter().filter(|file| file.exists()) {
        fs::copy(tool, home.join(tool.file_name().expect("a name"))).expect("a copy");
    }
    let files = output(Command::new("git").current_dir(root()).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))
    .1;
    for file in files.lines().filter(|file| root().join(file).is_file()) {
        fs::create_dir_all(project.join(file).parent().expect("a folder")).expect("a folder");
        fs::copy(root().join(file), project.join(file)).expect("a copy");
    }
    // A compiler that was unpacked for this project is the same there.
    let _ = std::os::unix::fs::symlink(root().join(".local"), project.join(".local"));
    let mut build = Command::new("bash");
    build.current_dir(&project).env("CARGO_HOME", home).args(["scripts/build-component.sh", &manifest()]);
    let (status, said) = output(&mut build);
    assert!(status.success(), "{said}");
    let built = project.join(artifact().strip_prefix(root()).expect("in the project"));
    assert!(fs::read(built).expect("it is built") == fs::read(artifact()).expect("it is built"), "the bytes differ");
}

/// Copies a folder into another one, by links where the disk is the same.
fn copy(folder: &Path, into: &Path) {
    for links in ["-al", "-a"] {
        if output(Command::new("cp").arg(links).arg(folder).arg(into)).0.success() {
            return;
        }
    }
    panic!("{} cannot be copied", folder.display());
}
