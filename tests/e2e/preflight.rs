//! The checks of `make up` before it builds: each error says what to do. The script runs in a copy of the files that it reads.
//! Other programs replace the tools, as if they were missing, old or out of space.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::harness::{output, root};

/// A machine on which everything is well.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(TempDir::new().unwrap());
        let folder = machine.0.path();
        for name in ["scripts", "programs"] {
            fs::create_dir(folder.join(name)).unwrap();
        }
        for name in ["Cargo.toml", "scripts/preflight.sh", "scripts/step.sh", "scripts/progress.sh"] {
            fs::copy(root().join(name), folder.join(name)).unwrap();
        }
        for name in [
            "bash", "sed", "cut", "awk", "mkdir", "touch", "dirname", "env", "mktemp", "rm", "tr", "grep", "sleep",
            "tail",
        ] {
            let found = output(Command::new("sh").args(["-c", &format!("command -v {name}")])).1;
            symlink(found.trim(), folder.join("programs").join(name)).unwrap();
        }
        machine.program("cc", "");
        machine.program("cargo", "");
        machine.program("rustc", "echo rustc 1.95.0; echo host: here");
        machine.program("df", "echo head; echo disk 9000 1000 8000 12% /");
        machine
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Puts a program in the place of one.
    fn program(&self, name: &str, script: &str) {
        let path = self.path().join("programs").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn without(&self, name: &str) {
        fs::remove_file(self.path().join("programs").join(name)).unwrap();
    }

    /// Returns true if all is well, and the output.
    fn check(&self, port: &str) -> (bool, String) {
        let mut command = Command::new("bash");
        command.arg(self.path().join("scripts/preflight.sh")).arg(port).env("PATH", self.path().join("programs"));
        let (status, said) = output(&mut command);
        (status.success(), said)
    }

    fn fails(&self, port: &str, expected: [&str; 2]) {
        let (is_well, said) = self.check(port);
        assert!(!is_well, "{said}");
        for words in expected {
            assert!(said.contains(words), "{words:?} is not in: {said}");
        }
    }
}

/// A port that nothing listens on.
fn free() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}

#[test]
fn nothing_is_wrong_when_nothing_is_wrong() {
    let machine = Machine::new();
    let (is_well, said) = machine.check(&free());
    assert!(is_well, "{said}");
}

#[test]
fn what_is_missing_or_old_is_named_with_the_way_to_get_it() {
    let machine = Machine::new();
    machine.program("rustc", "echo rustc 1.80.1");
    machine.fails(&free(), ["Rust 1.80.1 is too old; this needs 1.95", "rustup update"]);
    machine.without("cc");
    machine.fails(&free(), ["no C compiler", "apt-get install build-essential"]);
    machine.without("cargo");
    machine.fails(&free(), ["no cargo on PATH", "https://rustup.rs"]);
}

#[test]
fn a_port_in_use_is_noticed_before_the_build() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let other = format!("make up PORT={}", port + 1);
    Machine::new().fails(&port.to_string(), ["is in use by another program", &other]);
}

#[test]
fn a_checkout_that_cannot_be_written_to_is_named() {
    let machine = Machine::new();
    // In the way of the folder; permissions do not keep root out.
    fs::write(machine.path().join("target"), "").unwrap();
    machine.fails(&free(), ["cannot be written to", "a folder of your own"]);
}

#[test]
fn a_full_disk_and_a_missing_network_matter_before_the_first_build_alone() {
    let machine = Machine::new();
    machine.program("df", "echo head; echo disk 9000 8900 100 99% /");
    machine.fails(&free(), ["100 MiB left", "Make room"]);
    machine.program("df", "echo head; echo disk 9000 1000 8000 12% /");
    machine.program("cargo", "echo 'error: failed to download' >&2; exit 101");
    machine.fails(&free(), ["failed to download", "HTTPS_PROXY"]);
    fs::create_dir_all(machine.path().join("target/debug")).unwrap();
    symlink("/bin/sh", machine.path().join("target/debug/azure-sql-rest-up")).unwrap();
    assert!(machine.check(&free()).0);
}
