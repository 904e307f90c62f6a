//! Documents whose code blocks are executed.

use std::process::Command;

use crate::harness::{Api, output};

/// A code block of a Markdown document.
pub struct Block<'a> {
    /// The text after the opening fence.
    pub language: &'a str,
    pub text: &'a str,
}

impl Block<'_> {
    fn is_sample(&self) -> bool {
        self.language == "sh" && self.text.starts_with("curl ")
    }
}

/// The code blocks of a document.
pub fn blocks(document: &str) -> Vec<Block<'_>> {
    let parts: Vec<_> = document.split("```").collect();
    parts
        .chunks_exact(2)
        .map(|part| {
            let (language, text) = part[1].split_once('\n').expect("a block has lines");
            Block { language, text }
        })
        .collect()
}

/// Splits off the samples: a curl command and, in the next block, the JSON that it prints.
pub fn split_samples<'a>(blocks: Vec<Block<'a>>) -> (Vec<[&'a str; 2]>, Vec<Block<'a>>) {
    let (mut samples, mut others) = (Vec::new(), Vec::new());
    let mut blocks = blocks.into_iter();
    while let Some(block) = blocks.next() {
        if block.is_sample() {
            let shown = blocks.next().filter(|block| block.language == "json");
            samples.push([block.text, shown.expect("a sample shows its output").text]);
        } else {
            others.push(block);
        }
    }
    (samples, others)
}

/// Runs the samples as they stand but for the port, in their order.
pub fn run(samples: &[[&str; 2]], api: Api) {
    for [command, shown] in samples {
        let command = command.replace("localhost:3000", &api.address.to_string()).replacen("curl ", "curl -sS ", 1);
        let (status, printed) = output(Command::new("bash").args(["-c", &command]));
        assert!(status.success(), "{command}: {printed}");
        assert_eq!(printed.trim_end(), shown.trim_end(), "{command}");
    }
}
