//! Files handed in as sources: kept whole below the uploads folder once they hold what they are said to, else gone.
//!
//! The engine reads them in place, so unlike evidence they are not encrypted: only the process's user can read them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use data_encoding::HEXLOWER;

use super::{Engine, EngineError, source};
use crate::domain::Invalid;
use crate::domain::dataset::SourceLocation;

/// What a file is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// With its separator.
    Csv(char),
    Parquet,
    Sqlite,
    Ndjson,
}

/// The file's own name below its folder: the name of the one table of a CSV or Parquet file comes from it.
const STEM: &str = "rows";

impl FileKind {
    const fn ending(self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Parquet => "parquet",
            Self::Sqlite => "sqlite",
            Self::Ndjson => "ndjson",
        }
    }

    /// The wire name.
    pub const fn key(self) -> &'static str {
        self.ending()
    }

    fn location(self, folder: &str) -> Result<SourceLocation, Invalid> {
        let path = format!("{folder}/{STEM}.{}", self.ending()).parse()?;
        let location = match self {
            Self::Csv(delimiter) => SourceLocation::Csv { path, delimiter, store: None },
            Self::Parquet => SourceLocation::Parquet { path, store: None },
            Self::Ndjson => SourceLocation::Ndjson { path, store: None },
            Self::Sqlite => SourceLocation::Sqlite { path },
        };
        location.check().map(|()| location)
    }
}

/// Why a file was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<io::Error> for NotTaken {
    fn from(error: io::Error) -> Self {
        // The system's own words would name the folder.
        Self::Engine(EngineError::Unavailable(format!("an uploaded file can't be written ({})", error.kind())))
    }
}

/// A file that is being handed in. Dropped before [`Arrived::keep`], it leaves nothing behind.
pub struct Incoming {
    folder: Folder,
    location: SourceLocation,
    kind: FileKind,
    most: u64,
    length: u64,
    hash: Context,
    file: File,
}

/// A file that holds what it is said to, whole on disk.
pub struct Arrived {
    folder: Folder,
    pub location: SourceLocation,
    pub bytes: u64,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
}

impl Arrived {
    /// Lets the file stay.
    pub fn keep(mut self) {
        self.folder.kept = true;
    }
}

/// The folder of one upload, removed with all that is in it unless it is kept.
struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept && fs::remove_dir_all(&self.path).is_err() {
            tracing::warn!("the remains of an upload could not be removed");
        }
    }
}

impl Engine {
    /// Begins to take a file of at most that many bytes; `name` is a fresh id.
    pub async fn receive(&self, kind: FileKind, name: &str, most: u64) -> Result<Incoming, NotTaken> {
        let uploads = self.shared.settings.uploads.clone();
        let uploads = uploads.ok_or_else(|| EngineError::unsupported("this installation takes no uploads"))?;
        let (name, location) = (name.to_owned(), kind.location(name)?);
        self.waiting(move || {
            let path = uploads.join(&name);
            DirBuilder::new().mode(0o700).create(&path)?;
            let folder = Folder { path, kept: false };
            let path = folder.path.join(format!("{STEM}.{}", kind.ending()));
            let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
            Ok(Incoming { folder, location, kind, most, length: 0, hash: Context::new(&SHA256), file })
        })
        .await
    }

    /// Takes the next piece.
    pub async fn take(&self, mut incoming: Incoming, piece: Bytes) -> Result<Incoming, NotTaken> {
        self.waiting(move || {
            incoming.length = incoming.length.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            if incoming.length > incoming.most {
                return Err(Invalid::new("file", format!("must have at most {} bytes", incoming.most)).into());
            }
            incoming.hash.update(&piece);
            incoming.file.write_all(&piece)?;
            Ok(incoming)
        })
        .await
    }

    /// Looks whether the whole file is what it is said to be: its signature, and that its tables can be read.
    pub async fn arrived(&self, incoming: Incoming) -> Result<Arrived, NotTaken> {
        self.waiting(move || {
            let Incoming { folder, location, kind, length, hash, mut file, .. } = incoming;
            if length == 0 {
                return Err(Invalid::new("file", "must not be empty").into());
            }
            file.sync_all()?;
            check_signature(&mut file, kind, length)?;
            let path = folder.path.join(format!("{STEM}.{}", kind.ending()));
            source::look_through(&path, &location).map_err(|error| unreadable(error, kind))?;
            sync(&folder.path)?;
            Ok(Arrived { folder, location, bytes: length, sha256: HEXLOWER.encode(hash.finish().as_ref()) })
        })
        .await
    }

    async fn waiting<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T, NotTaken> + Send + 'static) -> Result<T, NotTaken> {
        let done = self.long.handle.spawn_blocking(work).await;
        done.unwrap_or_else(|_| Err(EngineError::internal("a writer died").into()))
    }
}

/// A folder's entry is whole on disk once the folder above it is.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()?;
    folder.parent().map_or(Ok(()), |above| File::open(above)?.sync_all())
}

fn unreadable(error: EngineError, kind: FileKind) -> NotTaken {
    match error {
        EngineError::Unavailable(_) | EngineError::Drift(_) | EngineError::Unsupported(_) => not_a(kind).into(),
        EngineError::Overloaded | EngineError::Internal(_) => error.into(),
    }
}

fn not_a(kind: FileKind) -> Invalid {
    let reason = match kind {
        FileKind::Csv(_) => "must be a CSV file: UTF-8 text with a header line, and as many cells in each line",
        FileKind::Parquet => "must be a whole Parquet file with at least one column",
        FileKind::Ndjson => "must be UTF-8 text with one JSON object on each line",
        FileKind::Sqlite => "must be a whole SQLite database with at least one table",
    };
    Invalid::new("file", reason)
}

/// How much of a file's beginning is looked at.
const HEAD: u64 = 64 * 1024;

/// The first bytes of a SQLite database (<https://sqlite.org/fileformat.html>, 1.3.1).
const SQLITE: &[u8] = b"SQLite format 3\0";
/// The first and last bytes of a Parquet file.
const PARQUET: &[u8] = b"PAR1";

fn check_signature(file: &mut File, kind: FileKind, length: u64) -> Result<(), NotTaken> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    Read::by_ref(file).take(HEAD).read_to_end(&mut head)?;
    let good = match kind {
        FileKind::Sqlite => head.starts_with(SQLITE),
        FileKind::Parquet => {
            let mut tail = Vec::new();
            file.seek(SeekFrom::Start(length.saturating_sub(4)))?;
            file.read_to_end(&mut tail)?;
            head.starts_with(PARQUET) && tail == PARQUET
        }
        FileKind::Ndjson => head.trim_ascii_start().starts_with(b"{") && is_text(&head),
        FileKind::Csv(_) => !head.starts_with(PARQUET) && !head.contains(&0) && is_text(&head),
    };
    if good { Ok(()) } else { Err(not_a(kind).into()) }
}

/// UTF-8, but for a character that the end of the part cuts in two.
fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none() && bytes.len() > 3, |_| true)
}
