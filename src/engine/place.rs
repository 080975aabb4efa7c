//! Finds source files below the configured roots and nowhere else.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;

use super::EngineError;
use super::source::bucket::MOST_FILES;
use crate::domain::Invalid;
use crate::domain::dataset::SourceLocation;
use crate::domain::source::bucket_and_prefix;

/// How deep folders are looked into.
const DEEPEST: usize = 16;

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    File(PathBuf),
    Folder(PathBuf),
}

/// The canonical path of a source: in the first root that has it, and still within that root once links are followed.
pub(super) fn locate(roots: &[PathBuf], location: &SourceLocation) -> Result<Found, EngineError> {
    check(roots, location).map_err(|_| EngineError::damaged())
}

/// The path of a location on this machine; none for one that lies elsewhere.
fn local(location: &SourceLocation) -> Option<&str> {
    let path = match location {
        SourceLocation::Sqlite { path } | SourceLocation::Csv { path, .. } => path,
        SourceLocation::Parquet { path, .. } | SourceLocation::Ndjson { path, .. } => path,
        SourceLocation::Postgres(_) | SourceLocation::HttpJson(_) => return None,
    };
    Some(path.as_str()).filter(|path| bucket_and_prefix(path).is_none())
}

/// Whether a location lies on this machine.
pub(super) fn is_local(location: &SourceLocation) -> bool {
    local(location).is_some()
}

/// The same for registration, with a reason for the person who registers.
pub(super) fn check(roots: &[PathBuf], location: &SourceLocation) -> Result<Found, Invalid> {
    let bad = |reason: &str| Err(Invalid::new("path", reason));
    let Some(path) = local(location) else { return bad("must lie below a source root") };
    for root in roots {
        let Ok(root) = root.canonicalize() else { continue };
        // An absolute path is only ever taken below a root.
        let below = match path.strip_prefix("file://") {
            Some(absolute) => match Path::new(absolute).strip_prefix(&root) {
                Ok(below) => below,
                Err(_) => continue,
            },
            None => Path::new(path),
        };
        if below.components().next().is_none() || below.components().any(|part| !matches!(part, Component::Normal(_))) {
            return bad("must be relative to a source root, without `..`, such as `crm/customers.parquet`");
        }
        let Ok(found) = root.join(below).canonicalize() else { continue };
        return if !found.starts_with(&root) {
            bad("must not lead out of its source root through a link")
        } else if found.is_file() {
            Ok(Found::File(found))
        } else if found.is_dir() && !matches!(location, SourceLocation::Sqlite { .. }) {
            Ok(Found::Folder(found))
        } else {
            bad("must name a file, not a directory")
        };
    }
    bad("must name a file or folder that exists below one of the configured source roots")
}

/// The files below a folder, with their paths below it. No link is followed, and hidden files are left out, as are those
/// that writers leave beside their output, such as `_SUCCESS`.
pub(super) fn files_below(folder: &Path, fits: fn(&str) -> bool) -> Result<Vec<(String, PathBuf)>, EngineError> {
    let mut found = Vec::new();
    let mut open = vec![(folder.to_owned(), 0_usize)];
    while let Some((inner, deep)) = open.pop() {
        for entry in std::fs::read_dir(&inner).map_err(|_| EngineError::damaged())? {
            let entry = entry.map_err(|_| EngineError::damaged())?;
            let (name, kind) = (entry.file_name(), entry.file_type().map_err(|_| EngineError::damaged())?);
            let Some(name) = name.to_str().filter(|name| !name.starts_with(['.', '_'])) else { continue };
            if kind.is_dir() && deep < DEEPEST {
                open.push((entry.path(), deep.saturating_add(1)));
            } else if kind.is_file() && fits(name) {
                let path = entry.path();
                let below = path.strip_prefix(folder).ok().and_then(|below| below.to_str()).map(str::to_owned);
                found.extend(below.map(|below| (below, path)));
            }
            if found.len() > MOST_FILES {
                return Err(EngineError::Unavailable(format!("there are more than {MOST_FILES} files in the folder")));
            }
        }
    }
    Ok(found)
}

/// A digest that changes when the file does: length, modification time and inode, and the same of a SQLite
/// write-ahead log.
pub(super) fn version(path: &Path, location: &SourceLocation) -> io::Result<String> {
    let mut identity = describe(&std::fs::metadata(path)?)?;
    if let SourceLocation::Sqlite { .. } = location {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        match std::fs::metadata(log) {
            // Our own reading can make an empty log; it says nothing of the rows.
            Ok(log) if log.len() == 0 => {}
            Ok(log) => identity.push_str(&describe(&log)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(digest_of(&identity))
}

/// The same of many files: any that comes, goes or changes makes another one.
pub(super) fn version_of_many(files: &[(String, PathBuf)]) -> io::Result<String> {
    let mut identity = String::new();
    for (below, path) in files {
        identity.push_str(below);
        identity.push(' ');
        identity.push_str(&describe(&std::fs::metadata(path)?)?);
    }
    Ok(digest_of(&identity))
}

pub(super) fn digest_of(identity: &str) -> String {
    HEXLOWER.encode(digest(&SHA256, identity.as_bytes()).as_ref())
}

fn describe(file: &Metadata) -> io::Result<String> {
    let inode = file.ino();
    let nanoseconds = match file.modified()?.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_nanos().to_string(),
        Err(before) => format!("-{}", before.duration().as_nanos()),
    };
    Ok(format!("{} {nanoseconds} {inode};", file.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> SourceLocation {
        SourceLocation::Sqlite { path: path.parse().unwrap() }
    }

    #[test]
    fn only_files_below_a_root_are_found() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret.db"), "x").unwrap();
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir(second.path().join("crm")).unwrap();
        std::fs::write(second.path().join("crm/a.db"), "x").unwrap();
        let roots = [first.path().to_owned(), second.path().to_owned()];
        assert!(matches!(locate(&roots, &at("crm/a.db")), Ok(Found::File(path)) if path.ends_with("crm/a.db")));

        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outside.path(), first.path().join("link")).unwrap();
            std::os::unix::fs::symlink(second.path().join("crm/a.db"), second.path().join("inside.db")).unwrap();
            assert_eq!(locate(&roots, &at("link/secret.db")), Err(EngineError::damaged()));
            assert!(locate(&roots, &at("inside.db")).is_ok());
        }
        let absolute = outside.path().join("secret.db");
        for refused in ["../a.db", "crm/../../a.db", "./../x", "crm", "crm/none.db", absolute.to_str().unwrap()] {
            let error = check(&roots, &at(refused)).unwrap_err();
            assert_eq!(error.field, "path");
            assert!(!error.reason.contains(refused), "the reason repeats the path");
            assert_eq!(locate(&roots, &at(refused)), Err(EngineError::damaged()));
        }
    }

    #[test]
    fn the_version_follows_the_file_and_its_log() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.db");
        std::fs::write(&path, "one").unwrap();
        let first = version(&path, &at("a.db")).unwrap();
        assert_eq!(version(&path, &at("a.db")).unwrap(), first);
        std::fs::write(root.path().join("a.db-wal"), "log").unwrap();
        let second = version(&path, &at("a.db")).unwrap();
        assert_ne!(second, first);
        std::fs::write(&path, "longer").unwrap();
        assert_ne!(version(&path, &at("a.db")).unwrap(), second);
    }
}
