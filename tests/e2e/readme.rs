//! The commands of the documents: the curl samples of README and quickstart, and the programs of `examples`. They run
//! unchanged except for the port, in their order, against a fresh stack. `make up` runs, too.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::document::{blocks, run, split_samples};
use crate::harness::{Api, Process, Stack, host, local, manifest, output, root};

#[test]
fn the_samples_of_readme_and_quickstart_give_what_they_show() {
    for (name, count) in [("README.md", 1), ("docs/quickstart.md", 5)] {
        let document = std::fs::read_to_string(root().join(name)).unwrap();
        let (samples, _) = split_samples(blocks(&document));
        assert!(samples.len() >= count, "{name}: {}", samples.len());
        run(&samples, Stack::start().api());
    }
}

#[test]
fn the_programs_in_every_language_print_what_their_page_shows() {
    let folder = root().join("examples");
    let page = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let shown = blocks(&page)[0].text;
    let programs: [(&str, &[&str], &str); 5] = [
        ("bash", &[], "curl.sh"),
        ("pwsh", &[], "powershell.ps1"),
        ("python3", &[], "python.py"),
        ("node", &[], "javascript.mjs"),
        ("dotnet", &["run", "--project"], "csharp"),
    ];
    for (program, before, script) in programs {
        if Command::new(program).arg("--version").output().is_err() {
            println!("SKIPPED: there is no {program}, so {script} has not run");
            continue;
        }
        let stack = Stack::start();
        let url = format!("http://{}", stack.api().address);
        let (status, printed) = output(Command::new(program).args(before).arg(folder.join(script)).arg(url));
        assert!(status.success(), "{script}: {printed}");
        assert_eq!(printed.trim_end(), shown.trim_end(), "{script}");
    }
}

#[test]
fn the_requests_for_an_editor_succeed_in_their_order() {
    let text = std::fs::read_to_string(root().join("examples/customer-api.http")).unwrap();
    let stack = Stack::start();
    let requests = text.split("\n### ").skip(1);
    let mut sent = 0;
    for request in requests {
        let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
        // The first line is the name of the request.
        let mut lines = head.trim_end().lines().skip(1);
        let line = lines.next().unwrap_or_else(|| panic!("no request in {request}"));
        let (method, target) = line.split_once(" {{api}}").expect(line);
        let headers: Vec<_> = lines.map(|line| line.split_once(": ").expect(line)).collect();
        let reply = stack.api().send(method.parse().unwrap(), target, &headers, body.trim().as_bytes());
        assert!(reply.status < 300, "{line}: {}", reply.text());
        sent += 1;
    }
    assert!(sent >= 5, "{sent}");
}

#[test]
fn make_up_serves_until_ctrl_c() {
    // The bridge of a database of its own: that of the developer may be of another version.
    let folder = tempfile::TempDir::new().unwrap();
    let mut bridge = local(&["bridge", "--listen", "127.0.0.1:0", "--database"]);
    let bridge = Process::start(bridge.arg(folder.path().join("customers.db")));
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let mut command = Command::new("make");
    command
        .current_dir(root())
        .args(["--no-print-directory", "up"])
        .args([format!("MANIFEST={}", manifest()), format!("DAB_URL={}", bridge.url)])
        .args([format!("PORT={}", address.port()), format!("HOST={}", host())])
        .env_remove("MAKEFLAGS")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // A group of its own, which Ctrl-C in a terminal is sent to.
        .process_group(0);
    // Cargo tells a test these, and a build script would run again for them.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "OUT_DIR"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&*name);
        }
    }
    let mut make = command.spawn().expect("make");
    let mut lines = BufReader::new(make.stdout.take().unwrap()).lines();
    let mut said = String::new();
    while !said.contains(&format!("API ready at http://{address}\n")) {
        let line = lines.next().unwrap_or_else(|| panic!("make up has ended; it said:\n{said}"));
        said += &(line.unwrap() + "\n");
    }
    assert_eq!(Api { address }.get("/customer/123").status, 200);
    let group = format!("-{}", make.id());
    assert!(output(Command::new("kill").args(["-s", "INT", "--", &group])).0.success());
    make.wait().unwrap();
}
