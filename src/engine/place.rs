//! Finds source files below the configured roots and nowhere else.

use std::fs::Metadata;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;

use super::EngineError;
use crate::domain::Invalid;
use crate::domain::dataset::SourceLocation;

/// The canonical path of a source: in the first root that has it, and still within that root once links are followed.
pub(super) fn locate(roots: &[PathBuf], location: &SourceLocation) -> Result<PathBuf, EngineError> {
    check(roots, location).map_err(|_| EngineError::damaged())
}

/// The same for registration, with a reason for the person who registers.
pub(super) fn check(roots: &[PathBuf], location: &SourceLocation) -> Result<PathBuf, Invalid> {
    let bad = |reason: &str| Err(Invalid::new("path", reason));
    let below = Path::new(location.path().as_str());
    if below.components().next().is_none() || below.components().any(|part| !matches!(part, Component::Normal(_))) {
        return bad("must be relative to a source root, without `..`, such as `crm/customers.parquet`");
    }
    for root in roots {
        let Ok(root) = root.canonicalize() else { continue };
        let Ok(found) = root.join(below).canonicalize() else { continue };
        return if !found.starts_with(&root) {
            bad("must not lead out of its source root through a link")
        } else if !found.is_file() {
            bad("must name a file, not a directory")
        } else {
            Ok(found)
        };
    }
    bad("must name a file that exists below one of the configured source roots")
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
    Ok(HEXLOWER.encode(digest(&SHA256, identity.as_bytes()).as_ref()))
}

fn describe(file: &Metadata) -> io::Result<String> {
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(file);
    #[cfg(not(unix))]
    let inode = 0_u64;
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
        assert!(locate(&roots, &at("crm/a.db")).unwrap().ends_with("crm/a.db"));

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
