//! Cuts a script into batches, as sqlcmd does.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};

/// The scripts of a folder in the order of their names, which is that in which they are applied.
///
/// # Errors
/// When the folder cannot be read or has no scripts.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            files.push(path);
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "no scripts in {}", folder.display());
    Ok(files)
}

/// The batches of a script: what stands between one line `GO` and the next, with `$(Name)` replaced.
///
/// # Errors
/// When a variable has no value.
pub fn batches(text: &str, variables: &[(&str, &str)]) -> Result<Vec<String>> {
    let mut batches = vec![String::new()];
    for line in text.lines() {
        match batches.last_mut() {
            Some(batch) if !line.trim().eq_ignore_ascii_case("GO") => {
                batch.push_str(line);
                batch.push('\n');
            }
            _ => batches.push(String::new()),
        }
    }
    batches.retain(|batch| !batch.trim().is_empty());
    for batch in &mut batches {
        for (name, value) in variables {
            *batch = batch.replace(&format!("$({name})"), value);
        }
        ensure!(!batch.contains("$("), "a sqlcmd variable without a value in:\n{batch}");
    }
    Ok(batches)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scripts() -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sql");
        files(&folder).unwrap().iter().map(|path| fs::read_to_string(path).unwrap()).collect()
    }

    #[test]
    fn a_script_is_cut_at_go_and_variables_are_replaced() {
        let text = "SELECT N'$(A)';\ngo\n\n GO \r\nSELECT 1; -- GO\nSELECT N'ALGO';\n";
        let expected = ["SELECT N'x';\n", "SELECT 1; -- GO\nSELECT N'ALGO';\n"];
        assert_eq!(batches(text, &[("A", "x")]).unwrap(), expected);
        assert!(batches(text, &[]).is_err());
    }

    #[test]
    fn every_script_can_be_cut_with_the_variables_it_names() {
        for script in scripts() {
            let names = ["LoginName", "LoginPassword", "IdentityName", "ClientId", "RoleName"];
            let variables = names.map(|name| (name, "x"));
            assert!(!batches(&script, &variables).unwrap().is_empty());
        }
    }
}
