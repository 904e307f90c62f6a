//! Writes the files of an entity: either all or none. What its owner has edited in a file is kept: changes in other places are merged with
//! it, and a conflict is shown.
//!
//! New texts are written beside their files first, and then put in their place, the plan last. A full disk therefore changes nothing.
//! After a kill, the same command completes the files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use similar::{ConflictStyle, TextDiff, TextMerge};

use super::plan::Plan;
use super::project::{self, ROUTES_FILE, path_of};
use super::{render, routes};
use crate::steps::say;

/// Says if a file is written, kept or removed.
pub(super) enum Fate {
    Written(String),
    /// The owner has edited the file, and the change of the plan is in other places.
    Merged(String),
    Current,
    /// The owner has edited the file, and it stays. The text is shown: with both sides of each conflict, or the generated text where nobody
    /// knows what was written before.
    Edited(String),
    /// The file is no longer generated.
    Removed,
}

/// The files of an entity that are its owner's once they are written: texts by path, the lines of the routes under their file.
pub(super) fn generated(plan: &Plan) -> BTreeMap<String, String> {
    BTreeMap::from([(plan.script.clone(), render::tsql::tsql(plan)), (ROUTES_FILE.to_owned(), routes::lines(plan))])
}

/// The paths of the scripts for the local bridge, which `generate` writes and nobody edits.
fn local(plan: &Plan) -> BTreeSet<String> {
    render::sqlite::sqlite(plan, &[plan]).into_iter().map(|(path, _)| path).collect()
}

/// The digest of a text, in hexadecimal digits.
pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The text that the project has for a path; of the routes, the lines of the entity. `None` without any.
fn present(root: &Path, path: &str, plan: &Plan) -> Result<Option<String>> {
    if !root.join(path).exists() {
        return Ok(None);
    }
    let text = project::text(root, path)?;
    let own = if path == ROUTES_FILE { routes::present(&text, plan) } else { text };
    Ok(Some(own).filter(|text| !text.is_empty()))
}

/// Says what becomes of each file of a plan. `before` is the plan as it was.
fn fates(root: &Path, plan: &Plan, before: Option<&Plan>) -> Result<Vec<(String, Fate)>> {
    let files = generated(plan);
    let written = before.map(|before| &before.written);
    let owner = before.unwrap_or(plan);
    let known = |path: &String| written.and_then(|written| written.get(path));
    let mut fates = Vec::new();
    for (path, now) in &files {
        let present = present(root, path, owner)?;
        let fate = match present {
            None => Fate::Written(now.clone()),
            Some(present) if same(path, &present, now) => Fate::Current,
            Some(present) if known(path).is_some_and(|known| *known == digest(present.trim())) => {
                Fate::Written(now.clone())
            }
            Some(_) if known(path).is_some_and(|known| *known == digest(now.trim())) => Fate::Current,
            Some(present) => match known(path).and_then(|known| base(root, path, owner, known)) {
                Some(base) => merged(&base, &present, now),
                None => Fate::Edited(now.clone()),
            },
        };
        fates.push((path.clone(), fate));
    }
    for path in written.into_iter().flat_map(BTreeMap::keys).filter(|path| !files.contains_key(*path)) {
        if let Some(present) = present(root, path, owner)? {
            let is_own = known(path).is_some_and(|known| *known == digest(present.trim()));
            ensure!(is_own, "{path} is no longer generated, and was edited: remove it, and do the same again");
            fates.push((path.clone(), Fate::Removed));
        }
    }
    Ok(fates)
}

/// The text with this digest, which an older plan generates. This is the plan as it was, or as Git has it if its owner edited it since.
fn base(root: &Path, path: &str, before: &Plan, known: &str) -> Option<String> {
    let is_it = |text: &String| digest(text.trim()) == known;
    let committed = || {
        let show = ["show".to_owned(), format!("HEAD:./{}", path_of(&before.name))];
        let shown = Command::new("git").current_dir(root).args(show).output().ok()?;
        generated(&Plan::parse(&String::from_utf8(shown.stdout).ok()?).ok()?).remove(path)
    };
    generated(before).remove(path).filter(is_it).or_else(|| committed().filter(is_it))
}

/// A text that its owner has edited, with what has changed in the generated text.
pub(super) fn merged(base: &str, present: &str, now: &str) -> Fate {
    let mut merge = TextMerge::from_lines(base, present, now);
    merge.labels("generated before", "edited by hand", "generated now").conflict_style(ConflictStyle::Diff3);
    if merge.is_conflicted() { Fate::Edited(merge.to_string()) } else { Fate::Merged(merge.to_string()) }
}

/// The lines of routes end with a blank line, or with their table.
fn same(path: &str, present: &str, now: &str) -> bool {
    if path == ROUTES_FILE { present.trim() == now.trim() } else { present == now }
}

