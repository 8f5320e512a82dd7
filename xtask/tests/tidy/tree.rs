//! The files that the rules read, and the findings that the rules report.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Every text file of the repository.
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

/// A text file; its path is relative to the root and separated by `/`.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A place where a rule is broken.
pub(crate) struct Finding {
    pub(crate) path: String,
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) problem: String,
}

impl Tree {
    /// Files that git tracks or would add. In a copy without git, every file.
    pub(crate) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut paths = listed_by_git(root);
        if paths.is_empty() {
            walk(root, "", &mut paths);
        }
        paths.sort();
        // Skips files that are not text, and deleted files that git still lists.
        let read = |path: String| Some(File { text: fs::read_to_string(root.join(&path)).ok()?, path });
        Self { files: paths.into_iter().filter_map(read).collect() }
    }

    pub(crate) fn with_extension(&self, extension: &str) -> impl Iterator<Item = &File> {
        self.files.iter().filter(move |file| file.extension() == extension)
    }
}

impl File {
    pub(crate) fn extension(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    pub(crate) fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// Whether it is part of the product, and not of its tests and tools.
    pub(crate) fn is_product(&self) -> bool {
        self.path.starts_with("crates/") && !self.is_test() && !self.path.contains("/examples/")
    }

    /// The lines with their numbers, counted from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    pub(crate) fn finding(&self, line: usize, problem: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, problem: problem.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.problem)
    }
}

fn listed_by_git(root: &Path) -> Vec<String> {
    let listing = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output();
    let listing = listing.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&listing).lines().map(str::to_owned).collect()
}

fn walk(root: &Path, folder: &str, paths: &mut Vec<String>) {
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type().unwrap();
        if kind.is_file() {
            paths.push(path);
        } else if kind.is_dir() && ![".git", ".tools", "node_modules", "target"].contains(&name.as_str()) {
            walk(root, &path, paths);
        }
    }
}
