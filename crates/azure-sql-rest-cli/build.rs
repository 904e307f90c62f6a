//! Makes the files of `shared/` a part of the program: the scripts of the library that every project uses as they are. They are links
//! into `sql/`, `deploy/` and `scripts/` of the repository.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    for folder in ["sql", "scripts"] {
        let mut files: Vec<_> = fs::read_dir(Path::new("shared").join(folder))?.collect::<Result<_, _>>()?;
        files.sort_by_key(fs::DirEntry::file_name);
        let mut list = String::from("&[\n");
        for file in files {
            let path = fs::canonicalize(file.path())?;
            println!("cargo::rerun-if-changed={}", path.display());
            let name = file.file_name().to_string_lossy().into_owned();
            writeln!(list, "({name:?}, include_str!({:?})),", path.display().to_string()).map_err(io::Error::other)?;
        }
        fs::write(Path::new(&out).join(format!("{folder}.rs")), list + "]")?;
    }
    println!("cargo::rerun-if-changed=shared");
    Ok(())
}
