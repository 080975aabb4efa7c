//! Blobs are named by the SHA-256 of their plain bytes, lie encrypted, and are whole on disk before their name is told.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::text::Digest;
use crate::keys::{self, Keyring};

mod runs;

pub use runs::Runs;

/// Why a blob can't be had or kept. Never tells a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// No blob has that digest.
    #[error("there is no file with this digest")]
    Missing,
    /// What lies there does not open, or is not what the digest names.
    #[error("the file is damaged or was sealed with another master key")]
    Damaged,
    /// The disk is full, gone or refuses.
    #[error("the file store is unavailable ({0})")]
    Unavailable(ErrorKind),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Unavailable(error.kind())
    }
}

/// What kind of blob it is; each has a folder and sealing contexts of its own.
#[derive(Debug, Clone, Copy)]
enum Shelf {
    /// Evidence and documents.
    Files,
    /// Segments of the subject ledger.
    Ledger,
}

impl Shelf {
    const fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Ledger => "ledger",
        }
    }
}

/// The blob store below one folder: `files/ab/ab…` and `ledger/ab/ab…`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Files {
    root: PathBuf,
    keyring: Arc<Keyring>,
}

impl Files {
    /// Takes the folder, which is made at the first write.
    pub const fn new(root: PathBuf, keyring: Arc<Keyring>) -> Self {
        Self { root, keyring }
    }

    /// Keeps a document or a piece of evidence; keeping the same bytes again changes nothing. When this has
    /// answered, the blob survives a crash.
    ///
    /// # Errors
    /// [`FileError::Unavailable`] where it could not be made durable.
    pub async fn put(&self, bytes: Vec<u8>) -> Result<Digest, FileError> {
        self.run(move |files| files.write(Shelf::Files, &bytes)).await
    }

    /// Reads a document or a piece of evidence.
    ///
    /// # Errors
    /// [`FileError::Missing`], [`FileError::Damaged`] or [`FileError::Unavailable`].
    pub async fn get(&self, digest: &Digest) -> Result<Vec<u8>, FileError> {
        let digest = digest.clone();
        self.run(move |files| files.read(Shelf::Files, &digest)).await
    }

    /// Keeps a segment of the subject ledger; as durable as [`Files::put`].
    ///
    /// # Errors
    /// [`FileError::Unavailable`] where it could not be made durable.
    pub async fn put_segment(&self, bytes: Vec<u8>) -> Result<Digest, FileError> {
        self.run(move |files| files.write(Shelf::Ledger, &bytes)).await
    }

    /// Reads a segment of the subject ledger.
    ///
    /// # Errors
    /// As [`Files::get`].
    pub async fn get_segment(&self, digest: &Digest) -> Result<Vec<u8>, FileError> {
        let digest = digest.clone();
        self.run(move |files| files.read(Shelf::Ledger, &digest)).await
    }

    /// Disks block, so all of it happens on the threads meant for that.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> Result<T, FileError> + Send + 'static) -> Result<T, FileError> {
        let files = self.clone();
        tokio::task::spawn_blocking(move || work(&files)).await.unwrap_or(Err(FileError::Unavailable(ErrorKind::Other)))
    }

    fn write(&self, shelf: Shelf, bytes: &[u8]) -> Result<Digest, FileError> {
        let digest = Digest::try_from(keys::sha256_hex(bytes)).map_err(|_| FileError::Damaged)?;
        let (folder, path) = self.place(shelf, &digest);
        make_folder(&folder)?;
        // A blob that is there but does not read back is written anew.
        if self.read(shelf, &digest).is_err() {
            let sealed = self.keyring.seal(&context(shelf, &digest), bytes);
            // Temporary files are made with mode 0600.
            let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&folder)?;
            file.write_all(&sealed)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
        }
        // Also where another writer was first: its rename may not be on disk yet.
        sync_folder(&folder)?;
        Ok(digest)
    }

    fn read(&self, shelf: Shelf, digest: &Digest) -> Result<Vec<u8>, FileError> {
        let (_, path) = self.place(shelf, digest);
        let sealed = fs::read(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => FileError::Missing,
            kind => FileError::Unavailable(kind),
        })?;
        let plain = self.keyring.open(&context(shelf, digest), &sealed).map_err(|_| FileError::Damaged)?;
        if keys::sha256_hex(&plain) == digest.as_str() { Ok(plain) } else { Err(FileError::Damaged) }
    }

    fn place(&self, shelf: Shelf, digest: &Digest) -> (PathBuf, PathBuf) {
        let folder = self.root.join(shelf.name()).join(digest.as_str().get(..2).unwrap_or_default());
        let path = folder.join(digest.as_str());
        (folder, path)
    }
}

