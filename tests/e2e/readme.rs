//! The README's curl samples, run as they stand but for the port, in their order, against a fresh stack.

use std::process::Command;

use crate::harness::{Stack, output, root};

#[test]
fn the_samples_of_the_readme_give_what_it_shows() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let stack = Stack::start();
    let mut samples = 0;
    let mut blocks = readme.split("```").skip(1).step_by(2).peekable();
    while let Some(block) = blocks.next() {
        let Some(command) = block
            .strip_prefix("sh\n")
            .filter(|command| command.starts_with("curl "))
        else {
            continue;
        };
        let command = command.replace("localhost:3000", &stack.api().address.to_string());
        let shown = blocks
            .next()
            .and_then(|block| block.strip_prefix("json\n"))
            .expect("a sample shows its output");
        let (status, printed) = output(Command::new("bash").args(["-c", &command.replacen("curl ", "curl -sS ", 1)]));
        assert!(status.success(), "{command}: {printed}");
        assert_eq!(printed.trim_end(), shown.trim_end(), "{command}");
        samples += 1;
    }
    assert!(samples >= 5, "{samples}");
}