/// Writes a plan, and the files that follow from it. Returns what was done with each file, a line each.
///
/// # Errors
///
/// When this program has not written an existing file, or a file cannot be written. Nothing is changed then.
pub(super) fn write(root: &Path, plan: &Plan, before: Option<&Plan>, is_dry: bool) -> Result<Vec<String>> {
    let fates = fates(root, plan, before)?;
    if before.is_none() {
        let taken: Vec<_> = fates.iter().filter(|(_, fate)| matches!(fate, Fate::Edited(_))).collect();
        ensure!(
            taken.is_empty(),
            "{} is there already, and is another: nothing was written",
            taken.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>().join(", ")
        );
    }
    let mut plan = plan.clone();
    plan.written = generated(&plan).into_iter().map(|(path, text)| (path, digest(text.trim()))).collect();
    let mut staged = Staged::default();
    for (path, fate) in &fates {
        match fate {
            Fate::Written(text) | Fate::Merged(text) | Fate::Edited(text) => {
                let text = whole(root, path, before.unwrap_or(&plan), text)?;
                let is_edited = matches!(fate, Fate::Edited(_));
                if is_edited {
                    say(format!("{path}: edited by hand, and left as it is; what has changed in the generated text:"));
                }
                match is_dry || is_edited {
                    true => show(root, path, &text)?,
                    false => staged.add(root, path, &text)?,
                }
            }
            Fate::Removed if !is_dry => staged.removed.push(root.join(path)),
            Fate::Removed | Fate::Current => {}
        }
    }
    let stale = before.map(local).unwrap_or_default();
    staged.remove(root, stale.difference(&local(&plan)));
    let own = path_of(&plan.name);
    let text = plan.to_toml()?;
    if is_dry {
        show(root, &own, &text)?;
    } else {
        staged.add(root, &own, &text)?;
        staged.commit()?;
    }
    let done = |(path, fate): &(String, Fate)| {
        let what = match fate {
            Fate::Written(_) => "written",
            Fate::Merged(_) => "edited by hand, and merged with what has changed",
            Fate::Current => "current",
            Fate::Removed => "removed",
            Fate::Edited(_) => return None,
        };
        Some(format!("{path}: {what}"))
    };
    Ok(fates.iter().filter(|_| !is_dry).filter_map(done).collect())
}

/// The text of a file: of the routes, with these lines for the entity.
fn whole(root: &Path, path: &str, plan: &Plan, text: &str) -> Result<String> {
    match path == ROUTES_FILE {
        true => routes::with(&project::text(root, path)?, plan, text).with_context(|| path.to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// Prints what would be written as a diff.
fn show(root: &Path, path: &str, text: &str) -> Result<()> {
    let before = if root.join(path).exists() { project::text(root, path)? } else { String::new() };
    let from = if before.is_empty() { "/dev/null" } else { path };
    print!("{}", TextDiff::from_lines(before.as_str(), text).unified_diff().header(from, path));
    Ok(())
}

/// Removes the files of an entity, if none was edited.
///
/// # Errors
///
/// When a file was edited, or another entity refers to the table. Nothing is removed then.
pub(super) fn remove(root: &Path, plan: &Plan, is_dry: bool) -> Result<()> {
    project::is_free_to_go(plan, &project::plans(root)?)?;
    let (mut edited, mut gone) = (Vec::new(), Vec::new());
    let mut staged = Staged::default();
    for (path, known) in &plan.written {
        let Some(present) = present(root, path, plan)? else { continue };
        if digest(present.trim()) != *known {
            edited.push(path.as_str());
        } else if path == ROUTES_FILE {
            if !is_dry {
                staged.add(root, path, &routes::without(&project::text(root, path)?, plan))?;
            }
        } else {
            staged.removed.push(root.join(path));
        }
        gone.push(path);
    }
    if !edited.is_empty() {
        bail!("{} was changed since it was written: nothing was removed", edited.join(", "));
    }
    if plan.written.is_empty() {
        bail!("{} does not say what was written: what was written by hand is removed by hand", path_of(&plan.name));
    }
    if !is_dry {
        staged.remove(root, &local(plan));
        staged.removed.push(root.join(path_of(&plan.name)));
        staged.commit()?;
    }
    gone.iter().for_each(|path| say(format!("{path}: {}", if is_dry { "would be removed" } else { "removed" })));
    Ok(())
}

/// Texts that are written beside their files, and not yet in their place. Without a commit, no text is left behind.
#[derive(Default)]
struct Staged {
    files: Vec<(PathBuf, PathBuf)>,
    removed: Vec<PathBuf>,
}

impl Staged {
    fn add(&mut self, root: &Path, path: &str, text: &str) -> Result<()> {
        let to = root.join(path);
        let name = to.file_name().context("a file has a name")?.to_string_lossy().into_owned();
        let beside = to.with_file_name(format!(".{name}.new"));
        self.files.push((beside.clone(), to));
        let write = || {
            let mut file = File::create(&beside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().with_context(|| format!("cannot write {path}: nothing was changed"))
    }

    /// Marks the existing files of these paths to be removed.
    fn remove<'p>(&mut self, root: &Path, paths: impl IntoIterator<Item = &'p String>) {
        self.removed.extend(paths.into_iter().map(|path| root.join(path)).filter(|path| path.exists()));
    }

    fn commit(mut self) -> Result<()> {
        for (beside, to) in self.files.drain(..) {
            fs::rename(&beside, &to)
                .with_context(|| format!("cannot write {}: do the same again to complete it", to.display()))?;
        }
        for path in self.removed.drain(..) {
            fs::remove_file(&path)
                .with_context(|| format!("cannot remove {}: do the same again to complete it", path.display()))?;
        }
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        for (beside, _) in &self.files {
            // The file may not have been written.
            let _ = fs::remove_file(beside);
        }
    }
}
