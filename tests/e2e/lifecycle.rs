//! `azure-sql-rest up`, which is what `make up` runs: starting, stopping, starting again.

use std::net::{TcpListener, TcpStream};
use std::process::Command;

use http::Method;

use crate::harness::{Stack, local, output, root, up};

#[test]
fn a_port_in_use_is_reported() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (status, said) = output(&mut local(&["up", "--listen", &address, "--bridge-listen", "127.0.0.1:0"]));
    assert!(!status.success());
    assert!(said.contains(&taken.local_addr().unwrap().port().to_string()) && said.contains("in use"), "{said}");
}

#[test]
fn signals_stop_everything() {
    for signal in ["INT", "TERM"] {
        let folder = tempfile::TempDir::new().unwrap();
        let database = folder.path().join("customers.db");
        let process = up(&["--bridge-listen", "127.0.0.1:0", "--database", database.to_str().unwrap()]);
        let address = process.url.strip_prefix("http://").unwrap().to_owned();
        let (sent, _) = output(Command::new("kill").args(["-s", signal, &process.id().to_string()]));
        assert!(sent.success());
        assert!(process.wait().success(), "{signal}");
        assert!(TcpStream::connect(address).is_err(), "nothing listens any more");
    }
}

#[test]
fn data_outlives_a_restart() {
    let mut stack = Stack::start();
    let reply = stack.api().json(Method::PATCH, "/customer/123", r#"{"PhoneNumber":"(212) 555-0199"}"#);
    assert_eq!(reply.status, 202);
    stack.restart();
    assert_eq!(stack.api().get("/customer/123").body, reply.body);
}

#[test]
fn a_dab_url_with_a_path_is_refused_with_the_way_out() {
    let (status, said) =
        output(&mut local(&["up", "--listen", "127.0.0.1:0", "--dab-url", "http://127.0.0.1:5000/api"]));
    assert!(!status.success());
    assert!(said.contains("dab_path="), "{said}");
}

#[test]
fn make_says_what_it_can_do() {
    let (status, said) = output(Command::new("make").current_dir(root()).arg("help"));
    assert!(status.success());
    for target in ["up", "test", "build", "reset"] {
        assert!(said.contains(&format!("make {target}")), "{said}");
    }
}

#[test]
fn make_reset_forgets_the_data_and_nothing_else() {
    let folder = tempfile::TempDir::new().unwrap();
    let local = folder.path().join(".local");
    std::fs::create_dir_all(local.join("cache")).unwrap();
    for file in ["data.db", "data.db-wal", "data.db-shm"] {
        std::fs::write(local.join(file), "x").unwrap();
    }
    let mut make = Command::new("make");
    let (status, said) = output(make.current_dir(folder.path()).arg("-f").arg(root().join("Makefile")).arg("reset"));
    assert!(status.success(), "{said}");
    let left: Vec<_> = std::fs::read_dir(local).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["cache"]);
}
