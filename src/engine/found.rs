//! The files below the source roots that could be sources: a bounded look, that follows no link out of its root.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Engine, EngineError, Shared};

/// A file that could be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Relative to its root, with `/` between its parts, as a source's location names it.
    pub path: String,
    /// `csv`, `parquet`, `ndjson` or `sqlite`, by the ending.
    pub kind: &'static str,
    pub bytes: u64,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundFiles {
    /// By path.
    pub files: Vec<FoundFile>,
    /// Whether the look ended before all was seen.
    pub more: bool,
}

/// The most files that are told.
const MOST_FILES: usize = 200;
/// The most entries that are looked at, of whatever kind.
const MOST_LOOKS: usize = 5_000;
/// How many folders deep.
const MOST_DEEP: usize = 6;

/// The kind that a file's ending stands for.
fn kind_of(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" | "tsv" => Some("csv"),
        "parquet" | "pq" => Some("parquet"),
        "ndjson" | "jsonl" => Some("ndjson"),
        "sqlite" | "sqlite3" | "db" => Some("sqlite"),
        _ => None,
    }
}

impl Engine {
    /// The files below the configured roots; uploaded ones are registered already and are not told.
    pub async fn found_files(&self) -> Result<FoundFiles, EngineError> {
        self.blocking(|shared| Ok(shared.found_files())).await
    }
}

impl Shared {
    fn found_files(&self) -> FoundFiles {
        let mut look = Look { found: FoundFiles::default(), looks: 0 };
        let uploads = self.settings.uploads.as_deref();
        for root in self.settings.roots.iter().filter(|root| Some(root.as_path()) != uploads) {
            // A root that is missing has no files; releases from it say so themselves.
            if let Ok(root) = root.canonicalize() {
                look.below(&root, uploads);
            }
        }
        // The first root that has a path wins, as it does when the source is read.
        look.found.files.sort_by(|one, other| one.path.cmp(&other.path));
        look.found.files.dedup_by(|one, other| one.path == other.path);
        look.found
    }
}

struct Look {
    found: FoundFiles,
    looks: usize,
}

impl Look {
    fn below(&mut self, root: &Path, uploads: Option<&Path>) {
        let uploads = uploads.and_then(|uploads| uploads.canonicalize().ok());
        let mut open: Vec<(PathBuf, usize)> = vec![(root.to_owned(), 0)];
        while let Some((folder, deep)) = open.pop() {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                self.looks = self.looks.saturating_add(1);
                if self.looks > MOST_LOOKS || self.found.files.len() >= MOST_FILES {
                    self.found.more = true;
                    return;
                }
                let Ok(real) = entry.path().canonicalize() else { continue };
                if !real.starts_with(root) || uploads.as_deref() == Some(real.as_path()) {
                    continue;
                }
                match fs::metadata(&real) {
                    // Links to folders are not followed: they could lead round in a circle.
                    Ok(about) if about.is_dir() && entry.file_type().is_ok_and(|kind| kind.is_dir()) => {
                        if deep < MOST_DEEP {
                            open.push((real, deep.saturating_add(1)));
                        } else {
                            self.found.more = true;
                        }
                    }
                    Ok(about) if about.is_file() => self.tell(root, &entry.path(), about.len()),
                    Ok(_) | Err(_) => {}
                }
            }
        }
    }

    /// Keeps a file that could be a source; a name that is no text can't be registered.
    fn tell(&mut self, root: &Path, path: &Path, bytes: u64) {
        let (Some(kind), Ok(below)) = (kind_of(path), path.strip_prefix(root)) else { return };
        let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
        let Some(parts) = parts else { return };
        let hidden = parts.iter().any(|part| part.starts_with('.') || part.chars().any(char::is_control));
        if !hidden {
            self.found.files.push(FoundFile { path: parts.join("/"), kind, bytes });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Settings;

    fn engine(roots: Vec<PathBuf>, uploads: Option<PathBuf>) -> Engine {
        let settled = std::time::Duration::ZERO;
        Engine::new(Settings { roots, uploads, spill: None, threads: 1, memory_bytes: 1 << 20, kept_bytes: 0, settled }).unwrap()
    }

    #[test]
    fn only_files_that_could_be_sources_and_lie_below_a_root_are_told() {
        let (outside, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let write = |path: PathBuf| fs::write(path, "12345").unwrap();
        write(outside.path().join("secret.csv"));
        fs::create_dir_all(root.path().join("crm/deep")).unwrap();
        fs::create_dir(root.path().join("uploads")).unwrap();
        for name in ["b.CSV", "a.parquet", "notes.txt", ".hidden.csv", "crm/deep/c.db", "uploads/d.csv"] {
            write(root.path().join(name));
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outside.path().join("secret.csv"), root.path().join("link.csv")).unwrap();
            std::os::unix::fs::symlink(outside.path(), root.path().join("folder")).unwrap();
            std::os::unix::fs::symlink(root.path(), root.path().join("crm/round")).unwrap();
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let engine = engine(vec![root.path().to_owned(), root.path().join("none")], Some(root.path().join("uploads")));
        let found = runtime.block_on(engine.found_files()).unwrap();
        let told: Vec<_> = found.files.iter().map(|file| (file.path.as_str(), file.kind, file.bytes)).collect();
        assert_eq!(told, [("a.parquet", "parquet", 5), ("b.CSV", "csv", 5), ("crm/deep/c.db", "sqlite", 5)]);
        assert!(!found.more);
    }

    #[test]
    fn a_look_is_bounded() {
        let root = tempfile::tempdir().unwrap();
        for at in 0..=MOST_FILES {
            fs::write(root.path().join(format!("{at}.csv")), "").unwrap();
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(engine(vec![root.path().to_owned()], None).found_files()).unwrap();
        assert_eq!((found.files.len(), found.more), (MOST_FILES, true));
    }
}
