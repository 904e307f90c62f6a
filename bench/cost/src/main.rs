//! `cost`: prints what one request costs in the component.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use cost::{Table, check, measure, root, table_path};

/// Prints what one request costs in the component: instructions, host calls, memory, stack
#[derive(Parser)]
struct Arguments {
    /// Write bench/cost/table.md; the columns of other compilers stay
    #[arg(long)]
    write: bool,

    /// Compare with bench/cost/table.md
    #[arg(long, conflicts_with = "write")]
    check: bool,

    /// Where the components are [default: target]
    #[arg(long)]
    target: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let target = arguments.target.unwrap_or_else(|| root().join("target"));
    if arguments.check {
        for note in check(&target)? {
            println!("{note}");
        }
        return Ok(());
    }
    let mut table = match fs::read_to_string(table_path()) {
        Ok(text) if arguments.write => Table::parse(&text)?,
        _ => Table::default(),
    };
    for column in measure(&target)? {
        table.set(&column);
    }
    print!("{table}");
    if arguments.write {
        fs::write(table_path(), table.to_string()).context("cannot write bench/cost/table.md")?;
    }
    Ok(())
}