fn context(shelf: Shelf, digest: &Digest) -> String {
    format!("{}|{digest}|body", shelf.name())
}

/// Makes the folder and what is missing above it, each with mode 0700. The folder above is synced even where the
/// folder was there: another writer may have made it a moment ago.
fn make_folder(folder: &Path) -> io::Result<()> {
    let above = folder.parent().unwrap_or(Path::new("."));
    if !folder.is_dir() {
        if !above.is_dir() {
            make_folder(above)?;
        }
        match fs::DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    sync_folder(above)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use base64::Engine;

    use super::*;
    use crate::keys::{MasterKey, MasterKeySource};

    fn store(root: &Path, key: u8) -> Files {
        let text = base64::engine::general_purpose::STANDARD.encode([key; 32]);
        let master = MasterKey::load(&MasterKeySource::Environment(text), root).unwrap();
        Files::new(root.join("blobs"), Arc::new(Keyring::new(master)))
    }

    fn all_files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
    }

    #[tokio::test]
    async fn what_is_put_comes_back_and_lies_encrypted_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let files = store(dir.path(), 1);
        let digest = files.put(b"penetration test of May".to_vec()).await.unwrap();
        assert_eq!(digest.as_str(), keys::sha256_hex(b"penetration test of May"));
        assert_eq!(files.get(&digest).await.unwrap(), b"penetration test of May");

        let paths = all_files(dir.path());
        assert_eq!(paths, [dir.path().join("blobs/files").join(&digest.as_str()[..2]).join(digest.as_str())]);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&paths[0]), 0o600);
        assert!(paths[0].ancestors().skip(1).take(3).all(|folder| mode(folder) == 0o700));
        assert!(!fs::read(&paths[0]).unwrap().windows(11).any(|part| part == b"penetration"));
    }

    #[tokio::test]
    async fn putting_twice_keeps_one_and_repairs_a_damaged_one() {
        let dir = tempfile::tempdir().unwrap();
        let files = store(dir.path(), 1);
        let digest = files.put(b"same".to_vec()).await.unwrap();
        let path = all_files(dir.path()).remove(0);
        let before = fs::read(&path).unwrap();
        assert_eq!(files.put(b"same".to_vec()).await.unwrap(), digest);
        assert_eq!(fs::read(&path).unwrap(), before);

        fs::write(&path, b"torn").unwrap();
        assert_eq!(files.get(&digest).await, Err(FileError::Damaged));
        files.put(b"same".to_vec()).await.unwrap();
        assert_eq!(files.get(&digest).await.unwrap(), b"same");
        assert_eq!(all_files(dir.path()).len(), 1);
    }

    #[tokio::test]
    async fn a_blob_answers_to_its_own_name_shelf_and_key_only() {
        let dir = tempfile::tempdir().unwrap();
        let files = store(dir.path(), 1);
        let first = files.put(b"first".to_vec()).await.unwrap();
        let second = files.put(b"second".to_vec()).await.unwrap();
        assert_eq!(files.get_segment(&first).await, Err(FileError::Missing));
        assert_eq!(store(dir.path(), 2).get(&first).await, Err(FileError::Damaged));

        let path = |digest: &Digest| files.place(Shelf::Files, digest).1;
        fs::copy(path(&first), path(&second)).unwrap();
        assert_eq!(files.get(&second).await, Err(FileError::Damaged));

        let on_the_other_shelf = files.place(Shelf::Ledger, &first).1;
        fs::create_dir_all(on_the_other_shelf.parent().unwrap()).unwrap();
        fs::copy(path(&first), on_the_other_shelf).unwrap();
        assert_eq!(files.get_segment(&first).await, Err(FileError::Damaged));
    }

    #[tokio::test]
    async fn segments_have_a_folder_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let files = store(dir.path(), 1);
        let digest = files.put_segment(vec![7; 100_000]).await.unwrap();
        assert_eq!(files.get_segment(&digest).await.unwrap(), vec![7; 100_000]);
        assert_eq!(files.get(&digest).await, Err(FileError::Missing));
        assert!(all_files(dir.path())[0].starts_with(dir.path().join("blobs/ledger")));
    }

    #[tokio::test]
    async fn a_failing_disk_is_told_without_a_path() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("blobs"), b"a file where the folder should be").unwrap();
        let error = store(dir.path(), 1).put(b"bytes".to_vec()).await.unwrap_err();
        assert!(matches!(error, FileError::Unavailable(_)));
        assert!(!error.to_string().contains(&*dir.path().to_string_lossy()), "{error}");
    }
}
